"""The model's mean value, from what was published of a period, beside the formula's."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from tests.kpi.small import buys, one, pack_of, value

from kizuna.lists.publication import locked, publish


def published(folder: Path, as_of: date, values: dict[str, float | None]) -> None:
    """A published day with these predicted values."""
    scores = pd.DataFrame({"customer_id": pd.array(list(values), dtype="str"), "cltv": list(values.values())}).astype(
        {"cltv": "float64"}
    )

    def write(staging: Path) -> dict[str, int]:
        scores.to_parquet(staging / "scores.parquet")
        return {"scores.parquet": len(scores)}

    with locked(folder) as output:
        publish(output, as_of, {"day": as_of.isoformat()}, write, {})


def test_the_last_list_of_the_period_or_of_the_morning_after_it(tmp_path: Path) -> None:
    published(tmp_path, date(2024, 5, 6), {"a": 1.0, "b": 2.0})
    published(tmp_path, date(2024, 5, 20), {"a": 100.0, "b": 50.0, "c": None})
    published(tmp_path, date(2024, 7, 1), {"a": 30.0, "b": 10.0})
    published(tmp_path, date(2024, 7, 8), {"a": 999.0})
    rows = buys(("a", "2024-04-20"), ("b", "2024-04-20"), ("a", "2024-07-31"))
    customers = pd.DataFrame({"customer_id": ["a", "b"], "market": ["jp", "de"]})
    tables = {"purchases": rows, "customers": customers}
    pack = pack_of(tables, "2024-05-01", "2024-06-30", output={"dir": str(tmp_path)})
    assert (value(pack, "cltv_model", "2024-05"), one(pack, "cltv_model", "2024-05")["n"]) == (75, 2)
    # The list of 1 July stands on what June left behind; that of 8 July is not seen by a run that stands on 1 July.
    assert value(pack, "cltv_model", "2024-06") == 20
    assert value(pack, "cltv_model", "2024-06", "jp", "market") == 30
    later = pack_of(tables, "2024-05-01", "2024-07-31", output={"dir": str(tmp_path)})
    assert value(later, "cltv_model", "2024-07") == pytest.approx(999)


def test_one_list_alone_on_the_morning_after_the_period(tmp_path: Path) -> None:
    published(tmp_path, date(2024, 6, 1), {"a": 7.0})
    rows = buys(("a", "2024-04-20"), ("a", "2024-05-31"))
    pack = pack_of({"purchases": rows}, "2024-05-01", "2024-05-31", output={"dir": str(tmp_path)})
    row = one(pack, "cltv_model", "2024-05")
    assert (row["value"], row["state"]) == (7, "reference")
