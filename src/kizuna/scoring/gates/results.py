"""Gates of the result: probabilities that can be, near those of training and of the last list, and a list of a usual size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.config_gates import Gates
from kizuna.evaluation.drift.reference import Reference, score_stability
from kizuna.evaluation.drift.stability import histogram, stability
from kizuna.evaluation.gate.population import ENOUGH_CUSTOMERS
from kizuna.lists.publication import Publication
from kizuna.scoring.gates.gate import Gate, is_beyond_chance, since_accepted

# A list that is older tells nothing of this one's probabilities.
_RECENT_DAYS = 60
_DEVIATIONS = 3
_COUNTED = {"eligible": "eligible", "list_size": "listed"}
_LEAST = {"eligible": "min_eligible_share", "list_size": "min_list_share"}
_MODEL = "Look at the tables, train again, or go back with kizuna rollback"

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DayResult:
    """What gates look at of a day's result: everybody's churn_probability and cltv, how many are listed of how many asked."""

    probability: Floats
    value: Floats
    listed: int
    size: int


def possible_gate(p: Floats) -> Gate:
    """Numbers between 0 and 1, not all the same; the value counts those that are not, or the different ones."""
    wrong = int((~((p >= 0) & (p <= 1))).sum())
    if wrong:
        said = f"{wrong:,} of {len(p):,} probabilities are no number between 0 and 1."
        return Gate("probabilities", "fail", float(wrong), 0.0, said, "Train again", waivable=False)
    if len(p) >= ENOUGH_CUSTOMERS and p.min() == p.max():
        said = f"all {len(p):,} customers have the same probability."
        return Gate("probabilities", "fail", 1.0, 2.0, said, "Train again", waivable=False)
    return Gate("probabilities", "pass", 0.0, 0.0, waivable=False)


def training_gate(p: Floats, reference: Reference | None, shift: float, limits: Gates) -> Gate:
    """The stability index of the probabilities against training's; it passes a model that was stored without them.

    ``shift``: the day's season in log odds, which is no drift.
    """
    if reference is None or not reference.scores.rows:
        return Gate("score_drift", "pass", None, limits.max_score_psi)
    found = score_stability(reference, p, shift)
    gate = Gate("score_drift", "pass", found.psi, limits.max_score_psi, remedy=_MODEL)
    beyond = max(found.by_chance, reference.usual_score)
    said = (
        f"the probabilities lie {found.psi:.2f} from training's (stability index), where its own days and chance reach "
        f"{beyond:.2f};"
    )
    if found.psi > max(limits.max_score_psi, beyond):
        return replace(gate, status="fail", said=f"{said} {limits.max_score_psi:g} is allowed (gates.max_score_psi).")
    if found.psi > max(limits.warn_score_psi, beyond):
        said += f" {limits.warn_score_psi:g} is usual (gates.warn_score_psi)."
        return replace(gate, status="warn", limit=limits.warn_score_psi, said=said)
    return gate


def last_list_gates(now: DayResult, names: Mapping[str, str], last: Publication | None, config: Config) -> list[Gate]:
    """Against the last list: probabilities and mean value of the same models, and the share of high risk of any."""
    limits = config.gates
    drift = Gate("list_drift", "pass", None, limits.max_list_psi, remedy="Look at the tables")
    value = Gate("mean_value", "pass", None, limits.max_value_ratio, remedy="See whether amounts changed their unit")
    if last is None:
        return [drift, value, Gate("high_share", "pass", None, limits.max_high_change)]
    before = _result(last)
    if last.manifest["models"] == names and len(before.probability):
        drift, value = _drift_gate(drift, now, before, last), _value_gate(value, now, before, last)
    return [drift, value, _high_gate(now.probability, before.probability, last, config)]


def _drift_gate(gate: Gate, now: DayResult, before: DayResult, last: Publication) -> Gate:
    then = histogram(before.probability)
    found = stability(then, then.count(now.probability))
    if gate.limit is None or not found.exceeds(gate.limit):
        return replace(gate, value=found.psi)
    said = (
        f"the probabilities lie {found.psi:.2f} from those of the list of {last.as_of} (stability index); "
        f"{gate.limit:g} is allowed (gates.max_list_psi)."
    )
    return replace(gate, status="fail", value=found.psi, said=said)


def _value_gate(gate: Gate, now: DayResult, before: DayResult, last: Publication) -> Gate:
    means = [float(np.mean(values)) if len(values) else math.nan for values in (now.value, before.value)]
    # Where nobody is worth anything, or returns outweigh purchases, there is no ratio to speak of.
    if gate.limit is None or not all(mean > 0 for mean in means):
        return gate
    ratio = means[0] / means[1]
    if 1 / gate.limit <= ratio <= gate.limit:
        return replace(gate, value=ratio)
    said = (
        f"the mean value (cltv) is {ratio:.2g} times that of the list of {last.as_of}; at most {gate.limit:g} times more or "
        "less is allowed (gates.max_value_ratio)."
    )
    return replace(gate, status="fail", value=ratio, said=said)


def _high_gate(p: Floats, before: Floats, last: Publication, config: Config) -> Gate:
    high, limit = config.at_risk.bands.high, config.gates.max_high_change
    if not len(p) or not len(before):
        return Gate("high_share", "pass", None, limit)
    now, then = float((p >= high).mean()), float((before >= high).mean())
    both = (now * len(p) + then * len(before)) / (len(p) + len(before))
    chance = _DEVIATIONS * math.sqrt(both * (1 - both) * (1 / len(p) + 1 / len(before)))
    if abs(now - then) <= max(limit, chance):
        return Gate("high_share", "pass", abs(now - then), limit)
    said = (
        f"{now:.0%} of the eligible are of high risk, on the list of {last.as_of} {then:.0%}; a change of "
        f"{100 * limit:.0f} points is allowed (gates.max_high_change)."
    )
    return Gate("high_share", "fail", abs(now - then), limit, said, _MODEL)


def size_gates(
    result: DayResult, before: Sequence[Mapping[str, Any]], definition: Mapping[str, Any], limits: Gates
) -> list[Gate]:
    """How many are eligible and listed, as shares of the median of the last lists of the same definition and asked size.

    ``before``: manifests of earlier lists, oldest first.
    """
    same = [one for one in before if one.get("definition") == definition]
    asked = [one for one in before if one.get("list_size") == result.size]
    eligible = _share_gate("eligible", len(result.probability), same, limits.min_eligible_share, limits)
    listed = _share_gate("list_size", result.listed, asked, limits.min_list_share, limits)
    if not result.listed:
        said = f"nobody is listed, of {len(result.probability):,} eligible and {result.size:,} asked for."
        remedy = "Look at at_risk.min_probability, the limits of the list and the tables"
        listed = Gate("list_size", "fail", 0.0, limits.min_list_share, said, remedy)
    return [eligible, listed]


def _share_gate(name: str, now: int, before: Sequence[Mapping[str, Any]], least: float, limits: Gates) -> Gate:
    key = _COUNTED[name]
    counts = [one["counts"][key] for one in since_accepted(before, name)][-limits.earlier_lists :]
    usual = median(counts) if counts else 0
    if not usual:
        return Gate(name, "pass", None, least)
    if now >= least * usual or not is_beyond_chance(now, usual):
        return Gate(name, "pass", now / usual, least)
    said = (
        f"{now:,} customers are {key}, {now / usual:.0%} of what is usual ({usual:,.0f}, the median of the last "
        f"{len(counts)} lists); at least {least:.0%} are asked for (gates.{_LEAST[name]})."
    )
    return Gate(name, "fail", now / usual, least, said, "Look at the tables")


def recent(earlier: Sequence[Publication], day: date) -> Publication | None:
    """The last list, where it is near enough to be compared with."""
    return earlier[-1] if earlier and (day - earlier[-1].as_of).days <= _RECENT_DAYS else None


def _result(publication: Publication) -> DayResult:
    """What a published list holds of the same."""
    import pyarrow.parquet as pq

    table = pq.read_table(publication.file("scores.parquet"), columns=["churn_probability", "cltv"])
    p, value = (table[name].cast("float64").to_numpy() for name in table.column_names)
    manifest = publication.manifest
    return DayResult(p, value, manifest["counts"]["listed"], manifest.get("list_size", 0))
