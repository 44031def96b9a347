"""Value: purchases minus returns of orders placed in the value window, times the margin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import NEVER
from kizuna.features.history import History
from kizuna.features.purchases import is_return, net_amount
from kizuna.labels.outcome import Outcome

TABLE = "purchases"


def value(h: History, outcome: Outcome, margin: float) -> NDArray[np.float64]:
    """Net money of the window; a return of a known order counts only if that order was placed in it too."""
    amount, returned = net_amount(h), is_return(h)
    earlier = _order_day(h, returned, (h.events.day < outcome.train_day) & (h.events.known < outcome.train_day))
    # Returns of orders from before the window are not this window's value.
    linked = returned & (earlier != NEVER)
    return margin * (outcome.sum(amount, ~linked) + outcome.sum_placed(earlier, amount, linked))


def _order_day(h: History, returned: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The day of the first known purchase row of each return's order, NEVER where the order is not known."""
    out = np.full(len(returned), NEVER, dtype=np.int32)
    if not h.has("order_id") or not returned.any():
        return out
    events, codes = h.events, h.texts("order_id").codes.astype(np.int64)
    key = events.customer.astype(np.int64) * (h.texts("order_id").size + 1) + codes
    bought = np.flatnonzero(~returned & known & (codes >= 0))
    orders, first = np.unique(key[bought], return_index=True)
    if not len(orders):
        return out
    at = np.minimum(np.searchsorted(orders, key), len(orders) - 1)
    found = returned & (codes >= 0) & (orders[at] == key)
    out[found] = events.day[bought[first]][at][found]
    return out
