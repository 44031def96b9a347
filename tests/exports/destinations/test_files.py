from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.exports.destinations.small import EVERY_KIND, config_of, people, read, small_list, write

from kizuna.exports.destinations.files import read_wanted, settings_of, wanted, write_destination
from kizuna.exports.outgoing import Outgoing
from kizuna.exports.pack import ListPack
from kizuna.project import Project

CRM = """
to: destination
name: crm
columns: {Nr: customer_id, Risk: risk_band, Until: act_by, P: churn_probability}
constants: {Source: kizuna, Live: true}
date_format: "%Y/%m/%d"
"""


def test_target_rows_that_may_be_contacted_in_their_columns_and_nobody_else(tmp_path: Path, build_pack) -> None:
    pack = small_list(build_pack("ja"), EVERY_KIND, churn_probability=[0.75] * 6)
    rows, found = write(tmp_path / "r1", pack, CRM)
    line = {"Risk": "high", "Until": "2026/01/05", "P": "0.75", "Source": "kizuna", "Live": "true"}
    assert found == [{"Nr": "007", **line}, {"Nr": "NA", **line}]
    assert rows == {
        "destinations/crm.csv": 2,
        "destinations/crm.customers.csv": 2,
        "destinations/crm.refused.csv": 0,
    }
    text = (tmp_path / "r1/destinations/crm.csv").read_bytes()
    assert text.startswith(b"Nr,Risk,Until,P,Source,Live\n007,high,")
    assert b"\r" not in text
    for name in ("control", "exempt", "paused"):
        assert name not in (tmp_path / "r1/destinations/crm.customers.csv").read_text()


def test_unknown_consent_follows_the_config(tmp_path: Path, build_pack) -> None:
    pack = small_list(build_pack("ja"), EVERY_KIND)
    _, found = write(tmp_path / "r1", pack, CRM, consent_missing="allow")
    assert [row["Nr"] for row in found] == ["007", "NA", "unknown"]


def test_nobody_whose_action_is_planned_over_another_channel(tmp_path: Path, build_pack) -> None:
    customers = {name: ("target", True) for name in ("a", "b", "c")}
    pack = small_list(build_pack("ja"), customers, channel=["email", "phone", None])
    _, found = write(tmp_path / "r1", pack, CRM + "channels: [email, line]\n")
    assert [row["Nr"] for row in found] == ["a", "c"]


@pytest.mark.parametrize(("missing", "sent"), [("refuse", ["agreed"]), ("allow", ["agreed", "unknown"])])
def test_consent_counts_for_the_channel_that_is_used(tmp_path: Path, build_pack, missing: str, sent: list[str]) -> None:
    """All may be contacted by phone; the tool sends e-mail."""
    names = ["agreed", "refused", "unknown"]
    answers = {"consent_phone": [1, 1, 1], "consent_email": [1, 0, None]}
    config = config_of(CRM + "channels: [email]\n", consent_missing=missing)
    (export,) = config.exports
    pack = small_list(build_pack("ja"), {name: ("target", True) for name in names}, channel=["email", None, None])
    store = Project(config, {"customers": pd.DataFrame({"customer_id": names, **answers})}).opened
    (tmp_path / "r1").mkdir()
    write_destination(Outgoing(pack, config, store), export, tmp_path / "r1")
    assert [row["Nr"] for row in read(tmp_path / "r1", "crm")] == sent


def test_data_is_not_altered(tmp_path: Path, build_pack, hostile_ids) -> None:
    names = [*hostile_ids, "\ttab", "a\r\nb", "𠮷", "=HYPERLINK(1)", "+1", "-1", "@x"]
    pack = small_list(build_pack("ja"), {name: ("target", True) for name in names})
    _, found = write(tmp_path / "r1", pack, CRM)
    assert [row["Nr"] for row in found] == names


BLANK = "to: destination\ncolumns: {Nr: customer_id, Why: reason_1_text, Gap: usual_gap_days}\n"


@pytest.mark.parametrize(
    ("policy", "rows", "refused"),
    [
        ("blank: empty", [["a", "x", "7"], ["b", "", ""]], []),
        ("blank: clear\nclear: {Why: none, Gap: -1}", [["a", "x", "7"], ["b", "none", "-1"]], []),
        ("blank: refuse", [["a", "x", "7"]], ["2,b,Why,empty"]),
    ],
)
def test_what_a_missing_value_becomes(tmp_path: Path, build_pack, policy: str, rows: list, refused: list) -> None:
    customers = {"a": ("target", True), "b": ("target", True)}
    pack = small_list(build_pack("ja"), customers, reason_1_text=["x", None], usual_gap_days=[7.0, None])
    counts, found = write(tmp_path / "r1", pack, BLANK + policy)
    assert [list(row.values()) for row in found] == rows
    lines = (tmp_path / "r1/destinations/destination.refused.csv").read_text().splitlines()
    assert lines == ["list_rank,customer_id,column,why", *refused]
    assert counts["destinations/destination.refused.csv"] == len(refused)


