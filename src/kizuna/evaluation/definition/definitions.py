"""Candidate definitions of churn, measured on matured snapshots, and the one that is proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.blocks import Block
from kizuna.data.store import Store
from kizuna.evaluation.definition.return_curve import Curve
from kizuna.features.history import History
from kizuna.features.rows import every_pair
from kizuna.labels import inactivity
from kizuna.labels.definition import definition_of
from kizuna.labels.outcome import Outcome
from kizuna.timeline import LabelWindow, snapshot_days

HORIZONS_DAYS = (30, 45, 60, 90, 120, 180, 365)
ACTIVE_MULTIPLES = (1, 2, 3)
NEWEST_SNAPSHOTS = 4
LOWEST_BASE_RATE, HIGHEST_BASE_RATE = 0.05, 0.70
MOST_CAME_BACK = 0.20
FOLLOWED_DAYS = 90
FEWEST_SNAPSHOTS = 3
FEWEST_ROWS = 30
LOST_BELOW = 0.10


@dataclass(frozen=True)
class Candidate:
    """One definition and what the newest matured snapshots say of it.

    ``snapshots`` that have matured; ``matures_after_days``: from a snapshot to its label; ``first_label_in_days``: until the
    first label matures, 0 where one has. ``eligible`` at the newest snapshot; ``rows`` and ``churned`` at the newest four.
    ``followed``: churned rows of the newest four snapshots whose label window had ended 90 days ago, and ``came_back``:
    those of them that bought in these 90 days. ``late_gap_share``: of gaps between purchases, the share longer than the
    horizon. ``fault``: why the rule passes it over, empty where it qualifies.
    """

    horizon_days: int
    active_within_days: int
    snapshots: int
    matures_after_days: int
    first_label_in_days: int
    eligible: int
    rows: int
    churned: int
    followed: int
    came_back: int
    late_gap_share: float
    configured: bool
    fault: str = ""

    @property
    def base_rate(self) -> float:
        """Share of eligible rows that churned; NaN without a matured snapshot."""
        return self.churned / self.rows if self.rows else float("nan")

    @property
    def came_back_share(self) -> float:
        """Share of those called churned that bought within the 90 days after; NaN where nobody was followed."""
        return self.came_back / self.followed if self.followed else float("nan")

    def to_json(self) -> dict[str, Any]:
        """The columns of ``definitions.csv``; shares rounded to 4 decimals."""
        return {
            "horizon_days": self.horizon_days,
            "active_within_days": self.active_within_days,
            "snapshots": self.snapshots,
            "matures_after_days": self.matures_after_days,
            "first_label_in_days": self.first_label_in_days,
            "eligible": self.eligible,
            "rows": self.rows,
            "churned": self.churned,
            "base_rate_share": round(self.base_rate, 4),
            "followed": self.followed,
            "came_back": self.came_back,
            "came_back_share": round(self.came_back_share, 4),
            "late_gap_share": round(self.late_gap_share, 4),
            "configured": self.configured,
            "fault": self.fault,
        }


@dataclass(frozen=True)
class _Trial:
    """One horizon's label window, its matured snapshots, newest first, and the active days to try."""

    window: LabelWindow
    matured: list[int]
    active: list[int]

    @property
    def later(self) -> LabelWindow:
        """The 90 days after the label window."""
        return replace(
            self.window, gap_days=self.window.gap_days + self.window.horizon_days, horizon_days=FOLLOWED_DAYS
        )

    def count(self, block: Block, train_day: int) -> NDArray[np.int64]:
        """(active, 5): eligible at the newest snapshot, rows, churned, followed, came back."""
        out = np.zeros((len(self.active), 5), dtype=np.int64)
        newest = self.matured[:NEWEST_SNAPSHOTS]
        followed = [day for day in self.matured if self.later.is_matured(day, train_day)][:NEWEST_SNAPSHOTS]
        if not newest:
            return out
        rows = every_pair(block.customers, sorted({*newest, *followed}))
        events = block.tables["purchases"]
        past = History(events, rows, block.tables)
        churned = inactivity.churned(past, Outcome(events, rows, self.window, train_day)) == 1
        away = inactivity.churned(past, Outcome(events, rows, self.later, train_day)) == 1
        recent, old = np.isin(rows.as_of, newest), np.isin(rows.as_of, followed)
        for index, days in enumerate(self.active):
            chosen = inactivity.eligible(past, days)
            masks = (rows.as_of == newest[0], recent, recent & churned, old & churned, old & churned & ~away)
            out[index] = [np.count_nonzero(chosen & mask) for mask in masks]
        return out


