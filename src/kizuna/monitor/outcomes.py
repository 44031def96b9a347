"""What customers did in the label window of a list, and what was done for them because of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.data.blocks import Block
from kizuna.data.events import NEVER
from kizuna.data.frames import arrow_table, numpy_columns
from kizuna.data.store import Store
from kizuna.features.context import market_of
from kizuna.features.frame import days_to_dates
from kizuna.features.history import History
from kizuna.features.rows import every_pair
from kizuna.features.sample import Listed
from kizuna.labels.definition import Definition
from kizuna.labels.outcome import Outcome
from kizuna.labels.purchase_pasts import TABLE as PURCHASES
from kizuna.labels.value import value as net_value

if TYPE_CHECKING:
    import pyarrow as pa

OUTREACH = "outreach"
# What is known of nobody.
NOTHING_SEEN = pd.DataFrame(
    {
        "customer_id": pd.array([], dtype="str"),
        "as_of": np.array([], dtype="datetime64[s]"),
        "kept": np.array([], dtype=np.float64),
        "net_value": np.array([], dtype=np.float64),
        "market": pd.array([], dtype="str"),
    }
)


@dataclass(frozen=True)
class Asked:
    """Whose outcomes of one day are asked for: the customers named, and of all who were eligible this share, see ``drawn``."""

    customers: frozenset[str]
    share: float = 0.0


def drawn(ids: NDArray[np.object_], share: float) -> NDArray[np.bool_]:
    """Which of the customers are drawn with this probability, by a hash of their ids: the same ones on every day."""
    if share >= 1:
        return np.ones(len(ids), dtype=np.bool_)
    return np.asarray(pd.util.hash_array(np.asarray(ids, dtype=object), categorize=False) < share * 2**64)


def outcomes_of(
    store: Store, definition: Definition, margin: float, asked: Mapping[int, Asked], known_before: int
) -> pd.DataFrame:
    """customer_id, as_of, kept, net_value and market of those asked for, by day, in one pass over the tables.

    ``kept``: 1 or 0, null where no label says so; ``net_value``: purchases less returns of the label window times the
    margin, null without purchases; ``market``: on that day, null where unknown. Who is in no table any more is left out.
    Rows known on ``known_before`` or later are not looked at.
    """
    import pyarrow as pa

    days = sorted(day for day, who in asked.items() if who.customers or who.share)

    def outcome(block: Block) -> pa.Table:
        ids, tables = block.ids(), block.tables
        named, open_to = (np.zeros((block.customers, len(days)), dtype=np.bool_) for _ in range(2))
        for at, day in enumerate(days):
            named[:, at] = Listed(asked[day].customers).draws(ids)
            open_to[:, at] = drawn(ids, asked[day].share)
        rows = every_pair(block.customers, days).where((named | open_to).ravel())
        rows = rows.where(named[named | open_to] | definition.eligible(tables, rows))
        bought = np.full(len(rows), np.nan)
        if PURCHASES in tables:
            past = History(tables[PURCHASES], rows, tables)
            bought = net_value(past, Outcome(past.events, rows, definition.window, known_before), margin)
        return arrow_table(
            {
                "customer_id": ids[rows.customer],
                "as_of": days_to_dates(rows.as_of),
                "kept": 1.0 - definition.churned(tables, rows, known_before),
                "net_value": bought,
                "market": market_of(tables, rows),
            }
        )

    # Nobody asked for: the tables need not be read.
    parts = store.map_tables(outcome, "outcomes") if days else ()
    found = numpy_columns(pa.concat_tables([outcome(store.block(0, 0)), *parts]))
    frame = pd.DataFrame(
        {
            "customer_id": pd.array(found["customer_id"], dtype="str"),
            "as_of": found["as_of"].astype("datetime64[s]"),
            "kept": found["kept"].astype(np.float64),
            "net_value": found["net_value"].astype(np.float64),
            "market": pd.array(found["market"], dtype="str"),
        }
    )
    return frame.sort_values(["as_of", "customer_id"], kind="stable", ignore_index=True)


def messages_of_lists(store: Store, known_before: int) -> pd.DataFrame | None:
    """customer_id and list_as_of of the outreach that names a list; None where no row does: then the shop does not say."""
    import pyarrow as pa

    if not store.has(OUTREACH, "list_as_of"):
        return None

    def messages(block: Block) -> pa.Table:
        events = block.tables[OUTREACH]
        named: NDArray[np.int32] = events.days["list_as_of"]
        kept = (named != NEVER) & (events.known < known_before)
        return arrow_table({"customer_id": block.ids()[events.customer[kept]], "list_as_of": named[kept]})

    found = numpy_columns(pa.concat_tables([messages(store.block(0, 0)), *store.map_tables(messages, "messages")]))
    if not len(found["list_as_of"]):
        return None
    days = days_to_dates(found["list_as_of"].astype(np.int32))
    return pd.DataFrame({"customer_id": pd.array(found["customer_id"], dtype="str"), "list_as_of": days})
