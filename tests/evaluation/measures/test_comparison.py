import time

import numpy as np
import pytest

from kizuna.evaluation.measures import metrics
from kizuna.evaluation.measures.comparison import Part, compare, compare_by, compare_churn, compare_value
from kizuna.evaluation.measures.intervals import Interval, Resampling, bootstrap, difference, draws_for, evaluation_rows
from kizuna.evaluation.measures.weighted import caught_statistic, churn_statistics, lift_statistic, value_statistics


def a_shop(customers, seed, folds=1):
    """Rows that come back in every fold, their probability and their value."""
    generator = np.random.default_rng(seed)
    p = np.tile(generator.beta(2, 3, customers), folds)
    y = (generator.random(p.size) < p).astype(float)
    worth = np.tile(generator.gamma(0.5, 100, customers), folds)
    return evaluation_rows(y, np.tile(np.arange(customers), folds), np.repeat(range(folds), customers)), p, worth


def test_one_pass_equals_one_bootstrap_each():
    rows, p, _ = a_shop(120, seed=1, folds=2)
    first, second = (churn_statistics(rows, scores, 20) for scores in (p, p.round(1)))
    found = compare(rows, {"kizuna": first, "rule": second})
    assert list(found.intervals) == ["kizuna", "rule"]
    for name, of in first.items():
        assert found.intervals["kizuna"][name] == bootstrap(rows, of)
        assert found.differences["rule"][name] == bootstrap(rows, difference(of, second[name]))


def test_every_churn_metric_stands_within_its_interval():
    rows, p, _ = a_shop(300, seed=2, folds=3)
    found = compare_churn(rows, {"kizuna": p, "recency_rule": p * 9, "rate_rule": p.round(1)}, ("recency_rule",), 40)
    of_folds = [metrics.churn_metrics(rows.churned[rows.fold == k], p[rows.fold == k], 40) for k in range(3)]
    assert set(found.model) == set(of_folds[0]) - {"calibration_error"}
    for name, interval in found.model.items():
        assert interval.estimate == pytest.approx(np.mean([each[name] for each in of_folds]))
        assert interval.low < interval.estimate < interval.high
    ranks = ["auc", "average_precision", "lift_at_capacity", "precision_at_capacity"]
    assert list(found.intervals["recency_rule"]) == ranks
    assert list(found.differences["recency_rule"]) == ranks
    assert set(found.differences["rate_rule"]) == {*ranks, "log_loss", "brier", "calibration_error"}


def test_paired_differences_are_surer_and_vanish_between_equals():
    rows, p, worth = a_shop(400, seed=3, folds=2)
    close = np.clip(p + np.random.default_rng(4).normal(0, 0.02, p.size), 0, 1)
    found = compare_churn(rows, {"kizuna": p, "close": close, "same": p}, (), 100)
    for name in ("auc", "average_precision", "log_loss", "brier"):
        both, alone = found.differences["close"][name], found.model[name]
        assert both.high - both.low < 0.5 * (alone.high - alone.low)
    assert set(found.differences["same"].values()) == {Interval(0.0, 0.0, 0.0)}
    amounts = rows.churned * worth
    values = compare_value(rows, amounts, {"kizuna": p * 200, "half": p * 100})
    assert values.differences["half"]["spearman"] == Interval(0.0, 0.0, 0.0)
    assert values.differences["half"]["total_ratio"].low > 0
    assert list(values.model) == ["spearman", "normalised_gini", "mae", "total_ratio", "decile_error"]
    assert "decile_error" not in values.intervals["half"]
    lifts = {name: {"lift": lift_statistic(rows, score, amounts, 50)} for name, score in (("up", p), ("down", -p))}
    assert compare(rows, lifts).differences["down"]["lift"].low > 0


def test_row_order_changes_nothing():
    rows, p, worth = a_shop(150, seed=5, folds=2)
    p = p.round(1)
    order = np.random.default_rng(6).permutation(300)
    shuffled = evaluation_rows(rows.churned[order], rows.customer[order], rows.fold[order])
    left = compare_churn(rows, {"kizuna": p, "rule": -worth}, ("rule",), 50).interval_table("")
    right = compare_churn(shuffled, {"kizuna": p[order], "rule": -worth[order]}, ("rule",), 50).interval_table("")
    np.testing.assert_allclose(left.drop(columns=["model", "metric"]), right.drop(columns=["model", "metric"]))


