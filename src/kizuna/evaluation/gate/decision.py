"""Whether a model may be used: every check with its number, its limit and its words, and one grade.

Grades, by plain rules:
A: every check passes, and the interval of the AUC difference to the best baseline lies above 0.
B: no check fails, and nothing is wrong with the level of the probabilities.
C: no check fails, but calibration or level warns: trust the order of customers, not the percentages.
D: a check fails; the model is refused.

Being behind, the best baseline or the champion's recipe, fails where it is more than allowed and its paired interval lies
below 0; where the interval reaches 0 chance may have done it, and it warns. A few hundred customers leave an AUC
difference a spread of .01 to .03: a limit on the estimate alone would refuse every third model that is exactly right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kizuna.evaluation.gate.evidence import GateEvidence, best_baseline, shared_level
from kizuna.evaluation.gate.population import ENOUGH_CUSTOMERS
from kizuna.evaluation.measures.intervals import Interval, decimals

Status = Literal["pass", "fail", "warn"]

# Differences of sums carry rounding errors of about 1e-16; a limit met exactly is met.
ROUNDING = 1e-9

LEVEL_CHECKS = ("log_loss", "calibration", "level")
# The widest half of an AUC interval that leaves a usual signal (.60) visible.
_WIDE = 0.05
_SURE = 0.05
_COUNTED = ("leak", "segments")
# The estimator that is a baseline's own idea.
_LIKE = {
    "rate_rule": "rule",
    "rfm_logistic": "rfm",
    "bgnbd": "btyd",
    "recency_rule": "logistic with params.columns recency",
}


@dataclass(frozen=True)
class GateLimits:
    """What a model may fall short by. AUC and calibration error are fractions: .003 is three tenths of a point."""

    max_behind_baseline: float = 0.003
    max_calibration_error: float = 0.05
    max_drop_from_champion: float = 0.01
    max_leak_findings: int = 0


@dataclass(frozen=True)
class Check:
    """One rule applied: what was found, what was allowed, and the sentence that says so."""

    name: str
    status: Status
    value: float
    limit: float
    text: str

    @property
    def short(self) -> str:
        """Status, number and limit in a few characters: ``pass .012 (limit .050)``."""
        if np.isnan(self.value):
            return self.status
        number = f"{self.value:g}" if self.name in _COUNTED else decimals(self.value)
        limit = f"{self.limit:g}" if self.name in _COUNTED else decimals(self.limit)
        return f"{self.status} {number}" if np.isnan(self.limit) else f"{self.status} {number} (limit {limit})"


@dataclass(frozen=True)
class GateDecision:
    """Whether the model passed, its grade (A to D), every check, and all of it in a few sentences."""

    passed: bool
    checks: tuple[Check, ...]
    grade: str
    text: str

    @property
    def not_behind(self) -> bool:
        """Whether it passed, not even by chance behind the best baseline's order, and not surely behind in log loss."""
        compared = [check for check in self.checks if check.name in ("baseline", "log_loss")]
        return self.passed and all(check.status == "pass" for check in compared)

    def tags(self) -> dict[str, str]:
        """Every check by ``gate.<name>``, in short."""
        return {f"gate.{check.name}": check.short for check in self.checks}


def decide(evidence: GateEvidence, limits: GateLimits | None = None) -> GateDecision:
    """The decision on one model. It passes unless a check fails; a warning only lowers the grade."""
    allowed = limits or GateLimits()
    shared = shared_level(evidence)
    before = (_signal(evidence), _baseline(evidence, allowed), _log_loss(evidence, allowed))
    after = (
        _level(evidence, allowed, shared),
        _leak(evidence, allowed),
        _champion(evidence, allowed),
        _segments(evidence),
        _population(evidence),
    )
    refused = any(check.status == "fail" for check in (*before, *after))
    checks = (*before, _calibration(evidence, allowed, shared, refused), *after)
    passed = all(check.status != "fail" for check in checks)
    grade = _grade(evidence, checks)
    verdict = f"Passed, grade {grade}" if passed else "Refused"
    remarks = [check.text[0].upper() + check.text[1:] for check in checks if check.status != "pass"]
    season = [evidence.season[0].upper() + evidence.season[1:]] if evidence.season else []
    return GateDecision(passed, checks, grade, ". ".join([f"{verdict}: {_summary(evidence)}", *remarks, *season]) + ".")


