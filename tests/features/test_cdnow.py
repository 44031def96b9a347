"""Golden: frequency, recency, age and mean value of the CDNOW sample, read off the feature frame.

Fader, Hardie & Lee (2005), calibration to 1997-09-30, weeks, purchases of one day merged: x repeat purchases, t_x from
the first to the last purchase, T from the first purchase to the end, zbar the mean value without the first purchase.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.features.small import everyone

from kizuna.features.frame import build_frame
from kizuna.features.planning import make_plan
from kizuna.project import Project
from kizuna.timeline import day_of

SAMPLE = Path(__file__).parents[1] / "data" / "cdnow_sample.csv.gz"
SUMMARY = Path(__file__).parents[3] / "shared" / "data" / "cdnow" / "lifetimes_summary_39w.parquet"
END = day_of(date(1997, 10, 1))


@cache
def frame() -> pd.DataFrame:
    """One row per customer at the end of calibration, with the first day's money beside it."""
    purchases = {"path": str(SAMPLE), "columns": {"occurred_at": "date", "amount": "amount_usd", "quantity": "cds"}}
    tree = {"name": "cdnow", "data": {"tables": {"purchases": purchases}}, "features": {"windows_days": [7]}}
    project = Project(tree, today=date(1998, 7, 1))
    first_quarter = list(range(day_of(date(1997, 1, 2)), day_of(date(1997, 4, 2))))
    plan = make_plan(project.store, project.config, [END], everyone)
    built = build_frame(project.store, plan, [*first_quarter, END], everyone).to_pandas()
    debut = built[built["tenure_days"] == 1].set_index("customer_id")["revenue"]
    end = built[built["as_of"] == "1997-10-01"].set_index("customer_id")
    return end.assign(first_day_revenue=debut)


def summary() -> pd.DataFrame:
    rows = frame()
    x = rows["orders"] - 1
    return pd.DataFrame(
        {
            "x": x,
            "t_x": (rows["tenure_days"] - rows["days_since_order"]) / 7,
            "t": (rows["tenure_days"] - 1) / 7,
            "zbar": ((rows["revenue"] - rows["first_day_revenue"]) / x).where(x > 0, 0.0),
        }
    )


def test_totals_that_were_published() -> None:
    rows = summary()
    assert len(rows) == 2_357
    assert (rows["x"] > 0).sum() == 946
    assert rows["x"].sum() == 2_457
    assert round(rows["t"].max() * 7) == 272
    assert frame()["revenue"].sum() == pytest.approx(frame()["order_value"] @ frame()["orders"])


def test_the_first_customers_are_those_of_the_published_summary() -> None:
    first = summary().head(6).reset_index(drop=True)
    published = pd.DataFrame(
        {
            "x": [2.0, 1, 0, 0, 0, 7],
            "t_x": [30.43, 1.71, 0, 0, 0, 29.43],
            "t": [38.86] * 6,
            "zbar": [22.35, 11.77, 0, 0, 0, 73.74],
        }
    )
    np.testing.assert_allclose(first, published, atol=0.0051)


def test_every_customer_is_that_of_the_published_summary() -> None:
    if not SUMMARY.exists():
        pytest.skip("the summary of lifetimes is not beside the repository; the totals above were tested")
    published = pd.read_parquet(SUMMARY).set_index("id")[["x", "t_x", "t", "zbar"]]
    mine = summary()
    mine.index = mine.index.astype(int)
    np.testing.assert_array_equal(mine["x"].sort_index(), published["x"].sort_index())
    np.testing.assert_allclose(mine.sort_index(), published.sort_index(), atol=0.005 + 1e-9)
