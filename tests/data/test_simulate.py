import json
from dataclasses import asdict, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from kizuna.config_file import load_config
from kizuna.data.simulate import simulate
from kizuna.data.simulation.parameters import Acquisition, Parameters
from kizuna.errors import ConfigError

TABLES = (
    "customers",
    "purchases",
    "complaints",
    "engagement",
    "outreach",
    "surveys",
    "loyalty",
    "referrals",
    "subscriptions",
)
AS_OF = pd.Timestamp("2025-10-02")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """6,000 customers over three years, and what the call said."""
    directory = tmp_path_factory.mktemp("shop")
    counts = simulate(directory, 6000, 1095)
    (directory / "counts.json").write_text(json.dumps(counts))
    return directory


@pytest.fixture(scope="module")
def shop(folder):
    """Its nine tables."""
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}


@pytest.fixture(scope="module")
def truth(folder):
    """Its truth on the morning of the snapshot, by customer."""
    months = pd.read_parquet(folder / "truth" / "months.parquet")
    return months[months["as_of"] == AS_OF.date()].set_index("customer_id")


@pytest.fixture(scope="module")
def snapshot(shop):
    """Eligible customers, recency, frequency, money, tenure and outcome of the snapshot."""
    return rfm(shop["purchases"], AS_OF)


@pytest.fixture(scope="module")
def past(shop):
    """The same of twelve earlier days whose outcomes were known by then."""
    days = [AS_OF - pd.Timedelta(days=90 + 28 * k) for k in range(12)]
    return {day: rfm(shop["purchases"], day) for day in days}


@pytest.fixture(scope="module")
def rfm_probability(past, snapshot):
    """A logistic regression on four logarithms."""
    known = pd.concat(past.values())
    center, scale = logs(known).mean(), logs(known).std()
    model = LogisticRegression(C=100).fit((logs(known) - center) / scale, known["churned"])
    return pd.Series(model.predict_proba((logs(snapshot) - center) / scale)[:, 1], snapshot.index)


@pytest.fixture(scope="module")
def model_probability(shop, past, snapshot):
    """Boosted trees that also know gaps, visits, clicks and open complaints: the mean of five, as one hangs on luck."""
    known = pd.concat([richer(shop, frame, day) for day, frame in past.items()])
    now = richer(shop, snapshot, AS_OF).drop(columns="churned")
    probabilities = []
    for seed in range(5):
        model = HistGradientBoostingClassifier(
            max_iter=120, learning_rate=0.06, max_leaf_nodes=12, min_samples_leaf=60, random_state=seed
        )
        model.fit(known.drop(columns="churned"), known["churned"])
        probabilities.append(model.predict_proba(now)[:, 1])
    return pd.Series(np.mean(probabilities, axis=0), snapshot.index)


def rfm(purchases, as_of):
    bought = purchases[~purchases["is_return"]]
    before, after = bought[bought["occurred_at"] < as_of], bought[bought["occurred_at"] >= as_of]
    year = before[before["occurred_at"] >= as_of - pd.Timedelta(days=365)].groupby("customer_id")
    day = before.assign(ago=(as_of - before["occurred_at"].dt.normalize()).dt.days).groupby("customer_id")["ago"]
    frame = pd.DataFrame({"recency": day.min(), "tenure": day.max()})
    frame["orders_365d"], frame["revenue_365d"] = year["order_id"].nunique(), year["amount"].sum()
    frame = frame[frame["recency"] <= 180].fillna(0)
    window = after[after["occurred_at"] < as_of + pd.Timedelta(days=90)]
    return frame.assign(churned=~frame.index.isin(window["customer_id"]))


def richer(shop, frame, as_of):
    def ago(rows, days=10_000):
        rows = rows[rows["occurred_at"].between(as_of - pd.Timedelta(days=days), as_of, inclusive="left")]
        return (as_of - rows["occurred_at"]).dt.days.groupby(rows["customer_id"])

    orders = shop["purchases"][~shop["purchases"]["is_return"]].drop_duplicates("order_id")
    complaints = shop["complaints"][shop["complaints"]["kind"] == "complaint"]
    still_open = complaints[~(complaints["resolved_at"] < as_of)]
    visits, clicks = (shop["engagement"][shop["engagement"]["kind"] == kind] for kind in ("visit", "click"))
    spread = ago(orders)
    return frame.assign(
        gap=(spread.max() - spread.min()) / (spread.count() - 1).replace(0, np.nan),
        gift_share=orders[orders["occurred_at"] < as_of]
        .assign(gift=orders["occurred_at"].dt.month.isin([7, 12]))
        .groupby("customer_id")["gift"]
        .mean(),
        days_since_visit=ago(visits).min(),
        days_since_click=ago(clicks).min(),
        visits_30d=ago(visits, 30).count(),
        visits_90d=ago(visits, 90).count(),
        days_open=ago(still_open).max(),
    )


