from dataclasses import replace

import pandas as pd
import pytest

from kizuna.exports.page.reasons import BAR_WIDTH, behind, told_reasons
from kizuna.wording.words import load_words

WORDS = load_words("en")


@pytest.fixture
def four(build_pack):
    pack = build_pack("en", listed=4)
    rows = pack.at_risk.assign(
        value_at_risk=[400.0, 300.0, 200.0, 100.0],
        reason_1=["RECENCY", "COMPLAINT_OPEN", "RECENCY", None],
        reason_2=["COMPLAINT_OPEN", None, None, None],
        reason_3=[None, "NPS_LOW", None, None],
        facts=["OPEN_COMPLAINT;PROMOTER", "OPEN_COMPLAINT", "", None],
    )
    return replace(pack, at_risk=rows)


def test_reasons_by_value_at_risk(four):
    found = behind(four, WORDS)
    assert found.in_money
    assert [(row.name, row.figures) for row in found.reasons] == [
        ("Time since the last purchase", ("¥600", "60%", "60%")),
        ("Complaints", ("¥300", "30%", "70%")),
        ("Willingness to recommend", ("¥0", "0%", "30%")),
        ("No single sign", ("¥100", "10%", "10%")),
    ]
    assert [(row.first_length, row.among_length) for row in found.reasons][1] == (0.3 * BAR_WIDTH, 0.7 * BAR_WIDTH)
    assert sum(row.first_length for row in found.reasons) == BAR_WIDTH


def test_facts_by_customers(four):
    found = behind(four, WORDS)
    assert [(row.name, row.figures) for row in found.facts] == [
        ("open complaint", ("2", "50%", "70%")),
        ("would recommend us", ("1", "25%", "40%")),
    ]


def test_without_values_customers_are_counted(four):
    rows = four.at_risk.assign(value_at_risk=float("nan"))
    found = behind(replace(four, at_risk=rows), load_words("ja"))
    assert not found.in_money
    assert found.reasons[0].figures == ("2名", "50%", "50%")
    assert found.facts[0].figures == ("2名", "50%")


def test_a_list_without_reasons_and_an_empty_one(four, build_pack):
    rows = four.at_risk.assign(reason_1=None, reason_2=None, reason_3=None)
    assert behind(replace(four, at_risk=rows), WORDS).reasons == ()
    assert behind(build_pack("en", listed=0), WORDS) is None


def test_the_many_are_counted(build_pack):
    pack = build_pack("en", listed=12)
    codes = [f"OWN_{place:02d}" for place in range(12)]
    found = behind(replace(pack, at_risk=pack.at_risk.assign(reason_1=codes, facts=codes)), WORDS)
    assert (len(found.reasons), len(found.facts), found.more_facts) == (8, 6, 6)
    named = set(codes) | set(pack.at_risk[["reason_2", "reason_3"]].stack().dropna())
    assert found.more_reasons == len(named) - 8


def test_a_sentence_among_the_facts_is_no_code(four):
    rows = four.at_risk.assign(facts="Called on Monday; VIP")
    assert behind(replace(four, at_risk=rows), WORDS).facts == ()


def test_the_reasons_of_one_row():
    row = pd.Series({"reason_1_text": "a", "reason_1_strength": "large", "reason_2_text": None, "reason_3_text": "c"})
    assert told_reasons(row) == [("a", "large"), ("c", "")]
