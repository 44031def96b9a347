from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.data.cleaning import ERA_PATTERN, PLAIN_NUMBER_PATTERN, clean_sql, install_macros, present_sql
from kizuna.data.contract import Kind
from kizuna.data.sources import connect, literal
from kizuna.errors import ConfigError
from kizuna.timeline import date_of


def cleaned(kind: Kind, values: list[str], timezone: str = "Asia/Tokyo", raw_type: str = "VARCHAR") -> list[Any]:
    """What each SQL value of one type reads as; days as dates."""
    with connect(1, 1.0) as connection:
        install_macros(connection, timezone)
        rows = ", ".join(f"({index}, CAST({value} AS {raw_type}))" for index, value in enumerate(values))
        connection.execute(f"CREATE TABLE raw AS SELECT * FROM (VALUES {rows}) AS t(i, x)")
        [(_, found, *_)] = [row for row in connection.execute("DESCRIBE raw").fetchall() if row[0] == "x"]
        query = f"SELECT {clean_sql(kind, 'x', found, timezone)} FROM raw ORDER BY i"
        read = [row[0] for row in connection.execute(query).fetchall()]
    return [None if day is None else date_of(day) for day in read] if kind == "time" else read


def texts(kind: Kind, *values: str, timezone: str = "Asia/Tokyo") -> list[Any]:
    return cleaned(kind, [literal(value) for value in values], timezone)


def test_ids_are_kept_to_the_letter() -> None:
    kept = [
        "007",
        "NA",
        "NULL",
        "None",
        "nan",
        "１２３",
        "🙂",
        "a b",
        " a",
        "a ",
        "A",
        "a",
        "x" * 5000,
        "1e3",
        "-0",
        "../../x",
    ]
    assert texts("id", *kept) == kept
    assert texts("id", "", " ", "   ") == [None, None, None]


def test_ids_that_arrive_as_numbers_are_spelled_as_whole_numbers() -> None:
    assert cleaned("id", ["7", "-7", "9223372036854775807", "NULL"], raw_type="BIGINT") == [
        "7",
        "-7",
        str(2**63 - 1),
        None,
    ]
    floats = ["7.0", "7.5", "'nan'", "'inf'", "9007199254740993.0", "NULL", "-0.0"]
    assert cleaned("id", floats, raw_type="DOUBLE") == ["7", None, None, None, None, None, "0"]
    assert cleaned("id", ["7.00", "7.50"], raw_type="DECIMAL(9,2)") == ["7", None]
    assert cleaned("id", ["1" * 30], raw_type="HUGEINT") == ["1" * 30]
    assert cleaned("text", ["7.0", "7.5", "'nan'"], raw_type="DOUBLE") == ["7", "7.5", None]


DAYS = {
    "2026-11-16": "2026-11-16",
    "2026-1-5": "2026-01-05",
    "2026/11/16": "2026-11-16",
    "2026/1/5": "2026-01-05",
    "20261116": "2026-11-16",
    "2026-11-16T23:59:59": "2026-11-16",
    "2026-11-16 23:59": "2026-11-16",
    "2026/11/16 23:59": "2026-11-16",
    "2026/11/16 23:59:59": "2026-11-16",
    "2026-11-16T23:59:59.123456789": "2026-11-16",
    "2026-11-16T23:59:59,5": "2026-11-16",
    "20261116T235959": "2026-11-16",
    "2024-02-29": "2024-02-29",
    " 2026-11-16 ": "2026-11-16",
    "2026-11-16T14:59:59Z": "2026-11-16",
    "2026-11-16T15:00:00Z": "2026-11-17",
    "2026-11-16t15:00:00z": "2026-11-17",
    "2026-11-16 15:00:00 UTC": "2026-11-17",
    "2026-11-16T15:00:00.5Z": "2026-11-17",
    "2026-11-16T15:00Z": "2026-11-17",
    "2026/11/16 15:00:00 +0000": "2026-11-17",
    "2026-11-16T00:00:00+09:00": "2026-11-16",
    "2026-11-16T23:59:59+0900": "2026-11-16",
    "2026-11-16T10:00:00-05": "2026-11-17",
    "2026-11-16T09:59:59-05": "2026-11-16",
    "2026-11-16T20:30:00+05:30": "2026-11-17",
    "20261116T150000Z": "2026-11-17",
    "20261116T235959+0900": "2026-11-16",
}
NO_DAYS = [
    *("2023-02-29", "2023-02-29T10:00:00Z", "2026-13-01", "2026-00-10", "20261316", "16/11/2026", "11/16/2026"),
    *("Nov 5 2026", "5 Nov 2026", "1763251200", "1763251200000", "2026", "2026-11", "2026年11月16日", "2026-11/16"),
    *(
        "2026-11-16T25:00:00",
        "2026-11-16T10:61",
        "2026-11-16T10:00:00+99:00",
        "２０２６－１１－１６",
        "now",
        "infinity",
    ),
    *("", "today", "2026-11-16 junk", "2026-11-16T10:00:00 Asia/Tokyo", "26-11-16", "NULL", "12.5"),
]
ERA_DATES = [
    "R8/11/16",
    "令和8年11月16日",
    "S63.1.8",
    "H30-1-1",
    "平成元年1月8日",
    "r8/11/16",
    "Ｒ８／１１／１６",
    "㋿8年11月16日",
]


