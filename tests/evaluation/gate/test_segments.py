import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.evaluation.gate.segments import (
    SegmentRules,
    auc_influence,
    holm,
    measure_segments,
    segment_masks,
    segment_table,
)
from kizuna.evaluation.measures import metrics
from kizuna.evaluation.measures.intervals import Resampling, auc_intervals, evaluation_rows

RULES = SegmentRules(behind_baseline=0.003, level_error=0.05, horizon_days=90)


def expit(x):
    return 1 / (1 + np.exp(-np.asarray(x)))


def a_shop(customers, seed, folds=2):
    """Rows, and the log odds that churn follows; seven of ten outcomes of a customer share their draw."""
    generator = np.random.default_rng(seed)
    log_odds = np.tile(generator.normal(-0.5, 1.2, customers), folds)
    shared, own = np.tile(generator.random(customers), folds), generator.random(customers * folds)
    drawn = np.where(generator.random(customers * folds) < 0.7, shared, own)
    ids = np.tile(np.arange(customers), folds)
    return evaluation_rows(drawn < expit(log_odds), ids, np.repeat(range(folds), customers)), log_odds


def test_holm_of_four_tests():
    # Aickin and Gensler (1996): the smallest times 4, the next times 3, never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_makes_surer_and_keeps_the_order(values):
    corrected = holm(values)
    assert all(after >= before for before, after in zip(values, corrected, strict=True))
    by_value = sorted(range(len(values)), key=lambda index: values[index])
    assert [corrected[index] for index in by_value] == sorted(corrected)


def test_segments_are_told_by_the_columns_there_are():
    features = pd.DataFrame(
        {
            "market=JP": [1, 0, np.nan, 1, 1],
            "orders": [1, 1, 2, 5, np.nan],
            "days_since_order": [44.0, 45.0, 90.0, np.nan, 3.0],
        }
    )
    masks = segment_masks(features, np.array([0, 1, 2, 3]), 90)
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "market=JP": [True, False, False, True],
        "one order": [True, True, False, False],
        "several orders": [False, False, True, True],
        "silent less than 45 days": [True, False, False, False],
        "silent 45 days or more": [False, True, True, False],
    }
    assert segment_masks(pd.DataFrame({"age_years": [1.0]}), np.array([0]), 90) == {}


def test_the_influence_is_that_of_the_auc():
    rows, log_odds = a_shop(300, seed=1)
    score = log_odds.round(1)
    auc, influence = auc_influence(rows, score)
    of_folds = [metrics.auc(rows.churned[rows.fold == fold], score[rows.fold == fold]) for fold in (0, 1)]
    assert auc == pytest.approx(np.mean(of_folds))
    assert influence.sum() == pytest.approx(0)
    sums = np.bincount(rows.customer, weights=influence)
    interval = auc_intervals(rows, {"": score}, Resampling(1000)).auc[""]
    assert 3.92 * math.sqrt(sums @ sums) == pytest.approx(interval.high - interval.low, rel=0.15)


def test_one_class_has_no_auc():
    auc, influence = auc_influence(evaluation_rows([1, 1]), np.array([0.1, 0.2]))
    assert math.isnan(auc)
    assert influence.tolist() == [0, 0]


def test_a_market_where_the_model_knows_nothing_is_found_and_the_others_are_not():
    rows, log_odds = a_shop(1500, seed=2)
    blind = rows.customer % 3 == 0
    noise = np.random.default_rng(3).permutation(log_odds)
    p = expit(np.where(blind, noise, log_odds))
    masks = {"market=DE": blind, "market=JP": ~blind, "everybody": np.ones(3000, dtype=bool)}
    found = {one.name: one for one in measure_segments(rows, masks, p, log_odds, RULES)}
    german = found["market=DE"]
    assert (german.customers, german.churned) == (500, len(np.unique(rows.customer[blind & (rows.churned == 1)])))
    assert german.ahead.high < -0.1
    assert german.p_holm < 1e-6
    assert german.auc - german.baseline_auc == pytest.approx(german.ahead.estimate)
    # Among the others model and baseline are the same.
    assert found["market=JP"].ahead.estimate == 0
    assert (found["market=JP"].p, found["market=JP"].p_holm) == (1.0, 1.0)


def test_a_level_error_is_the_segments_own_where_the_others_do_not_share_it():
    rows, log_odds = a_shop(3000, seed=4)
    group = rows.customer % 4 == 0
    alone = expit(log_odds + np.where(group, 1.0, 0.0))
    masks = {"market=DE": group, "market=JP": ~group}
    german, others = measure_segments(rows, masks, alone, log_odds, RULES)
    assert german.level.low > 0.1
    assert german.level_p_holm < 0.001
    assert others.level_p_holm == 1.0
    assert german.mean_probability - german.churned_share == pytest.approx(german.level.estimate)
    shared = measure_segments(rows, masks, expit(log_odds + 1.0), log_odds, RULES)
    assert all(one.level_p_holm > 0.05 for one in shared)


def test_small_segments_are_not_judged():
    rows, log_odds = a_shop(600, seed=5, folds=1)
    few_customers = rows.customer < 199
    few_churned = (rows.churned == 0) | (np.cumsum(rows.churned) <= 29)
    masks = {"few": few_customers, "few churned": few_churned, "all": np.ones(600, dtype=bool)}
    assert [one.name for one in measure_segments(rows, masks, expit(log_odds), log_odds, RULES)] == ["all"]


def test_a_right_model_is_rarely_warned_of():
    warned = 0
    for seed in range(60):
        rows, log_odds = a_shop(800, seed=seed)
        noisy = log_odds + np.random.default_rng(seed).normal(0, 0.3, 1600)
        masks = {f"market={number}": rows.customer % 4 == number for number in range(4)}
        found = measure_segments(rows, masks, expit(log_odds), noisy, RULES)
        warned += any(min(one.p_holm, one.level_p_holm) < 0.05 for one in found)
    assert warned <= 3


def test_the_table_names_everything():
    rows, log_odds = a_shop(400, seed=6)
    everybody = {"market=JP": np.ones(800, dtype=bool)}
    segments = measure_segments(rows, everybody, expit(log_odds), log_odds, RULES)
    table = segment_table(segments, "rfm_logistic")
    assert table.columns.tolist() == [
        *("segment", "customers", "churned", "auc", "baseline", "baseline_auc", "auc_ahead", "auc_ahead_low"),
        *("auc_ahead_high", "p", "p_holm", "mean_probability", "churned_share", "level_error_low", "level_error_high"),
        "level_p_holm",
    ]
    assert table.loc[0, ["segment", "customers", "baseline"]].tolist() == ["market=JP", 400, "rfm_logistic"]
    assert segment_table((), "rfm_logistic").empty
