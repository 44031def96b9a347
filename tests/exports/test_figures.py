from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from kizuna.exports.figures import (
    answer_text,
    economics_text,
    effect_text,
    evaluation_text,
    facts_text,
    figures_of,
    gate_text,
    left_out_text,
    level_text,
    order_text,
    places,
    refused_text,
    rows_of,
    warning_text,
    why_text,
)
from kizuna.wording.words import load_words


@pytest.fixture
def ten(build_pack):
    """Ten listed customers whose places and dates are written out."""
    pack = build_pack("en", listed=10)
    rows = pack.at_risk.assign(
        arm=["target", "target", "target", "target", "control", "control", "exempt", "exempt", "target", "target"],
        contact_allowed=pd.Series([True, None, False, True, True, False, True, False, None, False], dtype="boolean"),
        act_by=pd.to_datetime(
            ["2026-01-02", "2026-01-07", "2026-01-02", "2026-01-08", *["2026-01-02"] * 4, None, None]
        ),
        value_at_risk=[100.0, 90.0, 80.0, 70.0, 60.0, 50.0, 40.0, 30.0, 20.0, 10.0],
        churn_probability=0.5,
        list_status=["new", "new", "continuing", "returned", "new", *["continuing"] * 5],
    )
    return replace(pack, at_risk=rows)


def test_every_row_has_one_place(ten):
    assert places(ten.at_risk).tolist() == [
        *("contact", "contact", "paused", "contact", "control"),
        *("control", "service", "service", "contact", "paused"),
    ]
    assert rows_of(ten.at_risk.iloc[::-1], "paused", "service")["list_rank"].tolist() == [3, 7, 8, 10]


def test_the_figures_of_ten_rows(ten):
    figures = figures_of(ten)
    assert (figures.listed, figures.contact, figures.service, figures.control, figures.paused) == (10, 4, 2, 2, 2)
    # Due: 2 and 7 January; the 8th is the eighth day.
    assert figures.due == 2
    assert figures.value_at_risk == 280.0
    assert figures.expected_leavers == 2.0
    assert (figures.new, figures.came_back, figures.eligible) == (3, 31, 4000)
    assert figures.expected_share == pytest.approx(ten.scores["churn_probability"].mean())


def test_without_a_value_model_or_an_earlier_list_figures_are_unknown(build_pack):
    figures = figures_of(build_pack("en", values=False, first_run=True))
    assert (figures.value_at_risk, figures.new, figures.came_back) == (None, None, None)


def test_an_empty_list_has_figures(build_pack):
    figures = figures_of(build_pack("en", listed=0))
    assert (figures.listed, figures.contact, figures.due, figures.value_at_risk) == (0, 0, 0, 0.0)


def test_facts_and_warnings_in_words():
    words = load_words("en")
    assert facts_text("OPEN_COMPLAINT;NO_THANKS_180D", words) == "open complaint, no thanks for 180 days"
    assert facts_text("OWN_FACT", words) == "OWN_FACT"
    assert facts_text("Two complaints", words) == "Two complaints"
    assert facts_text("", words) == facts_text(None, words) == ""
    assert warning_text("stale_purchases;missing_complaints", words) == "Late data: purchases, No data: complaints"
    assert (
        warning_text("stale_purchases;slow_rhythm", words)
        == "Late data: purchases, usual gap longer than the prediction"
    )
    assert warning_text("slow_rhythm", load_words("ja")) == "通常の購入間隔が予測期間より長い"
    assert warning_text("odd", words) == "odd"
    assert warning_text(float("nan"), words) == ""


def test_why_falls_back_to_the_facts_and_then_to_a_dash():
    words = load_words("en")
    row = pd.Series({"reason_1_text": "62 days", "facts": "DETRACTOR"})
    assert why_text(row, words) == "62 days"
    assert why_text(row.replace("62 days", None), words) == "would not recommend us"
    assert why_text(pd.Series({"reason_1_text": None, "facts": ""}), words) == words("no_sign")


def test_the_answer_check_in_a_sentence(ten):
    assert answer_text(ten, load_words("en")) == (
        "Of 300 customers named by churn probability on 2 Oct 2025, knowing nothing later, 231 (77%) did not buy within 90 days, "
        "by 30 Dec 2025. At random it would have been 137 (46%)."
    )
    assert answer_text(ten, load_words("ja")) == (
        "2025/10/02に、その後を知らずに離反確率の順で選んだ300名中231名(77%)が90日間購入なし(2025/12/30まで)。無作為なら137名(46%)。"
    )
    assert answer_text(replace(ten, answer=None), load_words("en")) == (
        "No check yet: the data is too short for a past list whose outcome is known. First results on 1 Apr 2026."
    )


def test_labels_without_days_have_neither_past_lists_nor_later_results(ten):
    words, undated = load_words("en"), replace(ten, dated=False, answer=None)
    assert answer_text(undated, words) == (
        "No check yet: the labels have no days, so that no past list can be made from them."
    )
    assert effect_text(undated, words) == (
        "Not measurable with these labels: without days they do not say what followed a list."
    )
    assert order_text(undated, words) == "Order checked on customers held back, not on later days"
    assert level_text(undated, words) == "level not yet checked"
    assert evaluation_text(undated, words) == "The labels have no days: the model was tested on customers held back."
    for text in (answer_text, effect_text, order_text, evaluation_text):
        assert "日" in text(undated, load_words("ja"))


