import dataclasses

import pytest

from kizuna.evaluation.gate.decision import GateLimits, decide
from kizuna.evaluation.gate.evidence import GateEvidence
from kizuna.evaluation.gate.population import Population
from kizuna.evaluation.gate.segments import Segment
from kizuna.evaluation.measures.intervals import CalibrationInterval, Interval

NAN = float("nan")
GOOD = GateEvidence(
    auc=Interval(0.742, 0.721, 0.763),
    customers=2787,
    rarer=1065,
    calibration=CalibrationInterval(0.012, 0.0, 0.031, plain=0.024, expected_if_perfect=0.02),
    level=Interval(0.004, -0.014, 0.021),
    baselines={"recency": Interval(0.655, 0.63, 0.68), "RFM logistic": Interval(0.740, 0.72, 0.76)},
    differences={"recency": Interval(0.087, 0.06, 0.11), "RFM logistic": Interval(0.002, -0.005, 0.009)},
    baseline_levels={"RFM logistic": -0.01},
    log_loss_ahead={"RFM logistic": Interval(0.010, 0.002, 0.018)},
)


level_with_champion = {"champion": Interval(0.742, 0.72, 0.76), "ahead_of_champion": Interval(0.0, -0.01, 0.01)}


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
        "Passed, grade B: AUC .742 [.721, .763] on 2,787 customers; best baseline RFM logistic .740, "
        ".002 ahead of it [-.005, +.009]; calibration error .012 [.000, .031]."
    )
    assert [(check.name, check.status) for check in decision.checks] == [
        ("signal", "pass"),
        ("baseline", "pass"),
        ("log_loss", "pass"),
        ("calibration", "pass"),
        ("level", "pass"),
        ("leak", "pass"),
        ("champion", "pass"),
        ("segments", "pass"),
        ("population", "pass"),
    ]
    assert [check.text for check in decision.checks] == [
        "the AUC is .742 [.721, .763], better than chance",
        "the AUC is .002 ahead of the best baseline, RFM logistic, [-.005, +.009]",
        "the log loss is .010 lower than that of RFM logistic [+.002, +.018]",
        "the calibration error is .012 [.000, .031] (.024 as counted, where a perfect model shows .020)",
        "the mean probability is 0.4 points above the observed churn rate",
        "no leak finding",
        "there is no champion yet",
        "no segment is large enough to be measured on its own",
        "the customers of the train day were not looked at",
    ]
    assert decision.tags() == {
        "gate.signal": "pass .721 (limit .500)",
        "gate.baseline": "pass .002 (limit -.003)",
        "gate.log_loss": "pass .010 (limit -.003)",
        "gate.calibration": "pass .000 (limit .050)",
        "gate.level": "pass .004 (limit .050)",
        "gate.leak": "pass 0 (limit 0)",
        "gate.champion": "pass",
        "gate.segments": "pass",
        "gate.population": "pass",
    }


def test_grade_a_is_surely_better_than_the_best_baseline():
    sure = changed(differences=GOOD.differences | {"RFM logistic": Interval(0.02, 0.01, 0.03)})
    assert decide(sure).grade == "A"


def test_no_signal_is_refused_and_more_of_the_same_will_not_help():
    nothing = changed(
        auc=Interval(0.512, 0.48, 0.545),
        baselines={"recency": Interval(0.503, 0.47, 0.54)},
        differences={"recency": Interval(0.009, -0.02, 0.04)},
    )
    decision = decide(nothing)
    assert not decision.passed
    assert decision.grade == "D"
    assert decision.text == (
        "Refused: AUC .512 [.480, .545] on 2,787 customers; best baseline recency .503, .009 ahead of it [-.020, +.040]; "
        "calibration error .012 [.000, .031]. "
        "The AUC is .512 [.480, .545]: the model cannot be told from chance (.500), nor can the best baseline, recency "
        "(.503 [.470, .540]): what these tables hold of 2,787 customers says nothing of who churns. "
        "Other tables are needed, not more rows."
    )


