"""Measures of buying again: repeat rates, from the first to the second and third order, and what a customer is worth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import NEVER
from kizuna.evaluation.baselines.formula import observed_years
from kizuna.kpi.facts import Floats, Mask
from kizuna.kpi.moments import Measured, Spells
from kizuna.kpi.scene import Scene

LADDER_DAYS = (90, 180)
_YEAR_DAYS = 365


def measures(scene: Scene) -> Iterator[Measured | Spells]:
    """Repeat rates, the ladder and the CLTV formula, all of purchases; published values of the model."""
    if scene.facts.has("purchases"):
        bought = scene.orders > 0
        again = bought & (order_days(scene)[1] < scene.grid.ends[:, None])
        yield Measured("repeat_rate_any", bought.astype(np.float64), again.astype(np.float64))
        if scene.facts.has("purchases", "product_id"):
            yield _same_product(scene, bought)
        yield from _ladder(scene)
        yield from _formula(scene)
    if scene.terms.published:
        yield _model(scene)


def _same_product(scene: Scene, bought: Mask) -> Measured:
    """Of those who bought, who bought a product that was in an earlier order, of an earlier day."""
    of = scene.facts.purchases
    product = of.events.texts["product_id"]
    lines = np.flatnonzero(of.bought & (product.codes >= 0))
    customer, day = of.events.customer[lines], of.order_day[lines]
    key = customer.astype(np.int64) * product.size + product.codes[lines]
    _, place = np.unique(key, return_inverse=True)
    first = np.full(len(lines), NEVER, dtype=np.int64)
    np.minimum.at(first, place, day)
    repeated = day > first[place]
    again = scene.count(customer[repeated], day[repeated]) > 0
    return Measured("repeat_rate_same_product", bought.astype(np.float64), (bought & again).astype(np.float64))


def _ladder(scene: Scene) -> Iterator[Measured | Spells]:
    """Of those whose first (second) order lies in the period, who ordered again within so many days of it."""
    steps = order_days(scene)
    for name, step in (("f2", 0), ("f3", 1)):
        cohort = scene.within(steps[step])
        for within in LADDER_DAYS:
            made = cohort & (steps[step + 1] != NEVER) & (steps[step + 1] - steps[step] <= within)
            yield Measured(f"{name}_rate_{within}d", cohort.astype(np.float64), made.astype(np.float64))
    ordered = np.flatnonzero(steps[0] != NEVER)
    seen = steps[1, ordered] != NEVER
    until = np.where(seen, steps[1, ordered], scene.seen_until)
    yield Spells(
        "days_to_second", ordered.astype(np.int32), steps[0, ordered].astype(np.int32), until - steps[0, ordered], seen
    )


def order_days(scene: Scene) -> NDArray[np.int64]:
    """(3, customers): the days of each customer's first three orders, NEVER where there are fewer."""
    of = scene.facts.purchases
    customer, day = of.events.customer[of.order], of.events.day[of.order]
    rank = np.arange(len(customer)) - np.searchsorted(customer, customer)
    steps = np.full((3, scene.facts.customers), NEVER, dtype=np.int64)
    early = rank < len(steps)
    steps[rank[early], customer[early]] = day[early]
    return steps


def _formula(scene: Scene) -> Iterator[Measured]:
    """The three factors over those active at the period's end, from their orders of the 365 days before it."""
    of = scene.facts.purchases
    orders = _of_the_year(scene, of.order.astype(np.float64)) * scene.at_end
    money = _of_the_year(scene, of.net) * scene.at_end
    first = scene.first_of(of.events.customer[of.bought], of.events.day[of.bought])
    tenure = (scene.grid.ends[:, None] - first).astype(np.float64)
    years = np.where(scene.at_end & (first != NEVER), observed_years(tenure), 0.0)
    yield Measured("cltv_order_value", orders, money)
    yield Measured("cltv_orders_per_year", years, orders)
    yield Measured("cltv_formula", years, money * scene.terms.margin)


def _of_the_year(scene: Scene, values: Floats) -> Floats:
    """(periods, customers): the sum over purchases rows of the 365 days before the period's end."""
    events, ends = scene.facts.purchases.events, scene.grid.ends
    return scene.between((ends - np.int32(_YEAR_DAYS), ends), events.customer, events.day, values)


def _model(scene: Scene) -> Measured:
    """The values published last in the period or on the morning after it, of everybody they were published for."""
    x, y = (np.zeros((len(scene.grid.periods), len(scene.ids))) for _ in range(2))
    for period, (start, end) in enumerate(zip(scene.grid.starts, scene.grid.ends, strict=True)):
        days = [day for day in scene.terms.published if start < day <= end]
        values = scene.terms.published[max(days)] if days else {}
        for place, name in enumerate(scene.ids) if values else ():
            if name in values:
                x[period, place], y[period, place] = 1.0, values[name]
    return Measured("cltv_model", x, y)
