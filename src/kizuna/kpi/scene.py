"""Everything that the measures of a block look at: facts, where customers stand, and the periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import NEVER
from kizuna.kpi.facts import Days, Facts, Floats, Mask, by_period, first_days
from kizuna.kpi.periods import Grid
from kizuna.kpi.standing import Base, Standing

Published = Mapping[int, Mapping[str, float]]
"""Predicted values by customer of some days' published scores."""


@dataclass(frozen=True)
class Terms:
    """What the config says that measures depend on; money is × ``margin`` in values only, never in revenue."""

    base: Base
    margin: float
    cltv_horizon_days: int
    referral_channels: tuple[str, ...]
    published: Published = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """A block's facts on a grid of periods. Matrices are (periods, customers)."""

    facts: Facts
    grid: Grid
    standing: Standing
    terms: Terms
    ids: NDArray[np.object_]

    @cached_property
    def at_start(self) -> Mask:
        """Active at the period's start."""
        return self.standing.active[[low for low, _ in self.grid.spans]]

    @cached_property
    def at_end(self) -> Mask:
        """Active at the period's end."""
        return self.standing.active[[high for _, high in self.grid.spans]]

    @cached_property
    def new(self) -> Mask:
        """Bought for the first time in the period."""
        return self.within(self.standing.first)

    @cached_property
    def returned(self) -> Mask:
        """Had bought before the period, was not active at its start, and bought in it."""
        last = self.standing.last[[high for _, high in self.grid.spans]]
        bought = last >= self.grid.starts[:, None]
        before = self.standing.first < self.grid.starts[:, None]
        return np.asarray(before & ~self.at_start & bought)

    @cached_property
    def lost(self) -> Mask:
        """Was active at the start, or became so in the period, and is not at its end."""
        return np.asarray((self.at_start | self.new | self.returned) & ~self.at_end)

    @cached_property
    def orders(self) -> Floats:
        """Orders of the period."""
        of = self.facts.purchases
        return self.count(of.events.customer[of.order], of.events.day[of.order])

    @cached_property
    def revenue(self) -> Floats:
        """Purchases minus returns of the period, each on its own day."""
        of = self.facts.purchases
        return self.count(of.events.customer, of.events.day, of.net)

    def within(self, day: NDArray[np.int64]) -> Mask:
        """Whether a day of each customer lies in the period."""
        starts, ends = self.grid.starts[:, None], self.grid.ends[:, None]
        return np.asarray((day >= starts) & (day < ends) & (day != NEVER))

    def count(self, customer: Days, day: Days, values: Floats | None = None) -> Floats:
        """How many rows of each customer, or their sum, lie in the period."""
        return self.between((self.grid.starts, self.grid.ends), customer, day, values)

    def between(self, spans: tuple[Days, Days], customer: Days, day: Days, values: Floats | None = None) -> Floats:
        """How many rows of each customer, or their sum, lie on the days from the first to before the second, per period."""
        edges = np.unique(np.concatenate(spans))
        rows = by_period(self.facts.customers, edges, customer, day, values)
        low, high = (np.searchsorted(edges, days).tolist() for days in spans)
        return np.stack([rows[begin:end].sum(axis=0) for begin, end in zip(low, high, strict=True)])

    def latest(self, customer: Days, day: Days, values: Floats) -> Floats:
        """The last value of each customer in the period, of several on one day the lowest; NaN where there is none."""
        order = np.lexsort((-values, day, customer))
        rows = np.full((len(self.grid.days) - 1, self.facts.customers), np.nan)
        place = np.searchsorted(self.grid.days, day[order], side="right") - 1
        inside = (place >= 0) & (place < len(rows))
        # Of what is written to one place, the last stays.
        rows[place[inside], customer[order][inside]] = values[order][inside]
        out = np.full((len(self.grid.periods), self.facts.customers), np.nan)
        for period, (low, high) in enumerate(self.grid.spans):
            for row in rows[low:high]:
                out[period] = np.where(np.isnan(row), out[period], row)
        return out

    def first_of(self, customer: Days, day: Days) -> NDArray[np.int64]:
        """The first day of each customer among some rows."""
        return first_days(self.facts.customers, customer, day)

    @property
    def seen_until(self) -> int:
        """The last day that has been seen whole."""
        return self.grid.known_before - 1
