"""What messages show of the shop's values: numbers and dates, and of texts their length."""

from __future__ import annotations

import pytest

from kizuna.data.examples import shown_value, without_values

SHOWN = [
    *(
        "1,234",
        "-1,234.50",
        "¥500",
        "12.345,67",
        "１２３",
        "1 234 567",
        "50%",
        "1e9",
        "-",
        "nan",
        "NULL",
        "N/A",
        "なし",
    ),
    *(
        "2026-13-45",
        "R8/10/1",
        "令和8年10月20日",
        "S63.1.8",
        "31/12/2025",
        "16.11.2026 10:30",
        "2026年1月5日",
        "16-Nov-2026",
    ),
    *("1763251200", "1763251200000", "0000-00-00", "20261345", "2026-11-16T25:00:00+09:00"),
]
HIDDEN = [
    *(
        "山田カナリア",
        "canary@example.com",
        "090-1234-5678",
        "09012345678",
        "+81 90 1234 5678",
        "03-1234-5678",
        "twelve",
    ),
    *("=1+1", "'; DROP TABLE x", "<img src=x>", "S1-canary@example.com", "2026-01-05 Yamada", "0120-11-2222", "a"),
]


@pytest.mark.parametrize("value", SHOWN)
def test_numbers_and_dates_are_shown_as_they_stand(value: str) -> None:
    assert shown_value(value) == value


@pytest.mark.parametrize("value", HIDDEN)
def test_of_anything_else_the_length_is_told(value: str) -> None:
    assert shown_value(value) == f"(text of {len(value)} letter{'s' if len(value) > 1 else ''})"


def test_nothing_is_empty_and_much_is_cut() -> None:
    assert [shown_value(value) for value in (None, "", "  ")] == ["(empty)"] * 3
    assert shown_value("9" * 400) == "9" * 40 + "…"


@pytest.mark.parametrize("value", ["canary", "it's", 'a"b', "a' to 'b", "a\nb"])
def test_what_a_database_could_not_convert_is_left_out(value: str) -> None:
    said = without_values(f"Error when converting column \"x\". Could not convert string '{value}' to INT32")
    assert said == "Error when converting column \"x\". Could not convert string '…' to INT32"
    assert (
        without_values(f'invalid input syntax for type integer: "{value}"')
        == "invalid input syntax for type integer: '…'"
    )
    assert without_values('syntax error at or near "selct"') == 'syntax error at or near "selct"'
