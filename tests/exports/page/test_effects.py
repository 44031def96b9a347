from dataclasses import replace

import pytest
from tests.exports.past import make_past

from kizuna.exports.page.effects import LEFT, RIGHT, quarters, verdict_text
from kizuna.exports.proof import quarter_text
from kizuna.wording.words import load_words

WORDS = load_words("en")


@pytest.fixture
def past():
    return make_past()


def test_what_is_known_stands_first_newest_first(build_pack, past):
    found = quarters(build_pack("en", past=past), WORDS)
    assert [(quarter.title, quarter.tone) for quarter in found] == [
        ("Q3 2025", "not_clear"),
        ("Q2 2025", "earned"),
        ("Q4 2025", "waiting"),
    ]


def test_a_clear_gain_in_words(build_pack, past):
    quarter = quarters(build_pack("en", past=past), WORDS)[1]
    assert quarter.sentences == (
        "Yes: a customer to be contacted spent ¥1,240 more than one left alone (¥310 to ¥2,170, 95%).",
        "More stayed: +6.2 points (+1.1 to +11.3).",
    )
    assert quarter.small == "874 to be contacted, 221 left alone; carried out with 71% and 2% of them"


def test_what_is_not_clear_says_how_many_more(build_pack, past):
    quarter = quarters(build_pack("en", past=past), WORDS)[0]
    assert quarter.sentences == (
        "Not clear yet: for each customer to be contacted the difference is +¥420 (−\u2060¥510 to +¥1,350, 95%).",
        "About 2,140 more listed customers would make it clear.",
        "Whether more stayed is not clear: +1.8 points (−4.1 to +7.7).",
    )


def test_a_quarter_that_runs_says_when(build_pack, past):
    quarter = quarters(build_pack("ja", past=past), load_words("ja"))[2]
    assert quarter.title == "2025年10〜12月"
    assert quarter.sentences == (
        "2026/03/31より前には判定しません。現在比較できるのは、連絡する顧客698名、連絡しない顧客176名です。",
    )
    assert (quarter.whiskers, quarter.groups) == ((), ())


def test_a_loss_is_told_as_a_loss(build_pack, past):
    effects = past.effects.copy()
    effects.loc[0, ["value", "value_low", "value_high", "verdict"]] = [-800.0, -1500.0, -100.0, "lost"]
    effects.loc[0, ["kept", "kept_low", "kept_high"]] = [-0.05, -0.09, -0.01]
    quarter = quarters(build_pack("en", past=replace(past, effects=effects)), WORDS)[1]
    assert quarter.sentences == (
        "No: a customer to be contacted spent ¥800 less than one left alone (¥100 to ¥1,500, 95%).",
        "Fewer stayed: −5.0 points (−9.0 to −1.0).",
    )


@pytest.mark.parametrize(
    ("basis", "said", "unit"),
    [
        ("revenue", "spent ¥1,240 more", "Per listed customer, revenue less returns"),
        ("margin", "brought a margin of ¥1,240 more", "Per listed customer, margin on purchases less returns"),
        (
            "net",
            "earned, costs of contact taken off, ¥1,240 more",
            "Per listed customer, purchases times the margin, less the costs of contact",
        ),
    ],
)
def test_the_money_is_called_what_it_is(build_pack, past, basis, said, unit):
    quarter = quarters(build_pack("en", past=replace(past, basis=basis)), WORDS)[1]
    assert said in quarter.sentences[0]
    assert quarter.whiskers[0].name == unit
    assert ("earned" in quarter.sentences[0]) == (basis == "net")


def test_whiskers_share_a_scale_with_nought_on_it(build_pack, past):
    first, second, _ = quarters(build_pack("en", past=past), WORDS)
    for ours, theirs in zip(first.whiskers, second.whiskers, strict=True):
        assert ours.nought == theirs.nought
        assert LEFT <= min(ours.low, theirs.low) <= max(ours.high, theirs.high) <= RIGHT
    value = second.whiskers[0]
    assert value.nought < value.low < value.at < value.high
    assert (value.texts, value.is_clear) == (("+¥310", "+¥1,240", "+¥2,170"), True)
    assert first.whiskers[0].low < first.whiskers[0].nought < first.whiskers[0].at


def test_without_purchases_only_those_who_stayed_are_told(build_pack):
    found = quarters(build_pack("en", values=False, past=make_past(value=False)), WORDS)
    assert [len(quarter.sentences) for quarter in found] == [1, 1, 1]
    assert found[1].sentences[0] == "More stayed: +6.2 points (+1.1 to +11.3)."
    assert [whisker.name for whisker in found[1].whiskers] == ["Stayed (points)"]


def test_too_few_is_said(build_pack, past):
    effects = past.effects.tail(1).assign(state="not_enough_data", target=3, control=1, executed_target=None)
    (quarter,) = quarters(build_pack("en", past=replace(past, effects=effects)), WORDS)
    assert quarter.sentences == ("Not enough data: 3 to be contacted and 1 left alone can be compared.",)


def test_groups_are_exploratory_and_named_as_the_list_names_them(build_pack, past):
    quarter = quarters(build_pack("en", past=past), WORDS)[1]
    assert len(quarter.groups) == 8
    first = quarter.groups[0]
    assert (first.group, first.by) == ("A04 Say thank you", "Action")
    assert (first.outcome, first.difference, first.p) == ("Value", "+¥1,900 (−\u2060¥380 to +¥4,180)", "0.400")
    assert [group.result for group in quarter.groups if group.is_clear] == ["Clear"]
    assert quarters(build_pack("en", past=past), WORDS)[0].groups == ()


def test_several_experiments_are_told_apart(build_pack, past):
    effects = past.effects.assign(experiment=["shop", "other", "shop"])
    titles = {quarter.title for quarter in quarters(build_pack("en", past=replace(past, effects=effects)), WORDS)}
    assert titles == {"Q2 2025  shop", "Q3 2025  other", "Q4 2025  shop"}


def test_no_list_before_has_no_quarter(build_pack, past):
    assert quarters(build_pack("en"), WORDS) == ()
    assert quarters(build_pack("en", past=replace(past, effects=past.effects.head(0))), WORDS) == ()


def test_the_names_of_quarters():
    assert quarter_text("2026-Q1", WORDS) == "Q1 2026"
    assert quarter_text("2026-Q3", load_words("ja")) == "2026年7〜9月"
    assert quarter_text("2026-01-05", WORDS) == "2026-01-05"


def test_the_top_has_the_newest_verdict_or_says_when_there_is_one(build_pack, past):
    read = quarters(build_pack("en", past=past), WORDS)
    assert verdict_text(read, "later", WORDS).startswith("Q3 2025: Not clear yet: for each customer")
    assert verdict_text(read[2:], "later", WORDS) == "later"
    assert verdict_text((), "later", WORDS) == "later"
