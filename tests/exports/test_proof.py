from dataclasses import replace

import pandas as pd
import pytest
from tests.exports.made_past import made_past

from kizuna.exports.proof import newest, proof_text, realised_text
from kizuna.wording.words import load_words

EN, JA = load_words("en"), load_words("ja")


@pytest.fixture
def pack(build_pack):
    return build_pack("en", listed=30, past=made_past())


def with_effects(pack, **changes):
    """The pack with its quarter that was read changed."""
    effects = pack.past.effects.copy()
    for name, value in changes.items():
        effects[name] = pd.Series([value, effects[name].iloc[1]], dtype=effects[name].dtype)
    return replace(pack, past=replace(pack.past, effects=effects))


def test_a_quarter_that_earned_says_how_much_for_each_customer(pack):
    assert proof_text(pack, EN) == (
        "Q3 2025: contacting brought ¥2,140 more revenue per listed customer than leaving alone (95% interval ¥380 to "
        "¥3,900; 641 contacted, 163 left alone). Stayed: +6.2 points (+1.1 to +11.3)."
    )
    assert proof_text(pack, JA).startswith(
        "2025年7〜9月: 連絡した結果、掲載1名あたりの売上が比較用より2,140円多くなりました(95%区間 380円〜3,900円、"
    )
    for basis, what in (("margin", "margin"), ("net", "value after the costs of contact")):
        other = replace(pack, past=replace(pack.past, basis=basis))
        assert f"¥2,140 more {what} per listed customer" in proof_text(other, EN)


def test_a_quarter_that_lost_says_so(pack):
    lost = with_effects(pack, verdict="lost", value=-900.0, value_low=-1500.0, value_high=-300.0)
    assert proof_text(lost, EN).startswith(
        "Q3 2025: contacting brought ¥900 less revenue per listed customer than leaving alone (95% interval −¥1,500 to −¥300;"
    )


def test_not_clear_says_how_many_more_it_takes(pack):
    open_one = with_effects(pack, verdict="not_clear", value_low=-400.0, more_customers=870)
    text = proof_text(open_one, EN)
    assert text.startswith(
        "Q3 2025: not clear yet. So far ¥2,140 of revenue per listed customer (95% interval −¥400 to"
    )
    assert text.endswith("About 870 more listed customers would make it clear.")
    assert "870" in proof_text(open_one, JA)


def test_a_shop_without_values_reads_the_share_kept(pack):
    bare = with_effects(pack, value=None, value_low=None, value_high=None, verdict=None)
    assert proof_text(bare, EN) == (
        "Q3 2025: +6.2 points more or less stayed than among those left alone (95% interval +1.1 to +11.3; 641 contacted, "
        "163 left alone)."
    )


def test_before_a_quarter_is_read_its_day_and_the_smallest_effect_stand_there(pack):
    running = replace(pack, past=replace(pack.past, effects=pack.past.effects.tail(1)))
    assert proof_text(running, EN) == (
        "The verdict on Q4 2025 comes on 31 Mar 2026; 512 to contact and 131 left alone count so far. "
        "Not measurable yet. First result on 1 Apr 2026. One list can show a difference of about 17 points or more."
    )
    assert proof_text(replace(pack, past=None), EN).startswith("Not measurable yet. First result on 1 Apr 2026.")


def test_the_newest_list_measured_is_told_by_those_left_alone(pack):
    assert realised_text(pack, EN) == (
        "Of the 309 named on 2 Oct 2025, 77% of those left alone (55 customers) did not buy; 79% was predicted. "
        "Among all eligible customers it was 48%."
    )
    assert realised_text(pack, JA) == (
        "2025/10/02に選んだ309名のうち、連絡しなかった比較用55名では77%が購入なし(予測79%)。対象顧客全体では48%でした。"
    )
    assert realised_text(replace(pack, past=None), EN) == ""
    young = replace(pack.past, lists=pack.past.lists[pack.past.lists["state"] == "maturing"])
    assert realised_text(replace(pack, past=young), EN) == ""


def test_the_newest_row_does_not_depend_on_their_order(pack):
    lists = pack.past.lists
    assert newest(lists, "as_of", "measured") == newest(lists.iloc[::-1], "as_of", "measured")
