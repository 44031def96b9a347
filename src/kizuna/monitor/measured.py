"""One list and what came of it: a row of numbers, its calibration, and the outcomes of its customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kizuna.data.store import Store
from kizuna.evaluation.measures.intervals import Interval
from kizuna.experiment.estimated import Estimated, estimated_quality
from kizuna.experiment.listings import executed_shares
from kizuna.experiment.realised import BIN_COLUMNS, Realised, realised_quality
from kizuna.labels.definition import Definition
from kizuna.lists.publication import Publication
from kizuna.monitor.ledger import Ledger
from kizuna.monitor.outcomes import NOTHING_SEEN, Asked, drawn, outcomes_of
from kizuna.timeline import date_of, day_of

LIST_COLUMNS = [
    *("as_of", "revision", "state", "matures_on", "churn_model", "experiment", "control_share"),
    *("listed", "target", "control", "exempt", "rows", "listed_rows", "predicted"),
    *("precision", "precision_low", "precision_high", "base_rate", "lift", "lift_low", "lift_high"),
    *("level_gap", "level_gap_low", "level_gap_high", "auc", "executed_target", "executed_control"),
    *("predicted_low", "predicted_high", "as_predicted"),
    *(f"predicted_{name}{end}" for name in ("base_rate", "lift", "auc") for end in ("", "_low", "_high")),
]
CALIBRATION_COLUMNS = ["as_of", *BIN_COLUMNS]
# Enough for every figure shown, however large the shop is.
_MEASURED = 1_000_000
ARMS = ("target", "control", "exempt")


@dataclass(frozen=True)
class Measured:
    """``row``: ``LIST_COLUMNS``; state maturing, measured, no_control (nobody was left alone), or not_measured (matured, but
    not asked for); all but the measured have no quality. ``predicted`` and its like: what the probabilities promise, see
    ``Estimated``; ``as_predicted``: whether ``precision`` came to lie within its ends.

    ``bins``: ``CALIBRATION_COLUMNS``, without rows where nothing was measured. ``outcomes``: see ``outcomes_of``, by the
    headline's definition, of the listed; without rows while its window runs.
    """

    row: dict[str, Any]
    bins: pd.DataFrame
    outcomes: pd.DataFrame


def measured_lists(store: Store, margin: float, ledger: Ledger, newest: int | None = None) -> list[Measured]:
    """What came of every list of the ledger; the quality of the ``newest`` matured ones alone, of all for None.

    The headline counts the listed alone; the quality of a list, everybody who was scored, in a large shop those drawn.
    """
    spans = range(len(ledger.publications))
    matured = [at for at in spans if ledger.definitions[at].window.is_matured(_day(ledger, at), ledger.known_before)]
    judged = set(matured if newest is None else matured[max(len(matured) - newest, 0) :])
    looked_at = judged | (set(spans) - set(matured) if newest is None else set())
    share = _share(ledger, looked_at)
    asked: dict[Definition, dict[int, Asked]] = {}
    for at in spans:
        listed = frozenset(_mine(ledger, at)["customer_id"])
        due = ledger.headline.window.is_matured(_day(ledger, at), ledger.known_before)
        if at in judged:
            asked.setdefault(ledger.definitions[at], {})[_day(ledger, at)] = Asked(listed, share)
        if due and (at not in judged or ledger.definitions[at] != ledger.headline):
            asked.setdefault(ledger.headline, {})[_day(ledger, at)] = Asked(listed)
    seen = {
        definition: dict(list(outcomes_of(store, definition, margin, days, ledger.known_before).groupby("as_of")))
        for definition, days in asked.items()
    }
    return [_measured(ledger, at, at in matured, share if at in looked_at else 0.0, seen) for at in spans]


Seen = Mapping[Definition, Mapping[Any, pd.DataFrame]]


def _share(ledger: Ledger, looked_at: set[int]) -> float:
    """The share of the scored whom the quality of lists is measured on, so that all of them make about ``_MEASURED`` rows."""
    files = [item for at in looked_at for item in ledger.publications[at].manifest["files"]]
    rows = sum(int(item["rows"]) for item in files if item["path"] == "scores.parquet")
    return min(1.0, _MEASURED / max(rows, 1))


def _measured(ledger: Ledger, at: int, matured: bool, share: float, seen: Seen) -> Measured:
    """``share``: of the scored who are drawn to measure the list on; 0 where it is not looked at."""
    day, mine = pd.Timestamp(ledger.publications[at].as_of), _mine(ledger, at)
    row = _row(ledger.publications[at], ledger.definitions[at], mine, ledger)
    state = "maturing" if not matured else "not_measured"
    bins = pd.DataFrame(columns=CALIBRATION_COLUMNS)
    if share:
        control_share = float(mine["control_share"].iloc[0]) if len(mine) else 0.0
        scored = _scored(ledger, at, mine, share)
        if matured:
            outcomes = seen.get(ledger.definitions[at], {}).get(day, NOTHING_SEEN)
            scored = scored.merge(outcomes.loc[outcomes["kept"].notna(), ["customer_id", "kept"]], on="customer_id")
            scored = scored.assign(churned=1.0 - scored["kept"])
        row |= _promised(estimated_quality(scored, control_share))
        found = _quality(scored, control_share) if matured else None
        if matured:
            state = "measured" if found else "no_control"
        if found is not None:
            row |= _numbers(found)
            row["as_predicted"] = _within(found.precision.estimate, row["predicted_low"], row["predicted_high"])
            bins = found.bins.assign(as_of=ledger.publications[at].as_of)
    outcomes = seen.get(ledger.headline, {}).get(day, NOTHING_SEEN)
    return Measured(
        row | {"state": state},
        bins[CALIBRATION_COLUMNS],
        outcomes[outcomes["customer_id"].isin(mine["customer_id"])].reset_index(drop=True),
    )


def _day(ledger: Ledger, at: int) -> int:
    return day_of(ledger.publications[at].as_of)


def _mine(ledger: Ledger, at: int) -> pd.DataFrame:
    """The rows of one list."""
    return ledger.rows[ledger.rows["as_of"] == pd.Timestamp(ledger.publications[at].as_of)]


def _scored(ledger: Ledger, at: int, mine: pd.DataFrame, share: float) -> pd.DataFrame:
    """Who was scored for a list, and whether this one, or any up to the end of its window, named him: its own and those drawn."""
    columns = ["customer_id", "churn_probability", "arm"]
    path = ledger.publications[at].file("scores.parquet")
    scored = pd.read_parquet(path, columns=columns).astype({"customer_id": "str"})
    until = pd.Timestamp(date_of(ledger.definitions[at].window.end(_day(ledger, at))))
    ever = set(ledger.rows.loc[ledger.rows["as_of"] < until, "customer_id"])
    is_listed = scored["customer_id"].isin(mine["customer_id"]).to_numpy()
    if share < 1:
        scored = scored.assign(represents=np.where(is_listed, 1.0, 1 / share))
        mine_or_drawn = is_listed | drawn(scored["customer_id"].to_numpy(dtype=object), share)
        scored, is_listed = scored[mine_or_drawn], is_listed[mine_or_drawn]
    return scored.assign(is_listed=is_listed, ever_listed=scored["customer_id"].isin(ever))


def _quality(rows: pd.DataFrame, control_share: float) -> Realised | None:
    """None where somebody was listed and nobody left alone."""
    if rows["ever_listed"].any() and not 0 < control_share < 1:
        return None
    return realised_quality(rows, control_share)


def _row(publication: Publication, definition: Definition, mine: pd.DataFrame, ledger: Ledger) -> dict[str, Any]:
    manifest = publication.manifest
    row: dict[str, Any] = dict.fromkeys(LIST_COLUMNS) | {
        "as_of": publication.as_of,
        "revision": publication.revision,
        "matures_on": date_of(definition.window.matured_on(day_of(publication.as_of))),
        "churn_model": manifest["models"]["churn"],
        "listed": len(mine),
    }
    row |= {arm: int((mine["arm"] == arm).sum()) for arm in ARMS}
    if len(mine):
        row |= {name: mine[name].iloc[0] for name in ("experiment", "control_share")}
    if ledger.executions is not None:
        shares = executed_shares(mine, ledger.executions)
        row |= {f"executed_{arm}": share for arm, share in shares.items()}
    return row


def _numbers(found: Realised) -> dict[str, Any]:
    row: dict[str, Any] = {
        name: getattr(found, name) for name in ("rows", "listed_rows", "predicted", "base_rate", "auc")
    }
    for name in ("precision", "lift", "level_gap"):
        interval: Interval = getattr(found, name)
        row |= _ends(name, interval)
    return row


def _promised(found: Estimated) -> dict[str, Any]:
    row = _ends("predicted", found.precision)
    for name in ("base_rate", "lift", "auc"):
        row |= _ends(f"predicted_{name}", getattr(found, name))
    return row


def _ends(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _within(value: float, low: float, high: float) -> bool | None:
    # A count over its customers, compared with one: equal in words is equal.
    return None if value != value or low != low else low - 1e-9 <= value <= high + 1e-9