def logs(frame):
    return np.log1p(frame[["recency", "orders_365d", "revenue_365d", "tenure"]])


def test_exactly_the_promised_files_are_written(folder, shop):
    names = {path.name for path in folder.glob("*")} - {"counts.json"}
    assert names == {f"{name}.parquet" for name in TABLES} | {"config.yaml", "truth"}
    truth = {"customers.parquet", "months.parquet", "kpis.parquet", "parameters.json"}
    assert {path.name for path in (folder / "truth").iterdir()} == truth
    assert json.loads((folder / "counts.json").read_text()) == {name: len(shop[name]) for name in TABLES}
    assert len(shop["customers"]) == 6000
    written = json.loads((folder / "truth" / "parameters.json").read_text())
    assert written["parameters"] == json.loads(json.dumps(asdict(Parameters())))
    assert (written["customers"], written["days"], written["seed"]) == (6000, 1095, 7)


def test_the_config_is_one_that_kizuna_reads(folder):
    config = load_config(folder / "config.yaml")
    assert (config.name, config.data.timezone, config.data.currency) == ("shop", "Asia/Tokyo", "JPY")
    assert tuple(config.data.tables) == TABLES
    assert all(config.resolve(source.path) == folder / source.path for source in config.data.tables.values())
    assert config.output_dir == folder / "exports"
    assert config.tracking_uri == f"sqlite:///{folder / 'mlflow.db'}"
    assert (config.at_risk.size, config.evaluation.capacity, config.at_risk.language) == (300, 300, "en")
    assert config.is_simulated


def test_nothing_is_later_than_the_last_day_but_what_is_planned(shop):
    planned = {"promised_at", "expires_at", "renews_at"}
    after = pd.Timestamp("2026-01-01")
    for name, table in shop.items():
        times = [column for column in table if column.endswith("_at") and column not in planned]
        assert times
        for column in times:
            assert not (table[column] >= after).any(), (name, column)
    event_tables = {name: table for name, table in shop.items() if name not in ("customers", "subscriptions")}
    assert all(table["occurred_at"].min() >= pd.Timestamp("2023-01-02") for table in event_tables.values())
    assert all(table["occurred_at"].is_monotonic_increasing for table in event_tables.values())


def test_three_rows_in_a_hundred_are_known_two_to_ten_days_late(shop):
    rows = pd.concat([table[["occurred_at", "known_at"]] for name, table in shop.items() if "occurred_at" in table])
    delay = (rows["known_at"] - rows["occurred_at"]).dt.total_seconds() / 86_400
    assert (delay > 0).mean() == pytest.approx(0.03, abs=0.003)
    assert delay[delay > 0].between(2, 10).all()


def test_a_return_is_negative_and_belongs_to_an_order_of_the_table(shop):
    purchases = shop["purchases"]
    back, bought = purchases[purchases["is_return"]], purchases[~purchases["is_return"]]
    assert (back["amount"] < 0).all()
    assert (bought["amount"] > 0).all()
    first = bought.groupby("order_id")[["customer_id", "occurred_at"]].first()
    pairs = back.join(first, on="order_id", rsuffix="_of_order").dropna(subset=["occurred_at_of_order"])
    assert len(pairs) > 0.97 * len(back)  # the rest belongs to orders that are known late
    assert (pairs["customer_id"] == pairs["customer_id_of_order"]).all()
    days = (pairs["occurred_at"] - pairs["occurred_at_of_order"]).dt.total_seconds() / 86_400
    assert days.between(3, 21).all()
    lines = bought.groupby("order_id").agg(customers=("customer_id", "nunique"), moments=("occurred_at", "nunique"))
    assert (lines == 1).all().all()


