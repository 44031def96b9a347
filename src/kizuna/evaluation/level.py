"""The level of the season to come: how far past levels were off, and a shift for it where the past earns one.

A model that saw every season but the coming one ranks customers well and may still promise too much or too little for
all of them. Each snapshot day whose training rows had matured by then is predicted by a small logistic model (the RFM or
the all-columns baseline), and its level compared with what happened. The errors of the same weeks a year before are
carried over, halved, but only where that has worked on past days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.evaluation.baselines import churn_baselines
from kizuna.models.calibration import probability
from kizuna.models.splits import Split
from kizuna.timeline import LabelWindow, date_of

_YEAR_DAYS = 365
_SAME_SEASON_DAYS = 45
_SHRUNK = 0.5
_QUARTERS = 4
# Enough to see a level to a point or so; whole customers are drawn.
_ROWS = 60_000
_MARGIN = 1e-6

Floats = NDArray[np.float64]
Days = NDArray[np.int32]


@dataclass(frozen=True)
class DatedRows:
    """The training rows as the level needs them, and the day that training stands on."""

    features: pd.DataFrame
    y: Floats
    as_of: Days
    customer: NDArray[np.int32]
    window: LabelWindow
    train_day: int


@dataclass(frozen=True)
class SeasonLevel:
    """What is known of the coming season's level.

    ``unseen``: no anchor is used, the model's own level stands. ``level_spread``: root mean square of past errors of the
    mean probability (.04 is four points), their sampling noise taken out; NaN where no past day could be tested.
    ``shift``: log odds to add to the shipped model, ``shifts`` to tests of past days; 0 and none where unseen.
    """

    unseen: bool
    level_spread: float
    tested_days: int
    why: str
    shift: float = 0.0
    shifts: Mapping[int, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The finding as one sentence without its full stop."""
        if not self.unseen:
            return f"season seen: the level is anchored at the same weeks of last year ({self.why})"
        spread = (
            "nothing tells by how much the level may be off"
            if np.isnan(self.level_spread)
            else f"the level may be off by ±{self.level_spread * 100:.1f} points"
        )
        return f"season unseen: the order of customers is reliable, {spread} ({self.why})"

    def anchored(self, p: Floats, as_of: Days) -> Floats:
        """Probabilities with the shift of each row's day, NaN kept."""
        if not self.shifts:
            return p
        shift = np.array([self.shifts.get(int(day), 0.0) for day in as_of])
        return _shifted(p, shift)


