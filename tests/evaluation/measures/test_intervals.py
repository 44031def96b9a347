import re

import numpy as np
import pytest

from kizuna.evaluation.measures import metrics
from kizuna.evaluation.measures.intervals import (
    Interval,
    Resampling,
    apart,
    auc_intervals,
    auc_statistic,
    bootstrap,
    bootstrap_all,
    calibration_interval,
    decimals,
    difference,
    evaluation_rows,
    level_interval,
)


def auc_interval(rows, score):
    return auc_intervals(rows, {"one": score}).auc["one"]


def auc_difference_interval(rows, score, other):
    return auc_intervals(rows, {"one": score, "other": other}).ahead["other"]


def a_shop(customers, seed, folds=1, shift=0.0):
    """Rows and probabilities of customers who appear in every fold; churn follows the shifted log-odds."""
    generator = np.random.default_rng(seed)
    log_odds = generator.normal(-0.3, 1.2, customers)
    ids = np.tile([f"C{number}" for number in range(customers)], folds)
    p = 1 / (1 + np.exp(-np.tile(log_odds, folds)))
    truth = 1 / (1 + np.exp(-np.tile(log_odds, folds) - shift))
    # Seven of ten outcomes are the same in every fold: snapshots overlap.
    shared = np.tile(generator.random(customers), folds)
    own = generator.random(customers * folds)
    drawn = np.where(generator.random(customers * folds) < 0.7, shared, own) if folds > 1 else own
    rows = evaluation_rows(drawn < truth, ids, np.repeat(range(folds), customers))
    return rows, p


def true_error(rows, p, shift):
    """Calibration error without noise: the churned share of every bin is what its log-odds say."""
    truth = 1 / (1 + np.exp(-np.log(p / (1 - p)) - shift))
    found = []
    for fold in np.unique(rows.fold):
        members = rows.fold == fold
        bins = metrics.equal_count_bins(p[members], 10)
        found.append(np.abs(np.bincount(bins, weights=(p - truth)[members])).sum() / members.sum())
    return float(np.mean(found))


def test_the_estimate_is_the_metric_and_the_mean_over_folds():
    rows, p = a_shop(200, seed=1, folds=3)
    p = p.round(2)
    of_folds = [metrics.auc(rows.churned[rows.fold == fold], p[rows.fold == fold]) for fold in range(3)]
    assert auc_interval(rows, p).estimate == pytest.approx(np.mean(of_folds))
    levels = [(p - rows.churned)[rows.fold == fold].mean() for fold in range(3)]
    assert level_interval(rows, p).estimate == pytest.approx(np.mean(levels))
    plain = [metrics.calibration_error(rows.churned[rows.fold == fold], p[rows.fold == fold]) for fold in range(3)]
    assert calibration_interval(rows, p).plain == pytest.approx(np.mean(plain))


def test_a_weight_is_a_row_repeated():
    rows, p = a_shop(50, seed=2)
    p = p.round(1)
    weights = np.random.default_rng(0).integers(0, 3, 50)
    repeated = metrics.auc(np.repeat(rows.churned, weights), np.repeat(p, weights))
    assert auc_statistic(rows, p)(weights.astype(float)) == pytest.approx(repeated)


def test_percentiles_over_whole_customers():
    # Two customers, one row each way: every resample holds the first alone, the second alone, or both.
    rows = evaluation_rows([1, 0, 0], ["a", "b", "b"])
    seen = set()

    def churned_share(weights):
        seen.add(tuple(weights))
        return float(weights @ rows.churned / weights.sum())

    found = bootstrap(rows, churned_share)
    assert seen == {(1, 1, 1), (2, 0, 0), (0, 2, 2)}
    assert found == Interval(1 / 3, 0.0, 1.0)


def test_repeating_customers_adds_no_certainty():
    rows, p = a_shop(300, seed=3)
    once = auc_interval(rows, p)
    ids = np.arange(300)
    twice = evaluation_rows(np.tile(rows.churned, 4), np.tile(ids, 4))
    alone = evaluation_rows(np.tile(rows.churned, 4))
    assert auc_interval(twice, np.tile(p, 4)).high == pytest.approx(once.high, abs=0.02)
    width = auc_interval(alone, np.tile(p, 4))
    assert width.high - width.low < 0.6 * (once.high - once.low)