def test_rates_are_those_of_the_parameters(shop):
    bought = shop["purchases"][~shop["purchases"]["is_return"]]
    orders = bought.drop_duplicates("order_id").merge(shop["customers"], on="customer_id")
    sent = orders.dropna(subset=["delivered_at"])
    assert ((sent["delivered_at"] - sent["promised_at"]).dt.days >= 2).mean() == pytest.approx(0.06, abs=0.008)
    complaints = shop["complaints"][shop["complaints"]["kind"] == "complaint"]
    assert len(complaints) / len(orders) == pytest.approx(0.0334, abs=0.004)
    open_days = (complaints["resolved_at"].fillna(pd.Timestamp("2026-01-01")) - complaints["occurred_at"]).dt.days
    assert (open_days >= 7).mean() == pytest.approx(0.2, abs=0.04)
    back = shop["purchases"][shop["purchases"]["is_return"]].merge(shop["customers"], on="customer_id")
    shares = back["market"].value_counts() / orders["market"].value_counts()
    assert shares["jp"] == pytest.approx(0.04, abs=0.006)
    assert shares["de"] == pytest.approx(0.09, abs=0.025)
    assert bought.groupby("order_id")["amount"].sum().median() == pytest.approx(4800, rel=0.08)
    joined = shop["loyalty"].loc[shop["loyalty"]["kind"] == "join", "customer_id"].nunique()
    new = orders.groupby("customer_id")["first_seen_at"].first() >= pd.Timestamp("2023-01-02")
    assert joined / new.sum() == pytest.approx(0.55, abs=0.03)
    assert shop["customers"]["consent_email"].mean() == pytest.approx(0.61, abs=0.03)
    assert shop["subscriptions"]["customer_id"].nunique() / 6000 == pytest.approx(0.1, abs=0.02)


def test_people_of_different_markets_answer_differently(shop):
    answers = shop["surveys"][shop["surveys"]["kind"] == "nps"].merge(shop["customers"], on="customer_id")
    means = answers.groupby("market")["score"].mean()
    assert means["us"] - means["jp"] == pytest.approx(1.6, abs=0.5)
    assert answers["score"].between(0, 10).all()


def test_churn_lies_in_its_band_and_no_rule_is_too_easy(snapshot, rfm_probability):
    assert 0.40 <= snapshot["churned"].mean() <= 0.52
    assert 0.66 <= roc_auc_score(snapshot["churned"], snapshot["recency"]) <= 0.74
    assert 0.76 <= roc_auc_score(snapshot["churned"], rfm_probability) <= 0.82


def test_the_truth_scores_best_and_is_calibrated(snapshot, truth, rfm_probability):
    known = truth.reindex(snapshot.index).dropna()
    assert len(known) > 0.995 * len(snapshot)
    churned = snapshot.loc[known.index, "churned"]
    p = known["p_churn"]
    assert roc_auc_score(churned, p) >= roc_auc_score(snapshot["churned"], rfm_probability) + 0.05
    assert p.mean() == pytest.approx(churned.mean(), abs=3 * np.sqrt((p * (1 - p)).mean() / len(p)))
    for _, part in known.groupby(pd.cut(p, [0, 0.2, 0.4, 0.6, 0.8, 1], include_lowest=True), observed=True):
        q = part["p_churn"]
        assert q.mean() == pytest.approx(
            churned[q.index].mean(), abs=4 * np.sqrt((q * (1 - q)).mean() / len(q)) + 0.003
        )


def test_the_value_of_a_year_is_foreseen(folder, shop):
    months = pd.read_parquet(folder / "truth" / "months.parquet")
    at = months[months["as_of"] == date(2024, 12, 1)].set_index("customer_id")
    expected = at["p_churn"] * at["value_if_churned"] + (1 - at["p_churn"]) * at["value_if_kept"]
    purchases = shop["purchases"]
    placed = purchases.groupby("order_id")["occurred_at"].transform("min")
    inside = placed.between(pd.Timestamp("2024-12-01"), pd.Timestamp("2025-12-01"), inclusive="left")
    spent = purchases[inside].groupby("customer_id")["amount"].sum().reindex(at.index).fillna(0)
    assert spent.sum() == pytest.approx(expected.sum(), rel=0.08)
    assert np.corrcoef(expected, spent)[0, 1] > 0.7
    assert (at["value_if_kept"] >= at["value_if_churned"]).mean() > 0.95