def season_level(rows: DatedRows, first_day: int, seed: int) -> SeasonLevel:
    """The spread of past levels, and shifts where four quarters were tested, two years are known and they have helped.

    ``first_day``: the shop's first known day. The interval of the improvement in log loss counts test days as one where
    their label windows overlap, and must lie above 0.
    """
    tested = _tested_days(_drawn(rows, seed))
    if not tested:
        return SeasonLevel(True, float("nan"), 0, "no snapshot is old enough to have taught a model of a later one")
    spread = _spread(list(tested.values()))
    over = f"spread over {len(tested)} past test day{'s' if len(tested) > 1 else ''}"
    quarters = {(date_of(day).month - 1) // 3 for day in tested}
    history = rows.train_day - first_day

    def unseen(why: str) -> SeasonLevel:
        return SeasonLevel(True, spread, len(tested), f"{over}; {why}")

    if history < 2 * _YEAR_DAYS:
        return unseen(f"{history:,} days of history, an anchor needs {2 * _YEAR_DAYS}")
    if len(quarters) < _QUARTERS:
        return unseen(f"test days lie in {len(quarters)} of {_QUARTERS} quarters")
    shifts = {
        day: shift for day in (*tested, rows.train_day) if (shift := _shift(tested, day, rows.window)) is not None
    }
    gains = {day: tested[day].gain(shift) for day, shift in shifts.items() if day in tested}
    low = _surely_gained(gains, rows.window.horizon_days)
    if rows.train_day not in shifts or not low > 0:
        return unseen("the same weeks of last year have not surely helped")
    mean = float(np.mean(list(gains.values())))
    why = f"log loss {mean:.4f} lower on {len(gains)} past days"
    return SeasonLevel(False, spread, len(tested), why, shifts.pop(rows.train_day), shifts)


@dataclass(frozen=True)
class _Tested:
    """One day's out-of-time probabilities and outcomes."""

    p: Floats
    y: Floats

    @property
    def error(self) -> float:
        return float(self.p.mean() - self.y.mean())

    @property
    def noise(self) -> float:
        return float((self.p * (1 - self.p)).sum()) / len(self.p) ** 2

    @property
    def needed(self) -> float:
        """The shift in log odds that would have met the outcome, by one step of Newton's from the prediction."""
        return -self.error / max(float((self.p * (1 - self.p)).mean()), _MARGIN)

    def gain(self, shift: float) -> float:
        """How much lower the mean log loss would have been with this shift."""
        return _log_loss(self.p, self.y) - _log_loss(_shifted(self.p, np.full(len(self.p), shift)), self.y)


def _drawn(rows: DatedRows, seed: int) -> DatedRows:
    if len(rows.y) <= _ROWS:
        return rows
    customers = np.unique(rows.customer)
    chosen = customers[np.random.default_rng(seed).random(len(customers)) < _ROWS / len(rows.y)]
    keep = np.flatnonzero(np.isin(rows.customer, chosen))
    features = rows.features.iloc[keep].reset_index(drop=True)
    return DatedRows(features, rows.y[keep], rows.as_of[keep], rows.customer[keep], rows.window, rows.train_day)


def _tested_days(rows: DatedRows) -> dict[int, _Tested]:
    """Every snapshot day that earlier, matured snapshots can predict."""
    splits = []
    for day in np.unique(rows.as_of):
        taught = rows.as_of <= int(day) - rows.window.end(0)
        if taught.any():
            splits.append(Split(np.flatnonzero(taught), np.flatnonzero(rows.as_of == day)))
    if not splits:
        return {}
    scores = churn_baselines(rows.features, rows.y, splits, rows.window.horizon_days)
    p = scores["rfm_logistic"] if "rfm_logistic" in scores else scores["logistic_all"]
    return {int(rows.as_of[split.test[0]]): _Tested(p[split.test], rows.y[split.test]) for split in splits}


def _shift(tested: Mapping[int, _Tested], day: int, window: LabelWindow) -> float | None:
    """Half the mean shift that the same weeks of the year before needed, of what had ended by that day."""
    season = [
        one.needed
        for then, one in tested.items()
        if abs(day - _YEAR_DAYS - then) <= _SAME_SEASON_DAYS and window.end(then) <= day
    ]
    return _SHRUNK * float(np.mean(season)) if season else None


def _spread(tested: list[_Tested]) -> float:
    square = float(np.mean([one.error**2 - one.noise for one in tested]))
    return float(np.sqrt(max(square, 0.0)))


def _surely_gained(gains: Mapping[int, float], horizon_days: int) -> float:
    """The lower end of the 95 % interval of the mean gain; windows that overlap count as one. NaN below three windows."""
    from scipy.special import stdtrit

    days, values = sorted(gains), np.array([gains[day] for day in sorted(gains)])
    windows = 1 + (days[-1] - days[0]) // horizon_days if days else 0
    apart = min(windows, len(days))
    if apart < 3:
        return float("nan")
    return float(values.mean() - stdtrit(apart - 1, 0.975) * values.std(ddof=1) / np.sqrt(apart))


def _shifted(p: Floats, shift: Floats) -> Floats:
    moved = np.flatnonzero((shift != 0) & ~np.isnan(p))
    inside = np.clip(p[moved], _MARGIN, 1 - _MARGIN)
    out = p.copy()
    out[moved] = probability(np.log(inside / (1 - inside)) + shift[moved])
    return out


def _log_loss(p: Floats, y: Floats) -> float:
    inside = np.clip(p, _MARGIN, 1 - _MARGIN)
    return float(-(y * np.log(inside) + (1 - y) * np.log(1 - inside)).mean())
