"""How fast the customers' own time runs on each day: season, weekend, payday, closed days, sales, gifts, prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from kizuna.data.simulation.keyed import Bools, Floats, Ints
from kizuna.data.simulation.markets import Market
from kizuna.data.simulation.parameters import Buying, Parameters

ALL_YEAR, GIFT_ONLY, SALE_ONLY = 0, 1, 2
_BUYERS = (ALL_YEAR, GIFT_ONLY, SALE_ONLY)


@dataclass(frozen=True)
class Calendar:
    """Days from ``first_day`` on (day 0 is the ``start``); rows of ``speed`` are market × 3 + buyer.

    ``speed`` has mean one over a year. ``time`` and ``money`` are its sums before each day, the latter weighted by price,
    so that a window is the difference of two columns.
    """

    start: date
    first_day: int
    speed: Floats
    time: Floats
    money: Floats
    price: Floats
    sale: Bools
    campaign: Bools
    weekday: Ints
    month_day: Ints

    def column(self, day: int) -> int:
        """The position of a day in the arrays."""
        return day - self.first_day

    def date_of(self, day: int) -> date:
        """The calendar date of a day."""
        return self.start + timedelta(days=day)

    def day_of(self, when: date) -> int:
        """The day of a calendar date."""
        return (when - self.start).days


def calendar_of(parameters: Parameters, start: date, days: int) -> Calendar:
    """The calendar of a run, and of one value horizon beyond its end, which the truth looks at."""
    first_day = -parameters.acquisition.prehistory_days
    count = days - first_day + parameters.truth.value_horizon_days + 1
    dates = [start + timedelta(days=first_day + k) for k in range(count)]
    year = [date(2023, 1, 1) + timedelta(days=k) for k in range(365)]
    rows = []
    for market in parameters.markets:
        for buyer in _BUYERS:
            scale = np.mean([_factor(market, buyer, parameters.buying, day) for day in year])
            rows.append([_factor(market, buyer, parameters.buying, day) / scale for day in dates])
    speed = np.array(rows)
    sale = np.array([_is_sale(parameters.buying, day) for day in dates])
    rise = np.arange(first_day, first_day + count) >= parameters.money.price_rise_day
    price = np.where(rise, 1 + parameters.money.price_rise, 1.0) * np.where(
        sale, 1 - parameters.money.sale_discount, 1.0
    )
    return Calendar(
        start=start,
        first_day=first_day,
        speed=speed,
        time=_sums_before(speed),
        money=_sums_before(speed * price),
        price=price,
        sale=sale,
        campaign=sale | np.array([day.month in parameters.contact.campaign_months for day in dates]),
        weekday=np.array([day.weekday() for day in dates]),
        month_day=np.array([day.month * 100 + day.day for day in dates]),
    )


def _factor(market: Market, buyer: int, buying: Buying, day: date) -> float:
    if (day.month, day.day) in market.closed_month_days:
        return 0.0
    if buyer == GIFT_ONLY and day.month not in buying.gift_months:
        return 0.0
    if buyer == SALE_ONLY and not _is_sale(buying, day):
        return 0.0
    factor = market.season[day.month - 1]
    if day.weekday() >= 5:
        factor *= buying.weekend_factor
    if day.day in buying.payday_month_days:
        factor *= market.payday_factor
    return factor


def _is_sale(buying: Buying, day: date) -> bool:
    return any(0 <= (day - date(day.year, month, first)).days < length for month, first, length in buying.sales)


def _sums_before(values: Floats) -> Floats:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