MAIL = """
to: destination
name: mail
key: Mail
columns: {Mail: contacts.email, Risk: risk_band, Market: market}
clear: {Risk: none}
contacts: {path: people.csv, columns: {customer_id: user, email: address}}
"""


def test_contacts_are_joined_and_a_key_comes_once(tmp_path: Path, build_pack) -> None:
    people = "user,address\n007,one@example.com\nb,two@example.com\nc,one@example.com\nd,\nz,never@example.com\n"
    (tmp_path / "people.csv").write_text(people)
    pack = small_list(build_pack("ja"), {name: ("target", True) for name in ("007", "b", "c", "d", "e")})
    _, found = write(tmp_path / "r1", pack, MAIL)
    assert found == [
        {"Mail": "one@example.com", "Risk": "high", "Market": "JP"},
        {"Mail": "two@example.com", "Risk": "high", "Market": ""},
    ]
    assert (tmp_path / "r1/destinations/mail.refused.csv").read_text().splitlines()[1:] == [
        "3,c,Mail,duplicate_key",
        "4,d,Mail,empty",
        "5,e,Mail,empty",
    ]
    assert "never" not in (tmp_path / "r1/destinations/mail.customers.csv").read_text()


def failure(folder: Path, pack: ListPack) -> str:
    rows, found = write(folder, pack, MAIL)
    assert (rows, found) == ({"destinations/mail.failed.txt": 0}, [])
    return (folder / "destinations/mail.failed.txt").read_text().strip()


def test_contacts_that_cannot_be_used_do_not_stop_the_list(tmp_path: Path, build_pack) -> None:
    pack = small_list(build_pack("ja"), {"007": ("target", True)})
    assert failure(tmp_path / "r1", pack) == (
        "Table contacts of the export mail is to be read from people.csv, but there is no such file (looked at "
        f"{tmp_path}/people.csv). Mend the export mail's contacts.path; relative paths start at the config's folder."
    )
    (tmp_path / "people.csv").write_text("user,mail\n007,one@example.com\n")
    assert failure(tmp_path / "r1", pack) == (
        "Table contacts of the export mail: email is looked for in column 'address'; found user, mail. "
        "Mend the export mail's contacts.columns."
    )
    (tmp_path / "people.csv").write_text("user,address\n007,one@example.com\n007,two@example.com\n")
    assert failure(tmp_path / "r1", pack) == (
        "Table contacts of the export mail: 1 customers stand there more than once. Keep one row of each."
    )
    (tmp_path / "people.csv").write_bytes(b"user,address\n007,\xff\xfe\n")
    assert failure(tmp_path / "r1", pack).startswith("Table contacts of the export mail cannot be read: ")


def test_the_same_list_gives_the_same_bytes(tmp_path: Path, build_pack) -> None:
    pack = small_list(build_pack("ja"), EVERY_KIND)
    for name in ("r1", "r2"):
        write(tmp_path / name, pack, CRM)
    for path in (tmp_path / "r1/destinations").iterdir():
        assert path.read_bytes() == (tmp_path / "r2/destinations" / path.name).read_bytes()


def test_what_was_published_is_read_back_as_it_was_made(tmp_path: Path, build_pack, hostile_ids) -> None:
    names = [*hostile_ids, "a\r\nb", "𠮷", "x" * 200_000]
    pack = small_list(build_pack("ja"), {name: ("target", True) for name in names})
    config = config_of(CRM)
    (export,) = config.exports
    out = Outgoing(pack, config, Project(config, {"customers": people(pack)}).opened)
    write_destination(out, export, tmp_path)
    made = wanted(out.listed, export)
    assert read_wanted(tmp_path, export) == made
    assert made.customers == made.keys == names


def test_what_changes_the_rows_changes_the_settings(tmp_path: Path) -> None:
    def settings(more: str, **at_risk: str) -> str:
        config = config_of(MAIL + more, tmp_path, **at_risk)
        return settings_of(config)["mail"]

    assert settings("drop: there\n") == settings("changed_only: true\n") == settings("")
    others = [settings("blank: clear\n"), settings("channels: [email]\n"), settings("", consent_missing="allow")]
    assert len({settings(""), *others}) == 4
