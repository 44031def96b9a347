"""E-mail addresses, phone numbers and the like, read for one destination and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kizuna.config import Config, TableSource
from kizuna.config_exports import Contacts
from kizuna.data.sources import connect, load_raw, quote, say_unreadable
from kizuna.errors import ConfigError, ContractError, KizunaError, nearest

_NAME = "contacts"


def read_contacts(config: Config, asked: Contacts, names: Sequence[str], destination: str) -> pd.DataFrame:
    """The named columns as text, null where empty, by customer_id.

    Errors: those of reading a table; ConfigError for a column that is not there; ContractError for a customer twice.
    """
    try:
        return _read(config, asked, names)
    except KizunaError as error:
        said = str(error).replace(f"data.tables.{_NAME}", f"the export {destination}'s {_NAME}")
        raise type(error)(said.replace("Table contacts", f"Table contacts of the export {destination}")) from None


def _read(config: Config, asked: Contacts, names: Sequence[str]) -> pd.DataFrame:
    import duckdb

    source = TableSource(**asked.model_dump())
    data = config.data.model_copy(update={"tables": {_NAME: source}})
    connection = connect(config.engine.threads, config.engine.memory_gb)
    raw = load_raw(connection, config.model_copy(update={"data": data}), _NAME)
    theirs = {name: asked.columns.get(name, name) for name in ("customer_id", *names)}
    try:
        held = [row[0] for row in connection.execute(f"DESCRIBE {raw}").fetchall()]
        for ours, column in theirs.items():
            if column not in held:
                raise ConfigError(
                    f"Table contacts: {ours} is looked for in column '{column}'; found {', '.join(held[:20])}."
                    f"{nearest(column, held)} Mend data.tables.{_NAME}.columns."
                )
        columns = ", ".join(f"CAST({quote(column)} AS VARCHAR) AS {quote(ours)}" for ours, column in theirs.items())
        found: Any = connection.sql(f"SELECT {columns} FROM {raw}").to_arrow_table()
    except duckdb.Error as error:
        raise say_unreadable(_NAME, source, error) from None
    frame = pd.DataFrame({name: pd.array(found[name].to_pylist(), dtype="str") for name in theirs})
    frame = frame[frame["customer_id"].notna()]
    if twice := frame.loc[frame["customer_id"].duplicated(), "customer_id"].nunique():
        raise ContractError(f"Table contacts: {twice:,} customers stand there more than once. Keep one row of each.")
    return frame.set_index("customer_id")
