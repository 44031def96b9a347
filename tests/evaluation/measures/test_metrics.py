import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.evaluation.measures import metrics

Y = [1, 0, 1, 0, 0, 1, 0, 0, 0, 0]
TIED = [0.9, 0.9, 0.7, 0.7, 0.5, 0.5, 0.3, 0.3, 0.1, 0.1]
CLEAR = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]

few_rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=6)
rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=60)
amounts = st.lists(st.tuples(st.integers(-5, 50), st.integers(0, 9)), min_size=2, max_size=40)
quickly = settings(max_examples=60, deadline=None)


def over_tie_orders(y, score, metric):
    """The mean of a metric of the outcomes in ranked order over every order that the scores allow."""
    found = [
        metric([y[i] for i in order])
        for order in itertools.permutations(range(len(y)))
        if all(score[a] >= score[b] for a, b in itertools.pairwise(order))
    ]
    return sum(found) / len(found)


def same(left, right):
    return (math.isnan(left) and math.isnan(right)) or left == pytest.approx(right, abs=1e-12)


def test_auc_counts_pairs_and_halves_of_ties():
    # 21 pairs; of the tied list the pairs (0, 1), (2, 3), (5, 4) count one half each.
    assert metrics.auc(Y, CLEAR) == 18 / 21 - 1 / 21
    assert metrics.auc(Y, TIED) == pytest.approx((6.5 + 5.5 + 4.5) / 21)


@quickly
@given(rows)
def test_auc_is_the_share_of_pairs_in_order(pairs):
    y, score = zip(*pairs, strict=True)
    churned = [s for o, s in pairs if o]
    stayed = [s for o, s in pairs if not o]
    won = [(a > b) + (a == b) / 2 for a in churned for b in stayed]
    assert same(metrics.auc(y, score), sum(won) / len(won) if won else math.nan)


@quickly
@given(rows, st.data())
def test_a_weight_is_a_row_repeated(pairs, data):
    y, score = map(np.array, zip(*pairs, strict=True))
    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(y), max_size=len(y))))
    assert same(metrics.auc(y, score, weight), metrics.auc(np.repeat(y, weight), np.repeat(score, weight)))


@quickly
@given(few_rows)
def test_ties_are_the_mean_over_their_orders(pairs):
    y, score = zip(*pairs, strict=True)

    def precision(ranked, places):
        return sum(ranked[:places]) / places

    def average(ranked):
        hits = [precision(ranked, place + 1) for place, churned in enumerate(ranked) if churned]
        return sum(hits) / len(hits)

    for places in range(1, len(y) + 1):
        expected = over_tie_orders(y, score, lambda ranked, places=places: precision(ranked, places))
        assert metrics.precision_at(y, score, places) == pytest.approx(expected)
        # Where everybody has a place it would be 1, whatever the scores.
        lift = expected / (sum(y) / len(y)) if sum(y) and places < len(y) else math.nan
        assert same(metrics.lift_at(y, score, places), lift)
    assert same(metrics.average_precision(y, score), over_tie_orders(y, score, average) if sum(y) else math.nan)


def test_ties_across_the_capacity_are_shared():
    assert metrics.precision_at([1, 1, 0, 0], [5, 3, 3, 3], 2) == pytest.approx((1 + 1 / 3) / 2)
    assert metrics.lift_at([1, 1, 0, 0], [5, 3, 3, 3], 2) == pytest.approx(4 / 3)
    assert metrics.precision_at([1, 0], [1, 2], 500) == 0.5


@quickly
@given(rows, st.randoms(use_true_random=False))
def test_row_order_and_rising_transforms_do_not_matter(pairs, random):
    y, score = map(np.array, zip(*pairs, strict=True))
    shuffled = list(range(len(y)))
    random.shuffle(shuffled)
    for metric in (metrics.auc, metrics.average_precision, lambda a, b: metrics.precision_at(a, b, 5)):
        assert same(metric(y, score), metric(y[shuffled], score[shuffled]))
        assert same(metric(y, score), metric(y, np.exp(score / 3.0) - 7))
    probability = score / 20
    for metric in (metrics.log_loss, metrics.brier, metrics.calibration_error):
        assert same(metric(y, probability), metric(y[shuffled], probability[shuffled]))