def test_the_effect_is_promised_only_where_it_can_be_measured(ten):
    words = load_words("en")
    assert effect_text(ten, words) == (
        "Not measurable yet. First result on 1 Apr 2026. One list can show a difference of about 17 points or more."
    )
    assert effect_text(ten, load_words("ja")) == (
        "まだ測れません。初回結果 2026/04/01。1回のリストで見分けられる差は約17ポイント以上です。"
    )
    alone = "Not measurable with this list, because too few customers are left alone to compare with."
    assert effect_text(replace(ten, smallest_effect=float("nan")), words) == alone
    nobody_apart = replace(ten, at_risk=ten.at_risk.assign(arm="target"))
    assert effect_text(nobody_apart, words) == alone
    # The controls of a list may all stand in its other parts.
    assert effect_text(replace(nobody_apart, part="Osaka"), words) == effect_text(ten, words)


def test_everybody_who_is_left_out_is_counted_with_the_reason(ten):
    english, japanese = load_words("en"), load_words("ja")
    assert left_out_text(ten, english) == ""
    counts = {"suppressed": 2, "below_min_probability": 1200, "beyond_market_capacity": 0, "beyond_capacity": 40}
    some = replace(ten, left_out=counts)
    eligible = f"{len(ten.scores):,}"
    assert left_out_text(some, english) == (
        f"1,242 of {eligible} eligible customers are not on the list: excluded 2; risk below the list's minimum 1,200; "
        "others are more urgent 40."
    )
    assert left_out_text(some, japanese) == (
        f"対象の{eligible}名のうち1,242名はリストにありません(除外2名、離反確率が下限未満1,200名、より優先度の高い顧客がいる40名)。"
    )


@pytest.mark.parametrize(
    ("auc", "text"), [(0.82, "reliable"), (0.65, "useful"), (0.55, "weak"), (None, "not yet checked")]
)
def test_the_order_is_called_what_its_auc_allows(ten, auc, text):
    evaluation = {"evaluation": "out_of_time", "model": {"auc": auc}}
    assert text in order_text(replace(ten, evaluation=evaluation), load_words("en"))


def test_in_time_folds_do_not_check_the_order(ten):
    evaluation = {"evaluation": "in_time", "model": {"auc": 0.9}}
    assert order_text(replace(ten, evaluation=evaluation), load_words("en")) == "Order not yet checked on later days"


def test_the_level_is_compared_with_what_happened(ten):
    words = load_words("en")
    ten = replace(ten, evaluation=ten.evaluation | {"season": None})
    assert level_text(ten, words) == "level on 2 Oct 2025: 46.1% said, 45.4% happened"
    high, low = (replace(ten, answer=replace(ten.answer, said=said)) for said in (0.6, 0.3))
    assert level_text(high, words) == "level too high on 2 Oct 2025 (60.0% said, 45.4% happened)"
    assert level_text(low, words) == "level too low on 2 Oct 2025 (30.0% said, 45.4% happened)"
    assert level_text(replace(ten, answer=None), words) == "level not yet checked"


@pytest.mark.parametrize(
    ("unseen", "spread", "most", "english", "japanese"),
    [
        (
            True,
            0.0452,
            None,
            "the coming level may be off by ±4.5 points (season unseen)",
            "今後の水準は±4.5ポイントほどずれることがあります(この季節は未学習)",
        ),
        (
            True,
            0.0,
            0.031,
            "the coming level may be off by up to ±3.1 points (season unseen)",
            "今後の水準は最大±3.1ポイントずれることがあります(この季節は未学習)",
        ),
        (
            False,
            0.02,
            None,
            "the coming level follows the same weeks of earlier years (past levels were off by ±2.0 points)",
            "今後の水準は前年までの同じ時期に合わせてあります(過去のずれは±2.0ポイントほど)",
        ),
        (
            True,
            None,
            None,
            "by how much the coming level may be off is not known",
            "今後の水準がどれほどずれるかは分かっていません",
        ),
    ],
)
def test_how_far_the_coming_level_may_be_off(ten, unseen, spread, most, english, japanese):
    season = {"unseen": unseen, "level_spread": spread, "level_most": most}
    pack = replace(ten, answer=None, evaluation=ten.evaluation | {"season": season})
    assert level_text(pack, load_words("en")) == f"level not yet checked; {english}"
    assert level_text(pack, load_words("ja")) == f"確率の水準は未確認、{japanese}"


def test_the_gate_in_a_sentence(ten):
    checks = [
        {"name": name, "status": status, "value": 0.1, "limit": 0.0}
        for name, status in (("signal", "fail"), ("leak", "fail"), ("segments", "warn"), ("level", "pass"))
    ]
    refused = replace(ten, evaluation=ten.evaluation | {"gate_checks": checks})
    assert gate_text(ten, load_words("en")) == "Passed. To note: calibration"
    assert gate_text(refused, load_words("en")) == "Refused (signal, leaks). To note: segments"
    assert gate_text(refused, load_words("ja")) == "不合格(偶然との区別、結果の先取り)。注意: 顧客層"
    assert gate_text(replace(ten, evaluation={}), load_words("en")) == "–"
    assert refused_text(ten, load_words("en")) == ""


def test_money_is_spoken_of_only_where_every_cost_is_known(ten):
    words = load_words("en")
    assert economics_text(ten, words) == ""
    known = replace(ten, economics={"contact_cost": 5.0, "offer_cost": 10.0, "assumed_save_rate": 0.5})
    assert economics_text(known, words) == (
        "If contact keeps 50% of the value at risk (your assumption), that is ¥140; after ¥60 of costs, ¥80 is left."
    )


def test_the_day_after_the_first_week_is_not_due(ten):
    assert figures_of(replace(ten, as_of=date(2026, 1, 2))).due == 3
