"""What the next purchase is learned from: every customer's purchase days, and what followed an earlier day.

Purchases are counted by day, whatever the number of orders on it: the question is on which day the customer comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.data.blocks import Block
from kizuna.data.store import Store
from kizuna.features.history import History
from kizuna.features.purchases import is_purchase
from kizuna.features.rows import every_pair
from kizuna.labels.definition import Definition

TABLE = "purchases"
# The last third of the history is held back to test on, at most ``within_days`` and at least four weeks of it.
_HELD_BACK = 3
_LEAST_HELD_BACK_DAYS = 28

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PurchasePasts:
    """Columns (n,), one customer each: repeat purchase days, days from the first to the last one, days since the first,
    and the usual gap between them, NaN for who bought on one day alone.
    """

    repeats: Floats
    recency_days: Floats
    age_days: Floats
    usual_gap_days: Floats

    def __len__(self) -> int:
        return len(self.repeats)

    def where(self, chosen: NDArray[np.bool_] | slice) -> PurchasePasts:
        """Some of the customers."""
        columns = (self.repeats, self.recency_days, self.age_days, self.usual_gap_days)
        return PurchasePasts(*(column[chosen] for column in columns))


@dataclass(frozen=True, eq=False)
class Followed:
    """An earlier day: ``everybody`` as known then, and ``buyers``, eligible that day, who bought within ``followed_days``.

    ``next_days``: whole days from that day to the buyer's next purchase, 0 on the day itself.
    """

    everybody: PurchasePasts
    buyers: PurchasePasts
    next_days: Floats
    followed_days: int


def purchase_pasts(h: History) -> PurchasePasts:
    """One customer per row of the purchases' History; NaN in every column where there was no purchase."""
    bought = is_purchase(h)
    # There is no text of this name, so that each event stands for its day.
    days = h.count(where=h.first_of("day", bought))
    age, since = h.days_since_first(bought), h.days_since_last(bought)
    return PurchasePasts(np.where(np.isnan(age), np.nan, days - 1), age - since, age, h.rhythm(bought)[0])


def read_pasts(
    store: Store, definition: Definition, train_day: int, within_days: int
) -> tuple[PurchasePasts, Followed | None]:
    """Everybody who had bought before ``train_day``, and an earlier day with what followed; None for a short history.

    Only what was known before ``train_day`` counts, and the earlier day is followed to the day whose rows have all arrived.
    """
    first, until = store.first_known_day(TABLE, train_day), train_day - definition.arrives_after_days
    followed_days = min(within_days, 0 if first is None else (until - first) // _HELD_BACK)
    earlier_day = until - max(followed_days, 1)

    def read(block: Block) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
        events = block.tables[TABLE]
        then, now = (every_pair(block.customers, [day]) for day in (earlier_day, train_day))
        past = History(events, now, block.tables)
        window = (earlier_day - train_day, until - train_day)
        bought = past.first_day(is_purchase(past), window=window)
        eligible = definition.eligible(block.tables, then)
        pasts = [purchase_pasts(History(events, then, block.tables)), purchase_pasts(past)]
        columns = [np.stack([one.repeats, one.recency_days, one.age_days, one.usual_gap_days]) for one in pasts]
        return columns[0], columns[1], bought - earlier_day, eligible

    then, now, next_days, eligible = (
        np.concatenate(parts, axis=-1) for parts in zip(*store.map(read, "purchase days"), strict=True)
    )
    everybody = PurchasePasts(*now)
    everybody = everybody.where(~np.isnan(everybody.age_days))
    if followed_days < _LEAST_HELD_BACK_DAYS:
        return everybody, None
    before = PurchasePasts(*then)
    buyers = eligible & ~np.isnan(next_days)
    return everybody, Followed(
        before.where(~np.isnan(before.age_days)), before.where(buyers), next_days[buyers], followed_days
    )
