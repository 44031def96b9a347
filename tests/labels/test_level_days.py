"""Past levels: every possible snapshot day, few columns, a sample of whole customers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.features.small import project_of, table
from tests.labels.small import day

from kizuna.features.frame import Frame
from kizuna.labels import level_days
from kizuna.labels.everybody import HISTORY_COLUMNS
from kizuna.labels.level_days import level_frame
from kizuna.labels.training_set import TrainingSet

CHURN = {"horizon_days": 60, "active_within_days": 150}
FEW = {"max_count": 3, "every_days": 50}


def monthly(customers: int = 12, months: int = 40) -> pd.DataFrame:
    """Customers who buy every 30 days from 2021-01-01 on; each third one stops, after 12, 19, 26 or 33 times."""
    dates = pd.date_range("2021-01-01", periods=months, freq="30D")
    stops = {c: 12 + 7 * c // 3 for c in range(0, customers, 3)}
    rows = [(f"{c:02d}", when, 10.0 + c) for c in range(customers) for when in dates[: stops.get(c, months)]]
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount"])


def levels(train_day: str = "2024-03-16", **sections: Any) -> tuple[Frame | None, TrainingSet]:
    project = project_of({"purchases": monthly()}, **{"churn": CHURN, "snapshots": FEW, **sections})
    training = project.training_set(train_day)
    return level_frame(project.store, project.config, training), training


def test_days_go_back_to_the_first_possible_one_whatever_is_trained_on() -> None:
    frame, training = levels()
    assert frame is not None
    assert len(training.days) == 3
    days = np.unique(frame.as_of)[::-1]
    assert days[:3].tolist() == training.days
    assert (np.diff(days) == -50).all()
    assert days[-1] - 50 < day("2021-01-01") + 90 <= days[-1]


def test_the_rows_are_those_of_a_training_set_of_all_days() -> None:
    frame, _ = levels()
    assert frame is not None
    _, whole = levels(snapshots={"max_count": 99, "every_days": 50})
    assert sorted(frame.plan.names) == sorted(HISTORY_COLUMNS)
    assert frame.as_of.tolist() == whole.frame.as_of.tolist()
    assert frame.customer_ids.tolist() == whole.customer_ids.tolist()
    assert frame.also["churned"].tolist() == whole.y.tolist()
    pd.testing.assert_frame_equal(frame.columns(), whole.features[frame.plan.names])


def test_nothing_known_on_the_train_day_or_later_is_in_it() -> None:
    shop = {"churn": CHURN, "snapshots": FEW}
    early = monthly()
    early = early[early["occurred_at"] < "2023-06-01"]
    here, there = (project_of({"purchases": rows}, **shop) for rows in (early, monthly()))
    one, other = (level_frame(p.store, p.config, p.training_set("2023-06-01")) for p in (here, there))
    assert one is not None
    assert other is not None
    pd.testing.assert_frame_equal(one.to_pandas(), other.to_pandas())
    assert one.also["churned"].tolist() == other.also["churned"].tolist()


@pytest.mark.parametrize("max_rows", [2_000_000, 20])
def test_whole_customers_are_drawn(monkeypatch: pytest.MonkeyPatch, max_rows: int) -> None:
    everybody, _ = levels()
    monkeypatch.setattr(level_days, "LEVEL_ROWS", 100)
    frame, training = levels(training={"max_rows": max_rows}, model={"seed": 3})
    assert frame is not None
    assert everybody is not None
    # What a training set drew itself is allowed for.
    assert (training.sampled_share < 1) == (max_rows < 100)
    drawn = set(frame.customer_ids)
    assert 0 < len(drawn) < 12
    assert len(frame) == sum(name in drawn for name in everybody.customer_ids)


def test_there_is_none_where_the_training_set_holds_every_day_or_a_column_is_missing() -> None:
    assert levels(snapshots={"max_count": 99, "every_days": 50})[0] is None
    assert levels(features={"exclude": ["revenue"]})[0] is None


def test_there_is_none_for_contracts_and_for_labels_made_elsewhere() -> None:
    contracts = table(
        "customer_id started_at ended_at",
        *("a 2021-01-01 2023-11-10", "b 2021-01-01 2023-08-20", "c 2021-01-01 -", "d 2021-02-01 -"),
    )
    project = project_of(
        {"subscriptions": contracts, "purchases": monthly()},
        churn={**CHURN, "definition": "cancellation"},
        snapshots=FEW,
    )
    assert level_frame(project.store, project.config, project.training_set("2024-03-16")) is None
    labels = pd.DataFrame({"customer_id": [f"{c:02d}" for c in range(12)], "churned": [c % 2 for c in range(12)]})
    provided = project_of(
        {"labels": labels, "purchases": monthly()}, churn={"definition": "provided", "horizon_days": 60}
    )
    assert level_frame(provided.store, provided.config, provided.training_set("2024-03-16")) is None
