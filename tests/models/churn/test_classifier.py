from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kizuna.errors import ConfigError
from kizuna.models import ChurnClassifier
from kizuna.models.learners.splits import Split, stratified_splits

RUNGS = ["rule", "btyd", "rfm", "rfm_btyd", "logistic", "lightgbm", "blend", "sklearn.naive_bayes.GaussianNB"]
QUICK = {"logistic": {"C": 0.03, "columns": "all"}, "lightgbm": {"n_estimators": 20}}
QUICK["blend"] = dict(QUICK)


def quick(estimator, **settings):
    return ChurnClassifier(estimator, params=QUICK.get(estimator), **settings)


@pytest.fixture(scope="module")
def auto(shop):
    return ChurnClassifier().fit(shop.X, shop.churned, groups=shop.customer)


def test_auto_says_what_it_chose_and_why(auto, shop):
    rungs = {c["rung"]: c for c in auto.candidates_}
    assert list(rungs) == ["rule", "btyd", "rfm", "rfm_btyd", "logistic", "lightgbm", "blend"]
    assert [c["rung"] for c in auto.candidates_ if c["chosen"]] == [auto.estimator_name_] == ["logistic"]
    assert rungs["logistic"]["log_loss"] < rungs["blend"]["log_loss"] - 0.005
    assert rungs["logistic"]["auc"] > rungs["rule"]["auc"] + 0.01
    assert rungs["logistic"]["setting"]["columns"] == "all"
    shown = "; ".join(f"{name} {c['auc']:.4f} (log loss {c['log_loss']:.4f})" for name, c in rungs.items())
    assert auto.why_ == (
        f"logistic was chosen, having 0.005 less log loss; mean AUC over 5 splits: {shown}; 800 rows, "
        f"{shop.churned.sum()} churned."
    )


def test_the_blend_is_taken_unless_another_is_clearly_likelier(shop):
    purchases = shop.X[["days_since_order", "orders", "revenue", "tenure_days"]]
    model = ChurnClassifier().fit(purchases, shop.churned, groups=shop.customer)
    assert model.estimator_name_ == "blend"
    assert model.why_.startswith(
        "blend was chosen, no other having 0.005 less log loss; mean AUC over 5 splits: rule 0."
    )


def test_probabilities_are_calibrated_and_oof_probabilities_are_honest(auto, shop):
    p = auto.oof_probability_
    assert not np.isnan(p).any()
    assert p.mean() == pytest.approx(shop.churned.mean(), abs=0.02)
    chosen = next(c for c in auto.candidates_ if c["chosen"])
    assert roc_auc_score(shop.churned, p) == pytest.approx(chosen["auc"], abs=0.03)
    risky, safe = p > np.quantile(p, 0.8), p < np.quantile(p, 0.2)
    for part in (risky, safe):
        assert p[part].mean() == pytest.approx(shop.churned[part].mean(), abs=0.08)


def test_few_churners_step_down_to_the_rule(tiny_shop):
    model = ChurnClassifier().fit(tiny_shop.X, tiny_shop.churned, groups=tiny_shop.customer)
    churned = tiny_shop.churned.sum()
    assert model.estimator_name_ == "rule"
    assert [c["rung"] for c in model.candidates_] == ["rule"]
    assert model.why_ == (
        f"rule was taken because only {len(np.unique(tiny_shop.customer[tiny_shop.churned == 0]))} customers stayed "
        f"(50 rows, {churned} churned): the models above it are tried once 50 have, fewer do not tell models apart."
    )
    assert model.predict_proba(tiny_shop.X)[:, 1].min() > 0


def test_few_churners_without_the_rules_columns_step_down_to_logistic(tiny_shop):
    X = tiny_shop.X[["complaints", "market=JP"]]
    model = ChurnClassifier().fit(X, tiny_shop.churned)
    assert model.estimator_name_ == "logistic"
    assert model.why_.startswith("logistic was taken because only ")


def test_many_rows_of_few_customers_are_few(shop):
    # 60 churned rows, but all of the same 20 customers.
    rows = np.arange(200)
    y, customer = (rows < 60).astype(int), rows % 20
    customer[60:] += 20
    X = shop.X.iloc[rows % 100].reset_index(drop=True)
    assert ChurnClassifier().fit(X, y, groups=customer).estimator_name_ == "rule"
    assert "taken" not in ChurnClassifier().fit(X, y).why_


def test_one_outcome_gives_a_cautious_constant():
    X = pd.DataFrame({"a": np.arange(9.0)})
    for estimator in ("auto", "logistic", "lightgbm", "sklearn.naive_bayes.GaussianNB"):
        model = ChurnClassifier(estimator).fit(X, np.zeros(9, dtype=int))
        np.testing.assert_allclose(model.predict_proba(X)[:, 1], 0.05)
        assert np.isnan(model.oof_probability_).all()
        assert model.predict(X).tolist() == [0] * 9
    assert "no split was possible" in ChurnClassifier("logistic").fit(X, np.zeros(9, dtype=int)).why_


@pytest.mark.parametrize("calibration", ["platt", "isotonic", "none"])
@pytest.mark.parametrize("estimator", RUNGS)
def test_contributions_add_up_to_the_log_odds(estimator, calibration, shop):
    model = quick(estimator, calibration=calibration).fit(shop.X, shop.churned, groups=shop.customer)
    X = shop.X[:100]
    parts, p = model.contributions(X), model.predict_proba(X)[:, 1]
    assert parts.shape == (100, 11)
    np.testing.assert_allclose(parts.sum(axis=1), np.log(p / (1 - p)), atol=1e-9)
    np.testing.assert_allclose(parts[:, [8, 9]], 0, atol=1e-12)
    assert model.calibration_["method"] == calibration


