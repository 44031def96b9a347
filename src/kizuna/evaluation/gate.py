"""Whether a model may be used: every check with its number, its limit and its words, and one grade.

Grades, by plain rules:
A: every check passes, and the interval of the AUC difference to the best baseline lies above 0.
B: no check fails, and nothing is wrong with the level of the probabilities.
C: no check fails, but calibration or level warns: trust the order of customers, not the percentages.
D: a check fails; the model is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from kizuna.evaluation.intervals import (
    CalibrationInterval,
    EvaluationRows,
    Interval,
    auc_difference_interval,
    auc_interval,
    auc_statistic,
    calibration_interval,
    decimals,
    level_interval,
)

Status = Literal["pass", "fail", "warn"]

# Differences of sums carry rounding errors of about 1e-16; a limit met exactly is met.
ROUNDING = 1e-9

LEVEL_CHECKS = ("calibration", "level")


@dataclass(frozen=True)
class GateLimits:
    """What a model may fall short by. AUC and calibration error are fractions: .003 is three tenths of a point."""

    max_behind_baseline: float = 0.003
    max_calibration_error: float = 0.05
    max_drop_from_champion: float = 0.01
    max_leak_findings: int = 0


@dataclass(frozen=True)
class GateEvidence:
    """What was measured, model, baselines and champion's recipe all on the same out-of-fold rows.

    `baselines` maps a name to its AUC, `differences` the same names to the paired interval of model minus baseline.
    Levels are mean predicted minus observed churn rate; a baseline that only ranks has none. `champion_auc` is that of
    the champion's recipe refitted on the same folds, None where that could not be done.
    """

    auc: Interval
    customers: int
    calibration: CalibrationInterval
    level: Interval
    baselines: Mapping[str, float] = field(default_factory=dict)
    differences: Mapping[str, Interval] = field(default_factory=dict)
    baseline_levels: Mapping[str, float] = field(default_factory=dict)
    leak_findings: int = 0
    has_champion: bool = False
    champion_auc: float | None = None


@dataclass(frozen=True)
class Check:
    """One rule applied: what was found, what was allowed, and the sentence that says so."""

    name: str
    status: Status
    value: float
    limit: float
    text: str


@dataclass(frozen=True)
class GateDecision:
    """Whether the model passed, its grade (A to D), every check, and all of it in a few sentences."""

    passed: bool
    checks: tuple[Check, ...]
    grade: str
    text: str


def decide(evidence: GateEvidence, limits: GateLimits | None = None) -> GateDecision:
    """The decision on one model. It passes unless a check fails; a warning only lowers the grade."""
    allowed = limits or GateLimits()
    shared = shared_level(evidence)
    checks = (
        _signal(evidence),
        _baseline(evidence, allowed),
        _calibration(evidence, allowed, shared),
        _level(evidence, allowed, shared),
        _leak(evidence, allowed),
        _champion(evidence, allowed),
    )
    passed = all(check.status != "fail" for check in checks)
    grade = _grade(evidence, checks)
    verdict = f"Passed, grade {grade}" if passed else "Refused"
    remarks = [check.text[0].upper() + check.text[1:] for check in checks if check.status != "pass"]
    return GateDecision(passed, checks, grade, ". ".join([f"{verdict}: {_summary(evidence)}", *remarks]) + ".")


def measure(
    rows: EvaluationRows,
    p: npt.ArrayLike,
    baselines: Mapping[str, npt.ArrayLike],
    ranking_only: Collection[str] = (),
    champion: npt.ArrayLike | None = None,
) -> GateEvidence:
    """The evidence on out-of-fold probabilities `p`, all columns in the order of `rows`.

    `baselines` maps a name to its scores, `ranking_only` names those that are no probabilities, `champion` is what the
    champion's recipe gave. Leak findings and has_champion are the caller's: dataclasses.replace them.
    """
    whole = np.ones(rows.churned.size)
    with_level = {name: scores for name, scores in baselines.items() if name not in ranking_only}
    return GateEvidence(
        auc=auc_interval(rows, p),
        customers=rows.customers,
        calibration=calibration_interval(rows, p),
        level=level_interval(rows, p),
        baselines={name: auc_statistic(rows, scores)(whole) for name, scores in baselines.items()},
        differences={name: auc_difference_interval(rows, p, scores) for name, scores in baselines.items()},
        baseline_levels={name: level_interval(rows, scores).estimate for name, scores in with_level.items()},
        champion_auc=None if champion is None else auc_statistic(rows, champion)(whole),
    )


def best_baseline(evidence: GateEvidence) -> str | None:
    """Name of the baseline with the highest AUC; of equals the first by name. None where none could be measured."""
    measured = {name: auc for name, auc in evidence.baselines.items() if auc == auc}
    return min(measured, key=lambda name: (-measured[name], name)) if measured else None


def shared_level(evidence: GateEvidence) -> float:
    """The level error that the model has in common with every baseline: the smallest of them if all point one way.

    0 where they disagree, or where no baseline has a level to compare with.
    """
    levels = [evidence.level.estimate, *evidence.baseline_levels.values()]
    if not evidence.baseline_levels or not (all(level > 0 for level in levels) or all(level < 0 for level in levels)):
        return 0.0
    return min(levels, key=abs)


def _signal(evidence: GateEvidence) -> Check:
    found = evidence.auc
    if found.low > 0.5:
        return Check("signal", "pass", found.low, 0.5, f"the AUC is {found}, better than chance")
    reason = "ranks customers the wrong way round" if found.high < 0.5 else "cannot be told from chance (.500)"
    return Check("signal", "fail", found.low, 0.5, f"the AUC is {found}: the model {reason}")


def _baseline(evidence: GateEvidence, limits: GateLimits) -> Check:
    limit = -limits.max_behind_baseline
    best = best_baseline(evidence)
    if best is None:
        return Check("baseline", "warn", float("nan"), limit, "no baseline could be measured on these rows")
    difference = evidence.differences[best]
    sure = f"[{_signed(difference.low)}, {_signed(difference.high)}]"
    words = f"{_side(difference.estimate)} the best baseline, {best}, {sure}"
    if difference.estimate >= limit - ROUNDING:
        return Check("baseline", "pass", difference.estimate, limit, f"the AUC is {words}")
    allowed = decimals(limits.max_behind_baseline)
    return Check("baseline", "fail", difference.estimate, limit, f"the AUC is {words}, and {allowed} behind is allowed")


def _calibration(evidence: GateEvidence, limits: GateLimits, shared: float) -> Check:
    found, limit = evidence.calibration, limits.max_calibration_error
    seen = (
        f"the calibration error is {found} "
        f"({decimals(found.plain)} as counted, where a perfect model shows {decimals(found.expected_if_perfect)})"
    )
    if found.low <= limit + ROUNDING:
        return Check("calibration", "pass", found.low, limit, seen)
    over = f"{seen}, beyond the limit of {decimals(limit)}"
    if found.low - abs(shared) <= limit + ROUNDING:
        text = f"{over} only by the level error that every baseline shares"
        return Check("calibration", "warn", found.low, limit, text)
    if not evidence.has_champion:
        text = f"{over}: with no champion yet it is still better than no list, but read its percentages as an order"
        return Check("calibration", "warn", found.low, limit, text)
    return Check("calibration", "fail", found.low, limit, over)


def _level(evidence: GateEvidence, limits: GateLimits, shared: float) -> Check:
    found, limit = evidence.level, limits.max_calibration_error
    seen = f"the mean probability is {_points(found.estimate)} the observed churn rate"
    if abs(shared) > limit + ROUNDING and found.excludes(0.0):
        text = f"{seen}, and every baseline errs the same way: churn itself has changed since the training snapshots"
        return Check("level", "warn", found.estimate, limit, text)
    return Check("level", "pass", found.estimate, limit, seen)


def _leak(evidence: GateEvidence, limits: GateLimits) -> Check:
    found, limit = evidence.leak_findings, limits.max_leak_findings
    if found <= limit:
        return Check("leak", "pass", found, limit, f"{found} leak findings" if found else "no leak finding")
    text = f"{found} leak finding{'s' if found > 1 else ''}, {limit} allowed: see leak_findings and features.exclude"
    return Check("leak", "fail", found, limit, text)


def _champion(evidence: GateEvidence, limits: GateLimits) -> Check:
    limit = -limits.max_drop_from_champion
    if not evidence.has_champion:
        return Check("champion", "pass", float("nan"), limit, "there is no champion yet")
    if evidence.champion_auc is None or evidence.champion_auc != evidence.champion_auc:
        text = "the champion's recipe could not be refitted on these folds, so it was not compared"
        return Check("champion", "warn", float("nan"), limit, text)
    ahead = evidence.auc.estimate - evidence.champion_auc
    words = f"the AUC is {_side(ahead)} the champion's recipe ({decimals(evidence.champion_auc)}) on the same folds"
    if ahead >= limit - ROUNDING:
        return Check("champion", "pass", ahead, limit, words)
    allowed = decimals(limits.max_drop_from_champion)
    return Check("champion", "fail", ahead, limit, f"{words}, and {allowed} behind is allowed")


def _grade(evidence: GateEvidence, checks: tuple[Check, ...]) -> str:
    status = {check.name: check.status for check in checks}
    if "fail" in status.values():
        return "D"
    if any(status[name] == "warn" for name in LEVEL_CHECKS):
        return "C"
    best = best_baseline(evidence)
    beaten = best is not None and evidence.differences[best].low > 0
    return "A" if beaten and "warn" not in status.values() else "B"


def _summary(evidence: GateEvidence) -> str:
    best = best_baseline(evidence)
    ranked = f"AUC {evidence.auc} on {evidence.customers:,} customers"
    baseline = f"; best baseline {best} {decimals(evidence.baselines[best])}" if best else ""
    return f"{ranked}{baseline}; calibration error {evidence.calibration}"


def _signed(difference: float) -> str:
    return f"+{decimals(difference)}" if difference >= 0.0005 else decimals(difference)


def _side(difference: float) -> str:
    if abs(difference) < 0.0005:
        return "level with"
    return f"{decimals(abs(difference))} {'ahead of' if difference > 0 else 'behind'}"


def _points(level: float) -> str:
    if abs(level) < 0.0005:
        return "equal to"
    return f"{abs(level) * 100:.1f} points {'above' if level > 0 else 'below'}"