def test_tables_and_what_was_measured_elsewhere():
    rows = evaluation_rows([1, 0, 1, 0])
    found = compare_churn(rows, {"kizuna": [0.9, 0.1, 0.8, 0.2], "rule": [1, 1, 1, 1]}, ("rule",), 2)
    told = found.knowing({"auc": Interval(1.0, 0.5, 1.0)}, {"rule": {"auc": Interval(0.5, 0.1, 0.6)}})
    table = told.interval_table("churn_").set_index(["model", "metric"])
    assert table.loc[("kizuna", "churn_auc")].tolist() == [1.0, 0.5, 1.0]
    assert table.loc[("rule", "churn_auc"), "estimate"] == 0.5
    differences = told.difference_table("churn_").set_index(["baseline", "metric"])
    assert differences.loc[("rule", "churn_auc")].tolist() == [0.5, 0.1, 0.6]
    assert list(differences.columns) == ["difference", "low", "high"]


def test_what_cannot_be_measured_is_undefined():
    nobody = compare_churn(evaluation_rows([]), {"kizuna": [], "rule": []}, (), 10)
    everybody = compare_churn(evaluation_rows([1, 1]), {"kizuna": [0.4, 0.5], "rule": [1, 1]}, (), 1)
    assert np.isnan([interval.estimate for interval in nobody.model.values()]).all()
    for interval in (everybody.model["auc"], everybody.differences["rule"]["auc"]):
        assert np.isnan([interval.estimate, interval.low, interval.high]).all()
    values = compare_value(evaluation_rows([]), [], {"kizuna": []})
    assert np.isnan([interval.estimate for interval in values.model.values()]).all()


def test_many_rows_are_drawn_less_often():
    assert draws_for(evaluation_rows(np.zeros(40_000))) == Resampling(200)
    assert draws_for(evaluation_rows(np.zeros(80_000))) == Resampling(100)
    assert draws_for(evaluation_rows(np.zeros(400_000))) == Resampling(80)


def test_of_many_rows_some_customers_tell_the_spread_of_all():
    rows, p, worth = a_shop(45_000, seed=8)
    other = np.clip(p + np.random.default_rng(1).normal(0, 0.2, p.size), 0, 1)
    lost = rows.churned * worth

    def statistics_of(part: Part):
        places = part.places(900)
        found = {}
        for name, score in (("kizuna", part.column(p)), ("other", part.column(other))):
            found[name] = {
                "auc": churn_statistics(part.rows, score, places)["auc"],
                "precision": churn_statistics(part.rows, score, places)["precision_at_capacity"],
                "caught": caught_statistic(part.rows, score, part.amounts(lost), places),
            }
        return found

    found = compare_by(rows, statistics_of)
    whole = compare(rows, statistics_of(Part(rows, slice(None), 1.0)), Resampling(100))
    for metric, near in whole.model.items():
        for got, exact in (
            (found.model[metric], near),
            (found.differences["other"][metric], whole.differences["other"][metric]),
        ):
            assert got.estimate == exact.estimate
            assert got.high - got.low == pytest.approx(exact.high - exact.low, rel=0.4)
            assert got.estimate - got.low == pytest.approx(got.high - got.estimate)
    assert compare_by(rows, statistics_of) == found


@pytest.mark.slow
def test_a_hundred_thousand_rows_take_seconds():
    rows, p, worth = a_shop(33_334, seed=9, folds=3)
    scores = {"kizuna": p} | {f"rule {digits}": p.round(digits) for digits in (1, 2, 3, 4)}
    start = time.process_time()
    compare_churn(rows, scores, (), 500)
    compare_value(rows, worth * (1 - rows.churned), {name: 1 - score for name, score in scores.items()})
    assert time.process_time() - start < 6


def test_the_value_statistics_stand_beside_churn():
    rows, p, worth = a_shop(50, seed=7)
    assert set(compare(rows, {"kizuna": value_statistics(rows, worth, p)}).model) == set(
        metrics.value_metrics(worth, p)
    )
