import numpy as np
import pandas as pd
import pytest

from kizuna.config_file import parse_config
from kizuna.evaluation.folds import Folds
from kizuna.evaluation.measures.comparison import Comparison
from kizuna.evaluation.measures.intervals import Interval
from kizuna.evaluation.measures.metrics import value_metrics
from kizuna.evaluation.value_assessment import ValueForecast, ValueRows, assess_value, value_check
from kizuna.models.learners.splits import Split


def config(**sections):
    return parse_config({"name": "shop", "data": {"tables": {"purchases": {"path": "p.csv"}}}, **sections})


def a_shop(customers=400, seed=1):
    """Three days of the same customers: spend, silence, who left, and what they spent afterwards."""
    generator = np.random.default_rng(seed)
    rows, rate = customers * 3, np.tile(generator.gamma(1, 2, customers), 3)
    p = np.exp(-0.5 * rate)
    churned = (generator.random(rows) < p).astype(float)
    orders = 1 + generator.poisson(rate * 3)
    tenure = generator.integers(100, 500, rows).astype(float)
    features = pd.DataFrame({"orders": orders.astype(float), "tenure_days": tenure})
    features["days_since_order"] = np.where(orders > 1, np.floor(tenure * generator.random(rows)).clip(1), tenure)
    features["revenue"] = orders * generator.gamma(4, 10, rows)
    features["orders_365d"], features["revenue_365d"] = features["orders"], features["revenue"]
    worth = (1 - churned) * generator.gamma(2, 40 * rate)
    as_of = np.repeat(np.array([300, 200, 100], dtype=np.int32), customers)
    customer = np.tile(np.arange(customers, dtype=np.int32), 3)
    day = {at: np.flatnonzero(as_of == at) for at in (300, 200, 100)}
    splits = (Split(np.concatenate([day[200], day[100]]), day[300]), Split(day[100], day[200]))
    folds = Folds(splits, 2, "out_of_time", (300, 200))
    kept = 80 * rate
    return ValueRows(features, as_of, customer, worth, churned, folds), ValueForecast(p, kept, np.zeros(rows))


def test_model_and_baselines_stand_on_the_same_rows_with_intervals():
    rows, forecast = a_shop()
    found = assess_value(rows, forecast, 365, config())
    assert list(found.baselines) == ["mean_spend", "formula", "btyd_rule"]
    assert found.best_baseline == max(found.baselines, key=lambda name: found.baselines[name]["normalised_gini"])
    newest, older = (np.flatnonzero(rows.as_of == day) for day in (300, 200))
    parts = [value_metrics(rows.worth[at], forecast.expected[at]) for at in (newest, older)]
    both = np.concatenate([newest, older])
    expected = {name: np.mean([part[name] for part in parts]) for name in parts[0]}
    expected["total_ratio"] = forecast.expected[both].sum() / rows.worth[both].sum()
    for name, value in found.metrics.items():
        assert value == pytest.approx(expected[name])
        assert found.comparison.model[name].estimate == pytest.approx(value)
        assert found.comparison.model[name].low <= found.comparison.model[name].high
    assert found.check.status == "pass"
    table = found.table()
    assert table["model"].tolist() == ["kizuna", "mean_spend", "formula", "btyd_rule"]


def test_the_list_is_made_by_value_at_risk_unless_told_otherwise():
    rows, forecast = a_shop()
    by_value = assess_value(rows, forecast, 365, config(evaluation={"capacity": 50}))
    by_risk = assess_value(rows, forecast, 365, config(at_risk={"rank_by": "churn_probability"}))
    tested = rows.folds.test_rows
    np.testing.assert_array_equal(by_value.money.rows.scores["kizuna"], forecast.at_risk[tested])
    np.testing.assert_array_equal(by_value.money.rows.scores["kizuna_probability"], forecast.churn_probability[tested])
    np.testing.assert_array_equal(by_risk.money.rows.scores["kizuna"], forecast.churn_probability[tested])
    assert "kizuna_probability" not in by_risk.money.rows.scores
    assert by_value.money.rows.shown.sum() == 400
    assert by_value.money.capacity == 50


