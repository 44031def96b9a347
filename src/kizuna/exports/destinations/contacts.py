"""E-mail addresses, phone numbers and the like, read for one destination and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kizuna.config import Config, TableSource
from kizuna.config_exports import Contacts
from kizuna.data.sources import connect, load_raw, quote
from kizuna.errors import ConfigError, ContractError, KizunaError, nearest

_NAME = "contacts"


def read_contacts(config: Config, asked: Contacts, names: Sequence[str], destination: str) -> pd.DataFrame:
    """The named columns as text, null where empty, by customer_id.

    Errors: those of reading a table; ConfigError for a column that is not there; ContractError for a customer twice.
    """
    source = TableSource(**asked.model_dump())
    data = config.data.model_copy(update={"tables": {_NAME: source}})
    connection = connect(config.engine.threads, config.engine.memory_gb)
    try:
        raw = load_raw(connection, config.model_copy(update={"data": data}), _NAME)
    except KizunaError as error:
        place = f"contacts of the export {destination}"
        raise type(error)(str(error).replace(f"data.tables.{_NAME}", place).replace("Table contacts", place)) from None
    held = [row[0] for row in connection.execute(f"DESCRIBE {raw}").fetchall()]
    theirs = {name: asked.columns.get(name, name) for name in ("customer_id", *names)}
    for ours, column in theirs.items():
        if column not in held:
            raise ConfigError(
                f"exports: {destination} asks for {ours} of its contacts as column '{column}'; "
                f"found {', '.join(held[:20])}.{nearest(column, held)} Mend its contacts.columns."
            )
    columns = ", ".join(f"CAST({quote(column)} AS VARCHAR) AS {quote(ours)}" for ours, column in theirs.items())
    found: Any = connection.sql(f"SELECT {columns} FROM {raw}").to_arrow_table()
    frame = pd.DataFrame({name: pd.array(found[name].to_pylist(), dtype="str") for name in theirs})
    frame = frame[frame["customer_id"].notna()]
    if twice := sorted(frame.loc[frame["customer_id"].duplicated(), "customer_id"].unique()):
        raise ContractError(
            f"exports: the contacts of {destination} hold {len(twice):,} customers more than once, such as {twice[0]}. "
            "Keep one row of each."
        )
    return frame.set_index("customer_id")
