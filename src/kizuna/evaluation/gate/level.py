"""The level of the season to come: how far past levels were off, and a shift for it where the past earns one.

A model that saw every season but the coming one ranks customers well and may still promise too much or too little for
all of them. Each day whose training rows had matured by then is predicted by a small logistic model (the RFM or the
all-columns baseline), and its level compared with what happened. The errors of the same weeks of earlier years are
carried over in part, by as much as has come again on past days, and only where that has surely worked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.evaluation.baselines.scores import churn_baselines
from kizuna.evaluation.measures.metrics import log_loss
from kizuna.labels.level_days import LEVEL_ROWS
from kizuna.models.churn.season_anchor import SeasonAnchor, fit_anchor, shifted, windows_apart
from kizuna.models.learners.splits import Split
from kizuna.timeline import LabelWindow, date_of

_HISTORY_DAYS = 2 * 365
_QUARTERS = 4
# What is known of a level that seldom is .2 log odds from the others': as much as rows with this much information tell.
_DOUBT = 25
_FURTHEST = 2.0
_HALVINGS = 24
_SURELY = 1.645

Floats = NDArray[np.float64]
Days = NDArray[np.int32]


@dataclass(frozen=True)
class DatedRows:
    """Rows of past snapshot days as the level needs them, and the day that training stands on.

    ``teaching_days``: a model is taught by so many of the newest days, as training is.
    """

    features: pd.DataFrame
    y: Floats
    as_of: Days
    customer: NDArray[np.int32]
    window: LabelWindow
    train_day: int
    teaching_days: int


@dataclass(frozen=True)
class SeasonLevel:
    """What is known of the coming season's level.

    ``unseen``: no anchor is used, the model's own level stands. ``level_spread``: root mean square of past errors of the
    mean probability (.04 is four points) on training's own days, their sampling noise taken out; NaN where none could be
    tested. ``tested_days``: how many were.
    ``level_most``: what it may be at most where the noise hides it, else None. ``served``: moves what is scored; without
    a share where the season is ``unseen``. ``past``: for test days on which an anchor had proved its worth by then, the
    log odds that it would have added.
    """

    unseen: bool
    level_spread: float
    tested_days: int
    why: str
    level_most: float | None = None
    served: SeasonAnchor = field(default_factory=SeasonAnchor)
    past: Mapping[int, float] = field(default_factory=dict)

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
            return f"season seen: the level is anchored at the same weeks of earlier years ({self.why})"
        return f"season unseen: {self.spread_text} ({self.why})"

    def anchored(self, p: Floats, as_of: Days) -> Floats:
        """Out-of-fold probabilities of tests, each day's as it would have been served then; NaN kept."""
        return _by_day(p, as_of, self.past)

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

    ``first_day``: the shop's first known day. Each test day is judged as the train day is, by what was known on it: its
    share of what earlier years needed (``fit_anchor``) is learned on days whose outcomes were known by then.
    """
    tested = _tested_days(_drawn(rows, seed))
    if not tested:
        return SeasonLevel(True, float("nan"), 0, "no snapshot is old enough to have taught a model of a later one")
    window = rows.window
    needed = {day: one.needed for day, one in sorted(tested.items())}
    own = _of_training(rows)
    recent = tested if own is rows else _tested_days(_drawn(own, seed)) or tested
    spread, most = _spread(recent, window.horizon_days)

    def known_on(day: int) -> tuple[SeasonAnchor, str]:
        """The anchor by what was known then, and why it does not serve that day, or nothing."""
        history, ended = day - first_day, {then: odds for then, odds in needed.items() if window.end(then) <= day}
        quarters = {(date_of(then).month - 1) // 3 for then in ended}
        anchor = fit_anchor(ended, window)
        if history < _HISTORY_DAYS:
            return anchor, f"{history:,} days of history, an anchor needs {_HISTORY_DAYS}"
        if len(quarters) < _QUARTERS:
            return anchor, f"test days lie in {len(quarters)} of {_QUARTERS} quarters"
        return anchor, "" if anchor.shift(day) else "the same weeks of earlier years have not surely helped"

    past = {day: anchor.shift(day) for day in needed for anchor, refused in [known_on(day)] if not refused}
    anchor, refused = known_on(rows.train_day)
    if refused:
        days = f"{len(recent)} past test day{'s' if len(recent) > 1 else ''}"
        return SeasonLevel(True, spread, len(recent), f"spread over {days}; {refused}", most, past=past)
    gains = [one.gain(shift) for day, one in sorted(tested.items()) if (shift := anchor.shift(day))]
    why = f"log loss {float(np.mean(gains)):.4f} lower on {len(gains)} past days"
    return SeasonLevel(False, spread, len(recent), why, most, anchor, past)


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
        """The shift in log odds that would have met the outcome, drawn to 0 where few rows tell; ±2 at most."""
        share = float(self.y.sum() + self.p.mean()) / (len(self.y) + 1)
        low, high = -_FURTHEST, _FURTHEST
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if shifted(self.p, middle).mean() < share else (low, middle)
        told = float((self.p * (1 - self.p)).sum())
        return (low + high) / 2 * told / (told + _DOUBT)

    def gain(self, shift: float) -> float:
        """How much lower the mean log loss would have been with this shift."""
        return log_loss(self.y, self.p) - log_loss(self.y, shifted(self.p, shift))


def _of_training(rows: DatedRows) -> DatedRows:
    """The rows of the days that training stands on: what older days needed tells of the season, not of today's level."""
    keep = np.flatnonzero(np.isin(rows.as_of, np.unique(rows.as_of)[-rows.teaching_days :]))
    return rows if len(keep) == len(rows.y) else _kept(rows, keep)


def _drawn(rows: DatedRows, seed: int) -> DatedRows:
    if len(rows.y) <= LEVEL_ROWS:
        return rows
    customers = np.unique(rows.customer)
    chosen = customers[np.random.default_rng(seed).random(len(customers)) < LEVEL_ROWS / len(rows.y)]
    return _kept(rows, np.flatnonzero(np.isin(rows.customer, chosen)))


def _kept(rows: DatedRows, keep: NDArray[np.intp]) -> DatedRows:
    features = rows.features.iloc[keep].reset_index(drop=True)
    return replace(rows, features=features, y=rows.y[keep], as_of=rows.as_of[keep], customer=rows.customer[keep])


def _tested_days(rows: DatedRows) -> dict[int, _Tested]:
    """Every snapshot day that earlier, matured snapshots can predict."""
    splits, days = [], np.unique(rows.as_of)
    for day in days:
        matured = days[days <= int(day) - rows.window.end(0)][-rows.teaching_days :]
        if len(matured):
            taught = np.flatnonzero((rows.as_of >= matured[0]) & (rows.as_of <= matured[-1]))
            splits.append(Split(taught, np.flatnonzero(rows.as_of == day)))
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
    return 0.0, float(np.sqrt(_SURELY * noise * np.sqrt(2 / windows_apart(np.array([*tested]), horizon_days))))
