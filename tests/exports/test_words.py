import re
from datetime import date

import pytest

from kizuna.errors import ConfigError
from kizuna.evaluation.baselines.names import RULE_NAMES
from kizuna.explain.facts import CODES
from kizuna.lists.selection import LEFT_OUT
from kizuna.wording.catalog import languages
from kizuna.wording.words import load_words, money_decimals, share_text

STAGES = ("first", "second", "regular", "loyal", "lapsing")
REMOVED = ("purchased", "recovered", "beyond_capacity", "no_longer_eligible", "suppressed")


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_both_catalogs_have_the_same_keys_and_places():
    english, japanese = (load_words(language).texts for language in ("en", "ja"))
    assert list(english) == list(japanese)
    # How a day or a large amount is written is each language's own.
    own = {key for key in english if key.startswith("format.")}
    assert {key: places(english[key]) for key in english if key not in own} == {
        key: places(japanese[key]) for key in japanese if key not in own
    }
    # Japanese sentences are joined without a blank.
    empty = {key for texts in (english, japanese) for key, text in texts.items() if not text.strip()}
    assert empty == {"cover.join"}


@pytest.mark.parametrize("language", languages())
def test_every_fact_stage_channel_and_reason_for_leaving_has_a_word(language):
    words = load_words(language)
    assert all(words.knows("fact", code) for code in CODES)
    assert all(words.knows(group, stage) for group in ("stage", "stage_many") for stage in STAGES)
    assert all(words.knows("channel", channel) for channel in ("email", "sms", "line", "phone", "post"))
    assert all(words.knows("removed", why) for why in REMOVED)
    assert all(words.knows("left_out", why) for why in LEFT_OUT)
    assert all(words.knows("strength", strength) for strength in ("large", "medium", "small"))
    assert all(words.knows("suppressed", why) for why in ("no_consent", "paused"))
    assert all(len(text) <= 31 for key, text in words.texts.items() if key.startswith("sheet."))


@pytest.mark.parametrize("language", languages())
def test_every_check_of_the_gate_and_every_rule_has_a_word(language):
    words = load_words(language)
    checks = ("signal", "baseline", "calibration", "level", "leak", "champion", "segments", "population")
    assert all(words.knows(group, name) for group in ("gate_check", "gate_value") for name in checks)
    assert all(words.knows("gate_status", status) for status in ("pass", "warn", "fail"))
    assert all(words.knows("recipe", name) for name in RULE_NAMES)


def test_documents_call_the_rules_what_pictures_call_them():
    words = load_words("en")
    assert {name: words.code("recipe", name).lower() for name in RULE_NAMES} == {
        name: rule.lower() for name, rule in RULE_NAMES.items()
    }


def test_a_code_without_a_word_is_printed_as_it_is():
    words = load_words("en")
    assert words.code("stage", "regular") == "Regular"
    assert words.code("stage", "<b>own</b>") == "<b>own</b>"
    assert words.code("stage", None) == words.code("stage", float("nan")) == ""


def test_days():
    thursday = date(2026, 1, 1)
    english, japanese = load_words("en"), load_words("ja")
    assert english.day(thursday) == "1 Jan 2026"
    assert english.day(thursday, weekday=True) == "Thu 1 Jan 2026"
    assert english.day(thursday, year=False) == "1 Jan"
    assert japanese.day(thursday, weekday=True) == "2026/01/01(木)"
    assert japanese.day(thursday) == "2026/01/01"
    assert japanese.day(thursday, year=False) == "1/1"
    assert english.span(thursday, date(2026, 3, 31)) == "1 Jan – 31 Mar 2026"
    assert english.span(date(2025, 12, 1), thursday) == "1 Dec 2025 – 1 Jan 2026"
    assert japanese.span(thursday, date(2026, 3, 31)) == "1/1〜3/31"
    assert japanese.span(date(2025, 12, 1), thursday) == "2025/12/01〜2026/01/01"


@pytest.mark.parametrize(
    ("language", "amount", "currency", "text"),
    [
        ("ja", 48200.4, "JPY", "48,200円"),
        ("en", 48200.4, "JPY", "¥48,200"),
        ("en", 12.5, "USD", "$12.50"),
        ("en", 1234.5, "USD", "$1,234"),
        ("en", -12.5, "EUR", "−€12.50"),
        ("en", 1234.5, "CHF", "CHF 1,234"),
        ("ja", 12.5, None, "12.50"),
        ("en", None, "JPY", "–"),
        ("en", float("nan"), "JPY", "–"),
    ],
)
def test_money(language, amount, currency, text):
    assert load_words(language).money(amount, currency) == text


def test_large_figures_are_short_and_a_column_has_one_number_of_decimals():
    english, japanese = load_words("en"), load_words("ja")
    assert english.money(1_934_000, "JPY", compact=True) == "¥1.93 M"
    assert japanese.money(1_934_000, "JPY", compact=True) == "193万円"
    assert english.money(2_500_000_000, "USD", compact=True) == "$2.50 bn"
    assert japanese.money(250_000_000, "JPY", compact=True) == "2.50億円"
    assert english.money(999_999, "JPY", compact=True) == "¥999,999"
    assert english.money(12.5, "USD", decimals=0) == "$12"
    assert japanese.money_format(48200, "JPY") == '#,##0"円"'
    assert english.money_format(48200, "JPY") == '"¥"#,##0'
    assert english.money_format(12, "USD") == '"$"#,##0.00'
    assert english.money_format(12, None) == "#,##0.00"
    assert money_decimals(12, "JPY") == 0


def test_shares():
    assert share_text(0.7849) == "78%"
    assert share_text(0.4612, 1) == "46.1%"


def test_a_language_without_words_is_refused():
    with pytest.raises(ConfigError) as caught:
        load_words("jp")
    assert str(caught.value) == (
        "Words in 'jp' were asked for; there are words for en, ja. Set at_risk.language to one of them."
    )
