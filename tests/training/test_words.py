"""One real training of each kind, and what is told of it; what one shop cannot show is put into a real result."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kizuna.config import Economics
from kizuna.data.simulate import simulate
from kizuna.evaluation.leaks.findings import LeakFinding, LeakWarning
from kizuna.evaluation.money import assess_money
from kizuna.models.learners.tuning import Tuned, TuneTrial, untried
from kizuna.project import Project, load
from kizuna.training.train import TrainResult
from kizuna.training.words import training_lines

NUMBER = r"1?\.\d{3}"
SIGNED = r"[+-]?\.\d{3}"
INTERVAL = rf"\[-?{NUMBER}, -?{NUMBER}\]"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=300, days=640, seed=11)
    return folder / "config.yaml"


@pytest.fixture(scope="module")
def trained(shop: Path) -> TrainResult:
    return load(shop, ["features.families=[purchases]", "evaluation.capacity=60"]).train()


@pytest.fixture(scope="module")
def contracts(shop: Path) -> TrainResult:
    settings = ["churn.definition=cancellation", "features.families=[subscriptions,purchases]"]
    return load(shop, [*settings, "tracking.uri=sqlite:///contracts.db"]).train()


def a_table(folder: Path, leak: bool) -> TrainResult:
    """Three hundred customers whose undated labels follow one column, or are given away by another."""
    generator = np.random.default_rng(1)
    ids, x = [f"c{k:03d}" for k in range(300)], generator.normal(size=300)
    churned = (generator.random(300) < 1 / (1 + np.exp(-2 * x))).astype(int)
    features = pd.DataFrame({"customer_id": ids, "x": x})
    if leak:
        features["closed"] = churned.astype(float)
    config = {
        "name": "table",
        "data": {"tables": {"labels": {}, "features": {}}},
        "churn": {"definition": "provided"},
        "tracking": {"uri": f"sqlite:///{folder}/mlflow.db"},
    }
    return Project(
        config, {"labels": pd.DataFrame({"customer_id": ids, "churned": churned}), "features": features}
    ).train()


def told(result: TrainResult, **replaced: object) -> list[str]:
    """The lines of a training of which some parts are replaced."""
    lines = training_lines(replace(result, trained=replace(result.trained, **replaced)), "shop.yaml")
    assert len(lines) <= 26
    assert max(map(len, lines)) <= 130
    assert "nan" not in " ".join(lines)
    return lines


def line(lines: list[str], start: str) -> str:
    (found,) = [one for one in lines if one.startswith(start)]
    return found


def test_a_usual_training_is_one_screen_in_this_order(trained: TrainResult) -> None:
    lines = told(trained)
    assert len(lines) <= 22
    training = trained.trained.training
    assert lines[0] == (
        f"shop, trained on what was known before 2026-01-01: {len(training.y):,} rows, "
        f"{len(training.frame.plan.columns)} features, {len(training.days)} snapshots"
    )
    assert lines[1] == ""
    customers = trained.trained.assessment.evidence.customers
    assert lines[2] == f"CHURN no purchase in 90 days | out of time, 3 test days, {customers} customers"
    assert lines[3].split("  ")[-1].strip() == "lift@60"
    starts = [one.split()[0] for one in lines[4:] if not one.startswith(" ")]
    assert starts[0] == "kizuna"
    assert starts[5:] == ["VALUE", "LIST", "GATE", "NEXT", "version"]


def test_every_number_of_the_table_is_the_measured_one_and_the_best_rule_is_first(trained: TrainResult) -> None:
    lines, assessment = told(trained), trained.trained.assessment
    metrics = assessment.metrics
    estimator = trained.trained.churn.estimator_name_
    expected = f"kizuna ({estimator})", f"{metrics['auc']:.3f}", f"{metrics['log_loss']:.3f}"
    assert lines[4].startswith(expected[0])
    assert re.search(
        rf"  {expected[1][1:]} {INTERVAL} +{expected[2][1:]} +{metrics['lift_at_capacity']:.2f}$", lines[4]
    )
    ranked = [float(re.search(rf"  ({NUMBER})  ", one)[1]) for one in lines[5:9]]
    assert ranked == sorted(ranked, reverse=True)
    assert re.fullmatch(r"longest silent +\.\d{3} +- +\d\.\d{2}", line(lines, "longest silent"))
    calibration = assessment.evidence.calibration
    assert lines[9].endswith(f" | calibration error {calibration}")
    assert re.match(rf"  (ahead of|behind|level with) [\w/ ]+( by {NUMBER})? \[{SIGNED}, {SIGNED}\] \| ", lines[9])
    assert re.fullmatch(
        r"  silent < 90 days: AUC \.\d{3} \| by risk recall@60 1?\.\d{3}, median silence when first listed \d+ days",
        lines[10],
    )
    by_value = trained.trained.answer | {"ranked_by": "value_at_risk"}
    assert " | by value at risk recall@60 " in line(told(trained, answer=by_value), "  silent")
    assert trained.to_json()["ranked_by"] == "churn_probability"


def test_where_everybody_is_named_there_is_no_lift(trained: TrainResult) -> None:
    largest = max(trained.trained.assessment.sizes)
    config = trained.config.model_copy(
        update={"evaluation": trained.config.evaluation.model_copy(update={"capacity": largest})}
    )
    metrics = trained.trained.assessment.metrics | {"lift_at_capacity": float("nan")}
    everybody = replace(trained, config=config)
    lines = told(everybody, assessment=replace(trained.trained.assessment, metrics=metrics))
    assert line(lines, "kizuna").endswith("  -")
    why = f"evaluation.capacity {largest} would name all {largest} customers of a test"
    assert line(lines, "  no lift") == f"  no lift: {why}"
    assert everybody.to_json()["no_lift"] == why
    assert trained.to_json()["no_lift"] == ""
    assert not [one for one in told(trained) if "no lift" in one]


def test_value_and_list_are_told_in_money(trained: TrainResult) -> None:
    lines = told(trained)
    assert line(lines, "VALUE") == "VALUE 365 days, auto | by customer, not out of time: level untested"
    after = lines[lines.index(line(lines, "VALUE")) + 1]
    assert re.match(rf"  Gini {NUMBER} {INTERVAL}, {SIGNED} \[{SIGNED}, {SIGNED}\] on [\w/× -]+$", after)
    money = trained.trained.value.money
    caught = money.table.set_index("ranking")["value_caught_at_capacity"]
    size, letter = (1e6, "M") if caught.max() >= 1e6 else (1e3, "k")
    held = line(lines, "LIST")
    assert f"named by value at risk, spent in the year before by those who left: {caught['kizuna'] / size:.2f}" in held
    assert f" {letter} JPY (" in held
    ahead = money.comparison.differences[money.best_rule]["value_caught_at_capacity"]
    verdict = "no proven gain" if not ahead.excludes(0) else "a gain" if ahead.low > 0 else "a loss"
    assert lines[lines.index(held) + 1].endswith(f"] {letter} JPY: {verdict}")
    assert "profit" not in " ".join(lines)


def test_costs_and_a_save_rate_bring_the_profit(trained: TrainResult) -> None:
    value = trained.trained.value
    costs = Economics(contact_cost=100.0, offer_cost=500.0, assumed_save_rate=0.2)
    lines = told(trained, value=replace(value, money=assess_money(value.money.rows, 60, costs)))
    earned = line(lines, "  profit under the assumed costs and save rate: ")
    assert re.search(r": -?[\d.,]+ (k |M )?JPY$", earned)
    assert ", difference " in lines[lines.index(earned) + 1]


def test_a_value_model_out_of_time_tells_its_total_and_warns(trained: TrainResult) -> None:
    value = trained.trained.value
    lines = told(trained, value=replace(value, evaluation="out_of_time", metrics=value.metrics | {"total_ratio": 1.4}))
    assert line(lines, "VALUE") == "VALUE 365 days, auto | out of time"
    assert re.search(r"; predicted / actual total \d\.\d\d \[\d\.\d\d, \d\.\d\d\]$", line(lines, "  Gini"))
    warning = replace(value.check, status="warn", value=-0.02)
    off = replace(value, evaluation="out_of_time", metrics=value.metrics | {"total_ratio": 1.4}, check=warning)
    remark = line(told(trained, value=off), "  rank by")
    assert remark.endswith("where the order of values matters; read values as an order, not as amounts")


def test_without_a_value_model_the_reason_is_told_and_no_list(trained: TrainResult) -> None:
    training = replace(trained.trained.training, value_window=None, no_value="no table purchases")
    lines = told(trained, cltv=None, value=None, training=training)
    assert line(lines, "VALUE") == "VALUE no model: no table purchases"
    assert not [one for one in lines if one.startswith("LIST")]
    training = replace(trained.trained.training, no_value="")
    assert line(told(trained, cltv=None, value=None, training=training), "VALUE").endswith("too few rows with a value")
    assert line(told(trained, value=None), "VALUE") == "VALUE 365 days, auto | too few customers to test it"


def test_without_baselines_nothing_is_compared(trained: TrainResult) -> None:
    assessment = trained.trained.assessment
    evidence = replace(assessment.evidence, baselines={}, differences={})
    lines = told(trained, assessment=replace(assessment, baselines={}, evidence=evidence))
    assert lines[5].startswith("  no rule could be measured on these rows | calibration error ")


def test_contracts_have_no_silence_and_no_next_purchase(contracts: TrainResult) -> None:
    lines = told(contracts)
    assert re.match(r"CHURN cancelled within 90 days \| (out of time|by customer)", lines[2])
    assert not [one for one in lines if one.startswith(("  silent", "NEXT"))]


def test_labels_without_days_have_neither_season_nor_day(tmp_path: Path) -> None:
    result = a_table(tmp_path, leak=False)
    lines = told(result)
    assert lines[0] == "table, trained on labels without days: 300 rows, 1 feature, 1 snapshot"
    assert lines[2] == "CHURN labels given | by customer, not out of time, 5 folds, 300 customers"
    assert not [one for one in lines if "season" in one.lower()]
    assert "season" not in result.trained.decision.text.lower()
    assert result.to_json()["season_unseen"] is None
    assert line(lines, "VALUE") == "VALUE no model: no table purchases, and no labels with a value"
    assert re.match(rf"plain logistic +{NUMBER} +{NUMBER} +-$", line(lines, "plain logistic"))
    assert line(lines, "  no lift") == "  no lift: evaluation.capacity 500 would name all 60 customers of a test"


def test_without_days_nobody_is_told_to_wait_for_them(tmp_path: Path) -> None:
    result = a_table(tmp_path, leak=False)
    decision, evidence = result.trained.decision, result.trained.assessment.evidence
    weak = {name: replace(found, low=0.4) for name, found in evidence.baselines.items()}
    nothing = replace(result.trained.assessment, evidence=replace(evidence, baselines=weak))
    for name, todo in (
        ("signal", "more customers or other columns are needed"),
        ("calibration", "read percentages as an order"),
        ("level", "read percentages as an order"),
    ):
        checks = tuple(replace(one, status="fail") if one.name == name else one for one in decision.checks)
        refused = replace(decision, passed=False, grade="D", checks=checks)
        assert line(told(result, decision=refused, assessment=nothing), f"  {name}").endswith(f"; {todo}")


def test_a_refusal_names_each_failed_check_with_its_limit_and_what_to_do(tmp_path: Path) -> None:
    result = a_table(tmp_path, leak=True)
    lines = told(result)
    gate = lines.index("GATE  refused: 1 of 9 checks failed (0 warnings, 1 leak)")
    assert lines[gate + 1 :] == [
        "  leak: fail 1 (limit 0); put what only the outcome could have told into features.exclude",
        "  LEAK closed alone ranks churn with AUC 1.000 on rows not learned from (limit .950)",
        f"version 1 not promoted: refused by the gate | run {result.run_id[:8]} | in full: evaluation/gate.txt",
    ]
    assert result.to_json()["why"] == result.trained.decision.text


def test_no_signal_says_whether_a_rule_would_do(trained: TrainResult) -> None:
    decision, assessment = trained.trained.decision, trained.trained.assessment
    said = "the AUC is low, while the baseline bgnbd can (.848): set model.churn.estimator to btyd"
    checks = tuple(
        replace(check, status="fail", value=0.45, limit=0.5, text=said) if check.name == "signal" else check
        for check in decision.checks
    )
    refused = replace(decision, passed=False, grade="D", checks=checks)
    assert line(told(trained, decision=refused), "  signal").startswith("  signal: fail .450 (limit .500); ")
    weak = {name: replace(found, low=0.4) for name, found in assessment.evidence.baselines.items()}
    nothing = replace(assessment, evidence=replace(assessment.evidence, baselines=weak))
    assert line(told(trained, decision=refused, assessment=nothing), "  signal").endswith(
        "; more customers, a longer history or other tables are needed"
    )
    strong = {name: replace(found, low=0.6) for name, found in assessment.evidence.baselines.items()}
    rule = replace(assessment, evidence=replace(assessment.evidence, baselines=strong))
    assert line(told(trained, decision=refused, assessment=rule), "  signal").endswith(
        " can tell who leaves: set model.churn.estimator to btyd"
    )


def test_what_was_left_out_because_it_was_written_later_is_named(trained: TrainResult) -> None:
    late = LeakWarning("overwritten", ("status=closed", "status=open", "note"), "x")
    lines = told(trained, warnings=(late,))
    assert "  left out: status, note, written over after the churn; give customers valid_from" in lines
    many = LeakWarning("overwritten", ("a", "b", "c", "d", "e"), "x")
    assert line(told(trained, warnings=(many,)), "  left out").startswith(
        "  left out: a, b, c and 2 more, written over"
    )
    assert not [one for one in told(trained) if "left out" in one]


def test_many_warnings_leaks_and_remarks_stay_a_few_lines(trained: TrainResult) -> None:
    warned = ("baseline", "calibration", "level", "champion", "segments")
    decision = trained.trained.decision
    checks = tuple(replace(one, status="warn" if one.name in warned else "pass") for one in decision.checks)
    findings = tuple(LeakFinding(f"f{k}", f"f{k} alone ranks churn: it probably is the outcome") for k in range(5))
    remarks = (
        LeakWarning("calendar", ("a", "b"), "x"),
        LeakWarning("calendar", ("c",), "x"),
        LeakWarning("folds", (), "x"),
    )
    lines = told(trained, decision=replace(decision, checks=checks), findings=findings, warnings=remarks)
    gate = lines.index(line(lines, "GATE"))
    assert lines[gate].endswith("(9 checks, 5 warnings, 5 leaks)")
    assert lines[gate + 1 : gate + 7] == [
        "  warnings: baseline, calibration, level, champion, segments; in full: evaluation/gate.txt",
        *(f"  LEAK f{k} alone ranks churn" for k in range(3)),
        "  and 2 more: evaluation/leaks.json",
        "  3 remarks on the columns (calendar, folds): evaluation/leaks.json",
    ]
    two = tuple(replace(one, status="warn" if one.name in warned[-2:] else "pass") for one in decision.checks)
    lines = told(trained, decision=replace(decision, checks=two))
    assert line(lines, "  champion: warn").endswith(
        "; the champion stays; look at what its tables had that these have not"
    )
    assert line(lines, "  segments: warn").endswith("; evaluation/segments names them")


def test_a_search_is_told_in_one_line(trained: TrainResult) -> None:
    trials = (TuneTrial(0, {}, 0.5, "complete"), TuneTrial(1, {}, 0.4, "pruned"))
    found = Tuned("log_loss", {}, False, 0.0012, -0.001, 0.0034, trials, "in full")
    lines = told(trained, tuned=found, value_tuned=untried("value_loss", "Nothing could be tried."))
    assert line(lines, "TUNED churn") == (
        "TUNED churn: 2 settings tried, better by +0.0012 [-0.0010, +0.0034] on the test that none saw: "
        "no help, the defaults stay"
    )
    assert line(lines, "TUNED value") == "TUNED value: Nothing could be tried."


def test_the_last_line_says_what_comes_next(trained: TrainResult) -> None:
    run = f"run {trained.run_id[:8]}"
    assert trained.promoted
    assert told(trained)[-1] == f"version 1 promoted to champion | {run} | kizuna score shop.yaml --as-of 2026-01-01"
    waits = replace(trained, not_promoted="as asked, it waits as challenger")
    assert not waits.promoted
    assert told(waits)[-1] == (
        f"version 1 not promoted: as asked, it waits as challenger | {run} | kizuna promote shop.yaml 1"
    )
    assert waits.why.endswith(". Not promoted: as asked, it waits as challenger. Use kizuna promote if you mean it.")