def test_folds_by_customer_make_a_list_of_the_newest_day_alone():
    rows, forecast = a_shop()
    at = np.arange(1200)
    halves = tuple(Split(np.flatnonzero(at % 2 != k), np.flatnonzero(at % 2 == k)) for k in (0, 1))
    mixed = ValueRows(
        rows.features,
        rows.as_of,
        rows.customer,
        rows.worth,
        rows.churned,
        Folds(halves, 2, "in_time", (None, None)),
    )
    money = assess_value(mixed, forecast, 365, config()).money
    assert money.rows.rows.churned.size == 400
    assert money.rows.rows.customers == 400
    assert money.rows.shown.all()


@pytest.mark.parametrize("missing", ["orders", "tenure_days", "days_since_order", "revenue", "revenue_365d"])
def test_any_column_of_the_purchases_may_be_left_out(missing):
    rows, forecast = a_shop(100)
    some = ValueRows(
        rows.features.drop(columns=missing), rows.as_of, rows.customer, rows.worth, rows.churned, rows.folds
    )
    found = assess_value(some, forecast, 365, config())
    rankings = set(found.money.table["ranking"])
    assert {"kizuna", "kizuna_probability"} < rankings
    assert ("mean_spend" in rankings) is (missing not in ("revenue", "tenure_days"))
    assert ("rfm_logistic_value" in rankings) is (missing == "revenue_365d")


def test_a_list_of_few_customers_names_half_of_them():
    rows, forecast = a_shop(60)
    assert assess_value(rows, forecast, 365, config(evaluation={"capacity": 300})).money.capacity == 30


def test_without_purchases_there_is_value_and_no_money():
    rows, forecast = a_shop(60)
    plain = ValueRows(
        pd.DataFrame({"x": np.arange(180.0)}), rows.as_of, rows.customer, rows.worth, rows.churned, rows.folds
    )
    found = assess_value(plain, forecast, 365, config())
    assert found.money is None
    assert found.baselines == {}
    assert found.best_baseline is None
    assert "best baseline" not in found.check.text


def compared(gini, ahead, ratio):
    model = {"normalised_gini": Interval(gini, gini - 0.05, gini + 0.05), "total_ratio": Interval(ratio, 0.9, 1.4)}
    return Comparison({"kizuna": model}, {"formula": {"normalised_gini": Interval(ahead, ahead - 0.01, ahead + 0.02)}})


BASELINES = {"formula": {"normalised_gini": 0.5}, "mean_spend": {"normalised_gini": 0.4}}


def test_the_check_looks_at_order_and_level_and_at_no_absolute_error():
    found = value_check(compared(0.55, 0.05, 1.04), BASELINES, 0.003, "out_of_time")
    assert (found.name, found.status, found.value, found.limit) == ("value", "pass", 0.05, -0.003)
    assert found.text == (
        "the normalised Gini is .550 [.500, .600], .050 ahead of the best baseline, formula [.040, .070]; "
        "predicted over actual total is 1.04 [0.90, 1.40]"
    )


def test_behind_a_baseline_and_off_in_level_are_warnings_that_say_what_to_do():
    behind = value_check(compared(0.48, -0.02, 1.04), BASELINES, 0.003, "out_of_time")
    assert behind.status == "warn"
    assert behind.text.endswith(
        ".020 behind the best baseline, formula [-.030, .000]; predicted over actual total is 1.04 [0.90, 1.40]: "
        "rank by formula where the order of values matters"
    )
    off = value_check(compared(0.55, 0.05, 1.16), BASELINES, 0.003, "out_of_time")
    assert off.status == "warn"
    assert off.text.endswith(
        "predicted over actual total is 1.16 [0.90, 1.40]: read values as an order, not as amounts"
    )
    undefined = value_check(compared(0.55, 0.05, float("nan")), BASELINES, 0.003, "out_of_time")
    assert undefined.status == "warn"


@pytest.mark.parametrize("ratio", [1.0, 3.0])
def test_by_customer_the_level_is_untested_and_never_passes(ratio):
    found = value_check(compared(0.55, 0.05, ratio), BASELINES, 0.003, "in_time")
    assert found.status == "warn"
    assert found.text.endswith(
        f"predicted over actual total is {ratio:.2f} [0.90, 1.40]: the level is untested, as no earlier day could teach a "
        "model of a later one"
    )
