"""What was measured of a model for its gate: beside every baseline and the champion's recipe, on the same rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kizuna.evaluation.gate.population import Population
from kizuna.evaluation.gate.segments import Segment
from kizuna.evaluation.measures.intervals import (
    CalibrationInterval,
    EvaluationRows,
    Interval,
    auc_intervals,
    calibration_interval,
    level_interval,
)
from kizuna.evaluation.measures.metrics import NORMAL_95

# Names beside those of the baselines.
_MODEL, _CHAMPION = "model", "champion"


@dataclass(frozen=True)
class GateEvidence:
    """What was measured, model, baselines and champion's recipe all on the same out-of-fold rows.

    `baselines` maps a name to its AUC, `differences` the same names to the paired interval of model minus baseline.
    `rarer`: customers seen with the rarer outcome. Levels are mean predicted minus observed churn rate; a baseline that
    only ranks has none. `log_loss_ahead`: how much lower the model's log loss is than that of each baseline with a level.
    `champion` is the AUC of the champion's recipe refitted on the same folds and `ahead_of_champion` the paired difference,
    None where that could not be done. `season` is the sentence on the season to come, `estimator` the model's kind.
    """

    auc: Interval
    customers: int
    rarer: int
    calibration: CalibrationInterval
    level: Interval
    baselines: Mapping[str, Interval] = field(default_factory=dict)
    differences: Mapping[str, Interval] = field(default_factory=dict)
    baseline_levels: Mapping[str, float] = field(default_factory=dict)
    log_loss_ahead: Mapping[str, Interval] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()
    population: Population | None = None
    season: str = ""
    estimator: str = ""
    leak_findings: int = 0
    has_champion: bool = False
    champion: Interval | None = None
    ahead_of_champion: Interval | None = None


def measure(
    rows: EvaluationRows,
    p: npt.ArrayLike,
    baselines: Mapping[str, npt.ArrayLike],
    ranking_only: Collection[str] = (),
    champion: npt.ArrayLike | None = None,
) -> GateEvidence:
    """The evidence on out-of-fold probabilities `p`, all columns in the order of `rows`.

    `baselines` maps a name to its scores, `ranking_only` names those that are no probabilities, `champion` is what the
    champion's recipe gave. Segments, population, season, estimator, leaks and has_champion are the caller's.
    """
    with_level = {name: scores for name, scores in baselines.items() if name not in ranking_only}
    scores = {_MODEL: p, **baselines} | ({} if champion is None else {_CHAMPION: champion})
    found = auc_intervals(rows, scores)
    return GateEvidence(
        auc=found.auc[_MODEL],
        customers=rows.customers,
        rarer=min(len(np.unique(rows.customer[rows.churned == outcome])) for outcome in (0, 1)),
        calibration=calibration_interval(rows, p),
        level=level_interval(rows, p),
        baselines={name: found.auc[name] for name in baselines},
        differences={name: found.ahead[name] for name in baselines},
        baseline_levels={name: level_interval(rows, scores).estimate for name, scores in with_level.items()},
        log_loss_ahead={name: _log_loss_ahead(rows, p, scores) for name, scores in with_level.items()},
        champion=found.auc.get(_CHAMPION),
        ahead_of_champion=found.ahead.get(_CHAMPION),
    )


def _log_loss_ahead(rows: EvaluationRows, p: npt.ArrayLike, rule: npt.ArrayLike) -> Interval:
    """How much lower the log loss of `p` is than the rule's, mean over folds, with the 95 % interval of customers drawn."""
    saved = _losses(rows, rule) - _losses(rows, p)
    share = 1 / np.bincount(rows.fold)[rows.fold] / len(np.unique(rows.fold))
    mean = float(share @ saved)
    of_fold = np.bincount(rows.fold, saved) / np.maximum(np.bincount(rows.fold), 1)
    by_customer = np.bincount(rows.customer, share * (saved - of_fold[rows.fold]))
    reach = NORMAL_95 * float(np.sqrt((by_customer**2).sum()))
    return Interval(mean, mean - reach, mean + reach)


def _losses(rows: EvaluationRows, p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    margin = np.finfo(np.float64).eps
    said = np.clip(np.asarray(p, dtype=np.float64), margin, 1 - margin)
    return -np.where(rows.churned == 1, np.log(said), np.log1p(-said))


def best_baseline(evidence: GateEvidence) -> str | None:
    """Name of the baseline with the highest AUC; of equals the first by name. None where none could be measured."""
    measured = {name: auc.estimate for name, auc in evidence.baselines.items() if not np.isnan(auc.estimate)}
    return min(measured, key=lambda name: (-measured[name], name)) if measured else None


def shared_level(evidence: GateEvidence) -> float:
    """The level error that the model has in common with every baseline: the smallest of them if all point one way.

    0 where they disagree, or where no baseline has a level to compare with.
    """
    levels = [evidence.level.estimate, *evidence.baseline_levels.values()]
    if not evidence.baseline_levels or not (all(level > 0 for level in levels) or all(level < 0 for level in levels)):
        return 0.0
    return min(levels, key=abs)
