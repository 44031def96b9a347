"""Purchase days by hand, and the interval of the next purchase out of time on the CDNOW sample."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.features.small import project_of, table
from tests.labels.small import day

from kizuna.features.history import History
from kizuna.features.rows import every_pair
from kizuna.labels.definition import Definition
from kizuna.labels.purchase_pasts import PurchasePasts, purchase_pasts, read_pasts
from kizuna.models.btyd.next_purchase import fit_next_purchase
from kizuna.project import Project
from kizuna.timeline import date_of, day_of

SAMPLE = Path(__file__).parents[1] / "data" / "cdnow_sample.csv.gz"
SILENCE = Definition("inactivity", 30, 0, 60)


def test_purchases_are_counted_by_day_and_only_those_known() -> None:
    purchases = table(
        "customer_id occurred_at amount order_id known_at",
        "a 2025-01-01 5 o1 -",
        "a 2025-01-01 7 o2 -",
        "a 2025-01-11 5 o3 -",
        "a 2025-01-11 5 o3 -",
        "a 2025-01-21 -5 o3 -",
        "a 2025-01-25 5 o4 2025-02-01",
        "b 2025-01-31 5 o5 -",
        "c 2025-02-01 5 o6 -",
    )
    store = project_of({"purchases": purchases}).opened
    block = store.block(0, store.customers)
    rows = every_pair(block.customers, [day("2025-02-01")])
    found = purchase_pasts(History(block.tables["purchases"], rows, block.tables))
    np.testing.assert_array_equal(found.repeats, [1, 0, np.nan])
    np.testing.assert_array_equal(found.recency_days, [10, 0, np.nan])
    np.testing.assert_array_equal(found.age_days, [31, 1, np.nan])
    np.testing.assert_array_equal(found.usual_gap_days, [10, np.nan, np.nan])


def test_an_earlier_day_is_followed_to_the_last_complete_one() -> None:
    purchases = table(
        "customer_id occurred_at amount known_at",
        "first 2025-01-01 5 -",
        "on_the_day 2025-02-01 5 -",
        "on_the_day 2025-03-02 5 -",
        "before_the_end 2025-02-01 5 -",
        "before_the_end 2025-03-31 5 -",
        "at_the_end 2025-02-01 5 -",
        "at_the_end 2025-04-01 5 -",
        "not_known 2025-02-01 5 -",
        "not_known 2025-03-10 5 2025-04-02",
        "not_eligible 2025-01-01 5 -",
        "not_eligible 2025-03-10 5 -",
    )
    store = project_of({"purchases": purchases}).opened
    definition = Definition("inactivity", 30, 0, 59, arrives_after_days=1)
    everybody, followed = read_pasts(store, definition, day("2025-04-02"), 365)
    assert len(everybody) == 6
    assert followed is not None
    assert followed.followed_days == 30
    assert len(followed.everybody) == 6
    assert sorted(followed.next_days) == [0, 29]
    np.testing.assert_array_equal(followed.buyers.age_days, [29, 29])
    assert read_pasts(store, definition, day("2025-03-20"), 365)[1] is None


def test_an_empty_past_is_no_error() -> None:
    store = project_of({"purchases": table("customer_id occurred_at amount", "a 2025-03-01 5")}).opened
    everybody, followed = read_pasts(store, SILENCE, day("2025-02-01"), 365)
    assert (len(everybody), followed) == (0, None)
    assert fit_next_purchase(everybody, followed, 365) is None


@pytest.mark.parametrize("as_of", ["1997-10-01", "1998-01-01"])
def test_the_interval_holds_out_of_time_on_cdnow(as_of: str) -> None:
    """Among those who bought again as far as the data go (1998-06-30), by what was known on the day."""
    table = {"path": str(SAMPLE), "columns": {"occurred_at": "date", "amount": "amount_usd"}}
    store = Project({"name": "cdnow", "data": {"tables": {"purchases": table}}}, today=date(1998, 7, 1)).store
    today, end = day(as_of), day_of(date(1998, 7, 1))
    within = min(end - today, 365)
    model = fit_next_purchase(*read_pasts(store, Definition("inactivity", 90, 0, 180), today, within), within)
    assert model is not None
    log = pd.read_csv(SAMPLE, dtype={"customer_id": str}, parse_dates=["date"])
    before, after = (log[log["date"] < as_of], log[log["date"] >= as_of])
    by = before.drop_duplicates(["customer_id", "date"]).groupby("customer_id")["date"]
    past = pd.DataFrame({"repeats": by.size() - 1.0, "first": by.min(), "last": by.max()})
    past["usual"] = by.agg(lambda days: days.sort_values().diff().dt.days.tail(12).median())
    past = past[past["last"] >= pd.Timestamp(date_of(today - 180))]
    coming = (after.groupby("customer_id")["date"].min() - pd.Timestamp(as_of)).dt.days.reindex(past.index).dropna()
    past = past.loc[coming.index]
    ages = [(last - past["first"]).dt.days.to_numpy(dtype=np.float64) for last in (past["last"], pd.Timestamp(as_of))]
    days = model.days(PurchasePasts(past["repeats"].to_numpy(), *ages, past["usual"].to_numpy()))
    assert len(coming) > 300
    assert 0.75 < np.mean((coming >= days[:, 0]) & (coming <= days[:, 2])) < 0.85
    assert 0.42 < np.mean(coming < days[:, 1]) < 0.58