def test_days_in_every_accepted_form() -> None:
    assert [str(day) for day in texts("time", *DAYS)] == list(DAYS.values())


def test_what_is_no_day_is_not_guessed() -> None:
    assert texts("time", *NO_DAYS, *ERA_DATES) == [None] * len(NO_DAYS + ERA_DATES)


def test_era_dates_are_recognised_and_nothing_else_is() -> None:
    with connect(1, 1.0) as connection:
        tests = [f"regexp_matches({literal(text)}, {literal(ERA_PATTERN)})" for text in [*ERA_DATES, *DAYS, *NO_DAYS]]
        found = connection.execute(f"SELECT {', '.join(tests)}").fetchall()[0]
    assert list(found) == [True] * len(ERA_DATES) + [False] * len(tests[len(ERA_DATES) :])


MIDNIGHTS = {
    ("Europe/London", "2026-03-28T23:59:59Z"): "2026-03-28",
    ("Europe/London", "2026-03-29T00:00:00Z"): "2026-03-29",  # 01:00 becomes 02:00 this night
    ("Europe/London", "2026-03-29T22:59:59Z"): "2026-03-29",
    ("Europe/London", "2026-03-29T23:00:00Z"): "2026-03-30",
    ("Europe/London", "2026-10-24T23:00:00Z"): "2026-10-25",
    ("Europe/London", "2026-10-25T23:59:59Z"): "2026-10-25",  # 02:00 became 01:00: a day of 25 hours
    ("Europe/London", "2026-10-26T00:00:00Z"): "2026-10-26",
    ("America/New_York", "2026-03-08T04:59:59Z"): "2026-03-07",
    ("America/New_York", "2026-03-08T05:00:00Z"): "2026-03-08",
    ("America/New_York", "2026-03-09T03:59:59Z"): "2026-03-08",
    ("America/New_York", "2026-03-09T04:00:00Z"): "2026-03-09",
    ("America/New_York", "2026-11-01T04:00:00Z"): "2026-11-01",
    ("America/New_York", "2026-11-02T04:59:59Z"): "2026-11-01",
    ("America/New_York", "2026-11-02T05:00:00Z"): "2026-11-02",
}


def test_zones_around_midnight_and_both_changes_of_the_clock() -> None:
    for (zone, text), day in MIDNIGHTS.items():
        assert [str(found) for found in texts("time", text, timezone=zone)] == [day], (zone, text)
        assert [str(found) for found in cleaned("time", [literal(text)], zone, "TIMESTAMPTZ")] == [day], (zone, text)


ZONES = [
    "Asia/Tokyo",
    "Europe/London",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "UTC",
]


@settings(max_examples=15)
@given(
    moments=st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)), min_size=1),
    zone=st.sampled_from(ZONES),
    offset=st.integers(-12, 14),
)
def test_an_offset_is_converted_as_python_does(moments: list[datetime], zone: str, offset: int) -> None:
    local = [f"{moment + timedelta(hours=offset):%Y-%m-%dT%H:%M:%S}{offset:+03d}:00" for moment in moments]
    expected = [moment.replace(microsecond=0).astimezone(ZoneInfo(zone)).date() for moment in moments]
    assert texts("time", *local, timezone=zone) == expected


@settings(max_examples=15)
@given(moment=st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), zone=st.sampled_from(ZONES))
def test_a_local_time_and_a_bare_date_are_never_shifted(moment: datetime, zone: str) -> None:
    forms = [f"{moment:%Y-%m-%d}", f"{moment:%Y/%m/%d %H:%M}", moment.isoformat(), f"{moment:%Y%m%d}"]
    assert texts("time", *forms, timezone=zone) == [moment.date()] * 4
    assert cleaned("time", [literal(moment.isoformat())], zone, "TIMESTAMP_NS") == [moment.date()]
    assert cleaned("time", [literal(moment.isoformat())], zone, "DATE") == [moment.date()]


