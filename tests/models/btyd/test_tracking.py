from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.models.btyd.cdnow import SAMPLE, cdnow

from kizuna.models import BGNBD, MBGNBD
from kizuna.models.btyd.tracking import tracking_table


def sample_times() -> tuple[np.ndarray, np.ndarray]:
    """Weeks from 1997-01-01 of each customer's first purchase, and of all repeat purchases, days merged."""
    rows = pd.read_csv(SAMPLE, dtype={"customer_id": str}, parse_dates=["date"]).drop_duplicates(
        ["customer_id", "date"]
    )
    week = (rows["date"] - pd.Timestamp("1997-01-01")).dt.days / 7
    first = week.groupby(rows["customer_id"]).transform("min")
    return first[week == first].to_numpy(), week[week > first].to_numpy()


def test_the_sample_is_tracked_as_in_the_paper() -> None:
    """Fader, Hardie & Lee (2005): BG/NBD foresees the 78 weeks' total within a few percent (figure 2)."""
    past = cdnow()
    model = BGNBD().fit(past["frequency"], past["recency_weeks"], past["age_weeks"])
    first, repeats = sample_times()
    table = tracking_table(model, first, repeats, 78)
    assert table["period"].tolist() == list(range(1, 79))
    assert table["actual_total"].iloc[38] == (repeats <= 39).sum()
    assert table["actual_total"].iloc[-1] == (repeats <= 78).sum()
    assert table["expected_total"].iloc[38] == pytest.approx(table["actual_total"].iloc[38], rel=0.02)
    assert table["expected_total"].iloc[-1] == pytest.approx(table["actual_total"].iloc[-1], rel=0.06)


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD])
def test_what_is_expected_is_what_simulated_customers_do(kind: type[BGNBD]) -> None:
    past = cdnow()
    model = kind().fit(past["frequency"], past["recency_weeks"], past["age_weeks"])
    first = np.array([0.0, 5.5])
    table = tracking_table(model, first, [], 20)
    many = 200_000
    for week in (5, 20):
        lives = [model.simulate(many, week - start, seed=3).frequency for start in first if start < week]
        error = sum(life.var() / many for life in lives) ** 0.5
        found = table.loc[table["period"] == week, "expected_total"].item()
        assert found == pytest.approx(sum(life.mean() for life in lives), abs=4 * error)


def test_periods_hold_what_fell_in_them() -> None:
    past = cdnow()
    model = MBGNBD().fit(past["frequency"], past["recency_weeks"], past["age_weeks"])
    table = tracking_table(model, [0.0, 0.0, 1.0], [0.0, 0.5, 1.0, 1.01, 3.0, 9.0], 3)
    assert table["actual"].tolist() == [3, 1, 1]
    assert table["actual_total"].tolist() == [3, 4, 5]
    np.testing.assert_allclose(table["expected"].cumsum(), table["expected_total"])
    assert (table["expected"] > 0).all()


def test_impossible_times_are_refused() -> None:
    past = cdnow()
    model = MBGNBD().fit(past["frequency"], past["recency_weeks"], past["age_weeks"])
    with pytest.raises(
        ValueError, match=r"^repeats asks for times from the start of the log, 0 or later; found \[-1\.\]"
    ):
        tracking_table(model, [0.0], [-1.0, 2.0], 3)
