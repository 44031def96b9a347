from dataclasses import replace

import pytest
from tests.exports.past import make_past

from kizuna.exports.page.past_lists import LEFT, RIGHT, past_rows, share_ticks
from kizuna.wording.words import load_words

WORDS = load_words("en")


@pytest.fixture
def past():
    return make_past()


def test_lists_that_ended_stand_newest_first_with_what_was_said_and_what_came(build_pack, past):
    measured = past.lists["state"] == "measured"
    lists = past.lists.copy()
    row = lists.index[measured][-1]
    lists.loc[row, ["predicted", "precision", "precision_low", "precision_high"]] = [0.8, 0.75, 0.5, 1.0]
    lists.loc[row, ["base_rate", "lift"]] = [0.5, 1.5]
    found = past_rows(build_pack("en", past=replace(past, lists=lists)), WORDS)
    first = found.newest[0]
    assert (first.named, first.listed, first.said, first.happened) == ("2 Oct 2025", "300", "80%", "75% (50–100%)")
    assert (first.base, first.lift, first.note) == ("50%", "1.5", "")
    middle, quarter = (LEFT + RIGHT) / 2, (RIGHT - LEFT) / 4
    dots = first.dots
    assert (dots.low, dots.happened, dots.high, dots.base) == (middle, middle + quarter, RIGHT, middle)
    assert dots.said == round(LEFT + 0.8 * (RIGHT - LEFT), 1)
    assert len(found.newest) == 13
    assert len(found.newest) + len(found.older) == int((~lists["state"].isin(["maturing", "not_measured"])).sum())


def test_lists_of_long_ago_are_counted_and_not_called_without_controls(build_pack, past):
    lists = past.lists.copy()
    lists.loc[lists.index[:5], "state"] = "not_measured"
    found = past_rows(build_pack("en", past=replace(past, lists=lists)), WORDS)
    assert found.unmeasured == 5
    assert len(found.newest) + len(found.older) == int((lists["state"] == "measured").sum())


def test_lists_that_run_say_when_they_are_known(build_pack, past):
    found = past_rows(build_pack("en", past=past), WORDS)
    assert len(found.running) == 12
    first = found.running[0]
    assert (first.named, first.listed, first.known_on) == ("9 Oct 2025", "300", "8 Jan 2026")
    assert found.next_result == "8 Jan 2026"


def test_a_list_without_controls_has_a_note_and_no_dots(build_pack, past):
    oldest = past_rows(build_pack("en", past=past), WORDS).older[-1]
    assert oldest.dots is None
    assert oldest.note == "Nobody was left alone, so nothing can be told."


def test_where_nobody_untreated_was_listed_there_is_a_note(build_pack, past):
    lists = past.lists[past.lists["state"] == "measured"].tail(1)
    lists = lists.assign(precision=float("nan"), precision_low=float("nan"), precision_high=float("nan"), lift=None)
    row = past_rows(build_pack("en", past=replace(past, lists=lists)), WORDS).newest[0]
    assert (row.dots, row.note) == (None, "Nobody untreated can be measured.")


def test_no_list_before_this_one(build_pack, past):
    assert past_rows(build_pack("en"), WORDS) is None
    assert past_rows(build_pack("en", past=replace(past, lists=past.lists.head(0))), WORDS) is None


def test_the_scale_goes_from_nought_to_all():
    assert share_ticks()[0] == (LEFT, "0%")
    assert share_ticks()[-1] == (RIGHT, "100%")