def test_no_signal_where_there_are_few_customers_or_a_rule_has_one():
    wide = Interval(0.55, 0.42, 0.66)
    few = changed(auc=wide, customers=120, rarer=31, baselines={"recency": wide}, differences={"recency": wide})
    assert text_of(decide(few), "signal") == (
        "the AUC is .550 [.420, .660]: the model cannot be told from chance (.500), nor can the best baseline, recency "
        "(.550 [.420, .660]): 31 of 120 customers with the rarer outcome are too few to tell. "
        "More customers or a longer history are needed"
    )
    assert text_of(decide(changed(auc=wide)), "signal") == (
        "the AUC is .550 [.420, .660]: the model cannot be told from chance (.500), while the baseline RFM logistic can "
        "(.740 [.720, .760]): some features mislead the model, leave them out by features.exclude"
    )


@pytest.mark.parametrize(
    ("best", "estimator", "advice"),
    [
        ("rfm_logistic", "lightgbm", "set model.churn.estimator to rfm"),
        ("bgnbd", "logistic", "set model.churn.estimator to btyd"),
        ("rate_rule", "blend", "set model.churn.estimator to rule"),
        ("recency_rule", "rule", "set model.churn.estimator to logistic with params.columns recency"),
        ("rfm_logistic", "rfm", "some features mislead the model, leave them out by features.exclude"),
    ],
)
def test_where_a_rule_has_a_signal_its_own_estimator_is_named(best, estimator, advice):
    can, wide = Interval(0.7, 0.65, 0.75), Interval(0.55, 0.42, 0.66)
    decision = decide(changed(auc=wide, baselines={best: can}, differences={best: wide}, estimator=estimator))
    assert text_of(decision, "signal").endswith(f"while the baseline {best} can (.700 [.650, .750]): {advice}")


def test_an_interval_that_touches_one_half_is_no_signal_and_one_below_it_is_backwards():
    assert status(decide(changed(auc=Interval(0.55, 0.5, 0.6))))["signal"] == "fail"
    assert status(decide(changed(auc=Interval(NAN, NAN, NAN))))["signal"] == "fail"
    backwards = decide(changed(auc=Interval(0.4, 0.35, 0.45)))
    assert text_of(backwards, "signal") == "the AUC is .400 [.350, .450]: the model ranks customers the wrong way round"


@pytest.mark.parametrize(
    ("behind", "high", "expected"),
    [
        (-0.003, -0.001, "pass"),
        (0.740 - 0.743, -0.001, "pass"),
        (0.0, 0.01, "pass"),
        (-0.0031, -0.0001, "fail"),
        (-0.0031, 0.0, "warn"),
        (-0.03, 0.002, "warn"),
        (-0.03, NAN, "fail"),
    ],
)
def test_behind_the_best_baseline_by_more_than_allowed_and_surely(behind, high, expected):
    differences = GOOD.differences | {"RFM logistic": Interval(behind, -0.06, high)}
    decision = decide(changed(differences=differences))
    assert status(decision)["baseline"] == expected
    assert decision.passed is (expected != "fail")
    assert decision.not_behind is (expected == "pass")


def test_behind_the_best_baseline_is_said():
    differences = GOOD.differences | {"RFM logistic": Interval(-0.012, -0.02, -0.004)}
    words = "the AUC is .012 behind the best baseline, RFM logistic, [-.020, -.004], and .003 behind is allowed"
    assert text_of(decide(changed(differences=differences)), "baseline") == words
    by_chance = GOOD.differences | {"RFM logistic": Interval(-0.012, -0.03, 0.004)}
    decision = decide(changed(differences=by_chance))
    assert text_of(decision, "baseline") == (
        "the AUC is .012 behind the best baseline, RFM logistic, [-.030, +.004], and .003 behind is allowed; "
        "chance alone may have done that"
    )
    assert decision.grade == "B"