def _signal(evidence: GateEvidence) -> Check:
    found = evidence.auc
    if found.low > 0.5:
        return Check("signal", "pass", found.low, 0.5, f"the AUC is {found}, better than chance")
    if found.high < 0.5:
        reason = "ranks customers the wrong way round"
    else:
        reason = f"cannot be told from chance (.500), {_why_no_signal(evidence)}"
    return Check("signal", "fail", found.low, 0.5, f"the AUC is {found}: the model {reason}")


def _why_no_signal(evidence: GateEvidence) -> str:
    """Whether a rule can, and whether more customers or other data are wanted."""
    best, wide = best_baseline(evidence), (evidence.auc.high - evidence.auc.low) / 2
    beside = "nor can any rule" if best is None else f"nor can the best baseline, {best} ({evidence.baselines[best]})"
    if best is not None and evidence.baselines[best].low > 0.5:
        return f"while the baseline {best} can ({evidence.baselines[best]}): {_advice(best, evidence.estimator)}"
    if not wide <= _WIDE:
        return (
            f"{beside}: {evidence.rarer:,} of {evidence.customers:,} customers with the rarer outcome are too few to tell. "
            "More customers or a longer history are needed"
        )
    return (
        f"{beside}: what these tables hold of {evidence.customers:,} customers says nothing of who churns. "
        "Other tables are needed, not more rows"
    )


def _advice(best: str, estimator: str) -> str:
    """What to do where a baseline knows what the model does not."""
    if best in _LIKE and estimator and _LIKE[best] != estimator:
        return f"set model.churn.estimator to {_LIKE[best]}"
    return "some features mislead the model, leave them out by features.exclude"


def _behind(name: str, ahead: Interval, limit: float, words: str) -> Check:
    """The check on an AUC difference: within the limit, surely beyond it, or beyond it by what may be chance."""
    if ahead.estimate >= limit - ROUNDING:
        return Check(name, "pass", ahead.estimate, limit, f"the AUC is {words}")
    text = f"the AUC is {words}, and {decimals(-limit)} behind is allowed"
    if ahead.high < 0 or np.isnan(ahead.high):
        return Check(name, "fail", ahead.estimate, limit, text)
    return Check(name, "warn", ahead.estimate, limit, f"{text}; chance alone may have done that")


def _baseline(evidence: GateEvidence, limits: GateLimits) -> Check:
    limit = -limits.max_behind_baseline
    best = best_baseline(evidence)
    if best is None:
        return Check("baseline", "warn", float("nan"), limit, "no baseline could be measured on these rows")
    ahead = evidence.differences[best]
    return _behind("baseline", ahead, limit, f"{_side(ahead.estimate)} the best baseline, {best}, {_range(ahead)}")


def _log_loss(evidence: GateEvidence, limits: GateLimits) -> Check:
    """Probabilities that are surely worse than a rule's warn: its order may still be the better one."""
    limit, measured = -limits.max_behind_baseline, evidence.log_loss_ahead
    known = {name: ahead for name, ahead in measured.items() if not np.isnan(ahead.estimate)}
    if not known:
        return Check("log_loss", "pass", float("nan"), limit, "no baseline with probabilities could be measured")
    best = min(known, key=lambda name: (known[name].estimate, name))
    ahead = known[best]
    side = "lower" if ahead.estimate >= 0 else "higher"
    text = f"the log loss is {decimals(abs(ahead.estimate))} {side} than that of {best} {_range(ahead)}"
    if ahead.estimate >= limit - ROUNDING or not ahead.high < 0:
        return Check("log_loss", "pass", ahead.estimate, limit, text)
    return Check("log_loss", "warn", ahead.estimate, limit, f"{text}: its probabilities are worse than a plain rule's")