def test_a_good_model_beats_the_rules_and_not_the_truth(snapshot, truth, rfm_probability, model_probability):
    churned = snapshot["churned"]
    model = roc_auc_score(churned, model_probability)
    assert model >= roc_auc_score(churned, rfm_probability) + 0.015
    assert model <= roc_auc_score(churned, truth["p_churn"].reindex(snapshot.index).fillna(1)) - 0.03


def test_contacting_the_listed_takes_three_to_five_points_off(snapshot, truth, model_probability):
    effect = (truth["p_churn_if_contacted"] - truth["p_churn"]).reindex(snapshot.index)
    likely = model_probability[model_probability >= model_probability.mean()]
    listed = (likely * snapshot["revenue_365d"]).dropna().nlargest(300).index
    assert -0.05 <= effect[listed].mean() <= -0.03
    assert (effect > 0).sum() > 50  # sleeping dogs


def test_kpis_agree_with_when_customers_left(folder):
    customers = pd.read_parquet(folder / "truth" / "customers.parquet")
    kpis = pd.read_parquet(folder / "truth" / "kpis.parquet").set_index("month")
    row = kpis.loc[date(2025, 11, 1)]
    left = pd.to_datetime(customers["left_at"])
    assert row["customers_lost"] == left.between("2025-11-01", "2025-11-30").sum()
    assert row["customers_end"] == row["customers_start"] + row["customers_new"] - row["customers_lost"]
    change = row["customers_end"] - row["customers_new"]
    assert row["crr_formula"] == pytest.approx(change / row["customers_start"])
    assert row["churn_rate"] == pytest.approx(1 - row["crr_cohort"])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_shop(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(tmp_path / name, 120, 90, seed)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 14
    assert all((tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes() for path in files)
    assert (tmp_path / "a/purchases.parquet").read_bytes() != (tmp_path / "c/purchases.parquet").read_bytes()


def test_a_longer_run_begins_with_the_rows_of_the_shorter_one(tmp_path):
    pace = replace(Parameters(), acquisition=Acquisition(customers_per_day=0.5))
    simulate(tmp_path / "short", 400, 150, parameters=pace, last_day=date(2025, 9, 30))
    simulate(tmp_path / "long", 400, 200, parameters=pace, last_day=date(2025, 11, 19))
    after = pd.Timestamp("2025-10-01")
    for name in TABLES[1:]:
        short, long = (pd.read_parquet(tmp_path / run / f"{name}.parquet") for run in ("short", "long"))
        long = long[long["known_at"] < after].reset_index(drop=True)
        for column in ("delivered_at", "resolved_at", "first_response_at", "followed_up_at", "ended_at", "notice_at"):
            if column in long:
                long[column] = long[column].where(long[column] < after)
        columns = [column for column in long if column != "voluntary"]
        pd.testing.assert_frame_equal(short[columns], long[columns], check_dtype=False)
    people = [pd.read_parquet(tmp_path / run / "customers.parquet") for run in ("short", "long")]
    steady = [column for column in people[0] if column != "consent_email"]
    pd.testing.assert_frame_equal(people[0][steady], people[1][steady].head(len(people[0])))


def test_a_shop_of_one_customer_and_thirty_days_has_all_its_columns(tmp_path, shop):
    counts = simulate(tmp_path, 1, 30, seed=2)
    assert list(counts) == list(TABLES)
    for name in TABLES:
        assert list(pd.read_parquet(tmp_path / f"{name}.parquet")) == list(shop[name])


@pytest.mark.parametrize(
    ("customers", "days", "text"),
    [
        (0, 100, "A shop of 0 customers was asked for. Ask for at least 1."),
        (100, 29, "A shop of 29 days was asked for, and it needs 30. Ask for more days."),
    ],
)
def test_what_cannot_be_simulated_is_refused(tmp_path, customers, days, text):
    with pytest.raises(ConfigError) as caught:
        simulate(tmp_path, customers, days)
    assert str(caught.value) == text
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "shop").write_text("mine")
    with pytest.raises(ConfigError) as caught:
        simulate(tmp_path / "shop", 10, 30)
    assert str(caught.value) == f"The shop would be written to {tmp_path / 'shop'}, which is a file. Name a folder."
