"""One list and what came of it: a row of numbers, its calibration, and the outcomes of its customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from kizuna.data.store import Store
from kizuna.evaluation.measures.intervals import Interval
from kizuna.experiment.listings import executed_shares
from kizuna.experiment.realised import BIN_COLUMNS, Realised, realised_quality
from kizuna.labels.definition import Definition
from kizuna.monitor.ledger import Ledger
from kizuna.monitor.outcomes import outcomes_of
from kizuna.publish import Publication
from kizuna.timeline import date_of, day_of

LIST_COLUMNS = [
    *("as_of", "revision", "state", "matures_on", "churn_model", "experiment", "control_share"),
    *("listed", "target", "control", "exempt", "rows", "listed_rows", "predicted"),
    *("precision", "precision_low", "precision_high", "base_rate", "lift", "lift_low", "lift_high"),
    *("level_gap", "level_gap_low", "level_gap_high", "auc", "executed_target", "executed_control"),
]
CALIBRATION_COLUMNS = ["as_of", *BIN_COLUMNS]
ARMS = ("target", "control", "exempt")


@dataclass(frozen=True)
class Measured:
    """``row``: ``LIST_COLUMNS``; those of an immature list, or of one without a control arm, have no quality.

    ``bins``: ``CALIBRATION_COLUMNS``, without rows where nothing was measured. ``outcomes``: see ``outcomes_of``, by the
    headline's definition, of the listed; without rows while its window runs.
    """

    row: dict[str, Any]
    bins: pd.DataFrame
    outcomes: pd.DataFrame


def measure(store: Store, margin: float, ledger: Ledger, at: int) -> Measured:
    """What came of the list at position ``at`` of the ledger."""
    publication, definition = ledger.publications[at], ledger.definitions[at]
    listed_on = day_of(publication.as_of)
    mine = ledger.rows[ledger.rows["as_of"] == pd.Timestamp(publication.as_of)]
    matured = definition.window.is_matured(listed_on, ledger.known_before)
    listed = frozenset(mine["customer_id"])
    # The headline counts the listed alone; the quality of a list, everybody who was scored.
    scored = _scored(publication)
    everybody = listed | frozenset(scored["customer_id"]) if matured else frozenset[str]()
    seen = outcomes_of(store, definition, margin, listed_on, everybody, ledger.known_before)
    found = _quality(scored, seen, mine, ledger, definition, listed_on) if matured else None
    row = _row(publication, definition, mine, ledger) | {
        "state": "maturing" if not matured else "measured" if found else "no_control",
        **(_numbers(found) if found else {}),
    }
    outcomes = seen[seen["customer_id"].isin(listed)]
    if definition != ledger.headline:
        due = ledger.headline.window.is_matured(listed_on, ledger.known_before)
        outcomes = outcomes_of(
            store, ledger.headline, margin, listed_on, listed if due else frozenset(), ledger.known_before
        )
    bins = pd.DataFrame(columns=CALIBRATION_COLUMNS) if found is None else found.bins.assign(as_of=publication.as_of)
    return Measured(row, bins[CALIBRATION_COLUMNS], outcomes.reset_index(drop=True))


def _scored(publication: Publication) -> pd.DataFrame:
    columns = ["customer_id", "churn_probability", "arm"]
    return pd.read_parquet(publication.folder / "scores.parquet", columns=columns).astype({"customer_id": "str"})


def _quality(
    scored: pd.DataFrame, seen: pd.DataFrame, mine: pd.DataFrame, ledger: Ledger, definition: Definition, listed_on: int
) -> Realised | None:
    """None where somebody was listed and nobody left alone."""
    share = float(mine["control_share"].iloc[0]) if len(mine) else 0.0
    until = pd.Timestamp(date_of(definition.window.end(listed_on)))
    ever = set(ledger.rows.loc[ledger.rows["as_of"] < until, "customer_id"])
    rows = scored.merge(seen.loc[seen["kept"].notna(), ["customer_id", "kept"]], on="customer_id")
    rows = rows.assign(
        is_listed=rows["customer_id"].isin(mine["customer_id"]),
        ever_listed=rows["customer_id"].isin(ever),
        churned=1.0 - rows["kept"],
    )
    if rows["ever_listed"].any() and not 0 < share < 1:
        return None
    return realised_quality(rows, share)


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
        row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row
