"""Who may be contacted on the day that a list is delivered: opt-outs since it was published count, consents since do not."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kizuna.config_exports import DatabaseExport, Receiver
from kizuna.data.blocks import Block
from kizuna.data.contract import CONSENTS
from kizuna.data.frames import arrow_table, numpy_columns
from kizuna.data.store import Store
from kizuna.explain.consent import channel_consent, contact_consent
from kizuna.exports.destinations.kinds import rules_of
from kizuna.exports.profile import profile_of
from kizuna.features.history import History
from kizuna.features.rows import every_pair
from kizuna.timeline import day_of

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE = "suppressions"


def consent_now(store: Store, as_of: date) -> pd.DataFrame:
    """What every customer of the tables allows by now, by customer_id; what is dated today counts.

    Columns: any (True, False, null: whether contact is allowed at all, suppressed customers refuse), and each channel alike.
    """
    tomorrow = max(store.today, day_of(as_of)) + 1
    answers = profile_of(store, tomorrow, list(CONSENTS)).set_index("customer_id").dropna(axis="columns", how="all")
    found = channel_consent(answers).assign(any=contact_consent(answers))
    suppressed = found.index.isin(_suppressed(store, tomorrow))
    return found.mask(np.repeat(suppressed[:, None], len(found.columns), axis=1), False)


def refused_since(customers: list[str], now: pd.DataFrame, asked: Receiver, consent_missing: str) -> set[str]:
    """Those of the customers who may not be contacted any more, and those whom the tables do not know any more.

    A database holds everybody; it follows what was refused outright. ``now``: see ``consent_now``.
    """
    said = now.reindex(pd.Index(customers).unique())
    if isinstance(asked, DatabaseExport):
        refused = said["any"].eq(False).fillna(False).astype(bool)
    else:
        allowed = said.fillna(consent_missing == "allow").astype(bool)
        channels = asked.channels or rules_of(asked).channels
        refused = ~(allowed["any"] & (allowed[list(channels)].any(axis=1) if channels else True))
    gone = ~said.index.isin(now.index)
    return set(said.index[refused.to_numpy() | gone])


def _suppressed(store: Store, day: int) -> list[str]:
    import pyarrow as pa

    if not store.has(_TABLE):
        return []

    def known(block: Block) -> pa.Table:
        named = np.full(len(block.ids()), None, dtype=object)
        if _TABLE in block.tables:
            history = History(block.tables[_TABLE], every_pair(block.customers, [day]), block.tables)
            named = history.in_force("until", "reason", "suppressed")
        return arrow_table({"customer_id": block.ids(), "reason": named})

    found = numpy_columns(pa.concat_tables([known(store.block(0, 0)), *store.map_tables(known, "suppressions")]))
    ids: list[str] = found["customer_id"][pd.notna(found["reason"])].tolist()
    return ids