def test_an_asked_rung_is_taken_and_measured(shop):
    model = quick("lightgbm").fit(shop.X, shop.churned)
    (only,) = model.candidates_
    assert model.estimator_name_ == only["rung"] == "lightgbm"
    assert model.why_ == (
        f"lightgbm was asked for; mean AUC over 5 splits: lightgbm {only['auc']:.4f} (log loss {only['log_loss']:.4f}); "
        f"800 rows, {shop.churned.sum()} churned."
    )


def test_an_asked_blend_shows_its_parts(shop):
    model = quick("blend").fit(shop.X, shop.churned)
    assert model.estimator_name_ == "blend"
    assert [(c["rung"], c["chosen"]) for c in model.candidates_] == [
        *[
            ("btyd", False),
            ("rfm", False),
            ("rfm_btyd", False),
            ("logistic", False),
            ("lightgbm", False),
            ("blend", True),
        ]
    ]
    assert model.why_.startswith("blend was asked for; mean AUC over 5 splits: btyd 0.")


def test_oof_is_nan_where_never_tested_and_ignores_its_own_outcomes(shop):
    old, new = np.arange(0, 600), np.arange(600, 800)
    splits = [Split(old, new), Split(old[:300], old[300:])]
    flipped = np.where(np.arange(800) >= 600, 1 - shop.churned, shop.churned)
    first, second = (
        quick("logistic").fit(shop.X, y, splits=splits, groups=shop.customer).oof_probability_
        for y in (shop.churned, flipped)
    )
    assert np.isnan(first[:300]).all()
    assert not np.isnan(first[300:]).any()
    assert first[600:].tolist() == second[600:].tolist()


def test_permuted_outcomes_give_nothing(shop):
    found = []
    for seed in range(6):
        y = np.random.default_rng(seed).permutation(shop.churned)
        model = ChurnClassifier(params=QUICK["blend"]).fit(shop.X, y, groups=shop.customer)
        found.append(roc_auc_score(y, model.oof_probability_))
        assert model.predict_proba(shop.X)[:, 1].std() < 0.1
    # One permutation of 400 customers spreads by .025; choosing among settings costs a little honesty.
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_the_same_inputs_give_the_same_bits(shop):
    for estimator in RUNGS:
        runs = [quick(estimator).fit(shop.X, shop.churned, groups=shop.customer) for _ in range(2)]
        first, second = (run.predict_proba(shop.X).tolist() for run in runs)
        assert first == second
        assert runs[0].oof_probability_.tolist() == runs[1].oof_probability_.tolist()


def test_classes_keep_their_names(shop):
    y = np.where(shop.churned == 1, "yes", "no")
    model = quick("logistic").fit(shop.X, y)
    assert model.classes_.tolist() == ["no", "yes"]
    assert set(model.predict(shop.X)) == {"no", "yes"}
    p = model.predict_proba(shop.X)
    assert ((p[:, 1] > 0.5) == (model.predict(shop.X) == "yes")).all()
    numbers = quick("logistic").fit(shop.X, shop.churned)
    assert p.tolist() == numbers.predict_proba(shop.X).tolist()


def test_other_than_two_classes_are_refused(shop):
    with pytest.raises(ValueError, match=r"Only binary classification is supported: churned or not\. Found 3 classes"):
        ChurnClassifier().fit(shop.X, np.arange(800) % 3)
    with pytest.raises(ValueError, match="Two classes are asked for; y has one class, 'yes'"):
        ChurnClassifier().fit(shop.X, np.full(800, "yes"))


def test_an_unknown_calibration_is_refused(shop):
    with pytest.raises(ConfigError) as error:
        ChurnClassifier(calibration="beta").fit(shop.X, shop.churned)
    assert str(error.value) == ("model.churn.calibration asks for one of auto, platt, isotonic, none; found 'beta'.")


def test_arrays_have_no_rule_and_use_all_columns(shop):
    model = ChurnClassifier(params={"lightgbm": {"n_estimators": 10}}).fit(shop.X.to_numpy(), shop.churned)
    assert [c["rung"] for c in model.candidates_] == ["logistic", "lightgbm", "blend"]
    assert model.candidates_[0]["setting"]["columns"] == "all"


def test_scikit_learn_takes_it_as_one_of_its_own(shop):
    model = quick("logistic")
    assert clone(model).get_params() == model.get_params()
    X = shop.X.drop(columns="never_seen")
    for data in (X, X.to_numpy()):
        assert cross_val_score(model, data, shop.churned, cv=3, scoring="roc_auc").mean() > 0.7
        assert make_pipeline(StandardScaler(), model).fit(data, shop.churned).score(data, shop.churned) > 0.65
        calibrated = CalibratedClassifierCV(model, cv=3).fit(data, shop.churned)
        assert roc_auc_score(shop.churned, calibrated.predict_proba(data)[:, 1]) > 0.7


def test_default_splits_are_stratified_and_keep_customers_together(shop):
    y = shop.churned.astype(float)
    given = stratified_splits(y, shop.customer, 5, 7)
    models = [
        quick("logistic").fit(shop.X, shop.churned, groups=shop.customer),
        quick("logistic").fit(shop.X, shop.churned, splits=given, groups=shop.customer),
    ]
    assert models[0].oof_probability_.tolist() == models[1].oof_probability_.tolist()