def test_without_a_baseline():
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
    # Of a model that another check refuses, the list is not praised.
    refused = decide(changed(calibration=off(0.06), auc=Interval(0.51, 0.46, 0.56)))
    assert (refused.passed, status(refused)["calibration"]) == (False, "warn")
    assert text_of(refused, "calibration").endswith("beyond the limit of .050")
    assert "no list" not in refused.text
    challenger = decide(changed(calibration=off(0.06), has_champion=True, **level_with_champion))
    assert (challenger.passed, status(challenger)["calibration"]) == (False, "fail")


def test_it_is_the_lower_end_that_counts():
    assert (
        status(decide(changed(calibration=off(0.05), has_champion=True, **level_with_champion)))["calibration"]
        == "pass"
    )
    unknown = CalibrationInterval(NAN, NAN, NAN, plain=NAN, expected_if_perfect=NAN)
    assert (
        status(decide(changed(calibration=unknown, has_champion=True, **level_with_champion)))["calibration"] == "fail"
    )


def test_a_level_error_that_every_baseline_shares_warns():
    moved = changed(
        calibration=off(0.07, estimate=0.08),
        level=Interval(-0.08, -0.1, -0.06),
        baseline_levels={"base rate": -0.06, "RFM logistic": -0.075},
        has_champion=True,
        **level_with_champion,
    )
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
        **level_with_champion,
    )
    assert not decide(alone).passed
    assert status(decide(alone))["level"] == "pass"


def test_a_shared_level_error_excuses_only_its_own_size():
    worse = changed(
        calibration=off(0.15),
        level=Interval(-0.08, -0.1, -0.06),
        baseline_levels={"base rate": -0.06},
        has_champion=True,
        **level_with_champion,
    )
    assert status(decide(worse))["calibration"] == "fail"


def test_leaks_are_refused():
    decision = decide(changed(leak_findings=1))
    assert not decision.passed
    assert text_of(decision, "leak") == "1 leak finding, 0 allowed: see leak_findings and features.exclude"
    assert decide(changed(leak_findings=2), GateLimits(max_leak_findings=2)).passed


@pytest.mark.parametrize(
    ("ahead", "high", "expected"),
    [(-0.01, -0.002, "pass"), (-0.0101, -0.002, "fail"), (-0.03, 0.004, "warn"), (0.04, 0.05, "pass")],
)
def test_behind_the_champions_recipe_by_more_than_allowed_and_surely(ahead, high, expected):
    beside = {"champion": Interval(0.742 - ahead, 0.7, 0.8), "ahead_of_champion": Interval(ahead, -0.05, high)}
    decision = decide(changed(has_champion=True, **beside))
    assert status(decision)["champion"] == expected
    assert decision.passed is (expected != "fail")


def test_the_champion_in_words():
    beside = {"champion": Interval(0.76, 0.74, 0.78), "ahead_of_champion": Interval(-0.018, -0.03, -0.006)}
    fails = decide(changed(has_champion=True, **beside))
    assert text_of(fails, "champion") == (
        "the AUC is .018 behind the champion's recipe (.760) on the same folds, [-.030, -.006], and .010 behind is allowed"
    )
    equal = decide(changed(has_champion=True, **level_with_champion))
    assert text_of(equal, "champion") == (
        "the AUC is level with the champion's recipe (.742) on the same folds, [-.010, +.010]"
    )
    unknown = decide(changed(has_champion=True))
    assert status(unknown)["champion"] == "warn"
    assert unknown.grade == "B"
    assert unknown.text.endswith("The champion's recipe could not be refitted on these folds, so it was not compared.")


A_SEGMENT = Segment(
    name="market=DE",
    customers=1234,
    churned=400,
    auc=0.70,
    baseline_auc=0.731,
    ahead=Interval(-0.031, -0.05, -0.012),
    p=0.001,
    p_holm=0.002,
    mean_probability=0.41,
    churned_share=0.3,
    level=Interval(0.11, 0.08, 0.14),
    level_p=0.3,
    level_p_holm=0.6,
)


