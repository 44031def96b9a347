from dataclasses import replace

import pytest

from kizuna.exports.page.markets import BAR_WIDTH, markets
from kizuna.wording.words import load_words

WORDS = load_words("en")


@pytest.fixture
def listed(build_pack):
    pack = build_pack("en", listed=6)
    rows = pack.at_risk.assign(
        arm=["target", "target", "target", "target", "control", "exempt"],
        contact_allowed=True,
        value_at_risk=[500.0, 400.0, 300.0, 200.0, 100.0, 50.0],
        churn_probability=[0.9, 0.8, 0.7, 0.6, 0.5, 0.5],
        market=["jp", "us", "jp", None, "jp", "jp"],
        language=["ja", "en", "ja", "en", "ja", "ja"],
    )
    return replace(pack, at_risk=rows.astype({"contact_allowed": "boolean"}))


def test_those_to_contact_by_market_and_language(listed):
    found = markets(listed, WORDS)
    assert found.columns == ("market", "language")
    assert [(place.names, place.figures, place.length) for place in found.places] == [
        (("jp", "ja"), ("2", "¥800", "80%"), BAR_WIDTH),
        (("not known", "en"), ("1", "¥200", "60%"), BAR_WIDTH / 2),
        (("us", "en"), ("1", "¥400", "80%"), BAR_WIDTH / 2),
    ]


def test_a_column_of_nobody_is_left_out(listed):
    assert markets(replace(listed, at_risk=listed.at_risk.assign(language=None)), WORDS).columns == ("market",)
    assert markets(replace(listed, at_risk=listed.at_risk.assign(market=None, language=None)), WORDS) is None


def test_small_markets_stand_together(listed, build_pack):
    pack = build_pack("en", listed=40)
    names = [f"m{place:02d}" for place in range(40)]
    rows = pack.at_risk.assign(arm="target", contact_allowed=True, market=names, language=None)
    rows = rows.astype({"contact_allowed": "boolean"})
    found = markets(replace(pack, at_risk=rows), WORDS)
    assert len(found.places) == 11
    assert found.places[-1].names == ("30 others",)
    assert found.places[-1].figures[0] == "30"
    assert found.places[-1].length == BAR_WIDTH


def test_without_values_there_is_no_column_of_money(listed):
    found = markets(replace(listed, at_risk=listed.at_risk.assign(value_at_risk=float("nan"))), WORDS)
    assert not found.with_value
    assert found.places[0].figures == ("2", "80%")
