from __future__ import annotations

import hashlib
import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier

from kizuna.errors import ConfigError, ModelError
from kizuna.models.learners.foreign import build_estimator, dump_estimator, fit_foreign, is_import_path, load_estimator

MACHINE = (7, 1)
SMALL = {
    "sklearn.ensemble.RandomForestClassifier": {"n_estimators": 5, "max_depth": 3},
    "sklearn.ensemble.HistGradientBoostingClassifier": {"max_iter": 5},
    "sklearn.ensemble.GradientBoostingClassifier": {"n_estimators": 5},
    "sklearn.neighbors.KNeighborsClassifier": {},
    "sklearn.naive_bayes.GaussianNB": {},
    "sklearn.svm.LinearSVC": {},
    "lightgbm.LGBMClassifier": {"n_estimators": 5, "verbose": -1},
}


def fitted(path, shop, **params):
    estimator = build_estimator(path, {**SMALL.get(path, {}), **params}, "classifier", MACHINE)
    return fit_foreign(estimator, shop.X.to_numpy(), shop.churned, 7)


def test_an_import_path_has_a_dot():
    assert is_import_path("sklearn.svm.SVC")
    assert not is_import_path("logistic")


def test_seed_and_threads_are_handed_on_unless_given():
    forest = build_estimator("sklearn.ensemble.RandomForestClassifier", {}, "classifier", (11, 3))
    assert (forest.random_state, forest.n_jobs) == (11, 3)
    own = build_estimator("sklearn.ensemble.RandomForestClassifier", {"random_state": 5}, "classifier", (11, 3))
    assert own.random_state == 5


@pytest.mark.parametrize(
    ("path", "params", "text"),
    [
        (
            "sklearn.ensemble.RandomForestClasifier",
            {},
            "model.churn.estimator asks for sklearn.ensemble.RandomForestClasifier, but sklearn.ensemble has no "
            "RandomForestClasifier. Did you mean 'RandomForestClassifier'? Correct the path.",
        ),
        (
            "no_such_package.Model",
            {},
            "model.churn.estimator asks for no_such_package.Model, but no_such_package cannot be imported (No module "
            "named 'no_such_package'). Install it, or correct the path.",
        ),
        (
            "sklearn.linear_model.Ridge",
            {},
            "model.churn.estimator asks for a classifier; sklearn.linear_model.Ridge is none. "
            "Name a scikit-learn classifier.",
        ),
        (
            "sklearn.svm.LinearSVC",
            {"depth": 3},
            "model.churn.estimator sklearn.svm.LinearSVC cannot be made with the parameters ['depth']: "
            "LinearSVC.__init__() got an unexpected keyword argument 'depth'. "
            "Correct model.churn.params, or name a scikit-learn classifier.",
        ),
    ],
)
def test_a_wrong_path_is_explained(path, params, text):
    with pytest.raises(ConfigError) as error:
        build_estimator(path, params, "classifier", MACHINE)
    assert str(error.value) == text


@pytest.mark.parametrize("path", sorted(SMALL))
def test_gaps_are_taken_and_a_file_gives_the_same_bits(path, shop):
    model = fitted(path, shop)
    raw = dump_estimator(model.estimator)
    again = load_estimator(raw, "model.skops")
    X = shop.X.to_numpy()[:60]
    before = model.margin(X)
    object.__setattr__(model, "estimator", again)
    assert model.margin(X).tolist() == before.tolist()
    assert b"pickle" not in raw


def test_only_estimators_that_refuse_gaps_get_prepared_columns(shop):
    assert fitted("sklearn.ensemble.HistGradientBoostingClassifier", shop).preparation is None
    assert fitted("sklearn.naive_bayes.GaussianNB", shop).preparation is not None


def test_an_estimator_that_cannot_be_taught_is_explained(shop):
    with pytest.raises(ConfigError) as error:
        fitted("sklearn.naive_bayes.MultinomialNB", shop)
    assert str(error.value) == (
        "MultinomialNB could not be taught on 800 rows and 10 columns: Negative values in data passed to "
        "MultinomialNB (input X). Change its parameters or name another estimator."
    )


def test_contributions_add_up_and_the_usual_row_has_none(shop):
    model = fitted("sklearn.ensemble.RandomForestClassifier", shop)
    X = shop.X.to_numpy()[:20]
    parts = model.contributions(X)
    np.testing.assert_allclose(parts.sum(axis=1), model.margin(X), atol=1e-9)
    np.testing.assert_allclose(model.contributions(model.usual[None, :])[0, :-1], 0, atol=1e-12)
    assert model.contributions(X).tolist() == parts.tolist()
    assert model.contributions(X[:0]).shape == (0, 11)


def test_contributions_are_shapley_values_where_two_columns_meet():
    # With two columns, one order and its reverse are all orders there are.
    draw = np.random.default_rng(0)
    X = draw.normal(size=(200, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    model = fit_foreign(RandomForestClassifier(n_estimators=5, max_depth=3, random_state=0), X, y, 7)
    row, usual = X[:1], model.usual[None, :]
    expected = np.zeros(2)
    for order in permutations([0, 1]):
        seen = usual.copy()
        for column in order:
            before = model.margin(seen)[0]
            seen[0, column] = row[0, column]
            expected[column] += (model.margin(seen)[0] - before) / 2
    np.testing.assert_allclose(model.contributions(row)[0, :2], expected, atol=1e-12)


class Homemade(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X))


def test_a_type_outside_the_list_is_refused_before_it_is_written_or_loaded():
    import skops.io

    homemade = Homemade().fit(np.zeros((2, 1)), np.array([0, 1]))
    text = (
        r"Homemade, which kizuna does not allow in a stored model. "
        r"Name another estimator, or have the type added to kizuna.models.learners.foreign.TRUSTED_TYPES.$"
    )
    with pytest.raises(ModelError, match=text):
        dump_estimator(homemade)
    with pytest.raises(ModelError, match=text):
        load_estimator(skops.io.dumps(homemade), "model.skops")


def test_a_file_that_is_no_estimator_is_refused():
    with pytest.raises(ModelError, match=r"^model.skops was asked for, but its file cannot be read .* Train again.$"):
        load_estimator(b"not a file", "model.skops")


def test_another_process_writes_the_same_bytes():
    code = (
        "import hashlib, numpy as np\n"
        "from kizuna.models.learners.foreign import build_estimator, dump_estimator\n"
        "X = np.random.default_rng(0).normal(size=(60, 3)); y = (X[:, 0] > 0).astype(int)\n"
        "e = build_estimator('sklearn.ensemble.RandomForestClassifier', {'n_estimators': 3}, 'classifier', (7, 1))\n"
        "print(hashlib.sha256(dump_estimator(e.fit(X, y))).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    X = np.random.default_rng(0).normal(size=(60, 3))
    forest = build_estimator("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 3}, "classifier", (7, 1))
    here = dump_estimator(forest.fit(X, (X[:, 0] > 0).astype(int)))
    assert elsewhere.stdout.strip() == hashlib.sha256(here).hexdigest()
