"""What getting better in one driver would mean for a customer, and whether the model then expects less churn.

A contribution is measured against all customers, and may be positive although nothing in the driver is amiss. A driver is
only named where its features stand on the worse side, and where moving them to the better side lowers the probability: to the
median of customers at low risk, and to the customer's own usual where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.explain.contributions import ColumnLike
from kizuna.explain.directions import better_side
from kizuna.explain.wording import stem_of

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Their columns may bear any name, even one of ours.
_WITHOUT_SIDES = frozenset({"SUPPLIED", "PROFILE"})
# Less than this is rounding.
LEAST_GAIN = 1e-9


@dataclass(frozen=True)
class Model:
    """``probability``: of churn, (n,), for a frame of features. ``typical``: the median of each feature among customers at low
    risk, in the order of the columns, NaN where it is not known.
    """

    probability: Callable[[pd.DataFrame], Floats]
    typical: Floats


def is_worse(values: Floats, asked: Mask, names: Sequence[str], columns: Sequence[ColumnLike], model: Model) -> Mask:
    """For each row and driver that ``asked`` marks, whether getting better in the driver lowers the row's probability.

    ``values``: (n, features), ``asked``: (n, drivers) in the order of ``names``.
    """
    heads = [column.name for column in columns]

    def probability(rows: Floats) -> Floats:
        return np.asarray(model.probability(pd.DataFrame(rows, columns=heads)), dtype=np.float64)

    found = np.zeros_like(asked)
    if not len(values):
        return found
    now = probability(values)
    for position, driver in enumerate(names):
        rows = np.flatnonzero(asked[:, position])
        if not len(rows):
            continue
        mine = values[rows]
        better = better_versions(mine, driver, columns, model.typical)
        moved = np.logical_or.reduce([_differs(version, mine) for version in better])
        lower = np.ones(len(rows), dtype=bool)
        # Half way, and with all of the driver as typical, too: what holds at one point alone is an accident of the model.
        own = [at for at, column in enumerate(columns) if column.driver == driver]
        for version in (*better, (mine + better[0]) / 2, _as_typical(mine, own, model.typical)):
            differs = _differs(version, mine) & moved
            if differs.any():
                lower[differs] &= probability(version[differs]) < now[rows[differs]] - LEAST_GAIN
        found[rows, position] = moved & lower
    return found


def in_order(values: Floats, columns: Sequence[ColumnLike], typical: Floats) -> Mask:
    """The features (n, features) that leave nothing to better: known, with a better side, and there already."""
    moved = np.zeros(values.shape, dtype=bool)
    for driver in {column.driver for column in columns}:
        for version in better_versions(values, driver, columns, typical):
            moved |= (version != values) & ~np.isnan(values)
    sided = np.array([better_side(stem_of(column.name)[0]) != 0 for column in columns], dtype=bool)
    own = np.array([column.driver in _WITHOUT_SIDES for column in columns], dtype=bool)
    return np.asarray(sided & ~own & np.isfinite(typical) & np.isfinite(values) & ~moved)


def better_versions(values: Floats, driver: str, columns: Sequence[ColumnLike], typical: Floats) -> list[Floats]:
    """The rows with one driver's features better: as typical of low risk, then as the customer's own usual.

    Only features on their worse side move. Features of no known better side move to what is typical, and only where the
    driver has no others. A row that has nothing to better is as it was.
    """
    mine = [at for at, column in enumerate(columns) if column.driver == driver]
    sides = {at: better_side(stem_of(columns[at].name)[0]) for at in mine}
    if driver in _WITHOUT_SIDES or not any(sides.values()):
        return [_as_typical(values, mine, typical)]
    better = values.copy()
    for at, side in sides.items():
        worse = side * (typical[at] - values[:, at]) > 0
        better[worse, at] = typical[at]
    return [better, _as_usual(values, {columns[at].name: at for at in mine})]


def _as_typical(values: Floats, mine: Sequence[int], typical: Floats) -> Floats:
    better = values.copy()
    for at in mine:
        known = np.isfinite(values[:, at]) & np.isfinite(typical[at])
        better[known, at] = typical[at]
    return better


def _as_usual(values: Floats, at: Mapping[str, int]) -> Floats:
    """The rows as the customer usually is: gaps no longer than usual, no less than in the window before."""
    better = values.copy()
    if {"days_since_order", "usual_gap_days"} <= at.keys():
        better[:, at["days_since_order"]] = _least(values, at["days_since_order"], values[:, at["usual_gap_days"]])
    if {"days_since_contact", "contact_gap_ratio"} <= at.keys():
        ratio = np.maximum(values[:, at["contact_gap_ratio"]], 1.0)
        better[:, at["days_since_contact"]] = values[:, at["days_since_contact"]] / np.where(
            np.isnan(ratio), 1.0, ratio
        )
    for name in ("overdue_ratio", "contact_gap_ratio"):
        if name in at:
            better[:, at[name]] = _least(values, at[name], np.ones(len(values)))
    if {"csat_last", "csat_vs_usual"} <= at.keys():
        fall = np.minimum(np.nan_to_num(values[:, at["csat_vs_usual"]]), 0.0)
        better[:, at["csat_last"]] = values[:, at["csat_last"]] - fall
        better[:, at["csat_vs_usual"]] = values[:, at["csat_vs_usual"]] - fall
    for name, position in at.items():
        stem, window = stem_of(name)
        if stem.endswith("_change_{w}d") and better_side(stem) > 0:
            fall = np.minimum(np.nan_to_num(values[:, position]), 0.0)
            better[:, position] = values[:, position] - fall
            now = at.get(f"{stem.removesuffix('_change_{w}d')}_{window}d")
            if now is not None:
                better[:, now] = values[:, now] - fall
    return better


def _least(values: Floats, at: int, most: Floats) -> Floats:
    """A column, no larger than ``most`` where both are known."""
    return np.where(values[:, at] > most, most, values[:, at])


def _differs(one: Floats, other: Floats) -> Mask:
    """The rows in which anything differs."""
    return np.asarray(((one != other) & ~(np.isnan(one) & np.isnan(other))).any(axis=1))
