"""Buy-till-you-die models as baselines: fitted to purchase histories alone, never to outcomes.

Histories are read from the columns orders, tenure_days and days_since_order, one row a customer. Those that teach should
be everybody's who ever bought (``Pasts``): of the eligible alone nobody has been silent for long, and a model fitted to
them sees too little dropping out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.models.churn.silence import SILENCE_COLUMNS

_LEAST_DAYS = 30

Floats = NDArray[np.float64]
# Everybody who had bought before a day (a day number), as he stood on it; None where that is not known.
Pasts = Callable[[int], pd.DataFrame | None]


@dataclass(frozen=True, eq=False)
class _Bought:
    """The rows of customers who ever ordered (``known``, one flag per row of the frame), as the models read them."""

    known: NDArray[np.bool_]
    orders: Floats
    frequency: Floats
    recency: Floats
    age: Floats
    money: Floats

    @property
    def history(self) -> tuple[Floats, Floats, Floats]:
        """Repeat purchases, time of the last since the first, time since the first."""
        return self.frequency, self.recency, self.age


def probability_of_silence(train: pd.DataFrame, test: pd.DataFrame, horizon_days: float, otherwise: float) -> Floats:
    """BG/NBD's probability of no purchase in the horizon for each row of ``test``, (n,).

    Fader, Hardie & Lee (2005). ``otherwise``: what is said of everybody where nobody in ``train`` came back, and of who
    never ordered.
    """
    from kizuna.models.btyd import BGNBD

    said = np.full(len(test), float(otherwise))
    taught, told = _bought(train), _bought(test)
    if _came_back(taught):
        said[told.known] = BGNBD().fit(*taught.history).probability_of_no_purchase(*told.history, horizon_days)
    return said


def expected_money(train: pd.DataFrame, test: pd.DataFrame, horizon_days: float) -> Floats:
    """MBG/NBD's expected orders in the window times Gamma-Gamma's expected money an order, per row of ``test``, (n,).

    Batislam, Denizel & Filiztekin (2007); Fader & Hardie (2013), with the mean of all orders, net of returns, in place of
    the mean of the repeat orders. Where nobody in ``train`` came back, the customer's own money a day goes on; who never
    ordered is worth 0. Both frames need the column revenue besides those of the history.
    """
    from kizuna.models.btyd import MBGNBD, GammaGamma

    taught, told = _bought(train), _bought(test)
    worth, paid, pays = np.zeros(len(test)), taught.money > 0, told.money > 0
    if not _came_back(taught) or not paid.any():
        worth[told.known] = told.money / np.maximum(told.age, _LEAST_DAYS) * horizon_days
        return worth
    spending = GammaGamma().fit(taught.orders[paid], taught.money[paid] / taught.orders[paid])
    each = spending.expected_value(np.where(pays, told.orders, 0), np.where(pays, told.money / told.orders, 0))
    worth[told.known] = MBGNBD().fit(*taught.history).expected_purchases(*told.history, horizon_days) * each
    return worth


def _came_back(rows: _Bought) -> bool:
    return bool(rows.frequency.any()) and bool(rows.age.any())


def _bought(frame: pd.DataFrame) -> _Bought:
    orders, tenure, since = (frame[name].to_numpy(dtype=np.float64) for name in SILENCE_COLUMNS)
    known = ~np.isnan(orders + tenure + since) & (orders >= 1)
    count, age = orders[known], tenure[known]
    recency = np.clip(age - since[known], 0, age)
    # Several orders on the first day are one visit: who has no later one has not come back.
    frequency = np.where(recency > 0, np.maximum(count - 1, 1), 0)
    revenue = frame["revenue"].to_numpy(dtype=np.float64) if "revenue" in frame else np.zeros(len(frame))
    return _Bought(known, count, frequency, recency, age, np.maximum(np.nan_to_num(revenue[known]), 0))
