"""Reasons word for word in both languages, and what must never be said."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.explain.contributions import by_driver
from kizuna.explain.reasons import NEVER_A_REASON, Telling, reasons
from kizuna.explain.sentences import SENTENCES
from kizuna.features.plan import Column

NAN = float("nan")


def say(driver, values, language="en", currency="JPY", added=None):
    """The sentence for one customer whose only risk is ``driver``; every column adds 1 where ``added`` is silent."""
    columns = [Column(name, "any", driver, "number") for name in values]
    contributions = np.array([[*((added or {}).get(name, 1.0) for name in values), -2.0]])
    frame = reasons(pd.DataFrame([values]), contributions, columns, Telling(language, 1, currency))
    text = frame.at[0, "reason_1_text"]
    assert frame.at[0, "reason_1"] == driver or pd.isna(text)
    return None if pd.isna(text) else text


FALL = {"orders_90d": 2.0, "orders_change_90d": -3.0, "orders_365d": 9.0}
SPENT = {"revenue_90d": 4200.0, "revenue_change_90d": -13800.0}

SAID = [
    (
        "RECENCY",
        {"days_since_order": 62.0, "usual_gap_days": 18.0},
        "62 days since the last purchase; usually every 18",
        "最終購入から62日(通常18日ごと)",
    ),
    (
        "RECENCY",
        {"days_since_order": 62.0, "usual_gap_days": NAN},
        "62 days since the last purchase",
        "最終購入から62日",
    ),
    ("RECENCY", {"days_since_order": 45.0}, "45 days since the last purchase", "最終購入から45日"),
    (
        "RECENCY",
        {"overdue_ratio": 3.44},
        "Silent for 3.4 times the usual gap between purchases",
        "最終購入からの経過が通常の購入間隔の3.4倍",
    ),
    ("FREQ_DOWN", FALL, "2 orders in the last 90 days; 5 in the 90 before", "直近90日の注文2回(その前の90日は5回)"),
    (
        "FREQ_DOWN",
        {"orders_90d": 1.0, "orders_change_90d": -1.0},
        "1 order in the last 90 days; 2 in the 90 before",
        "直近90日の注文1回(その前の90日は2回)",
    ),
    ("FREQ_DOWN", {**FALL, "orders_change_90d": 2.0}, "9 orders in the last 365 days", "直近365日の注文9回"),
    ("FREQ_DOWN", {"orders_365d": 1.0}, "1 order in the last 365 days", "直近365日の注文1回"),
    ("FREQ_DOWN", {"orders": 3.0}, "3 orders so far", "これまでの注文3回"),
    (
        "SPEND_DOWN",
        SPENT,
        "¥4,200 spent in the last 90 days; ¥18,000 in the 90 before",
        "直近90日の購入金額4,200円(その前の90日は18,000円)",
    ),
    (
        "SPEND_DOWN",
        {"revenue_90d": -500.0, "revenue_change_90d": -900.0},
        "¥500 more returned than bought in the last 90 days",
        "直近90日は返品が購入を500円上回る",
    ),
    ("SPEND_DOWN", {"revenue_365d": 0.0}, "¥0 spent in the last 365 days", "直近365日の購入金額0円"),
    ("SPEND_DOWN", {"order_value": 3000.0}, "¥3,000 per order on average", "1注文あたりの平均金額3,000円"),
    (
        "ONE_TIME",
        {"is_one_time": 1.0, "days_since_order": 40.0},
        "Bought only once, 40 days ago",
        "購入は1回のみ(40日前)",
    ),
    ("ONE_TIME", {"is_one_time": 1.0}, "Bought only once so far", "購入はこれまで1回のみ"),
    ("ONE_TIME", {"is_one_time": 0.0}, None, None),
    (
        "ENGAGE_DOWN",
        {"engagements_90d": 1.0, "engagements_change_90d": -11.0},
        "1 visit or other action in the last 90 days; 12 in the 90 before",
        "直近90日の訪問などの行動1回(その前の90日は12回)",
    ),
    (
        "ENGAGE_DOWN",
        {"days_since_engagement": 45.0},
        "45 days since the last visit or other action",
        "最後の訪問などの行動から45日",
    ),
    ("ENGAGE_DOWN", {"visits_30d": 0.0}, "0 visits and logins in the last 30 days", "直近30日の訪問・ログイン0回"),
    ("USE_DOWN", {"days_since_use": 20.0, "uses_90d": 2.0}, "20 days since the last use", "最終利用から20日"),
    (
        "COMPLAINT_OPEN",
        {"open_complaints": 1.0, "oldest_open_complaint_days": 12.0},
        "1 open complaint, waiting for up to 12 days",
        "未解決の苦情1件(最長12日経過)",
    ),
    (
        "COMPLAINT_OPEN",
        {"open_complaints": 0.0, "oldest_open_complaint_days": NAN, "complaints_90d": 2.0},
        "2 complaints in the last 90 days",
        "直近90日の苦情2件",
    ),
    ("COMPLAINT_OPEN", {"complaints_90d": 0.0, "open_complaints": 0.0, "complaints": 0.0}, None, None),
    (
        "SERVICE_SLOW",
        {"slow_complaints_90d": 0.0, "resolution_days": 9.4},
        "9 days on average until a complaint was resolved",
        "苦情の解決まで平均9日",
    ),
    (
        "FEEDBACK_IGNORED",
        {"unanswered_feedback": 2.0, "oldest_unanswered_days": 30.0},
        "2 pieces of feedback unanswered for up to 30 days",
        "未返信のご意見2件(最長30日経過)",
    ),
    (
        "NPS_LOW",
        {"nps_last": 4.0, "nps_change": -4.0},
        "Latest answer on recommending us: 4 of 10; 8 before",
        "最新の推奨意向は10点中4点(前回は8点)",
    ),
    (
        "NPS_LOW",
        {"nps_last": 4.0, "nps_change": NAN, "days_since_nps": 30.0},
        "Latest answer on recommending us: 4 of 10, 30 days ago",
        "最新の推奨意向は10点中4点(30日前)",
    ),
    ("NPS_LOW", {"nps_last": 10.0, "is_detractor": 0.0}, None, None),
    (
        "CSAT_DOWN",
        {"csat_last": 0.5, "csat_change": -0.25},
        "Latest satisfaction answer: 50%; 75% before",
        "最新の満足度50%(前回は75%)",
    ),
    ("CSAT_DOWN", {"csat_last": 1.0, "csat_change": 0.25}, None, None),
    (
        "POINTS_EXPIRING",
        {"points_expiring_30d": 1200.0},
        "1,200 points expiring within 30 days",
        "1,200ポイントが30日以内に失効",
    ),
    ("POINTS_EXPIRING", {"points_expiring_30d": 0.0}, None, None),
    (
        "LOYALTY_INACTIVE",
        {"days_since_redeem": 120.0, "is_member": 1.0},
        "120 days since points were last used",
        "最後のポイント利用から120日",
    ),
    ("LOYALTY_INACTIVE", {"is_member": 0.0}, "Not a member of the loyalty programme", "会員プログラムに未加入"),
    (
        "DISCOUNT_DEP",
        {"discount_share_365d": 0.8},
        "80% of the orders of the last 365 days at a discount",
        "直近365日の注文の80%が割引での購入",
    ),
    (
        "RETURN_DELIVERY",
        {"late_deliveries_90d": 2.0, "overdue_deliveries": 0.0, "returns_90d": 1.0},
        "2 late deliveries in the last 90 days",
        "直近90日の配送遅延2件",
    ),
    (
        "RETURN_DELIVERY",
        {"late_deliveries_90d": 2.0, "overdue_deliveries": 1.0},
        "1 delivery overdue",
        "遅れている配送1件",
    ),
    (
        "RETURN_DELIVERY",
        {"late_deliveries_90d": 0.0, "returns_90d": 1.0},
        "1 return in the last 90 days",
        "直近90日の返品1件",
    ),
    (
        "LANG_MISMATCH",
        {"language_mismatch_share_180d": 0.4},
        "40% of our messages in the last 180 days in another language than the customer's",
        "直近180日の当社からの連絡の40%が希望言語と異なる",
    ),
    ("CONTRACT", {"contract_days_left": 12.0}, "12 days until the contract renews", "契約の更新まで12日"),
    ("CONTRACT", {"notice_given": 1.0, "contract_days_left": 12.0}, "Notice given", "解約の申し出あり"),
    ("CONTRACT", {"has_contract": 0.0}, "No live contract", "有効な契約なし"),
    ("SUPPLIED", {"MonthlyCharges": 89.5}, "MonthlyCharges: 89.5", "MonthlyCharges: 89.5"),
    ("SUPPLIED", {"Contract=Month-to-month": 1.0}, "Contract is Month-to-month", "Contractが「Month-to-month」"),
    ("SUPPLIED", {"Contract=Two year": 0.0}, "Contract is not Two year", "Contractが「Two year」ではない"),
    ("SUPPLIED", {"formula=a=b": 1.0}, "formula is a=b", "formulaが「a=b」"),
    ("SUPPLIED", {"x": NAN}, None, None),
    (
        "CSAT_DOWN",
        {"csat_last": 0.5, "csat_change": 0.0, "csat_vs_usual": -0.3},
        "Latest satisfaction answer: 50%; usually 80%",
        "最新の満足度50%(通常は80%)",
    ),
    ("SERVICE_SLOW", {"open_inquiries": 1.0}, "1 inquiry open", "未解決の問い合わせ1件"),
    (
        "SERVICE_SLOW",
        {"resolution_days_change_180d": 4.0},
        "Complaints took 4 days longer to resolve in the last 180 days than before",
        "直近180日の苦情の解決に以前より平均4日長くかかった",
    ),
    (
        "USE_DOWN",
        {"uses_90d": 2.0, "uses_change_90d": -6.0},
        "2 uses in the last 90 days; 8 in the 90 before",
        "直近90日の利用2回(その前の90日は8回)",
    ),
    (
        "LOYALTY_INACTIVE",
        {"tier_rank_change_365d": -1.0},
        "1 tier lower in the loyalty programme than 365 days ago",
        "会員ランクが365日前より1段階低下",
    ),
    ("LOYALTY_INACTIVE", {"loyalty_tier=gold": 1.0}, "Loyalty tier is gold", "会員ランクが「gold」"),
    ("LOYALTY_INACTIVE", {"loyalty_tier=gold": 0.0}, None, None),
    ("FIRST_EXPERIENCE", {"first_order_late": 1.0}, "The first order came late", "初回注文の配送が遅延"),
    ("FIRST_EXPERIENCE", {"first_order_late": 0.0, "first_order_csat": 1.0}, None, None),
    (
        "PRICE",
        {"unit_price_change_180d": 250.0},
        "Average unit price ¥250 higher in the last 180 days than in the 180 before",
        "直近180日の平均単価がその前の180日より250円上昇",
    ),
    ("PRICE", {"unit_price_change_180d": -250.0}, None, None),
    (
        "COMMUNITY",
        {"posts_180d": 0.0},
        "0 posts in the community in the last 180 days",
        "直近180日のコミュニティへの投稿0件",
    ),
]


@pytest.mark.parametrize(("driver", "values", "english", "japanese"), SAID)
def test_said(driver, values, english, japanese):
    assert say(driver, values, "en") == english
    assert say(driver, values, "ja") == japanese


def test_without_a_currency_and_in_another():
    assert say("SPEND_DOWN", SPENT, currency=None) == "4,200 spent in the last 90 days; 18,000 in the 90 before"
    assert say("SPEND_DOWN", {"order_value": 12.5}, currency="USD") == "$12.50 per order on average"


def test_the_window_nearest_to_the_preferred_one_that_makes_sense():
    windows = {"orders_14d": 0.0, "orders_change_14d": -1.0, "orders_60d": 2.0, "orders_change_60d": -1.0}
    assert say("FREQ_DOWN", windows) == "2 orders in the last 60 days; 3 in the 60 before"
    rising = {**windows, "orders_change_60d": 1.0}
    assert say("FREQ_DOWN", rising) == "0 orders in the last 14 days; 1 in the 14 before"


def test_what_raised_the_risk_is_said_before_what_lowered_it():
    values = {"late_deliveries_90d": 1.0, "returns_90d": 5.0}
    lowered = {"late_deliveries_90d": -0.5, "returns_90d": 1.0}
    assert say("RETURN_DELIVERY", values, added=lowered) == "5 returns in the last 90 days"


def test_the_supplied_feature_with_the_largest_contribution():
    values = {"a": 1.0, "b": 2.0, "c": NAN}
    assert say("SUPPLIED", values, added={"a": 0.1, "b": 0.2, "c": 0.9}) == "b: 2"
    assert say("SUPPLIED", values, added={"a": 0.2, "b": 0.2, "c": 0.1}) == "a: 1"
    assert say("SUPPLIED", {"a": 1.0, "c": NAN}, added={"a": -0.2, "c": 0.9}) is None


def test_a_column_of_the_shop_that_bears_one_of_our_names_stays_its_own():
    columns = [
        Column("days_since_order", "supplied", "SUPPLIED", "number"),
        Column("is_one_time", "p", "ONE_TIME", "flag"),
    ]
    frame = reasons(
        pd.DataFrame({"days_since_order": [3.0], "is_one_time": [1.0]}),
        np.array([[0.1, 1.0, 0.0]]),
        columns,
        Telling("en", 2),
    )
    marks = ["reason_1", "reason_1_text", "reason_2", "reason_2_text"]
    assert frame.loc[0, marks].tolist() == ["ONE_TIME", "Bought only once so far", "SUPPLIED", "days_since_order: 3"]


MANY = [
    Column("days_since_order", "p", "RECENCY", "days"),
    Column("is_one_time", "p", "ONE_TIME", "flag"),
    Column("returns_90d", "p", "RETURN_DELIVERY", "count"),
    Column("days_since_contact", "o", "CONTACT_GAP", "days"),
    Column("tenure_days", "p", "TENURE", "days"),
    Column("MonthlyCharges", "s", "SUPPLIED", "number"),
]


def test_strongest_first_only_what_raises_and_nothing_of_our_own_conduct():
    values = pd.DataFrame([[62.0, 0.0, 1.0, 300.0, 900.0, 70.0]] * 3, columns=[c.name for c in MANY], index=[5, 3, 9])
    added = np.array(
        [
            [0.2, 0.9, 0.3, 5.0, 4.0, 0.1, -3.0],  # ONE_TIME raises most but cannot be worded: she bought twice
            [0.2, -0.9, -0.3, 5.0, 4.0, 0.2, -3.0],  # equal sums: RECENCY before SUPPLIED
            [-0.2, 0.0, 0.0, 5.0, 4.0, 0.0, -3.0],  # nothing to say
        ]
    )
    frame = reasons(values, added, MANY, Telling("en", 3, None))
    assert frame.index.tolist() == [5, 3, 9]
    assert frame.columns.tolist() == [f"reason_{k}{part}" for k in (1, 2, 3) for part in ("", "_text", "_strength")]
    assert frame.astype(object).where(frame.notna(), None).values.tolist() == [
        [
            *("RETURN_DELIVERY", "1 return in the last 90 days", "small"),
            *("RECENCY", "62 days since the last purchase", "small"),
            *("SUPPLIED", "MonthlyCharges: 70", "small"),
        ],
        [
            *("RECENCY", "62 days since the last purchase", "small"),
            *("SUPPLIED", "MonthlyCharges: 70", "small"),
            *(None, None, None),
        ],
        [None] * 9,
    ]
    one = reasons(values, added, MANY, Telling("en", 1, None))
    assert one.columns.tolist() == frame.columns.tolist()
    first = ["reason_1", "reason_1_text", "reason_1_strength"]
    assert one[first].equals(frame[first])
    assert one[["reason_2", "reason_3"]].isna().all(axis=None)


@pytest.mark.parametrize(("share", "word"), [(0.34, "large"), (0.33, "medium"), (0.13, "medium"), (0.12, "small")])
def test_strength_is_the_share_of_all_that_raises_the_risk(share, word):
    columns = [Column("is_one_time", "p", "ONE_TIME", "flag"), Column("tenure_days", "p", "TENURE", "days")]
    values, added = pd.DataFrame([[1.0, 9.0]], columns=[c.name for c in columns]), np.array([[share, 1 - share, -9.0]])
    assert reasons(values, added, columns, Telling()).at[0, "reason_1_strength"] == word


def test_our_own_conduct_is_a_reason_once_it_is_proven():
    columns = [
        Column("days_since_contact", "o", "CONTACT_GAP", "days"),
        Column("contact_gap_ratio", "o", "CONTACT_GAP", "ratio"),
    ]
    values, added = pd.DataFrame([[45.0, 45 / 14]], columns=[c.name for c in columns]), np.array([[0.5, 0.5, 0.0]])
    assert reasons(values, added, columns, Telling()).isna().all(axis=None)
    proven = frozenset({"CONTACT_GAP"})
    for language, text in (
        ("en", "45 days since we last made contact; usually every 14"),
        ("ja", "当社からの最終連絡から45日(通常14日ごと)"),
    ):
        said = reasons(values, added, columns, Telling(language, proven=proven))
        assert said.loc[0, ["reason_1", "reason_1_text"]].tolist() == ["CONTACT_GAP", text]
    never = reasons(
        values, added, [replace(c, driver="TENURE") for c in columns], Telling(proven=frozenset({"TENURE"}))
    )
    assert never.isna().all(axis=None)


def test_nobody_and_nothing_known():
    names = [c.name for c in MANY]
    assert reasons(pd.DataFrame(columns=names, dtype=float), np.zeros((0, 7)), MANY, Telling("ja", 3, "JPY")).empty
    unknown = reasons(pd.DataFrame(NAN, index=[0], columns=names), np.ones((1, 7)), MANY, Telling("ja", 3, "JPY"))
    assert unknown.isna().all(axis=None)
    boundless = reasons(pd.DataFrame(np.inf, index=[0], columns=names), np.ones((1, 7)), MANY, Telling("ja", 3, "JPY"))
    assert boundless.isna().all(axis=None)


STEMS = sorted({stem for sentence in SENTENCES for stem in sentence.needs.values()})
EVERY = [
    Column(stem.replace("{w}", str(w)), "any", sentence.driver, "number")
    for stem in STEMS
    for w in ((30, 90) if "{w}" in stem else (0,))
    for sentence in [next(s for s in SENTENCES if stem in s.needs.values())]
]
NUMBERS = [NAN, 0.0, 1.0, -1.0, 0.4, 2.5, 7.0, 30.0, 1e12, -1e12, float("inf")]


@pytest.mark.parametrize("language", ["en", "ja"])
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_whatever_the_values_sentences_are_whole_and_falls_are_falls(language, seed):
    random = np.random.default_rng(seed)
    names = [column.name for column in EVERY]
    values = np.where(
        random.random((20, len(EVERY))) < 0.5,
        random.choice(NUMBERS, (20, len(EVERY))),
        random.normal(0, 100, (20, len(EVERY))).round(1),
    )
    added = random.normal(0, 1, (20, len(EVERY) + 1))
    frame = reasons(pd.DataFrame(values, columns=names), added, EVERY, Telling(language, 3, "JPY"))
    drivers, sums = by_driver(added, EVERY)
    for row in range(20):
        said = frame.iloc[row].dropna()
        codes = said.iloc[0::3].tolist()
        strength = [sums[row, drivers.index(code)] for code in codes]
        assert len(said) == 3 * len(codes)
        assert set(said.iloc[2::3]) <= {"large", "medium", "small"}
        assert strength == sorted(strength, reverse=True)
        assert all(total > 0 for total in strength)
        assert not NEVER_A_REASON.intersection(codes)
        for text in said.iloc[1::3]:
            assert not re.search(r"[{}]|\bnan\b|\binf\b", text)
            fall = FALLS.fullmatch(text)
            assert (re.search(r"; .* in the .* before$", text) is not None or "(その前の" in text) == (fall is not None)
            if fall:
                now, before = [_number(figure) for figure in fall.groups() if figure]
                assert now < before


FALLS = re.compile(
    r"(\S+) .*in the last \d+ days; (\S+) in the \d+ before"
    r"|直近\d+日の[^\d−]+([\d,−]+)[円回]\(その前の\d+日は([\d,−]+)[円回]\)"
)


def _number(text):
    return float(text.replace(",", "").replace("¥", "").replace("−", "-"))


def test_rows_do_not_know_of_each_other():
    values = pd.DataFrame(
        [[62.0, 1.0, 1.0, 3.0, 9.0, 70.0], [1.0, 0.0, 0.0, 3.0, 9.0, NAN]], columns=[c.name for c in MANY]
    )
    added = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], [0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]])
    both = reasons(values, added, MANY, Telling("ja", 3, "JPY"))
    turned = reasons(values.iloc[::-1], added[::-1], MANY, Telling("ja", 3, "JPY"))
    pd.testing.assert_frame_equal(turned.sort_index(), both)
