from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest
from tests.exports.past import AS_OF, make_past

from kizuna.exports.page.risk_trend import day_of, risk_trend
from kizuna.wording.words import load_words

WORDS = load_words("en")


def test_three_courses_with_this_week_last(build_pack):
    pack = build_pack("en", past=make_past())
    found = risk_trend(pack, WORDS)
    assert [course.name for course in found.courses] == [
        "Expected churn of all eligible",
        "Share of eligible at high risk",
        "Value at risk, to contact",
    ]
    newest, before = pack.past.trend.iloc[-1], pack.past.trend.iloc[-2]
    first = found.courses[0]
    assert first.now == f"{100 * newest['expected_share']:.1f}%"
    assert first.before == f"{100 * before['expected_share']:.1f}% on 25 Dec 2025"
    shares = pack.past.trend["expected_share"]
    between = f"between {100 * shares.min():.1f}% and {100 * shares.max():.1f}%"
    assert first.text == f"27 Mar 2025: {100 * shares.iloc[0]:.1f}%; {between}; 1 Jan 2026: {first.now}"
    assert (found.lists, found.first, found.new_models) == (38, date(2025, 3, 27), "6 Nov 2025")


def test_weeks_without_a_list_are_a_gap_and_a_new_model_is_marked(build_pack):
    found = risk_trend(build_pack("en", past=make_past()), WORDS)
    for course in found.courses:
        assert course.line.path.count("M") == 2
        assert len(course.line.marks) == 1


def test_one_list_or_none_has_no_course(build_pack):
    past = make_past()
    assert risk_trend(build_pack("en"), WORDS) is None
    assert risk_trend(build_pack("en", past=replace(past, trend=past.trend.tail(1))), WORDS) is None


def test_what_an_earlier_list_did_not_know_is_a_gap(build_pack):
    past = make_past()
    unknown = past.trend.astype({"expected_share": object})
    unknown.loc[unknown.index[10:14], "expected_share"] = None
    first = risk_trend(build_pack("en", past=replace(past, trend=unknown)), WORDS).courses[0]
    assert first.line.path.count("M") == 3


def test_without_values_two_courses_are_left(build_pack):
    found = risk_trend(build_pack("en", values=False, past=make_past(value=False)), WORDS)
    assert len(found.courses) == 2


def test_days_may_be_timestamps_and_rows_in_any_order(build_pack):
    past = make_past()
    other = past.trend.assign(as_of=pd.to_datetime(past.trend["as_of"])).iloc[::-1]
    lists = past.lists.iloc[::-1]
    expected = risk_trend(build_pack("en", past=past), WORDS)
    assert risk_trend(build_pack("en", past=replace(past, trend=other, lists=lists)), WORDS) == expected


@pytest.mark.parametrize("day", [AS_OF, pd.Timestamp(AS_OF)])
def test_a_day_is_a_date(day):
    assert day_of(day) == AS_OF


def test_of_very_many_lists_the_newest_are_drawn(build_pack):
    past = make_past()
    rows = pd.concat([past.trend.tail(1)] * 150, ignore_index=True)
    rows["as_of"] = [AS_OF - timedelta(days=7 * (149 - place)) for place in range(150)]
    assert risk_trend(build_pack("en", past=replace(past, trend=rows)), WORDS).lists == 104