def candidates(store: Store, config: Config, train_day: int, everyone: Curve) -> list[Candidate]:
    """Every candidate by horizon and active days, the config's own among them, on the config's grid of snapshots.

    Horizons of 30 to 365 days; active within one, two and three horizons, two and three only where the newest matured
    snapshot has that much history before it.
    """
    own = definition_of(config)
    first_day = store.first_known_day("purchases", train_day)
    first = train_day if first_day is None else first_day
    earliest = first + config.snapshots.min_history_days
    trials = []
    for horizon in sorted({*HORIZONS_DAYS, own.horizon_days}):
        window = LabelWindow(horizon, own.gap_days, own.arrives_after_days)
        grid = snapshot_days(train_day, window, earliest, config.snapshots.every_days, config.snapshots.max_count)
        matured = [day for day in grid if window.is_matured(day, train_day)]
        history = matured[0] - first if matured else 0
        multiples = {
            multiple * horizon for multiple in ACTIVE_MULTIPLES if multiple == 1 or multiple * horizon <= history
        }
        own_days = {own.active_within_days} if horizon == own.horizon_days else set()
        trials.append(_Trial(window, matured, sorted(multiples | own_days)))

    def count(block: Block) -> NDArray[np.int64]:
        return np.concatenate([trial.count(block, train_day) for trial in trials])

    counts = np.zeros((sum(len(trial.active) for trial in trials), 5), dtype=np.int64)
    for some in store.map(count, "definitions"):
        counts += some
    each = [(trial, days) for trial in trials for days in trial.active]
    found = []
    for (trial, days), (eligible, rows, churned, followed, came_back) in zip(each, counts.tolist(), strict=True):
        window = trial.window
        candidate = Candidate(
            horizon_days=window.horizon_days,
            active_within_days=days,
            snapshots=len(trial.matured),
            matures_after_days=window.matured_on(0),
            first_label_in_days=0 if trial.matured else max(window.matured_on(earliest) - train_day, 0),
            eligible=eligible,
            rows=rows,
            churned=churned,
            followed=followed,
            came_back=came_back,
            late_gap_share=everyone.longer_than(window.horizon_days),
            configured=(window.horizon_days, days) == (own.horizon_days, own.active_within_days),
        )
        found.append(replace(candidate, fault=_fault(candidate)))
    return found


def _fault(candidate: Candidate) -> str:
    """Why the rule passes a candidate over; empty where it qualifies."""
    if not candidate.snapshots:
        return f"no label before {candidate.first_label_in_days} more days"
    if candidate.snapshots < FEWEST_SNAPSHOTS:
        return f"{candidate.snapshots} matured snapshots, {FEWEST_SNAPSHOTS} needed"
    if min(candidate.churned, candidate.rows - candidate.churned) < FEWEST_ROWS:
        return f"fewer than {FEWEST_ROWS} churned or kept"
    if candidate.base_rate < LOWEST_BASE_RATE:
        return f"under {percent(LOWEST_BASE_RATE)} churn"
    if candidate.base_rate > HIGHEST_BASE_RATE:
        return f"over {percent(HIGHEST_BASE_RATE)} churn"
    if candidate.followed < FEWEST_ROWS:
        return "too short a history to see who comes back"
    if candidate.came_back_share > MOST_CAME_BACK:
        return _too_many_back()
    return ""


def propose(found: Sequence[Candidate], everyone: Curve) -> tuple[Candidate | None, str]:
    """The proposed definition with the reason, or None with what is missing.

    A candidate qualifies when (1) three snapshots or more have matured, with 30 churned and 30 kept rows on the newest
    four; (2) between 5 % and 70 % of the eligible churn; (3) of those called churned at most 20 % buy within the 90 days
    after. The shortest horizon with a qualifying candidate is taken, and of its candidates the shortest
    active_within_days that reaches the silence after which less than 10 % buy within the horizon, for beyond it hardly
    anybody is left to be kept; the longest where none reaches it. Where only the third condition fails everywhere, the
    horizon whose churned come back least is taken, and the reason says so.
    """
    by_horizon: dict[int, list[Candidate]] = {}
    for candidate in (c for c in found if not c.fault):
        by_horizon.setdefault(candidate.horizon_days, []).append(candidate)
    if by_horizon:
        horizon = min(by_horizon)
        chosen, lost = _reaching(by_horizon[horizon], everyone)
        why = f"the longest that qualifies is {chosen.active_within_days} days."
        if lost is not None:
            why = (
                f"after {lost} silent days fewer than {percent(LOST_BELOW)} buy within {horizon} days, "
                f"and active within {chosen.active_within_days} days covers those before."
            )
        return chosen, (
            f"{horizon} days is the shortest horizon at which at most {percent(MOST_CAME_BACK)} of those called churned "
            f"buy within the {FOLLOWED_DAYS} days after ({percent(chosen.came_back_share)} do), and "
            f"{percent(chosen.base_rate)} of the eligible churn. Eligibility: {why}"
        )
    for candidate in (c for c in found if c.fault == _too_many_back()):
        by_horizon.setdefault(candidate.horizon_days, []).append(candidate)
    if by_horizon:
        each = [_reaching(candidates, everyone)[0] for candidates in by_horizon.values()]
        chosen = min(each, key=lambda candidate: (candidate.came_back_share, candidate.horizon_days))
        return chosen, (
            f"At every horizon that can be measured more than {percent(MOST_CAME_BACK)} of those called churned buy within the "
            f"{FOLLOWED_DAYS} days after; at {chosen.horizon_days} days the fewest do ({percent(chosen.came_back_share)}). "
            "Silence alone says little here, or the history is short: look again when there is more."
        )
    return None, _nothing(found)


def _too_many_back() -> str:
    return f"over {percent(MOST_CAME_BACK)} of them come back"


def _reaching(same: Sequence[Candidate], everyone: Curve) -> tuple[Candidate, int | None]:
    """Of one horizon's candidates the shortest active days that reach the lost, and their silence; else the longest, None."""
    lost = everyone.falls_below(same[0].horizon_days, LOST_BELOW)
    ascending = sorted(same, key=lambda candidate: candidate.active_within_days)
    for candidate in ascending:
        if lost is not None and candidate.active_within_days >= lost:
            return candidate, lost
    return ascending[-1], None


def _nothing(found: Sequence[Candidate]) -> str:
    """Why nothing can be proposed."""
    waiting = [candidate.first_label_in_days for candidate in found if not candidate.snapshots]
    if len(waiting) == len(found):
        return f"Too little data: no label has matured yet; the first will in {min(waiting)} days."
    faults = list(dict.fromkeys(candidate.fault for candidate in found if candidate.snapshots))
    return f"No candidate qualifies: {'; '.join(faults)}."


def percent(share: float) -> str:
    """A share as 20 %."""
    return f"{100 * share:.0f} %"
