"""The files of one published day: scores, list, explanations, removals, and the exports for people."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from kizuna.config import Config
from kizuna.data.report import findings_frame, freshness
from kizuna.data.store import Store
from kizuna.experiment.difference import visible_effect
from kizuna.exports.catalog import write_exports
from kizuna.exports.csv import write_at_risk_csv, write_removed_csv
from kizuna.exports.outgoing import Outgoing
from kizuna.exports.pack import AnswerCheck, ListPack
from kizuna.lists.selection import LEFT_OUT
from kizuna.scoring.champion import LoadedModels
from kizuna.scoring.day import Scored
from kizuna.scoring.past import Before, past_lists
from kizuna.timeline import date_of


def write_files(
    folder: Path, store: Store, config: Config, models: LoadedModels, scored: Scored, before: Before
) -> dict[str, int]:
    """Writes every file of a publication but the manifest; rows by file name."""
    removed = scored.selection.removed
    none = pd.DataFrame({"customer_id": [], "last_as_of": [], "why": []}, dtype="str")
    gone = none if removed is None else removed
    _write_parquet(scored.scores, folder / "scores.parquet")
    _write_parquet(scored.explanations, folder / "explanations.parquet")
    write_at_risk_csv(scored.at_risk, folder / "at_risk.csv")
    write_removed_csv(gone, folder / "removed.csv")
    rows = {
        "scores.parquet": len(scored.scores),
        "explanations.parquet": len(scored.explanations),
        "at_risk.csv": len(scored.at_risk),
        "removed.csv": len(gone),
    }
    out = Outgoing(
        replace(_pack(store, config, models, scored), past=past_lists(before, summary_of(scored)), kpi=before.kpi),
        config,
        store,
    )
    return rows | write_exports(out, folder)


def summary_of(scored: Scored) -> dict[str, Any]:
    """The day in a few numbers, as later lists show it beside their own; see ``PastLists.trend``."""
    contact = contact_rows(scored.at_risk)
    scores = scored.scores
    value = contact["value_at_risk"].astype(float)
    return {
        "as_of": date_of(scored.as_of).isoformat(),
        "eligible": len(scores),
        "listed": len(scored.at_risk),
        "to_contact": len(contact),
        "expected_share": float(scores["churn_probability"].mean()) if len(scores) else None,
        "high_share": float((scores["risk_band"] == "high").mean()) if len(scores) else None,
        "value_at_risk": float(value.sum()) if value.notna().any() else None,
    }


def contact_rows(at_risk: pd.DataFrame) -> pd.DataFrame:
    """The rows to contact: target, and not refused."""
    refused = at_risk["contact_allowed"].eq(False).fillna(False)
    return at_risk[(at_risk["arm"] == "target") & ~refused]


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")


def _pack(store: Store, config: Config, models: LoadedModels, scored: Scored) -> ListPack:
    definition, contract, selection = models.definition, models.contract, scored.selection
    contacted = scored.at_risk[scored.at_risk["contact_allowed"].fillna(True).astype(bool)]
    arms = [int((contacted["arm"] == arm).sum()) for arm in ("target", "control")]
    base_rate = float(contacted["churn_probability"].mean()) if len(contacted) else 0.0
    # Where nobody, or everybody, is expected to leave, no difference can be told beforehand.
    outcome_sd = math.sqrt(base_rate * (1 - base_rate)) or math.nan
    return ListPack(
        name=config.name,
        as_of=date_of(scored.as_of),
        language=config.at_risk.language,
        currency=config.data.currency,
        timezone=config.data.timezone,
        simulated=config.is_simulated,
        horizon_days=definition.horizon_days,
        gap_days=definition.gap_days,
        definition=definition.kind,
        active_within_days=definition.active_within_days,
        cltv_horizon_days=contract["cltv_horizon_days"],
        rank_by=selection.rank_by,
        at_risk=scored.at_risk,
        scores=scored.scores,
        removed=selection.removed,
        answer=_answer(models),
        evaluation=contract["evaluation"],
        first_result=date_of(definition.window.matured_on(scored.as_of)),
        smallest_effect=visible_effect(arms[0], arms[1], outcome_sd),
        models=models.names,
        findings=findings_frame(store.findings + freshness(store, scored.as_of)),
        bands=(config.at_risk.bands.high, config.at_risk.bands.medium),
        min_probability=selection.min_probability,
        economics=config.economics.model_dump(),
        dated=contract["train_day"] is not None,
        left_out={reason: selection.counts[reason] for reason in LEFT_OUT},
        margin=config.cltv.margin,
    )


def _answer(models: LoadedModels) -> AnswerCheck | None:
    """What the recipe would have named on its newest test day, as training measured it."""
    found = models.contract["answer"]
    if not found:
        return None
    named_on, until = (date.fromisoformat(found[key]) for key in ("named_on", "until"))
    return AnswerCheck(**found | {"named_on": named_on, "until": until})
