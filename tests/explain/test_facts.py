"""Facts by hand: when they hold, when they are unknown, and how they are said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kizuna.explain.facts import CODES, OWED_SERVICE, fact_codes, fact_flags, fact_sentences

NAN = float("nan")


def facts(**columns):
    context = pd.DataFrame({name: [value] for name, value in columns.items()})
    codes = fact_codes(fact_flags(context))[0]
    return codes.split(";") if isinstance(codes, str) else []


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"open_complaints": 1}, ["OPEN_COMPLAINT"]),
        ({"open_complaints": 0}, []),
        ({"unanswered_feedback": 2, "days_since_unanswered": 180}, ["UNANSWERED_FEEDBACK"]),
        ({"unanswered_feedback": 2, "days_since_unanswered": 181}, []),
        ({"notice_given": True}, ["NOTICE_GIVEN"]),
        ({"nps_last": 6}, ["DETRACTOR"]),
        ({"nps_last": 7}, []),
        ({"nps_last": 9}, ["PROMOTER"]),
        ({"late_deliveries_90d": 1}, ["LATE_DELIVERY_90D"]),
        ({"language_mismatch_share_180d": 0.5}, ["LANG_MISMATCH"]),
        ({"language_mismatch_share_180d": 0.4}, []),
        ({"points_expiring_30d": 300}, ["POINTS_EXPIRE_30D"]),
        # A contact 60 days ago lies in the last 60 days.
        ({"days_since_contact": 61}, ["CONTACT_GAP_60D"]),
        ({"days_since_contact": 60}, []),
        ({"days_since_contact": 61, "consent": 0}, []),
        ({"days_since_contact": NAN, "tenure_days": 61}, ["CONTACT_GAP_60D"]),
        ({"days_since_contact": NAN, "tenure_days": 60}, []),
        ({"days_since_contact": NAN}, []),
        ({"tenure_days": 900}, []),
        ({"days_since_contact": 7}, ["CONTACTED_7D"]),
        ({"days_since_thanks": 181}, ["NO_THANKS_180D"]),
        ({"days_since_thanks": NAN, "tenure_days": 200}, ["NO_THANKS_180D"]),
        ({"discount_share_365d": 0.8}, ["DISCOUNT_DEPENDENT"]),
        ({"discount_share_365d": 1, "orders_365d": 1}, []),
        ({"discount_share_365d": 1, "orders_365d": 2}, ["DISCOUNT_DEPENDENT"]),
        ({"orders": 1}, ["ONE_TIME_BUYER"]),
        ({"orders": 2}, []),
    ],
)
def test_when_a_fact_holds(columns, expected):
    assert facts(**columns) == expected


def test_codes_stand_in_a_fixed_order_whatever_the_order_of_columns():
    assert facts(orders=1, nps_last=2, open_complaints=3) == ["OPEN_COMPLAINT", "DETRACTOR", "ONE_TIME_BUYER"]
    assert list(fact_flags(pd.DataFrame(index=[0])).columns) == list(CODES)
    assert set(OWED_SERVICE) <= set(CODES)


def test_nothing_is_stated_of_what_is_not_known():
    columns = ["open_complaints", "nps_last", "orders", "days_since_contact", "discount_share_365d", "notice_given"]
    for unknown in (NAN, None, pd.NA, np.inf, "?"):
        assert facts(**dict.fromkeys(columns, unknown)) == []
    assert fact_codes(fact_flags(pd.DataFrame({"customer_id": ["a"]}))).isna().all()
    assert fact_sentences(pd.DataFrame({"customer_id": [], "orders": []}), "en").columns.tolist() == [
        "customer_id",
        "fact",
        "text",
    ]


def test_sentences_word_for_word():
    context = pd.DataFrame(
        {
            "customer_id": ["007", "a;b,🙂"],
            "open_complaints": [1, 2],
            "oldest_open_complaint_days": [12, NAN],
            "unanswered_feedback": [1, 0],
            "days_since_unanswered": [3, np.nan],
            "notice_given": [1, 0],
            "nps_last": [4, 10],
            "late_deliveries_90d": [2, 0],
            "language_mismatch_share_180d": [0.75, 0],
            "points_expiring_30d": [1200, 0],
            "days_since_contact": [70, NAN],
            "days_since_thanks": [300, NAN],
            "discount_share_365d": [0.9, 0],
            "orders_365d": [5, 5],
            "orders": [5, 1],
            "tenure_days": [500, 400],
        }
    )
    assert fact_sentences(context, "en").values.tolist() == [
        ["007", "OPEN_COMPLAINT", "1 open complaint, waiting for up to 12 days"],
        ["007", "UNANSWERED_FEEDBACK", "1 piece of feedback not answered yet"],
        ["007", "NOTICE_GIVEN", "Notice given to end the contract"],
        ["007", "DETRACTOR", "Would not recommend us: 4 of 10"],
        ["007", "LATE_DELIVERY_90D", "2 late deliveries in the last 90 days"],
        ["007", "LANG_MISMATCH", "75% of our messages in the last 180 days in another language than the customer's"],
        ["007", "POINTS_EXPIRE_30D", "1,200 points expiring within 30 days"],
        ["007", "CONTACT_GAP_60D", "70 days since we last made contact"],
        ["007", "NO_THANKS_180D", "300 days since we last said thanks"],
        ["007", "DISCOUNT_DEPENDENT", "90% of the orders of the last 365 days at a discount"],
        ["a;b,🙂", "OPEN_COMPLAINT", "2 open complaints"],
        ["a;b,🙂", "CONTACT_GAP_60D", "We have never made contact"],
        ["a;b,🙂", "NO_THANKS_180D", "We have never said thanks"],
        ["a;b,🙂", "ONE_TIME_BUYER", "Bought only once so far"],
        ["a;b,🙂", "PROMOTER", "Would recommend us: 10 of 10"],
    ]
    assert fact_sentences(context, "ja")["text"].tolist() == [
        "未解決の苦情1件(最長12日経過)",
        "未返信のご意見1件",
        "解約の申し出あり",
        "批判者: 推奨意向は10点中4点",
        "直近90日の配送遅延2件",
        "直近180日の当社からの連絡の75%が希望言語と異なる",
        "1,200ポイントが30日以内に失効",
        "当社からの最終連絡から70日",
        "最後のお礼から300日",
        "直近365日の注文の90%が割引での購入",
        "未解決の苦情2件",
        "当社からの連絡はまだない",
        "お礼をまだ伝えていない",
        "購入はこれまで1回のみ",
        "推奨者: 推奨意向は10点中10点",
    ]
    contacted = pd.DataFrame({"customer_id": ["x"], "days_since_contact": [1]})
    assert fact_sentences(contacted, "en")["text"].tolist() == ["We made contact 1 day ago"]
    assert fact_sentences(contacted, "ja")["text"].tolist() == ["1日前に当社から連絡済み"]
