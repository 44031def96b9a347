"""Lists published by hand, through the real publication: what later steps read of them and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from kizuna.lists.publication import Publication, locked, publish

MONDAY, NEXT_MONDAY = date(2026, 11, 9), date(2026, 11, 16)
INPUTS = {"purchases": "aa11", "churn_model": "shop-churn/3"}
DEFINITION = {
    "kind": "inactivity",
    "horizon_days": 30,
    "gap_days": 0,
    "active_within_days": 180,
    "arrives_after_days": 0,
}


def writing(text: str = "c1") -> Callable[[Path], dict[str, int]]:
    """Writes a list of one line, and a file in a folder beside it."""

    def write(folder: Path) -> dict[str, int]:
        (folder / "at_risk.csv").write_text(f"customer_id\n{text}\n")
        (folder / "charts").mkdir()
        (folder / "charts" / "risk.svg").write_text("<svg/>")
        return {"at_risk.csv": 1}

    return write


def publish_text(
    folder: Path, as_of: date = MONDAY, text: str = "c1", inputs: dict[str, str] = INPUTS, republish: bool = False
) -> Publication:
    """A list of one line: how it is published is all that matters."""
    with locked(folder) as output:
        return publish(output, as_of, inputs, writing(text), {"eligible": 7}, republish)


def publish_list(
    folder: Path,
    as_of: str,
    rows: list[tuple[str, float, str, str]],
    others: Sequence[tuple[str, float, str]] = (),
    **manifest: Any,
) -> Publication:
    """``rows``: customer, probability, arm, contact_allowed as in the file; ``others``: scored and not listed."""
    listed = pd.DataFrame(rows, columns=["customer_id", "churn_probability", "arm", "contact_allowed"], dtype="str")
    listed = listed.assign(as_of=as_of, action="A01", cltv="100")
    scored = [row[:3] for row in rows] + list(others)
    scores = pd.DataFrame(scored, columns=["customer_id", "churn_probability", "arm"]).assign(cltv=100.0)

    def write(place: Path) -> dict[str, int]:
        listed.to_csv(place / "at_risk.csv", index=False)
        scores.to_parquet(place / "scores.parquet")
        return {"at_risk.csv": len(listed), "scores.parquet": len(scores)}

    told = {"models": {"churn": "shop-churn v1"}, "definition": DEFINITION} | manifest
    with locked(folder) as output:
        return publish(output, date.fromisoformat(as_of), {"made": "by hand"}, write, told)