def _calibration(evidence: GateEvidence, limits: GateLimits, shared: float, refused: bool) -> Check:
    """The check on the probabilities; of a model that is refused for another reason nothing good is said."""
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
        better = ": with no champion yet it is still better than no list, but read its percentages as an order"
        text = over if refused else f"{over}{better}"
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
    champion, ahead = evidence.champion, evidence.ahead_of_champion
    if champion is None or ahead is None or np.isnan(ahead.estimate):
        text = "the champion's recipe could not be refitted on these folds, so it was not compared"
        return Check("champion", "warn", float("nan"), limit, text)
    recipe = f"the champion's recipe ({decimals(champion.estimate)}) on the same folds"
    return _behind("champion", ahead, limit, f"{_side(ahead.estimate)} {recipe}, {_range(ahead)}")


def _segments(evidence: GateEvidence) -> Check:
    """How many segments are surely worse than the whole; they warn, and say what to look at."""
    none = float("nan")
    if not evidence.segments:
        return Check("segments", "pass", none, none, "no segment is large enough to be measured on its own")
    behind = [segment for segment in evidence.segments if segment.p_holm < _SURE]
    off = [segment for segment in evidence.segments if segment.level_p_holm < _SURE]
    found, count = len({segment.name for segment in (*behind, *off)}), len(evidence.segments)
    if not found:
        return Check(
            "segments", "pass", 0, 0, f"no segment of {count} is surely behind the best baseline or off in level"
        )
    said = [
        f"{one.name}: AUC {decimals(-one.ahead.estimate)} behind the best baseline {_range(one.ahead)}"
        for one in behind
    ] + [
        f"{one.name}: mean probability {_points(one.level.estimate)} the observed churn rate, unlike the others"
        for one in off
    ]
    text = (
        f"{found} of {count} segments {'are' if found > 1 else 'is'} worse than the whole ({'; '.join(said)}): check what "
        "their rows lack, add a feature that tells them apart, or train them as a shop of their own"
    )
    return Check("segments", "warn", found, 0, text)


def _population(evidence: GateEvidence) -> Check:
    """Whether everybody eligible on the train day gets a probability that a list could be made of."""
    found, none = evidence.population, float("nan")
    if found is None:
        return Check("population", "pass", none, none, "the customers of the train day were not looked at")
    who = f"{found.customers:,} customers eligible on the train day"
    if not found.customers:
        text = "nobody is eligible on the train day, so the model was not tried on the customers of today"
        return Check("population", "warn", none, none, text)
    if found.impossible:
        text = f"{found.impossible:,} of {who} get no probability: look at their features, then train again"
        return Check("population", "fail", found.mean, none, text)
    if found.distinct == 1 and found.customers >= ENOUGH_CUSTOMERS:
        text = f"all {who} get the same probability, {decimals(found.mean)}: nobody could be ranked"
        return Check("population", "fail", found.mean, none, text)
    if found.missing:
        shown = ", ".join(found.missing[:5]) + (" and others" if len(found.missing) > 5 else "")
        text = f"all {who} lack {shown}, known in training: bring the data back, or exclude it by features.exclude"
        return Check("population", "warn", found.mean, none, text)
    low, high = found.usual
    if not low <= found.mean <= high:
        text = (
            f"the mean probability of {who} is {decimals(found.mean)}, outside of {decimals(low)} to {decimals(high)} that "
            "past snapshots would explain: look for tables that end early"
        )
        return Check("population", "warn", found.mean, high if found.mean > high else low, text)
    return Check(
        "population", "pass", found.mean, none, f"{who} score cleanly, mean probability {decimals(found.mean)}"
    )


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
    baseline = ""
    if best:
        beside = evidence.differences[best]
        baseline = f"; best baseline {best} {decimals(evidence.baselines[best].estimate)}, {_side(beside.estimate)} it "
        baseline += _range(beside)
    return f"{ranked}{baseline}; calibration error {evidence.calibration}"


def _range(difference: Interval) -> str:
    return f"[{_signed(difference.low)}, {_signed(difference.high)}]"


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
