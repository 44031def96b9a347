"""Gates as records, refusals word for word, and which of them may be accepted."""

from __future__ import annotations

import pytest

from kizuna.config_file import parse_config
from kizuna.errors import ConfigError, DataMissing, ModelError, ResultError
from kizuna.scoring.gates.gate import Accepted, Gate, accepted_gates, failing, recorded, refuse_failing

CONFIG = parse_config({"name": "shop", "data": {"tables": {"purchases": {"path": "p"}, "customers": {"path": "c"}}}})
ROWS = Gate("rows.purchases", "fail", 0.4, 0.8, "40 rows are known.", "Load the whole table", 10)
DRIFT = Gate("score_drift", "fail", 0.7, 0.5, "they lie 0.70 away.", "Train again", 13)
FEATURES = Gate("features", "fail", 1.0, 0.0, "age is not there.", "Bring it back", 12, waivable=False)
FINE = Gate("list_size", "pass", 1.0, 0.5)


def accepted(*names: str, why: str = "a reason") -> Accepted:
    return Accepted(dict.fromkeys(names, why), "ana")


def test_the_first_failure_is_the_refusal_and_names_the_others():
    with pytest.raises(DataMissing) as found:
        refuse_failing([FINE, ROWS, DRIFT], Accepted())
    assert str(found.value) == (
        "Gate rows.purchases: 40 rows are known. Load the whole table, or accept it: "
        "--accept-gate rows.purchases --why TEXT. Also failing: score_drift."
    )
    assert found.value.exit_code == 10


def test_each_refusal_has_the_exit_code_of_its_gate():
    with pytest.raises(ResultError):
        refuse_failing([DRIFT], Accepted())
    with pytest.raises(ModelError) as found:
        refuse_failing([FEATURES], Accepted())
    assert str(found.value) == "Gate features: age is not there. Bring it back. It cannot be accepted."


def test_an_accepted_gate_passes_and_is_recorded_with_who_and_why():
    gates = [ROWS, FINE]
    refuse_failing(gates, accepted("rows.purchases"))
    assert recorded(gates, accepted("rows.purchases")) == [
        {
            "name": "rows.purchases",
            "status": "fail",
            "value": 0.4,
            "limit": 0.8,
            "accepted_by": "ana",
            "reason": "a reason",
        },
        {"name": "list_size", "status": "pass", "value": 1.0, "limit": 0.5, "accepted_by": None, "reason": None},
    ]


def test_what_cannot_be_accepted_is_not_whatever_is_asked():
    assert failing([FEATURES, DRIFT], accepted("features", "score_drift")) == [FEATURES]
    assert recorded([FEATURES], accepted("features"))[0]["accepted_by"] is None


def test_a_gate_that_passes_is_not_recorded_as_accepted():
    assert recorded([FINE], accepted("list_size"))[0]["accepted_by"] is None


def test_one_reason_stands_for_all_gates_or_one_for_each():
    names = ["rows.purchases", "score_drift"]
    assert accepted_gates(names, ["moved"], CONFIG).reasons == dict.fromkeys(names, "moved")
    assert accepted_gates(names, ["a", "b"], CONFIG).reasons == {"rows.purchases": "a", "score_drift": "b"}
    assert accepted_gates([], [], CONFIG) == Accepted()
    found = accepted_gates(["levels.customers.market"], ["new  names\n\x1b[31m of\tmarkets"], CONFIG)
    assert found.reasons == {"levels.customers.market": "new names [31m of markets"}
    assert found.by


@pytest.mark.parametrize(
    ("names", "reasons", "said"),
    [
        (
            ["rows.purchase"],
            ["x"],
            "--accept-gate rows.purchase: there is no such gate. Did you mean 'rows.purchases'? See docs/gates.md.",
        ),
        (["rows.surveys"], ["x"], None),
        (["levels.customers"], ["x"], None),
        (
            ["score-drift"],
            ["x"],
            "--accept-gate score-drift: there is no such gate. Did you mean 'score_drift'? See docs/gates.md.",
        ),
        (
            ["freshness.purchases"],
            ["x"],
            "--accept-gate freshness.purchases: this gate cannot be accepted. Mend what it names; docs/gates.md says which "
            "gates can be.",
        ),
        (["features"], ["x"], None),
        (["probabilities"], ["x"], None),
        (
            ["score_drift"],
            ["  \t"],
            "--accept-gate needs a reason: 1 accepted, an empty one found. Add --why TEXT, once for all or once for each.",
        ),
        (
            ["score_drift"],
            [],
            "--accept-gate needs a reason: 1 accepted, 0 found. Add --why TEXT, once for all or once for each.",
        ),
        (["score_drift", "list_size", "eligible"], ["a", "b"], None),
        ([], ["x"], "--why says why a gate is accepted, but no gate is named. Add --accept-gate NAME."),
        (["score_drift", "score_drift"], ["x"], "--accept-gate names a gate twice. Name each once."),
        (["score_drift"], ["x" * 501], "--why takes 500 characters, found 501. Say it shorter."),
    ],
)
def test_what_cannot_be_meant_is_refused(names: list[str], reasons: list[str], said: str | None):
    with pytest.raises(ConfigError) as found:
        accepted_gates(names, reasons, CONFIG)
    assert said is None or str(found.value) == said