def test_row_order_changes_nothing():
    rows, p = a_shop(150, seed=4, folds=2)
    ids = np.tile([f"C{number}" for number in range(150)], 2)
    order = np.random.default_rng(5).permutation(300)
    shuffled = evaluation_rows(rows.churned[order], ids[order], rows.fold[order])
    assert auc_interval(shuffled, p[order]) == auc_interval(rows, p)
    left, right = calibration_interval(shuffled, p[order]), calibration_interval(rows, p)
    assert [left.low, left.high, left.expected_if_perfect] == pytest.approx(
        [right.low, right.high, right.expected_if_perfect]
    )


def test_a_paired_difference_is_surer_than_two_numbers():
    rows, p = a_shop(800, seed=6)
    generator = np.random.default_rng(7)
    close = p + generator.normal(0, 0.02, 800)
    difference = auc_difference_interval(rows, p, close)
    assert difference.estimate == pytest.approx(auc_interval(rows, p).estimate - auc_interval(rows, close).estimate)
    alone = auc_interval(rows, p)
    assert difference.high - difference.low < 0.2 * (alone.high - alone.low)
    assert auc_difference_interval(rows, p, p * 2 - 7) == Interval(0.0, 0.0, 0.0)


def test_several_statistics_share_their_draws():
    rows, p = a_shop(200, seed=11)
    rounded = p.round(1)
    first, second = auc_statistic(rows, p), auc_statistic(rows, rounded)
    found = bootstrap_all(rows, {"fine": first, "coarse": second})
    assert list(found) == ["fine", "coarse"]
    assert found["fine"] == auc_interval(rows, p)
    assert found["coarse"] == auc_interval(rows, rounded)
    paired = bootstrap_all(rows, {"auc": difference(first, second)})
    assert paired == {"auc": auc_difference_interval(rows, p, rounded)}


def test_aucs_are_measured_together_as_they_are_alone():
    rows, p = a_shop(200, seed=12, folds=2)
    scores = {"model": p, "rounded": p.round(1), "flat": np.full(400, 0.5)}
    found = auc_intervals(rows, scores)
    assert list(found.auc) == ["model", "rounded", "flat"]
    assert found.auc == bootstrap_all(rows, {name: auc_statistic(rows, score) for name, score in scores.items()})
    assert list(found.ahead) == ["rounded", "flat"]
    of = auc_statistic(rows, p)
    for name, ahead in found.ahead.items():
        assert ahead == bootstrap(rows, difference(of, auc_statistic(rows, scores[name])))


def test_what_no_draw_can_measure_has_no_interval():
    # Defined on the rows themselves, and whenever nobody is missing from a draw: of 40, somebody always is.
    rows = evaluation_rows([1, 0] * 20)
    found = bootstrap(rows, lambda weights: 3.0 if weights.min() > 0 else float("nan"))
    assert found.estimate == 3.0
    assert np.isnan([found.low, found.high]).all()
    assert bootstrap_all(rows, {}) == {}


def test_infinite_scores_that_tie_are_ties():
    rows = evaluation_rows([1, 0, 1, 0])
    assert auc_interval(rows, [np.inf, np.inf, 1.0, -np.inf]).estimate == metrics.auc(
        rows.churned, [np.inf, np.inf, 1.0, -np.inf]
    )


def test_undefined_is_nan_and_excludes_nothing():
    one_class = evaluation_rows([1, 1, 1])
    found = auc_interval(one_class, [0.1, 0.2, 0.3])
    assert np.isnan([found.estimate, found.low, found.high]).all()
    assert not found.excludes(0.5)
    assert str(found) == "undefined [undefined, undefined]"
    nothing = calibration_interval(evaluation_rows([]), [])
    assert np.isnan([nothing.low, nothing.plain]).all()
    assert np.isnan(level_interval(evaluation_rows([]), []).estimate)


