import dataclasses

import numpy as np
import pytest

from kizuna.evaluation.gate import (
    GateEvidence,
    GateLimits,
    best_baseline,
    decide,
    measure,
    shared_level,
)
from kizuna.evaluation.intervals import CalibrationInterval, Interval, evaluation_rows

NAN = float("nan")
GOOD = GateEvidence(
    auc=Interval(0.742, 0.721, 0.763),
    customers=2787,
    calibration=CalibrationInterval(0.012, 0.0, 0.031, plain=0.024, expected_if_perfect=0.02),
    level=Interval(0.004, -0.014, 0.021),
    baselines={"recency": 0.655, "RFM logistic": 0.740},
    differences={"recency": Interval(0.087, 0.06, 0.11), "RFM logistic": Interval(0.002, -0.005, 0.009)},
    baseline_levels={"RFM logistic": -0.01},
)


def changed(**fields):
    return dataclasses.replace(GOOD, **fields)


def status(decision):
    return {check.name: check.status for check in decision.checks}


def text_of(decision, name):
    return next(check.text for check in decision.checks if check.name == name)


def off(low, estimate=None):
    """A calibration error whose interval starts at `low`."""
    middle = low + 0.02 if estimate is None else estimate
    return CalibrationInterval(middle, low, low + 0.04, plain=middle + 0.01, expected_if_perfect=0.02)


def test_a_good_model_passes_in_words_and_numbers():
    decision = decide(GOOD)
    assert decision.passed
    assert decision.grade == "B"
    assert decision.text == (
        "Passed, grade B: AUC .742 [.721, .763] on 2,787 customers; best baseline RFM logistic .740; "
        "calibration error .012 [.000, .031]."
    )
    assert [(check.name, check.status) for check in decision.checks] == [
        ("signal", "pass"),
        ("baseline", "pass"),
        ("calibration", "pass"),
        ("level", "pass"),
        ("leak", "pass"),
        ("champion", "pass"),
    ]
    assert [check.text for check in decision.checks] == [
        "the AUC is .742 [.721, .763], better than chance",
        "the AUC is .002 ahead of the best baseline, RFM logistic, [-.005, +.009]",
        "the calibration error is .012 [.000, .031] (.024 as counted, where a perfect model shows .020)",
        "the mean probability is 0.4 points above the observed churn rate",
        "no leak finding",
        "there is no champion yet",
    ]


def test_grade_a_is_surely_better_than_the_best_baseline():
    sure = changed(differences=GOOD.differences | {"RFM logistic": Interval(0.02, 0.01, 0.03)})
    assert decide(sure).grade == "A"


def test_no_signal_is_refused():
    decision = decide(changed(auc=Interval(0.512, 0.48, 0.545)))
    assert not decision.passed
    assert decision.grade == "D"
    assert decision.text == (
        "Refused: AUC .512 [.480, .545] on 2,787 customers; best baseline RFM logistic .740; "
        "calibration error .012 [.000, .031]. "
        "The AUC is .512 [.480, .545]: the model cannot be told from chance (.500)."
    )


def test_an_interval_that_touches_one_half_is_no_signal_and_one_below_it_is_backwards():
    assert status(decide(changed(auc=Interval(0.55, 0.5, 0.6))))["signal"] == "fail"
    assert status(decide(changed(auc=Interval(NAN, NAN, NAN))))["signal"] == "fail"
    backwards = decide(changed(auc=Interval(0.4, 0.35, 0.45)))
    assert text_of(backwards, "signal") == "the AUC is .400 [.350, .450]: the model ranks customers the wrong way round"


@pytest.mark.parametrize(("behind", "passes"), [(-0.003, True), (0.740 - 0.743, True), (-0.0031, False), (0.0, True)])
def test_behind_the_best_baseline_by_no_more_than_allowed(behind, passes):
    differences = GOOD.differences | {"RFM logistic": Interval(behind, -0.02, 0.01)}
    assert decide(changed(differences=differences)).passed is passes


def test_behind_the_best_baseline_is_said():
    differences = GOOD.differences | {"RFM logistic": Interval(-0.012, -0.02, -0.004)}
    decision = decide(changed(differences=differences))
    assert text_of(decision, "baseline") == (
        "the AUC is .012 behind the best baseline, RFM logistic, [-.020, -.004], and .003 behind is allowed"
    )


def test_only_the_best_baseline_that_could_be_measured_counts():
    assert best_baseline(changed(baselines={"b": 0.7, "a": 0.7, "c": NAN})) == "a"
    alone = decide(changed(baselines={}, differences={}))
    assert status(alone)["baseline"] == "warn"
    assert alone.grade == "B"
    assert alone.text == (
        "Passed, grade B: AUC .742 [.721, .763] on 2,787 customers; calibration error .012 [.000, .031]. "
        "No baseline could be measured on these rows."
    )


def test_calibration_refuses_a_challenger_and_only_grades_the_first_model():
    first = decide(changed(calibration=off(0.06)))
    assert (first.passed, first.grade, status(first)["calibration"]) == (True, "C", "warn")
    assert text_of(first, "calibration") == (
        "the calibration error is .080 [.060, .100] (.090 as counted, where a perfect model shows .020), "
        "beyond the limit of .050: with no champion yet it is still better than no list, "
        "but read its percentages as an order"
    )
    challenger = decide(changed(calibration=off(0.06), has_champion=True, champion_auc=0.74))
    assert (challenger.passed, status(challenger)["calibration"]) == (False, "fail")