def test_a_segment_that_is_worse_warns_and_lowers_the_grade():
    fine = dataclasses.replace(A_SEGMENT, name="market=JP", p_holm=1.0)
    sure = GOOD.differences | {"RFM logistic": Interval(0.02, 0.01, 0.03)}
    decision = decide(changed(segments=(A_SEGMENT, fine), differences=sure))
    assert (decision.passed, decision.grade, status(decision)["segments"]) == (True, "B", "warn")
    assert text_of(decision, "segments") == (
        "1 of 2 segments is worse than the whole (market=DE: AUC .031 behind the best baseline [-.050, -.012]): check "
        "what their rows lack, add a feature that tells them apart, or train them as a shop of their own"
    )
    assert decision.tags()["gate.segments"] == "warn 1 (limit 0)"
    off = dataclasses.replace(fine, level_p_holm=0.01)
    assert "(market=JP: mean probability 11.0 points above the observed churn rate, unlike the others)" in text_of(
        decide(changed(segments=(off,))), "segments"
    )
    assert text_of(decide(changed(segments=(fine,))), "segments") == (
        "no segment of 1 is surely behind the best baseline or off in level"
    )


@pytest.mark.parametrize(
    ("fields", "expected", "text"),
    [
        ({}, "pass", "1,500 customers eligible on the train day score cleanly, mean probability .310"),
        (
            {"impossible": 3},
            "fail",
            "3 of 1,500 customers eligible on the train day get no probability: look at their features, then train again",
        ),
        (
            {"distinct": 1},
            "fail",
            "all 1,500 customers eligible on the train day get the same probability, .310: nobody could be ranked",
        ),
        (
            {"distinct": 1, "customers": 40},
            "pass",
            "40 customers eligible on the train day score cleanly, mean probability .310",
        ),
        (
            {"customers": 0},
            "warn",
            "nobody is eligible on the train day, so the model was not tried on the customers of today",
        ),
        (
            {"missing": ("nps", "csat")},
            "warn",
            "all 1,500 customers eligible on the train day lack nps, csat, known in training: bring the data back, or "
            "exclude it by features.exclude",
        ),
        (
            {"mean": 0.71},
            "warn",
            "the mean probability of 1,500 customers eligible on the train day is .710, outside of .200 to .500 that past "
            "snapshots would explain: look for tables that end early",
        ),
    ],
)
def test_the_population_of_the_train_day(fields, expected, text):
    clean = Population(customers=1500, impossible=0, distinct=900, mean=0.31, usual=(0.2, 0.5), missing=())
    decision = decide(changed(population=dataclasses.replace(clean, **fields)))
    assert (status(decision)["population"], text_of(decision, "population")) == (expected, text)
    assert decision.passed is (expected != "fail")


def test_the_season_is_the_last_sentence_and_changes_nothing():
    decision = decide(changed(season="season unseen: the order of customers is reliable"))
    assert decision.text == f"{decide(GOOD).text} Season unseen: the order of customers is reliable."
    assert decision.grade == decide(GOOD).grade


def test_probabilities_surely_worse_than_a_rules_warn_and_lower_the_grade():
    rules = {"rule": Interval(0.02, 0.01, 0.03), "RFM logistic": Interval(-0.02, -0.03, -0.01)}
    decision = decide(changed(log_loss_ahead=rules))
    assert (decision.passed, decision.grade, status(decision)["log_loss"], decision.not_behind) == (
        True,
        "C",
        "warn",
        False,
    )
    assert text_of(decision, "log_loss") == (
        "the log loss is .020 higher than that of RFM logistic [-.030, -.010]: its probabilities are worse than a plain rule's"
    )
    for harmless in (Interval(-0.02, -0.05, 0.01), Interval(-0.002, -0.003, -0.001)):
        assert status(decide(changed(log_loss_ahead={"RFM logistic": harmless})))["log_loss"] == "pass"
    none = decide(changed(log_loss_ahead={}))
    assert text_of(none, "log_loss") == "no baseline with probabilities could be measured"
