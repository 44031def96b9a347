from dataclasses import replace

import pytest

from kizuna.evaluation.baselines.names import RULE_NAMES


@pytest.fixture
def sheet(read_workbook):
    def read(name, **fields):
        return list(read_workbook("en", listed=3, **fields)[1][name].iter_rows(values_only=True))

    return read


def row_of(rows, label):
    return next(list(row[1:]) for row in rows if row[0] == label)


def test_metrics_stand_beside_the_baselines(sheet):
    rows = sheet("Model results")
    assert rows[0][0] == "Model results: grade A"
    assert row_of(rows, "Measure")[:4] == ["kizuna", "RFM logistic", "Longest silent", "Purchase rate"]
    assert row_of(rows, "AUC: order (0.5 random, 1 perfect)")[:4] == [0.823, 0.797, 0.704, 0.688]
    assert row_of(rows, "Log loss (lower is better)")[:4] == [0.512, 0.541, None, None]
    assert row_of(rows, "Gate")[0] == "Passed. To note: calibration"


def test_every_check_of_the_gate_is_a_row(sheet, read_workbook):
    rows = sheet("Model results")
    assert row_of(rows, "Check")[:3] == ["Result", "Value", "Limit"]
    assert row_of(rows, "Signal: low end of the AUC (95% interval)")[:3] == ["Passed", 0.815, 0.5]
    assert row_of(rows, "Calibration: low end of its error (95% interval)")[:3] == ["To note", 0.061, 0.05]
    assert row_of(rows, "Model in use: AUC ahead of its recipe")[:3] == ["Passed", None, -0.01]
    page = read_workbook("en", listed=3)[1]["Model results"]
    formats = {row[0].value: row[3].number_format for row in page.iter_rows()}
    assert formats["Plain rules: AUC ahead of the best of them"] == '"≥ "0.000;"≥ "-0.000'
    assert formats["Leaks: columns that know the outcome"] == '"≤ "0;"≤ "-0'


def test_no_check_is_written_in_another_language(read_workbook, build_pack):
    baselines = {name: {"auc": 0.7} for name in RULE_NAMES}
    evaluation = build_pack("ja").evaluation | {"baselines": baselines}
    page = read_workbook("ja", listed=3, evaluation=evaluation)[1]["モデルの成績"]
    texts = [cell.value for row in page.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert not set(texts) & set(RULE_NAMES) - {"formula"}
    latin = [text for text in texts if text.isascii() and " " in text]
    assert latin == ["shop-churn v3 / shop-cltv v3"]


def test_the_answer_check_counts_the_named(sheet):
    rows = sheet("Model results")
    assert row_of(rows, "Named by")[:3] == ["Of them, did not buy", "Share", "AUC"]
    assert row_of(rows, "kizuna")[:3] == [231, 0.77, 0.823]
    assert row_of(rows, "Random")[:3] == [137.4, 137.4 / 300, None]


def test_a_list_by_value_stands_beside_the_one_by_risk(sheet, build_pack):
    answer = build_pack("en").answer
    by_value = replace(
        answer, ranked_by="value_at_risk", churned=answer.churned | {"kizuna": 201.0, "kizuna_probability": 231.0}
    )
    rows = sheet("Model results", answer=by_value)
    assert row_of(rows, "Was it right before?")[0].startswith("Of 300 customers named by value at risk on 2 Oct 2025")
    assert row_of(rows, "kizuna")[0] == 201
    assert row_of(rows, "kizuna, by risk")[0] == 231


def test_where_everybody_is_named_neither_lift_nor_their_share_is_shown(sheet, build_pack):
    evaluation = build_pack("en").evaluation
    named = {"precision_at_capacity": 0.45, "lift_at_capacity": 1.2}
    lifted = sheet("Model results", evaluation=evaluation | {"model": evaluation["model"] | named})
    assert row_of(lifted, "Lift of the named over random")[0] == 1.2
    everybody = sheet(
        "Model results", evaluation=evaluation | {"model": evaluation["model"] | named | {"lift_at_capacity": None}}
    )
    assert not [row for row in everybody if str(row[0]).startswith(("Lift", "Churned share"))]


def test_little_evidence_is_no_error(sheet):
    evaluation = {
        "evaluation": "in_time",
        "model": {"auc": float("nan")},
        "baselines": {},
        "grade": None,
        "gate_checks": [],
    }
    rows = sheet("Model results", evaluation=evaluation, answer=None)
    assert rows[0][0] == "Model results: grade –"
    assert row_of(rows, "How it was tested")[0].startswith("In time only")
    assert not [row for row in rows if row[0] in ("Measure", "Named by")]


def test_findings_errors_first(sheet, build_pack):
    findings = build_pack("en").findings
    findings.loc[2, "state"] = "error"
    rows = sheet("Data quality", findings=findings)
    assert rows[0] == ("State", "Table", "Column", "Finding", "Count", "Details")
    assert [row[0] for row in rows[1:]] == ["Error", "Warning", "Warning"]
    assert rows[2][3:5] == ("late_rows", 1204)


def test_no_finding_is_a_sentence(sheet, build_pack):
    rows = sheet("Data quality", findings=build_pack("en").findings.head(0))
    assert rows[1][0] == "The data report has no findings."
