"""What customers said, on rows whose answer one can count."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from tests.kpi.small import buys, one, pack_of, value


def surveys(*rows: tuple[object, ...], touchpoint: bool = False) -> pd.DataFrame:
    names = [
        "customer_id",
        "occurred_at",
        "kind",
        "score",
        "scale_min",
        "scale_max",
        *(["touchpoint"] if touchpoint else []),
    ]
    return pd.DataFrame(rows, columns=names)


def shop(*extra: tuple[str, str]) -> pd.DataFrame:
    return buys(("z", "2024-01-01"), ("z", "2024-07-31"), *extra)


def test_the_golden_example_nps() -> None:
    answers = surveys(*((f"c{n}", "2024-05-10", "nps", s, None, None) for n, s in enumerate((10, 10, 9, 8, 7, 6, 0))))
    people = buys(*((f"c{n}", "2024-04-01") for n in range(7)), ("z", "2024-07-31"))
    row = one(pack_of({"purchases": people, "surveys": answers}, "2024-05-01", "2024-05-31"), "nps", "2024-05")
    assert round(row["value"], 1) == 14.3
    assert (row["n"], row["unit"], row["state"], row["direction"]) == (7, "score", "reference", "")
    assert row["low"] < 14.3 < row["high"]


def test_one_answer_per_customer_and_period_on_its_own_scale_and_none_that_is_off_it() -> None:
    answers = surveys(
        ("a", "2024-05-01", "nps", 0, None, None),
        ("a", "2024-05-20", "nps", 9, None, None),
        ("a", "2024-06-02", "nps", 6, None, None),
        ("b", "2024-05-03", "nps", 5, 1, 5),
        ("c", "2024-05-04", "nps", 11, None, None),
        ("d", "2024-05-04", "csat", 1, 1, 5),
        ("e", "2024-05-04", "nps", None, None, None),
    )
    people = shop(*((name, "2024-04-01") for name in "abcde"))
    pack = pack_of({"purchases": people, "surveys": answers}, "2024-04-01", "2024-06-30")
    assert (value(pack, "nps", "2024-05"), one(pack, "nps", "2024-05")["n"]) == (100, 2)
    assert value(pack, "nps", "2024-06") == -100
    # In the quarter a's last answer is the one in June.
    assert value(pack, "nps", "FY2024-Q1") == 0


def test_several_answers_on_one_day_count_as_the_lowest_whatever_their_order() -> None:
    rows = [("a", "2024-05-01", "nps", 10, None, None), ("a", "2024-05-01", "nps", 3, None, None)]
    for order in (rows, rows[::-1]):
        pack = pack_of({"purchases": shop(("a", "2024-04-01")), "surveys": surveys(*order)}, "2024-05-01", "2024-05-31")
        assert value(pack, "nps", "2024-05") == -100


def test_csat_of_scales_of_five_seven_and_ten_and_by_touchpoint() -> None:
    answers = surveys(
        ("a", "2024-05-01", "csat", 4, 1, 5, "Delivery"),
        ("b", "2024-05-02", "csat", 5, 1, 7, "delivery"),
        ("c", "2024-05-03", "csat", 6, 1, 7, "support"),
        ("d", "2024-05-04", "csat", 7, 1, 10, "support"),
        ("e", "2024-05-05", "csat", 8, 1, 10, None),
        ("e", "2024-05-06", "csat", 1, None, None, None),
        touchpoint=True,
    )
    people = shop(*((name, "2024-04-01") for name in "abcde"))
    few = pack_of({"purchases": people, "surveys": answers}, "2024-05-01", "2024-06-30")
    assert "touchpoint" not in set(few.numbers["dimension"])
    answers = pd.concat([answers] * 3, ignore_index=True)
    pack = pack_of({"purchases": people, "surveys": answers}, "2024-05-01", "2024-06-30")
    assert (value(pack, "csat_top2_share", "2024-05"), one(pack, "csat_top2_share", "2024-05")["n"]) == (0.5, 18)
    assert value(pack, "csat_mean", "2024-05") == pytest.approx((3 / 4 + 4 / 6 + 5 / 6 + 6 / 9 + 7 / 9 + 0) / 6)
    assert value(pack, "csat_top2_share", "2024-05", "delivery", "touchpoint") == 0.5
    assert value(pack, "csat_top2_share", "2024-05", "support", "touchpoint") == 0.5
    assert one(pack, "csat_top2_share", "2024-06")["state"] == "not_enough_data"


def test_below_thirty_answers_a_figure_is_for_reference_and_has_no_arrow() -> None:
    rows = []
    for month, good, answers in (("04", 0, 60), ("05", 60, 60), ("06", 1, 29)):
        rows += [(f"c{n:02}", f"2024-{month}-10", "csat", 5 if n < good else 1, 1, 5) for n in range(answers)]
    people = shop(*((f"c{n:02}", "2024-03-01") for n in range(60)))
    pack = pack_of({"purchases": people, "surveys": surveys(*rows)}, "2024-05-01", "2024-06-30")
    may, june = one(pack, "csat_top2_share", "2024-05"), one(pack, "csat_top2_share", "2024-06")
    assert (may["state"], may["direction"], may["change"]) == ("ok", "up", 1.0)
    assert (june["state"], june["direction"]) == ("reference", "not_clear")
    assert june["change_high"] < 0


def test_who_was_asked_who_answered_and_who_never_was() -> None:
    asked = pd.DataFrame(
        [
            ("a", "2024-05-01", "survey"),
            ("b", "2024-05-30", "survey"),
            ("c", "2024-05-30", "survey"),
            ("d", "2024-05-30", "offer"),
        ],
        columns=["customer_id", "occurred_at", "kind"],
    )
    answers = surveys(
        ("a", "2024-06-15", "nps", 5, None, None),
        ("b", "2024-06-15", "csat", 5, None, None),
        ("e", "2024-02-15", "csat", 5, None, None),
    )
    people = shop(*((name, "2024-04-01") for name in "abcde"))
    tables = {"purchases": people, "surveys": answers, "outreach": asked}
    pack = pack_of(tables, "2024-05-01", "2024-07-31", churn={"active_within_days": 365})
    assert value(pack, "survey_response_rate", "2024-05") == pytest.approx(1 / 3)
    assert value(pack, "survey_asked_share", "2024-05") == 0.5
    # z and d were never asked; e answered in February.
    assert value(pack, "survey_never_asked_share", "2024-05") == pytest.approx(2 / 6)
    early = pack_of(tables, "2024-05-01", "2024-06-20", churn={"active_within_days": 365})
    row = one(early, "survey_response_rate", "2024-05")
    assert (row["state"], math.isnan(row["value"])) == ("censored", True)


def complaints(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at", "kind", "first_response_at", "resolved_at"])


def test_an_inquiry_is_no_complaint_and_no_orders_is_no_error() -> None:
    told = complaints(
        ("a", "2024-05-02", "complaint", None, None),
        ("a", "2024-05-03", "inquiry", None, None),
        ("b", "2024-05-03", "praise", None, None),
        ("b", "2024-06-03", "complaint", None, None),
    )
    rows = buys(*(("a", f"2024-05-{day:02}") for day in range(1, 6)), ("b", "2024-04-30"), ("z", "2024-09-30"))
    pack = pack_of(
        {"purchases": rows, "complaints": told}, "2024-05-01", "2024-09-30", churn={"active_within_days": 60}
    )
    assert value(pack, "complaints_per_100_orders", "2024-05") == 20
    assert value(pack, "complaints_per_100_active", "2024-05") == 50
    assert one(pack, "complaints_per_100_orders", "2024-06")["state"] == "not_enough_data"
    # a bought again the day after; the praise and the inquiry do not count.
    assert value(pack, "complaint_recovery_rate", "2024-05") == 1


def test_few_complaints_stand_beside_those_who_left_without_one() -> None:
    told = complaints(("a", "2024-02-02", "complaint", None, None), ("b", "2024-02-03", "inquiry", None, None))
    rows = buys(("a", "2024-04-01"), ("b", "2024-04-01"), ("c", "2024-04-01"), ("z", "2024-07-31"))
    pack = pack_of(
        {"purchases": rows, "complaints": told}, "2024-05-01", "2024-05-31", churn={"active_within_days": 45}
    )
    assert value(pack, "silent_lapse_share", "2024-05") == pytest.approx(2 / 3)


def test_open_complaints_are_shown_and_never_left_out() -> None:
    told = complaints(
        ("a", "2024-05-01", "complaint", "2024-05-01", "2024-05-03"),
        ("b", "2024-05-01", "complaint", "2024-05-02", "2024-05-09"),
        ("c", "2024-05-01", "complaint", "2024-05-04", None),
        ("d", "2024-05-01", "inquiry", "2024-05-01", "2024-05-01"),
        ("a", "2024-06-01", "complaint", None, None),
        ("b", "2024-06-01", "complaint", "2024-06-04", "2024-09-01"),
    )
    rows = shop(*((name, "2024-04-01") for name in "abcd"))
    pack = pack_of({"purchases": rows, "complaints": told}, "2024-05-01", "2024-07-31")
    may, june = one(pack, "resolution_days", "2024-05"), one(pack, "resolution_days", "2024-06")
    assert (may["value"], may["n"], may["open"], may["state"]) == (8, 3, 1, "censored")
    assert (math.isnan(june["value"]), june["n"], june["open"], june["state"]) == (True, 2, 2, "censored")
    assert value(pack, "first_response_days", "2024-05") == 1
    assert one(pack, "first_response_days", "2024-05")["open"] == 0


def test_components_of_word_of_mouth_stand_apart() -> None:
    told = pd.DataFrame(
        [("a", "2024-05-02", "review", 5.0), ("b", "2024-05-03", "review", 2.0), ("a", "2024-05-04", "referral", None)],
        columns=["customer_id", "occurred_at", "kind", "rating"],
    )
    customers = pd.DataFrame(
        [("a", "ad"), ("b", "Referral"), ("c", None), ("z", "ad")], columns=["customer_id", "acquisition_channel"]
    )
    rows = buys(
        ("z", "2023-06-01"), *((name, "2024-05-01") for name in "abc"), ("a", "2024-05-09"), ("z", "2024-06-30")
    )
    pack = pack_of({"purchases": rows, "referrals": told, "customers": customers}, "2024-05-01", "2024-05-31")
    assert value(pack, "reviews_per_1000_orders", "2024-05") == 500
    assert value(pack, "referrals_per_1000_orders", "2024-05") == 250
    assert value(pack, "rating_mean", "2024-05") == 3.5
    assert (value(pack, "referral_share_of_new", "2024-05"), one(pack, "referral_share_of_new", "2024-05")["n"]) == (
        0.5,
        2,
    )


def test_before_a_table_begins_nothing_is_said_of_it() -> None:
    told = complaints(("a", "2024-05-02", "complaint", None, None))
    pack = pack_of(
        {"purchases": shop(("a", "2024-04-02"), ("a", "2024-05-02")), "complaints": told}, "2024-04-01", "2024-05-31"
    )
    assert one(pack, "complaints_per_100_orders", "2024-04")["state"] == "not_enough_data"
    assert value(pack, "complaints_per_100_orders", "2024-05") == 100
