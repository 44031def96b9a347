"""Surveys: the last answers, their change, and feedback left unanswered."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table

CUSTOMERS = table("customer_id", "a", "b", "c")


def test_the_last_day_with_an_answer_speaks_and_the_one_before_it_is_compared() -> None:
    surveys = table(
        "customer_id occurred_at kind score",
        "a 2025-01-01 nps 9",
        "a 2025-02-01 NPS 5",
        "a 2025-02-01 nps 6",
        "a 2025-02-20 nps -",
        "b 2025-02-01 nps 7",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "surveys": surveys})
    a, b, c = (frame.loc[name] for name in "abc")
    assert (a["nps_last"], a["nps_change"], a["days_since_nps"], a["is_detractor"]) == (5.5, -3.5, 9, 1)
    assert (b["nps_last"], b["is_detractor"]) == (7, 0)
    assert np.isnan([b["nps_change"], c["nps_last"], c["is_detractor"], c["days_since_nps"]]).all()


def test_a_row_that_says_its_scale_is_rescaled() -> None:
    surveys = table(
        "customer_id occurred_at kind score scale_min scale_max",
        "a 2025-01-01 csat 4 - -",
        "a 2025-02-01 csat 70 0 100",
        "b 2025-02-01 nps 60 0 100",
        "c 2025-02-01 csat 3 3 3",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "surveys": surveys})
    assert (frame.loc["a", "csat_last"], frame.loc["b", "nps_last"], frame.loc["b", "is_detractor"]) == (0.7, 6, 1)
    assert np.isclose(frame.loc["a", "csat_change"], -0.05)
    assert np.isnan(frame.loc["c", "csat_last"])


def test_feedback_is_unanswered_until_somebody_followed_it_up() -> None:
    surveys = table(
        "customer_id occurred_at kind score followed_up_at",
        "a 2024-02-01 suggestion - 2024-03-01",
        "a 2024-06-01 suggestion - 2024-07-01",
        "a 2025-01-01 suggestion - -",
        "a 2025-01-10 nps 6 2025-03-01",
        "a 2025-01-11 nps 7 -",
        "b 2025-01-01 csat 2 2025-01-05",
        "b 2025-01-02 csat 3 -",
        "b 2025-01-03 ces 1 -",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "surveys": surveys})
    assert frame["unanswered_feedback"].to_dict() == {"a": 2, "b": 1, "c": 0}
    assert frame["oldest_unanswered_days"].fillna(-1).to_dict() == {"a": 59, "b": 57, "c": -1}
    assert frame["answers_365d"].to_dict() == {"a": 4, "b": 3, "c": 0}
    assert frame["critical_answers_365d"].to_dict() == {"a": 3, "b": 2, "c": 0}
    assert frame["suggestions_365d"].to_dict() == {"a": 2, "b": 0, "c": 0}


def test_the_lowest_answer_and_the_usual_one() -> None:
    surveys = table(
        "customer_id occurred_at kind score",
        "a 2024-01-01 csat 1",
        "a 2025-01-01 csat 5",
        "a 2025-01-01 csat 3",
        "a 2025-02-01 csat 4",
        "a 2025-02-01 csat 2",
        "a 2025-02-20 csat -",
        "b 2024-03-01 csat 4",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "surveys": surveys})
    assert frame.loc["a", ["csat_last", "csat_min_180d", "csat_vs_usual"]].tolist() == [0.5, 0.25, 0]
    assert np.isnan(frame.loc["b", ["csat_min_180d", "csat_vs_usual"]].astype("float64")).all()


def test_effort_intent_and_value_have_scales_of_their_own() -> None:
    surveys = table(
        "customer_id occurred_at kind score scale_max touchpoint",
        "a 2024-01-01 ces 7 - -",
        "a 2025-01-01 ces 4 - -",
        "a 2025-01-02 intent 8 - -",
        "a 2025-01-03 csat 5 - Price",
        "a 2025-01-04 csat 1 - delivery",
        "a 2025-01-05 nps 1 - value",
        "b 2025-01-01 ces 3 - -",
        "b 2025-01-01 intent 4 5 -",
        "b 2025-01-01 csat 3 - VALUE",
        "b 2025-01-01 csat 4 - price",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "surveys": surveys})
    assert frame.loc["a", ["ces_last", "intent_last", "value_last", "csat_last"]].tolist() == [0.5, 0.8, 1, 0]
    assert np.allclose(frame.loc["b", ["ces_last", "intent_last", "value_last"]].astype("float64"), [1 / 3, 0.8, 0.625])
    assert frame["critical_answers_365d"].to_dict() == {"a": 2, "b": 1, "c": 0}
    assert np.isnan(frame.loc["c", ["ces_last", "intent_last", "value_last"]].astype("float64")).all()


def test_a_suggestion_is_adopted_from_the_day_after_on() -> None:
    surveys = table(
        "customer_id occurred_at kind score adopted_at",
        "a 2024-01-01 suggestion - 2025-02-28",
        "a 2024-01-02 suggestion - 2025-03-01",
        "a 2024-01-03 nps 3 2024-02-01",
        "b 2024-01-03 suggestion - -",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "surveys": surveys})
    assert frame["suggestions_adopted"].to_dict() == {"a": 1, "b": 0, "c": 0}
