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

from kizuna.evaluation.baselines.scores import churn_baselines
from kizuna.evaluation.measures.metrics import log_loss
from kizuna.models.churn.season_anchor import SeasonAnchor, shifted
from kizuna.models.learners.splits import Split
from kizuna.timeline import LabelWindow, date_of

_HISTORY_DAYS = 2 * 365
_QUARTERS = 4
# Enough to see a level to a point or so; whole customers are drawn.
_ROWS = 60_000
_SURELY = 1.645

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
    ``level_most``: what it may be at most where the noise hides it, else None. ``anchor``: what past days needed; it moves
    the tests of the days in ``earned_on``, on which it had proved its worth by then, and, where the season is not
    ``unseen``, what is scored.
    """

    unseen: bool
    level_spread: float
    tested_days: int
    why: str
    level_most: float | None = None
    anchor: SeasonAnchor = field(default_factory=SeasonAnchor)
    earned_on: tuple[int, ...] = ()

    @property
    def served(self) -> SeasonAnchor:
        """What moves the days that are scored."""
        return SeasonAnchor() if self.unseen else self.anchor

    @property
    def spread_text(self) -> str:
        """By how much the level may be off, as a clause."""
        if np.isnan(self.level_spread):
            return "nothing tells by how much the level may be off"
        if self.level_most is None:
            return f"the level may be off by ±{self.level_spread * 100:.1f} points"
        return f"the level may be off by up to ±{self.level_most * 100:.1f} points"

    @property
    def text(self) -> str:
        """The finding as one sentence without its full stop."""
        if not self.unseen:
            return f"season seen: the level is anchored at the same weeks of last year ({self.why})"
        return f"season unseen: {self.spread_text} ({self.why})"

    def anchored(self, p: Floats, as_of: Days) -> Floats:
        """Out-of-fold probabilities of tests, each day's as it would have been served then; NaN kept."""
        return _by_day(p, as_of, {day: self.anchor.shift(day) for day in self.earned_on})

    def served_on(self, p: Floats, as_of: Days) -> Floats:
        """The shipped model's probabilities as they are served on each row's day."""
        return _by_day(p, as_of, {int(day): self.served.shift(int(day)) for day in np.unique(as_of)})


def _by_day(p: Floats, as_of: Days, shifts: Mapping[int, float]) -> Floats:
    out = p
    for day, shift in shifts.items():
        here = np.flatnonzero(as_of == day) if shift else ()
        if len(here):
            out = out.copy() if out is p else out
            out[here] = shifted(p[here], shift)
    return out


def season_level(rows: DatedRows, first_day: int, seed: int) -> SeasonLevel:
    """The spread of past levels, and the anchor where four quarters were tested, two years are known and it has helped.

    ``first_day``: the shop's first known day. Each test day is judged as the train day is, by what was known on it. The
    interval of the improvement in log loss counts test days as one where their label windows overlap, and must lie
    above 0.
    """
    tested = _tested_days(_drawn(rows, seed))
    if not tested:
        return SeasonLevel(True, float("nan"), 0, "no snapshot is old enough to have taught a model of a later one")
    window = rows.window
    spread, most = _spread(tested, window.horizon_days)
    anchor = SeasonAnchor(tuple((day, one.needed) for day, one in sorted(tested.items())), window.end(0))
    gains = {day: one.gain(shift) for day, one in sorted(tested.items()) if (shift := anchor.shift(day))}

    def refused(day: int) -> str:
        """Why nothing was anchored on this day, by what was known then, or nothing."""
        history, ended = day - first_day, [then for then in tested if window.end(then) <= day]
        quarters = {(date_of(then).month - 1) // 3 for then in ended}
        if history < _HISTORY_DAYS:
            return f"{history:,} days of history, an anchor needs {_HISTORY_DAYS}"
        if len(quarters) < _QUARTERS:
            return f"test days lie in {len(quarters)} of {_QUARTERS} quarters"
        low = _surely_gained({then: gains[then] for then in ended if then in gains}, window.horizon_days)
        return "" if anchor.shift(day) and low > 0 else "the same weeks of last year have not surely helped"

    earned_on = tuple(day for day in sorted(tested) if not refused(day))
    reason = refused(rows.train_day)
    why = (
        f"log loss {float(np.mean(list(gains.values()))):.4f} lower on {len(gains)} past days"
        if not reason
        else (f"spread over {len(tested)} past test day{'s' if len(tested) > 1 else ''}; {reason}")
    )
    return SeasonLevel(bool(reason), spread, len(tested), why, most, anchor, earned_on)


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
        return -self.error / max(float((self.p * (1 - self.p)).mean()), 1e-6)

    def gain(self, shift: float) -> float:
        """How much lower the mean log loss would have been with this shift."""
        return log_loss(self.y, self.p) - log_loss(self.y, shifted(self.p, shift))


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


def _spread(tested: Mapping[int, _Tested], horizon_days: int) -> tuple[float, float | None]:
    """The spread without its noise, and where noise hides it what it may be at most (one-sided, 95 %)."""
    noise = float(np.mean([one.noise for one in tested.values()]))
    square = float(np.mean([one.error**2 for one in tested.values()])) - noise
    if square > 0:
        return float(np.sqrt(square)), None
    return 0.0, float(np.sqrt(_SURELY * noise * np.sqrt(2 / _apart(tested, horizon_days))))


def _apart(days: Mapping[int, object], horizon_days: int) -> int:
    """How many of the days' windows do not overlap."""
    return min(1 + (max(days) - min(days)) // horizon_days, len(days)) if days else 0


def _surely_gained(gains: Mapping[int, float], horizon_days: int) -> float:
    """The lower end of the 95 % interval of the mean gain; windows that overlap count as one. NaN below three windows."""
    from scipy.special import stdtrit

    apart = _apart(gains, horizon_days)
    if apart < 3:
        return float("nan")
    values = np.array(list(gains.values()))
    return float(values.mean() - stdtrit(apart - 1, 0.975) * values.std(ddof=1) / np.sqrt(apart))