def test_a_fold_with_one_class_is_left_out():
    rows = evaluation_rows([1, 0, 1, 1], folds=[1, 1, 2, 2])
    assert auc_interval(rows, [0.9, 0.1, 0.5, 0.6]).estimate == 1.0


def test_a_perfect_model_shows_an_error_on_few_rows_and_zero_is_inside():
    rows, p = a_shop(500, seed=8)
    found = calibration_interval(rows, p)
    assert found.expected_if_perfect == pytest.approx(0.05, abs=0.01)
    assert found.plain > 0.02
    assert found.low == 0.0
    assert found.low <= found.estimate <= found.high <= 0.1


def test_a_wrong_model_is_seen_however_it_is_wrong():
    rows, p = a_shop(3000, seed=9)
    high = calibration_interval(rows, np.clip(p + 0.15, 0, 1))
    assert high.low > 0.1
    assert high.high < 0.2
    flat = calibration_interval(rows, np.full(3000, 0.9))
    assert flat.estimate == pytest.approx(0.9 - rows.churned.mean(), abs=0.01)
    exact = calibration_interval(rows, rows.churned)
    assert (exact.estimate, exact.low, exact.high, exact.plain) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("customers", [300, 1000])
def test_the_lower_end_of_a_perfect_model_stays_within_the_limit(customers):
    quick = Resampling(resamples=100)
    beyond = [calibration_interval(*a_shop(customers, seed, folds=2), quick).low > 0.05 for seed in range(40)]
    assert sum(beyond) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.25, -0.5])
@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("customers", [300, 1000, 3000])
def test_both_ends_lie_on_their_side_of_the_truth(customers, folds, shift):
    found = [(calibration_interval(*shop), true_error(*shop, shift)) for shop in shops(customers, folds, shift)]
    assert np.mean([error.low <= truth + 1e-9 for error, truth in found]) >= 0.9
    assert np.mean([error.high >= truth for error, truth in found]) >= 0.8
    if not shift:
        assert sum(error.low > 0.05 for error, _ in found) == 0


def shops(customers, folds, shift):
    return [a_shop(customers, seed, folds, shift) for seed in range(100)]


@pytest.mark.slow
def test_the_auc_interval_covers():
    generator = np.random.default_rng(10)
    population = generator.normal(size=200_000)
    y = generator.random(200_000) < 1 / (1 + np.exp(-population))
    truth = metrics.auc(y, population)
    covered = 0
    for _ in range(200):
        drawn = generator.integers(0, 200_000, 400)
        found = auc_interval(evaluation_rows(y[drawn]), population[drawn])
        covered += found.low <= truth <= found.high
    assert 180 <= covered <= 198


def test_numbers_are_written_as_papers_write_them():
    written = [decimals(value) for value in (0.7421, -0.0123, 1.2, -0.0001, 0.9999, -1.5, float("nan"))]
    assert written == [".742", "-.012", "1.200", ".000", "1.000", "-1.500", "undefined"]
    assert str(Interval(0.742, 0.721, 0.763)) == ".742 [.721, .763]"


def test_two_numbers_are_written_until_they_differ():
    assert apart(0.61, 0.569) == (".610", ".569")
    assert apart(0.56936, 0.56912) == (".5694", ".5691")
    assert apart(0.5691200001, 0.56912) == (".569120000", ".569120000")
    assert decimals(-0.00001, 4) == ".0000"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: evaluation_rows([0, 2]), "outcomes must be one column of 0 and 1"),
        (lambda: evaluation_rows([0, 1], ["a"]), "2 outcomes, 1 customers and 2 folds"),
        (lambda: evaluation_rows([0, 1], ["a", None]), "1 of 2 customers or folds are null"),
        (lambda: auc_interval(evaluation_rows([0, 1]), [1]), "2 outcomes and 1 scores"),
        (lambda: auc_interval(evaluation_rows([0, 1]), [1, float("nan")]), "1 of 2 scores are null"),
    ],
)
def test_misuse_is_refused(call, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        call()
