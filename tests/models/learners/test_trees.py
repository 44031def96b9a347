from __future__ import annotations

import numpy as np
import pytest

from kizuna.errors import ConfigError, ModelError
from kizuna.models.learners.trees import check_tree_params, default_tree_params, fit_trees, read_trees, tree_counts

MACHINE = (7, 1)


def taught(X, y, counts=(20,), objective="binary", **params):
    return fit_trees(X, y, {**default_tree_params(len(y), len(y) // 3), **params}, counts, objective, MACHINE)


def test_fewer_trees_of_one_run_are_the_model_of_fewer_trees(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    few, many = taught(X, y, (10, 30))
    (alone,) = taught(X, y, (10,))
    assert few.margin(X).tolist() == alone.margin(X).tolist()
    assert few.margin(X).tolist() != many.margin(X).tolist()
    assert read_trees(few.text(), 1).trees == 10


def test_the_same_inputs_give_the_same_text_and_the_seed_matters(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    texts = [taught(X, y)[0].text() for _ in range(2)]
    assert texts[0] == texts[1]
    other = fit_trees(X, y, default_tree_params(len(y), 200), (20,), "binary", (8, 1))[0]
    assert other.margin(X).tolist() != taught(X, y)[0].margin(X).tolist()


def test_text_gives_the_same_bits(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    (model,) = taught(X, y)
    again = read_trees(model.text(), 1)
    assert again.margin(X).tolist() == model.margin(X).tolist()
    assert again.contributions(X).tolist() == model.contributions(X).tolist()


def test_contributions_add_up(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    (model,) = taught(X, y)
    parts = model.contributions(X)
    assert parts.shape == (len(X), 11)
    np.testing.assert_allclose(parts.sum(axis=1), model.margin(X), atol=1e-9)
    assert parts[:, [8, 9]].any() == np.False_


def test_empty_and_constant_columns_alone_say_the_base_rate():
    X = np.column_stack([np.full(40, np.nan), np.ones(40)])
    y = (np.arange(40) < 10).astype(float)
    (model,) = taught(X, y)
    np.testing.assert_allclose(1 / (1 + np.exp(-model.margin(X))), 0.25, atol=1e-6)
    np.testing.assert_allclose(model.contributions(X).sum(axis=1), model.margin(X), atol=1e-9)


def test_no_rows_give_no_answers(shop):
    (model,) = taught(shop.X.to_numpy(), shop.churned.astype(float))
    assert model.margin(np.zeros((0, 10))).shape == (0,)
    assert model.contributions(np.zeros((0, 10))).shape == (0, 11)


def test_defaults_grow_with_the_rows():
    small, large, huge = (default_tree_params(rows, rows // 3) for rows in (2_000, 100_000, 900_000))
    assert [p["num_leaves"] for p in (small, large, huge)] == [7, 15, 31]
    assert small["min_child_samples"] < large["min_child_samples"] < huge["min_child_samples"]
    assert small["learning_rate"] < large["learning_rate"]
    assert max(tree_counts(2_000)) > max(tree_counts(100_000))


def test_an_unknown_parameter_is_refused_by_name():
    with pytest.raises(ConfigError) as error:
        check_tree_params({"num_leafs": 4}, "model.churn.params")
    assert str(error.value) == (
        "model.churn.params asks LightGBM for 'num_leafs', which is not a parameter to set. Did you mean 'num_leaves'? "
        "Parameters are n_estimators, num_leaves, max_depth, learning_rate, min_child_samples, min_split_gain, "
        "lambda_l1, lambda_l2, feature_fraction, feature_fraction_bynode, bagging_fraction, bagging_freq, max_bin, "
        "path_smooth, extra_trees."
    )


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(ConfigError, match=r"^model.cltv.params.num_leaves asks for a number; found 'many'.$"):
        check_tree_params({"num_leaves": "many"}, "model.cltv.params")


def test_a_value_that_lightgbm_refuses_comes_out_in_words(shop):
    with pytest.raises(ConfigError) as error:
        taught(shop.X.to_numpy(), shop.churned.astype(float), num_leaves=1)
    assert str(error.value) == (
        "LightGBM refused its parameters: Check failed: (num_leaves) > (1). Change them or leave them out."
    )


def test_a_text_that_is_no_model_is_refused():
    with pytest.raises(ModelError, match=r"^A LightGBM text was asked for; found something else"):
        read_trees("tree\nnonsense", 1)
