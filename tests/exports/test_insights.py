from dataclasses import replace

import numpy as np
import pytest

from kizuna.exports.insights import MATTERS, insights
from kizuna.wording.catalog import languages
from kizuna.wording.words import load_words


@pytest.fixture
def five(build_pack):
    """Five customers: three regulars with 70 of 100, two of them with late deliveries behind 40."""
    pack = build_pack("en", listed=5)
    rows = pack.at_risk.assign(
        lifecycle_stage=["regular", "first", "regular", "regular", "loyal"],
        value_at_risk=[30.0, 20.0, 25.0, 15.0, 10.0],
        overdue_ratio=[2.9, 9.0, 3.1, 3.0, 1.0],
        reason_1=["RECENCY", "RECENCY", "RETURN_DELIVERY", "RECENCY", "FREQ_DOWN"],
        reason_2=["FREQ_DOWN", "NO_THANKS", "RECENCY", "FREQ_DOWN", "RECENCY"],
        reason_3=["SPEND_DOWN", None, None, "RETURN_DELIVERY", None],
        facts=["", "OPEN_COMPLAINT", "", "", ""],
    )
    return replace(pack, at_risk=rows)


def test_two_sentences_from_five_rows(five):
    assert insights(five, load_words("en")) == [
        "Most of the money (70%) sits with 3 regulars, silent about 3× their usual gap.",
        "40% of it has late deliveries or returns among the reasons: an operations matter, not a coupon.",
    ]
    assert insights(five, load_words("ja")) == [
        "失う恐れのある金額の大半(70%)は、定着顧客3名に集まっています(購入のない期間は、いつもの間隔の約3倍)。",
        "そのうち40%では、配送の遅れや返品が理由に挙がっています。クーポンではなく、業務側の課題です。",
    ]


def test_a_fact_counts_as_its_matter(five):
    rows = five.at_risk.assign(reason_1="RECENCY", reason_2="FREQ_DOWN", reason_3="SPEND_DOWN")
    assert insights(replace(five, at_risk=rows), load_words("en"))[1].startswith("20% of it has complaints among")


def test_without_purchases_nobody_is_silent(five):
    rows = five.at_risk.assign(
        reason_1="SUPPLIED", reason_2=None, reason_3=None, facts="", overdue_ratio=np.nan, days_since_purchase=np.nan
    )
    assert insights(replace(five, at_risk=rows), load_words("en")) == [
        "Most of the money (70%) sits with 3 regulars.",
        "No matter of our own making stands behind more than 10% of it.",
    ]


def test_silence_alone_is_not_a_matter(five):
    rows = five.at_risk.assign(reason_1="RECENCY", reason_2=None, reason_3=None, facts="")
    assert insights(replace(five, at_risk=rows), load_words("en"))[1] == (
        "No matter of our own making stands behind more than 10% of it: silence itself is the sign."
    )


def test_without_values_customers_are_counted(five):
    rows = five.at_risk.assign(value_at_risk=np.nan, overdue_ratio=1.0, days_since_purchase=40)
    assert insights(replace(five, at_risk=rows), load_words("en"))[0] == (
        "Most of the list (60%) sits with 3 regulars, silent for about 40 days."
    )


def test_without_stages_and_reasons_the_bands_speak(five):
    rows = five.at_risk.assign(
        lifecycle_stage=None, reason_1=None, risk_band=["high", "high", "low", "low", "low"], overdue_ratio=np.nan
    )
    rows["days_since_purchase"] = np.nan
    assert insights(replace(five, at_risk=rows), load_words("en")) == [
        "The largest part of the money (50%) sits with 2 customers at high risk."
    ]


def test_ties_do_not_depend_on_the_order_of_rows(five):
    rows = five.at_risk.assign(value_at_risk=10.0, lifecycle_stage=["first", "second", "regular", "loyal", "lapsing"])
    there = insights(replace(five, at_risk=rows), load_words("en"))
    back = insights(replace(five, at_risk=rows.iloc[::-1].reset_index(drop=True)), load_words("en"))
    assert there == back


def test_an_empty_list_says_nothing(build_pack):
    assert insights(build_pack("en", listed=0), load_words("en")) == []


@pytest.mark.parametrize("language", languages())
def test_every_matter_has_its_sentence(five, language):
    for driver, facts in MATTERS.items():
        rows = five.at_risk.assign(reason_1=driver, reason_2=None, reason_3=None, facts=";".join(facts))
        assert "100%" in insights(replace(five, at_risk=rows), load_words(language))[1]


def test_one_order_at_a_discount_is_no_dependence(five):
    rows = five.at_risk.assign(reason_1="DISCOUNT_DEP", reason_2=None, reason_3=None, facts="ONE_TIME_BUYER")
    assert "discount" not in insights(replace(five, at_risk=rows), load_words("en"))[1]