@quickly
@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 0.999)), min_size=3, max_size=50, unique_by=lambda r: r[1]))
def test_equal_to_scikit_learn_where_definitions_agree(pairs):
    from sklearn import metrics as reference

    y, p = map(np.array, zip(*pairs, strict=True))
    assert metrics.brier(y, p) == pytest.approx(reference.brier_score_loss(y, p))
    assert metrics.log_loss(y, p) == pytest.approx(reference.log_loss(y, p, labels=[False, True]))
    if 0 < y.sum() < len(y):
        assert metrics.auc(y, p) == pytest.approx(reference.roc_auc_score(y, p))
        assert metrics.average_precision(y, p) == pytest.approx(reference.average_precision_score(y, p))


def test_a_probability_of_zero_that_happened_costs_much_but_not_infinity():
    assert metrics.log_loss([1, 0], [0.0, 0.0]) == pytest.approx(-math.log(2.220446049250313e-16) / 2)


def test_calibration_error_over_bins_of_equal_count():
    # Two bins of five: predicted .16 and .74, observed .2 and .6.
    p = [0.1, 0.1, 0.2, 0.2, 0.2, 0.7, 0.7, 0.7, 0.8, 0.8]
    y = [0, 0, 0, 0, 1, 1, 0, 0, 1, 1]
    assert metrics.calibration_error(y, p, bins=2) == pytest.approx((0.04 + 0.14) / 2)
    table = metrics.calibration_table(y, p, bins=2)
    assert table["rows"].tolist() == [5, 5]
    assert table["predicted_mean"].tolist() == pytest.approx([0.16, 0.74])
    assert table["observed_rate"].tolist() == pytest.approx([0.2, 0.6])
    # Wilson's interval of 1 in 5 and 3 in 5.
    assert table["observed_low"].tolist() == pytest.approx([0.0362, 0.2307], abs=1e-4)
    assert table["observed_high"].tolist() == pytest.approx([0.6245, 0.8824], abs=1e-4)


def test_tied_probabilities_share_a_bin():
    assert metrics.equal_count_bins([0.3] * 9 + [0.9], 10).tolist() == [4] * 9 + [9]
    assert metrics.equal_count_bins([3, 1, 2, 4], 2).tolist() == [1, 0, 0, 1]
    assert metrics.calibration_error([1, 0, 0, 0], [0.25] * 4) == 0.0


@quickly
@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.integers(1, 12))
def test_bins_keep_order_and_ties(values, bins):
    found = metrics.equal_count_bins(values, bins)
    assert found.min() >= 0
    assert found.max() < bins
    for a, b in itertools.combinations(range(len(values)), 2):
        assert (found[a] <= found[b]) if values[a] < values[b] else (values[a] > values[b] or found[a] == found[b])


@quickly
@given(amounts)
def test_spearman_equals_pandas(pairs):
    frame = pd.DataFrame(pairs, columns=["actual", "predicted"])
    expected = frame["actual"].rank().corr(frame["predicted"].rank()) if frame.nunique().min() > 1 else math.nan
    assert same(metrics.spearman(frame["actual"], frame["predicted"]), expected)


@quickly
@given(st.lists(st.tuples(st.integers(-2, 9), st.integers(0, 2)), min_size=2, max_size=6))
def test_gini_is_the_area_over_a_random_order(pairs):
    actual, predicted = zip(*pairs, strict=True)

    def area(ranked):
        return sum(itertools.accumulate(ranked)) - sum(ranked) * (len(ranked) + 1) / 2

    expected = math.nan
    if len(set(actual)) > 1:
        expected = over_tie_orders(actual, predicted, area) / area(sorted(actual, reverse=True))
    assert same(metrics.normalised_gini(actual, predicted), expected)