def test_numbers_as_days() -> None:
    expected = [date(2026, 11, 16), None, None, None]
    for raw_type in ("BIGINT", "INTEGER", "DOUBLE", "DECIMAL(18,0)"):
        values = ["20261116", "20261316", "1763251200", "NULL"]
        assert cleaned("time", values, raw_type=raw_type) == expected
    assert cleaned("time", ["20261116.5", "'nan'", "'inf'"], raw_type="DOUBLE") == [None] * 3
    assert cleaned("time", ["true"], raw_type="BOOLEAN") == [None]
    assert cleaned("time", ["'infinity'"], raw_type="TIMESTAMP") == [None]
    assert cleaned("time", ["'10:00'"], raw_type="TIME") == [None]


def test_numbers() -> None:
    read = {"12": 12.0, "12 ": 12.0, " 1.5": 1.5, "1e3": 1000.0, "-7": -7.0, "+7": 7.0, ".5": 0.5, "007": 7.0}
    assert texts("number", *read) == list(read.values())
    refused = [
        "1,234",
        "¥500",
        "１２３",
        "nan",
        "inf",
        "-Infinity",
        "1_000",
        "12%",
        "(5)",
        "1 000",
        "1e400",
        "0x10",
        "",
        "true",
    ]
    assert texts("number", *refused) == [None] * len(refused)
    assert cleaned("number", ["1.25", "NULL"], raw_type="DECIMAL(9,2)") == [1.25, None]
    assert cleaned("number", ["'nan'", "'inf'", "2"], raw_type="FLOAT") == [None, None, 2.0]
    assert cleaned("number", ["true"], raw_type="BOOLEAN") == [1.0]
    assert cleaned("number", ["DATE '2026-11-16'"], raw_type="DATE") == [None]
    assert cleaned("number", ["'12'"], raw_type="ENUM('12')") == [12.0]
    for raw_type, value in (("INTERVAL", "INTERVAL 1 DAY"), ("BIGINT[]", "[1]"), ("BLOB", "'12'"), ("UUID", "uuid()")):
        assert cleaned("number", [value], raw_type=raw_type) == [None]


def test_flags() -> None:
    yes = ["true", "TRUE", "True", "yes", "YES", "y", "Y", "t", "1", "1.0", " yes "]
    no = ["false", "FALSE", "no", "NO", "n", "f", "0", "0.0"]
    assert texts("flag", *yes) == [True] * len(yes)
    assert texts("flag", *no) == [False] * len(no)
    assert texts("flag", "2", "on", "ja", "はい", "", "01", "-1") == [None] * 7
    assert cleaned("flag", ["1", "0", "NULL", "0.5"], raw_type="DOUBLE") == [True, False, None, None]
    assert cleaned("flag", ["1", "0", "2"], raw_type="TINYINT") == [True, False, None]
    assert cleaned("flag", ["true", "false"], raw_type="BOOLEAN") == [True, False]


def test_codes_and_texts() -> None:
    assert texts("code", " NPS", "Earn ", "", " ") == ["nps", "earn", None, None]
    assert texts("text", "NA", " x ", "", " ") == ["NA", " x ", None, None]


@pytest.mark.parametrize(
    ("raw_type", "value", "present"),
    [
        *[("VARCHAR", "''", False), ("VARCHAR", "' '", False), ("VARCHAR", "'x'", True), ("VARCHAR", "NULL", False)],
        *[("DOUBLE", "'nan'", False), ("DOUBLE", "0", True), ("BIGINT", "NULL", False), ("DATE", "'2026-11-16'", True)],
    ],
)
def test_a_cell_is_present_unless_it_is_null_blank_or_nan(raw_type: str, value: str, present: bool) -> None:
    query = f"SELECT {present_sql('x', raw_type)} FROM (SELECT CAST({value} AS {raw_type}) AS x)"
    assert duckdb.sql(query).fetchall() == [(present,)]


def test_plain_numbers_lose_nothing() -> None:
    plain = ["12", "-1.5", "0", "0.5", "1e-3", "", " 7 "]
    codes = ["007", "1,2", "0x1", "A", "+5", "1_0", "-", ".5", "00"]
    tests = [f"regexp_full_match({literal(text)}, {literal(PLAIN_NUMBER_PATTERN)})" for text in plain + codes]
    assert list(duckdb.sql(f"SELECT {', '.join(tests)}").fetchall()[0]) == [True] * len(plain) + [False] * len(codes)


def test_a_zone_that_the_database_does_not_know() -> None:
    with connect(1, 1.0) as connection, pytest.raises(ConfigError) as caught:
        install_macros(connection, "right/UTC")
    assert str(caught.value) == (
        "data.timezone asks for right/UTC, which the database does not know. "
        "Use a zone of the form Region/City, such as Asia/Tokyo."
    )
