from __future__ import annotations

from pathlib import Path

import pytest
from tests.exports.destinations.small import config_of, small_list, write

from kizuna.errors import ConfigError
from kizuna.exports.destinations.settings import refuse_exports
from kizuna.scoring.rows import AT_RISK_COLUMNS

GOOD = """
to: klaviyo
key: Email
columns: {Email: contacts.email, Phone Number: contacts.phone, Kizuna Risk: risk_band, Kizuna Until: act_by}
clear: {Kizuna Risk: none, Kizuna Until: none}
contacts: {path: people.csv}
"""


def test_dates_carry_their_offset_and_what_it_cannot_take_is_held_back(tmp_path: Path, build_pack) -> None:
    lines = ["a,a@example.com,+819012345678", "b,b@example.com,090-1234-5678", "c,c@example,+819012345678"]
    lines += ["d,A B <d@example.com>,", "e,a@example.com,", "f,f@example.com,"]
    (tmp_path / "people.csv").write_text("\n".join(["customer_id,email,phone", *lines]) + "\n")
    pack = small_list(build_pack("ja"), {name: ("target", True) for name in "abcdef"})
    _, found = write(tmp_path / "r1", pack, GOOD)
    same = {"Kizuna Risk": "high", "Kizuna Until": "2026-01-05T00:00:00+09:00"}
    assert found == [
        {"Email": "a@example.com", "Phone Number": "+819012345678", **same},
        {"Email": "f@example.com", "Phone Number": "", **same},
    ]
    assert (tmp_path / "r1/destinations/klaviyo.refused.csv").read_text().splitlines()[1:] == [
        "2,b,Phone Number,not_e164",
        "3,c,Email,no_address",
        "4,d,Email,no_address",
        "5,e,Email,duplicate_key",
    ]


@pytest.mark.parametrize(
    ("date_format", "text"),
    [("%Y年%m月%d日", "2026年01月05日"), ("%Y-%m-%d %H:%M:%S%z", "2026-01-05 00:00:00+0900")],
)
def test_dates_as_text_or_with_an_offset(tmp_path: Path, build_pack, date_format: str, text: str) -> None:
    asked = "{to: klaviyo, columns: {External ID: customer_id, Until: act_by}, clear: {Until: none}, date_format: '%s'}"
    refuse_exports(config_of(asked.replace("%s", date_format)), AT_RISK_COLUMNS)
    pack = small_list(build_pack("ja"), {"007": ("target", True)})
    _, found = write(tmp_path / "r1", pack, asked.replace("%s", date_format))
    assert found == [{"External ID": "007", "Until": text}]


WRONG = {
    "{to: klaviyo, columns: {id: customer_id}}": "exports: klaviyo needs a key that klaviyo knows profiles by (Email, Phone "
    "Number, External ID); found id.",
    "{to: klaviyo, columns: {External ID: customer_id, email: market}}": "exports: klaviyo has a column email, which klaviyo "
    "would take for a property; its own is Email.",
    "{to: klaviyo, columns: {External ID: customer_id}, date_format: '%Y-%m-%d'}": "exports: klaviyo has date_format "
    "'%Y-%m-%d', but klaviyo reads a date without offset as midnight in UTC. Leave it out, add %z, or write a text that is "
    "no date, such as '%Y年%m月%d日'.",
    "{to: klaviyo, key: Email, columns: {Email: contacts.email}}": "exports: klaviyo makes Email of contacts.email, but has "
    "no contacts. Say where they come from.",
}


@pytest.mark.parametrize("asked", WRONG)
def test_its_traps_are_refused_before_anything_is_scored(asked: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_exports(config_of(asked), AT_RISK_COLUMNS)
    assert str(caught.value) == WRONG[asked]


def test_an_address_comes_once_whatever_the_key_and_its_case(tmp_path: Path, build_pack) -> None:
    asked = """
to: klaviyo
columns: {External ID: customer_id, Email: contacts.email, Phone Number: contacts.phone}
contacts: {path: people.csv}
"""
    lines = ["a,a@example.com,+819012345678", "b,A@Example.com,", "c,,+819012345678", "d,,", "e,,"]
    (tmp_path / "people.csv").write_text("\n".join(["customer_id,email,phone", *lines]) + "\n")
    pack = small_list(build_pack("ja"), {name: ("target", True) for name in "abcde"})
    _, found = write(tmp_path / "r1", pack, asked)
    assert [row["External ID"] for row in found] == ["a", "d", "e"]
    assert (tmp_path / "r1/destinations/klaviyo.refused.csv").read_text().splitlines()[1:] == [
        "2,b,Email,duplicate",
        "3,c,Phone Number,duplicate",
    ]
