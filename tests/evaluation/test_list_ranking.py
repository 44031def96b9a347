"""How past lists are ranked: by value where it was known on all tests, else by probability; and what came of the named."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kizuna.evaluation.assessment import ChurnRows, answer_check
from kizuna.evaluation.folds import Folds
from kizuna.evaluation.list_ranking import list_ranking
from kizuna.models.learners.splits import Split
from kizuna.timeline import LabelWindow, date_of

# Two tests of four customers, the newer first, after two rows that only teach.
P = np.array([0.9, 0.6, 0.5, 0.2, 0.8, 0.4, 0.4, 0.4])
WORTH = np.array([[10.0, 0], [100, 50], [1000, 0], [9999, 0], [10, 4], [20, 0], [-5, 0], [90, 0]])


def rows_of() -> ChurnRows:
    nothing = np.zeros(0, dtype=np.intp)
    splits = (Split(nothing, np.arange(2, 6), ()), Split(nothing, np.arange(6, 10), ()))
    churned = np.array([0, 1, 1, 0, 1, 0, 1, 0, 1, 0], dtype=float)
    customer = np.array([0, 1, 0, 1, 2, 3, 0, 1, 2, 3], dtype=np.int32)
    return ChurnRows(pd.DataFrame(index=range(10)), churned, customer, Folds(splits, 2, "out_of_time", (200, 100)))


def conditional() -> np.ndarray:
    return np.vstack([np.full((2, 2), np.nan), WORTH])


def test_ranked_by_value_at_risk_and_whoever_is_below_the_minimum_comes_last() -> None:
    found = list_ranking(rows_of(), P, conditional(), None)
    assert found.name == "value_at_risk"
    # The means are .55 and .5: of the newer test the last two are below, of the older the last three.
    assert found.scores[[0, 1, 4]].tolist() == [9.0, 30.0, 0.8 * 6]
    assert np.argsort(-found.scores[:4]).tolist() == [1, 0, 2, 3]
    assert np.argsort(-found.scores[4:], kind="stable").tolist() == [0, 1, 2, 3]
    everybody = list_ranking(rows_of(), P, conditional(), 0.0)
    np.testing.assert_allclose(everybody.scores, [9, 30, 500, 1999.8, 4.8, 8, -2, 36])


def test_without_a_value_for_every_tested_row_all_lists_are_ranked_by_probability() -> None:
    some = conditional()
    some[9] = np.nan
    for values in (None, some):
        found = list_ranking(rows_of(), P, values, None)
        assert (found.name, found.scores.tolist()) == ("churn_probability", P.tolist())


def test_equals_are_not_below_their_own_mean() -> None:
    p = np.full(8, 0.1)
    found = list_ranking(rows_of(), p, conditional(), None)
    np.testing.assert_allclose(found.scores, 0.1 * (WORTH[:, 0] - WORTH[:, 1]))


def test_the_answer_is_of_the_list_as_it_would_have_been() -> None:
    rows, window = rows_of(), LabelWindow(90)
    rules = {"kizuna": P, "recency_rule": np.array([0.0, 0, 1, 1, 0, 0, 0, 0])}
    by_value = answer_check(rows, rules, list_ranking(rows, P, conditional(), 0.0), window, 2)
    assert by_value["ranked_by"] == "value_at_risk"
    # Of the newer test's four the first and the third left; by value the fourth and the third are named.
    assert by_value["churned"] == {"kizuna": 1.0, "recency_rule": 1.0, "kizuna_probability": 1.0, "random": 1.0}
    one = answer_check(rows, rules, list_ranking(rows, P, conditional(), 0.0), window, 1)
    assert (one["churned"]["kizuna"], one["churned"]["kizuna_probability"]) == (0.0, 1.0)
    assert one["auc"]["kizuna"] == by_value["auc"]["kizuna"] == 0.75
    plain = answer_check(rows, rules, list_ranking(rows, P, None, None), window, 1)
    assert (plain["ranked_by"], plain["churned"]["kizuna"]) == ("churn_probability", 1.0)
    assert "kizuna_probability" not in plain["churned"]
    assert plain["named_on"] == date_of(200).isoformat()
