"""The CDNOW sample as the papers summarise it: calibration to 1997-09-30, weeks, purchases of one day merged.

The published summary rounds to hundredths, which moves the parameters by some 1e-5 of themselves; so does this one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

SAMPLE = Path(__file__).parents[2] / "data" / "cdnow_sample.csv.gz"
SUMMARY = Path(__file__).parents[4] / "shared" / "data" / "cdnow" / "lifetimes_summary_39w.parquet"


@cache
def cdnow() -> pd.DataFrame:
    """frequency, recency_weeks, age_weeks and mean_value (of repeat purchase days) of 2,357 customers."""
    rows = pd.read_csv(SAMPLE, dtype={"customer_id": str}, parse_dates=["date"])
    rows = rows[rows["date"] <= "1997-09-30"].groupby(["customer_id", "date"], as_index=False)["amount_usd"].sum()
    by = rows.groupby("customer_id")
    first = by["date"].min()
    frequency = by.size() - 1
    repeat_cents = (100 * (by["amount_usd"].sum() - by["amount_usd"].first())).round()
    return pd.DataFrame(
        {
            "frequency": frequency,
            "recency_weeks": (by["date"].max() - first).dt.days.div(7).round(2),
            "age_weeks": (pd.Timestamp("1997-09-30") - first).dt.days.div(7).round(2),
            "mean_value": np.floor(repeat_cents / frequency.where(frequency > 0) + 0.5).fillna(0.0) / 100,
        }
    )
