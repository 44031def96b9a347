"""The training set: its days, what has matured, what it refuses, and that nothing known on or after T is in it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.features.oracle import MATURING, dates_of
from tests.features.poison import poison
from tests.features.shops import FIRST, LAST, Shop, random_shop
from tests.features.small import project_of, table
from tests.labels.small import day

from kizuna.errors import ContractError, DataMissing
from kizuna.labels.training_set import TrainingSet

CHURN = {"horizon_days": 60, "active_within_days": 150}


def weekly(*customers: str, weeks: int = 60, stop: int = 30) -> pd.DataFrame:
    """Customers who buy every week from 2024-01-01 on; those whose name begins with ``gone`` stop after ``stop`` weeks."""
    dates = pd.date_range("2024-01-01", periods=weeks, freq="7D")
    rows = [(c, when, 10.0) for c in customers for when in (dates[:stop] if c.startswith("gone") else dates)]
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount"])


def days_of(training: TrainingSet) -> list[str]:
    return [str(np.datetime64(number, "D")) for number in training.days]


def test_snapshots_are_steps_back_from_the_newest_matured_day_and_not_before_the_history() -> None:
    project = project_of(
        {"purchases": weekly("gone", "stays")}, churn=CHURN | {"gap_days": 3}, snapshots={"every_days": 50}
    )
    training = project.training_set()
    # The last purchase is on 2025-02-17, so training stands on the day after; 63 days before it is 2024-12-17.
    assert training.train_day == day("2025-02-18")
    assert days_of(training) == ["2024-12-17", "2024-10-28", "2024-09-08", "2024-07-20", "2024-05-31", "2024-04-11"]
    assert day("2024-04-11") - 50 < day("2024-01-01") + 90 <= day("2024-04-11")
    assert training.features.dtypes.eq(np.float64).all()
    assert training.sampled_share == 1.0


def test_max_count_keeps_the_newest_and_an_earlier_day_of_training_sees_less() -> None:
    project = project_of({"purchases": weekly("gone", "stays")}, churn=CHURN, snapshots={"max_count": 9})
    assert days_of(project.training_set("2024-11-30"))[:2] == ["2024-10-01", "2024-09-03"]
    assert len(project.training_set("2025-02-18").days) == 9


def test_rows_are_eligible_customers_sorted_by_day_and_id_with_their_labels() -> None:
    training = project_of({"purchases": weekly("stays", "gone", "gone_b")}, churn=CHURN).training_set()
    keys = list(zip(training.as_of.dt.date.map(str), training.customer_id, strict=True))
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    last_purchase = day("2024-07-22")
    for (when, customer), churned in zip(keys, training.churned, strict=True):
        assert churned == (customer != "stays" and day(when) > last_purchase)
        assert customer == "stays" or day(when) <= last_purchase + 150


def test_a_label_that_arrives_late_matures_later() -> None:
    late = {"tables": {"purchases": {"arrives_after_days": 7}}}
    project = project_of({"purchases": weekly("gone", "stays")}, churn=CHURN, data=late)
    on_time = project_of({"purchases": weekly("gone", "stays")}, churn=CHURN)
    assert days_of(on_time.training_set("2025-02-01"))[0] == "2024-12-03"
    # The grid is the same; its newest day has not matured.
    assert days_of(project.training_set("2025-02-01"))[0] == "2024-11-05"


@pytest.mark.parametrize(
    ("asked", "train_day", "horizon", "matured"),
    [
        ("auto", "2025-02-18", 180, 5),
        ("auto", "2024-08-01", 90, 1),
        (30, "2025-02-18", 30, 10),
        (60, "2025-02-18", 60, 10),
        (200, "2024-08-01", None, 0),
    ],
)
def test_value_has_a_horizon_of_its_own_on_the_same_snapshots(
    asked: Any, train_day: str, horizon: int | None, matured: int
) -> None:
    tables = {"purchases": weekly("gone", "stays", stop=20)}
    training = project_of(tables, churn=CHURN, cltv={"horizon_days": asked}).training_set(train_day)
    if horizon is None:
        assert training.value_window is None
        assert training.no_value == "no snapshot's value of 200 days has matured by 2024-08-01"
        assert np.isnan(training.value).all()
        return
    assert training.value_window is not None
    assert training.value_window.horizon_days == horizon
    known = training.value.notna()
    assert training.as_of[known].nunique() == matured
    last = np.datetime64(train_day) - np.timedelta64(horizon, "D")
    assert (known == (training.as_of <= last)).all()


def test_value_is_net_money_of_its_window() -> None:
    training = project_of(
        {"purchases": weekly("gone", "stays")}, churn=CHURN, cltv={"horizon_days": 70, "margin": 0.5}
    ).training_set()
    stays = training.value[(training.customer_id == "stays")].dropna()
    assert stays.tolist() == [50.0] * len(stays)
    assert len(stays) > 5


# ---- nothing known on or after T -----------------------------------------------------------------------------------


@cache
def shop_of(seed: int) -> Shop:
    return random_shop(seed, "full")


def cut(shop: Shop, train_day: int) -> Shop:
    """The files as they were on that day: rows known before it, and what had filled in by then."""
    rows = {}
    for name, columns in shop.columns.items():
        kept = [row for row in shop.rows[name] if max(dates_of(row, name, columns)) < train_day]
        blank = [{c: None for c in MATURING if (row.get(c) or 0) >= train_day} for row in kept]
        rows[name] = [row | nothing for row, nothing in zip(kept, blank, strict=True)]
    return Shop(rows, shop.columns)


def everything(training: TrainingSet) -> dict[str, Any]:
    return {
        "days": training.days,
        "keys": list(zip(training.as_of.astype(str), training.customer_id, strict=True)),
        "plan": training.frame.plan,
        "features": training.frame.values.tobytes(),
        "churned": training.y.tobytes(),
        "value": training.worth.tobytes(),
        "window": (training.value_window, training.no_value),
    }


DEFINITIONS = {
    "inactivity": CHURN,
    "cancellation": {"definition": "cancellation", "horizon_days": 90, "gap_days": 7},
}


@cache
def learned(seed: int, kind: str, train_day: int, world: str) -> dict[str, Any]:
    shop = shop_of(seed)
    if world == "cut":
        shop = cut(shop, train_day)
    elif world == "poisoned":
        shop = poison(shop, train_day, seed=seed)
    project = shop.project(
        shuffle=3 if world == "shuffled" else None, churn=DEFINITIONS[kind], cltv={"horizon_days": 30}
    )
    return everything(project.training_set(np.datetime64(train_day, "D").item()))


@pytest.mark.parametrize("world", ["cut", "poisoned", "shuffled"])
@pytest.mark.parametrize("kind", list(DEFINITIONS))
@pytest.mark.parametrize(("seed", "train_day"), [(1, FIRST + 560), (6, LAST - 40)])
@pytest.mark.parametrize("part", ["days", "keys", "plan", "features", "churned", "value", "window"])
def test_the_training_set_is_the_same_in_another_world(
    world: str, kind: str, seed: int, train_day: int, part: str
) -> None:
    assert learned(seed, kind, train_day, world)[part] == learned(seed, kind, train_day, "as it is")[part]


def test_an_old_row_that_arrives_after_training_s_day_moves_no_snapshot() -> None:
    purchases = weekly("gone", "stays").assign(known_at=pd.NaT)
    old = pd.DataFrame(
        [("stays", pd.Timestamp("2022-01-01"), 1.0, pd.Timestamp("2025-02-18"))], columns=purchases.columns
    )
    purchases["known_at"] = purchases["known_at"].astype("datetime64[s]")
    before = project_of({"purchases": purchases}, churn=CHURN).training_set("2025-02-18")
    after = project_of({"purchases": pd.concat([purchases, old])}, churn=CHURN).training_set("2025-02-18")
    assert days_of(after) == days_of(before)
    assert after.frame.plan == before.frame.plan


# ---- refusals ------------------------------------------------------------------------------------------------------


def refusal(kind: type[Exception], as_of: str | None, purchases: pd.DataFrame, **sections: Any) -> str:
    with pytest.raises(kind) as error:
        project_of({"purchases": purchases}, **sections).training_set(as_of)
    return str(error.value)


def test_too_short_a_history() -> None:
    assert refusal(ContractError, "2024-05-01", weekly("gone", "stays"), churn=CHURN | {"gap_days": 5}) == (
        "No snapshot has matured by 2024-05-01: the first row is of 2024-01-01, and a snapshot needs 90 days before it and "
        "65 after it, 155 in all, of which there are 121. Load older rows, or shorten churn.horizon_days or "
        "snapshots.min_history_days."
    )


def test_no_label_has_matured() -> None:
    labels = table("customer_id as_of churned", "a 2025-01-01 yes", "b 2025-01-01 no")
    features = table("customer_id as_of x", "a 2025-01-01 1", "b 2025-01-01 2")
    project = project_of({"labels": labels, "features": features}, churn={"definition": "provided", "horizon_days": 30})
    with pytest.raises(ContractError) as error:
        project.training_set("2025-01-20")
    assert str(error.value) == (
        "No label has matured by 2025-01-20: the first is of 2025-01-01, and its outcome takes 30 days. "
        "Load older labels, choose a later --as-of, or shorten churn.horizon_days."
    )


@pytest.mark.parametrize("as_of", ["2024-01-01", "2020-06-01"])
def test_before_the_data_begins(as_of: str) -> None:
    assert refusal(DataMissing, as_of, weekly("gone", "stays")) == (
        f"Training was asked to stand on {as_of}, but table purchases has its first row on 2024-01-01. "
        "Choose a later --as-of, or load older rows."
    )


def test_one_class() -> None:
    text = refusal(ContractError, "2024-08-01", weekly("a", "b"), churn=CHURN)
    assert text == (
        "A churn model needs customers who left and customers who stayed; nobody churned in 6 rows of 2 customers on "
        "3 snapshots. Look at churn.definition, churn.horizon_days and churn.active_within_days."
    )
    both = pd.concat([weekly("gone", "gone_b", stop=15), table("customer_id occurred_at amount", "x 2025-12-31 1")])
    both = both.astype({"amount": float}).assign(occurred_at=pd.to_datetime(both["occurred_at"]))
    text = refusal(ContractError, "2024-08-01", both, churn=CHURN, snapshots={"min_history_days": 120})
    assert "; everybody churned in 4 rows of 2 customers on 2 snapshots." in text


def test_one_customer() -> None:
    assert refusal(ContractError, None, weekly("gone"), churn=CHURN) == (
        "A churn model needs at least two eligible customers; found 1. "
        "Check churn.active_within_days, the mapping of customer_id, and the days of the data."
    )


def test_a_definition_without_its_table() -> None:
    assert refusal(ContractError, None, weekly("gone", "stays"), churn={"definition": "cancellation"}) == (
        "churn.definition cancellation needs the table subscriptions; found purchases. "
        "Add it under data.tables, or choose another definition."
    )


# ---- sampling ------------------------------------------------------------------------------------------------------


def sample_of(names: list[str], max_rows: int, seed: int = 7) -> TrainingSet:
    purchases = weekly(*names)
    sections = {"churn": CHURN, "training": {"max_rows": max_rows}, "model": {"seed": seed}}
    return project_of({"purchases": purchases}, **sections).training_set()


NAMES = [f"{'gone' if i % 2 else 'stays'}{i:03}" for i in range(80)]


def test_a_sample_keeps_whole_customers_and_about_max_rows() -> None:
    whole, sample = sample_of(NAMES, 10_000), sample_of(NAMES, 300)
    assert len(whole.y) > 600
    assert 150 < len(sample.y) < 450
    assert sample.sampled_share == pytest.approx(300 / len(whole.y))
    rows_of, kept = whole.customer_id.value_counts(), sample.customer_id.value_counts()
    assert kept.to_dict() == rows_of[kept.index].to_dict()
    assert set(sample_of(NAMES, 300, seed=8).customer_id) != set(kept.index)


def test_other_customers_bring_nobody_into_a_sample() -> None:
    drawn = set(sample_of(NAMES, 300).customer_id)
    more = set(sample_of(NAMES + [f"stays_new{i}" for i in range(8)], 300).customer_id)
    assert {name for name in more if "new" not in name} <= drawn