def test_gini_of_the_values_themselves_is_one():
    assert metrics.normalised_gini([0, 0, 3, 9], [0, 0, 1, 2]) == 1.0
    assert metrics.normalised_gini([0, 1, 3, 9], [9, 3, 1, 0]) == -1.0


def test_values_by_tenths():
    predicted = np.arange(20.0)
    actual = np.arange(20.0) + np.tile([1.0, -2.0], 10)
    # Each tenth is off by 1 of a total of 180.
    assert metrics.decile_error(actual, predicted) == pytest.approx(10 / 180)
    assert metrics.mae(actual, predicted) == 1.5
    assert metrics.total_ratio(actual, predicted) == 190 / 180
    # Three of four are tied and share a tenth: 21 against 6, 9 against 4.
    assert metrics.decile_error([1.0, 2, 3, 4], [7.0, 7, 7, 9]) == pytest.approx((15 + 5) / 10)


def test_means_over_the_folds_where_defined():
    nan = float("nan")
    found = metrics.mean_over_folds([{"auc": 0.5, "lift": nan}, {"auc": 0.7, "lift": 2.0}, {"auc": 0.9, "lift": nan}])
    assert found == pytest.approx({"auc": 0.7, "lift": 2.0})
    assert np.isnan(metrics.mean_over_folds([{"auc": nan}])["auc"])
    table = metrics.models_table({"auc": 0.8}, {"rule": {"auc": 0.7}})
    assert table.to_dict("list") == {"model": ["kizuna", "rule"], "auc": [0.8, 0.7]}


def test_undefined_is_nan():
    undefined = [
        metrics.auc([1, 1], [0.1, 0.2]),
        metrics.auc([], []),
        metrics.average_precision([0, 0], [0.1, 0.2]),
        metrics.lift_at([0, 0], [0.1, 0.2], 1),
        metrics.precision_at([], [], 1),
        metrics.log_loss([], []),
        metrics.brier([], []),
        metrics.calibration_error([], []),
        metrics.spearman([1, 1], [1, 2]),
        metrics.spearman([1, 2], [1, 1]),
        metrics.normalised_gini([0, 0], [1, 2]),
        metrics.mae([], []),
        metrics.total_ratio([1, -1], [1, 1]),
        metrics.decile_error([0, 0], [1, 2]),
        metrics.decile_error([-3, 1], [1, 2]),
    ]
    assert np.isnan(undefined).all()


def test_metrics_by_name():
    assert list(metrics.churn_metrics(Y, CLEAR, 3)) == [
        "auc",
        "average_precision",
        "lift_at_capacity",
        "precision_at_capacity",
        "log_loss",
        "brier",
        "calibration_error",
    ]
    ranked = metrics.churn_metrics(Y, [-days for days in range(10)], 3, probabilities=False)
    assert list(ranked) == ["auc", "average_precision", "lift_at_capacity", "precision_at_capacity"]
    assert ranked["precision_at_capacity"] == pytest.approx(2 / 3)
    assert list(metrics.value_metrics([1, 2], [2, 3])) == [
        "spearman",
        "normalised_gini",
        "mae",
        "total_ratio",
        "decile_error",
    ]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: metrics.auc([1, 0], [1]), "one column each is needed, got shapes (2,) and (1,)"),
        (lambda: metrics.auc([1, 2], [1, 2]), "outcomes must be 0 or 1"),
        (lambda: metrics.auc([1, 0], [1, None]), "1 nulls among 2 rows: nothing can be measured on them"),
        (lambda: metrics.auc([1, 0], [1, 2], [1]), "2 outcomes and 1 weights"),
        (lambda: metrics.brier([1, 0], [0.5, 1.5]), "probabilities must lie in [0, 1], got 0.5 to 1.5"),
        (lambda: metrics.precision_at([1, 0], [1, 2], 0), "capacity must be at least 1, got 0"),
        (lambda: metrics.calibration_error([1, 0], [1, 0], 0), "bins must be at least 1, got 0"),
    ],
)
def test_misuse_is_refused(call, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        call()