def test_it_is_the_lower_end_that_counts():
    assert status(decide(changed(calibration=off(0.05), has_champion=True, champion_auc=0.7)))["calibration"] == "pass"
    unknown = CalibrationInterval(NAN, NAN, NAN, plain=NAN, expected_if_perfect=NAN)
    assert status(decide(changed(calibration=unknown, has_champion=True, champion_auc=0.7)))["calibration"] == "fail"


def test_a_level_error_that_every_baseline_shares_warns():
    moved = changed(
        calibration=off(0.07, estimate=0.08),
        level=Interval(-0.08, -0.1, -0.06),
        baseline_levels={"base rate": -0.06, "RFM logistic": -0.075},
        has_champion=True,
        champion_auc=0.74,
    )
    assert shared_level(moved) == -0.06
    decision = decide(moved)
    assert (decision.passed, decision.grade) == (True, "C")
    assert status(decision) | {"calibration": "warn", "level": "warn"} == status(decision)
    assert text_of(decision, "calibration") == (
        "the calibration error is .080 [.070, .110] (.090 as counted, where a perfect model shows .020), "
        "beyond the limit of .050 only by the level error that every baseline shares"
    )
    assert text_of(decision, "level") == (
        "the mean probability is 8.0 points below the observed churn rate, and every baseline errs the same way: "
        "churn itself has changed since the training snapshots"
    )


@pytest.mark.parametrize("levels", [{"base rate": -0.06, "RFM logistic": 0.01}, {}, {"base rate": -0.005}])
def test_a_level_error_of_its_own_is_no_excuse(levels):
    alone = changed(
        calibration=off(0.07),
        level=Interval(-0.08, -0.1, -0.06),
        baseline_levels=levels,
        has_champion=True,
        champion_auc=0.74,
    )
    assert not decide(alone).passed
    assert status(decide(alone))["level"] == "pass"


def test_a_shared_level_error_excuses_only_its_own_size():
    worse = changed(
        calibration=off(0.15),
        level=Interval(-0.08, -0.1, -0.06),
        baseline_levels={"base rate": -0.06},
        has_champion=True,
        champion_auc=0.74,
    )
    assert status(decide(worse))["calibration"] == "fail"


def test_leaks_are_refused():
    decision = decide(changed(leak_findings=1))
    assert not decision.passed
    assert text_of(decision, "leak") == "1 leak finding, 0 allowed: see leak_findings and features.exclude"
    assert decide(changed(leak_findings=2), GateLimits(max_leak_findings=2)).passed


@pytest.mark.parametrize(("champion", "expected"), [(0.752, "pass"), (0.7521, "fail"), (0.7, "pass"), (None, "warn")])
def test_behind_the_champions_recipe_by_no_more_than_allowed(champion, expected):
    decision = decide(changed(has_champion=True, champion_auc=champion))
    assert status(decision)["champion"] == expected
    assert decision.passed is (expected != "fail")


def test_the_champion_in_words():
    fails = decide(changed(has_champion=True, champion_auc=0.76))
    assert text_of(fails, "champion") == (
        "the AUC is .018 behind the champion's recipe (.760) on the same folds, and .010 behind is allowed"
    )
    equal = decide(changed(has_champion=True, champion_auc=0.742))
    assert text_of(equal, "champion") == "the AUC is level with the champion's recipe (.742) on the same folds"
    unknown = decide(changed(has_champion=True))
    assert unknown.grade == "B"
    assert unknown.text.endswith("The champion's recipe could not be refitted on these folds, so it was not compared.")


def test_evidence_is_measured_on_the_same_rows():
    generator = np.random.default_rng(1)
    p = generator.uniform(0.1, 0.9, 400)
    rows = evaluation_rows(generator.random(400) < p, np.arange(400) // 2)
    silent_days = -p + generator.normal(0, 0.2, 400)
    evidence = measure(rows, p, {"recency": -silent_days, "base rate": np.full(400, 0.4)}, {"recency"}, champion=p)
    assert evidence.customers == 200
    assert evidence.champion_auc == evidence.auc.estimate
    assert set(evidence.baselines) == set(evidence.differences) == {"recency", "base rate"}
    assert evidence.baselines["base rate"] == 0.5
    assert evidence.baseline_levels == {"base rate": pytest.approx(0.4 - rows.churned.mean())}
    assert evidence.differences["recency"].estimate == pytest.approx(
        evidence.auc.estimate - evidence.baselines["recency"]
    )
    assert not decide(dataclasses.replace(evidence, leak_findings=1, has_champion=True)).passed


def passed_share(shops, customers, spread):
    """Share of simulated shops whose model passes beside a base rate; `spread` 0 is a model that knows nothing."""
    passed = 0
    for seed in range(shops):
        generator = np.random.default_rng((seed, customers))
        truth = 1 / (1 + np.exp(-generator.normal(-0.4, spread, customers)))
        rows = evaluation_rows(generator.random(customers) < truth)
        p = truth if spread else np.clip(rows.churned.mean() + generator.normal(0, 0.02, customers), 0, 1)
        evidence = measure(rows, p, {"base rate": np.full(customers, rows.churned.mean())})
        # With a champion calibration refuses too, which is the stricter gate.
        passed += decide(dataclasses.replace(evidence, has_champion=True, champion_auc=evidence.auc.estimate)).passed
    return passed / shops


@pytest.mark.parametrize("customers", [300, 1500])
def test_a_perfectly_calibrated_model_passes_and_a_useless_one_does_not(customers):
    assert passed_share(20, customers, spread=1.2) >= 0.95
    assert passed_share(20, customers, spread=0) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("customers", [300, 5000])
def test_over_many_shops(customers):
    assert passed_share(150, customers, spread=1.2) >= 0.97
    assert passed_share(150, customers, spread=0) <= 0.05
