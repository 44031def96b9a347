from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.delivery.week import (
    CHANGES,
    CRM,
    FIRST,
    SECOND,
    THIRD,
    config_of,
    delivered,
    handed,
    published_day,
    restored,
)

from kizuna.delivery.outbox import read_entry
from kizuna.errors import DestinationFailed


def test_a_week_and_the_next(tmp_path: Path) -> None:
    """a stays as it was, b's risk changes, c has left the list, d is new."""
    config = config_of(tmp_path, CRM, CHANGES)
    delivered(config, published_day(config, FIRST, {"a": "high", "b": "high", "c": "high"}))
    delivered(config, published_day(config, SECOND, {"a": "high", "b": "low", "d": "high"}))
    first = [["a", "high"], ["b", "high"], ["c", "high"]]
    changes = [["b", "low"], ["d", "high"], ["c", "none"]]
    assert handed(config, "crm") == {
        "crm-000001-2026-01-05-r1.csv": first,
        "crm-000002-2026-01-12-r1.csv": [["a", "high"], *changes],
    }
    assert handed(config, "changes") == {
        "changes-000001-2026-01-05-r1.csv": first,
        "changes-000002-2026-01-12-r1.csv": changes,
    }
    # A third time, nothing is left to say.
    delivered(config, published_day(config, THIRD, {"a": "high", "b": "low", "d": "high"}))
    assert handed(config, "changes")["changes-000003-2026-01-19-r1.csv"] == []


def test_the_same_again_hands_over_nothing(tmp_path: Path) -> None:
    config = config_of(tmp_path, CRM)
    publication = published_day(config, FIRST, {"a": "high"})
    (once,) = delivered(config, publication)
    before = {path: path.stat().st_mtime_ns for path in config.output_dir.rglob("*") if path.name != ".lock"}
    lines: list[str] = []
    assert delivered(config, publication, lines) == [once]
    assert lines == ["crm: has 2026-01-05 r1 already"]
    assert {path: path.stat().st_mtime_ns for path in config.output_dir.rglob("*") if path.name != ".lock"} == before
    assert (once.state, once.rows, once.attempts, once.as_of, once.revision) == ("delivered", 1, 1, FIRST, 1)


def test_a_newest_day_published_again_or_restored_is_handed_over_as_the_difference(tmp_path: Path) -> None:
    config = config_of(tmp_path, CHANGES)
    delivered(config, published_day(config, FIRST, {"a": "high", "b": "high"}))
    delivered(config, published_day(config, FIRST, {"b": "low", "c": "high"}, republish=True))
    delivered(config, restored(config, FIRST, 1))
    assert list(handed(config, "changes").items())[1:] == [
        ("changes-000002-2026-01-05-r2.csv", [["b", "low"], ["c", "high"], ["a", "none"]]),
        ("changes-000003-2026-01-05-r1.csv", [["a", "high"], ["b", "high"], ["c", "none"]]),
    ]


def test_an_older_day_changes_nothing_for_those_who_hold_a_newer_one(tmp_path: Path) -> None:
    config = config_of(tmp_path, CRM)
    delivered(config, published_day(config, FIRST, {"a": "high"}))
    delivered(config, published_day(config, SECOND, {"b": "high"}))
    before, lines = handed(config, "crm"), list[str]()
    (told,) = delivered(config, published_day(config, FIRST, {"c": "high"}, republish=True), lines)
    assert (told.as_of, told.state) == (SECOND, "delivered")
    delivered(config, restored(config, FIRST, 1), lines)
    assert handed(config, "crm") == before
    assert lines == ["crm: 2026-01-05 is not the newest day, so nothing of it is handed over"] * 2


def test_a_list_for_the_record_is_no_newest_day(tmp_path: Path) -> None:
    config = config_of(tmp_path, CRM)
    delivered(config, published_day(config, FIRST, {"a": "high"}))
    published_day(config, SECOND, {"b": "high"}, backfill=True)
    delivered(config, published_day(config, FIRST, {"c": "high"}, republish=True))
    assert handed(config, "crm")["crm-000002-2026-01-05-r2.csv"] == [["c", "high"], ["a", "none"]]


def test_who_has_opted_out_since_is_not_handed_over_and_is_cleared(tmp_path: Path) -> None:
    config = config_of(tmp_path, CHANGES)
    delivered(config, published_day(config, FIRST, {"a": "high", "b": "high"}))
    again = published_day(config, SECOND, {"a": "low", "b": "low", "c": "low"})
    (told,) = delivered(config, again, a=0, c=0)
    assert told.opted_out == 2
    # c was never there, and is not named.
    assert handed(config, "changes")["changes-000002-2026-01-12-r1.csv"] == [["b", "low"], ["a", "none"]]


def test_without_clearing_values_nobody_is_cleared(tmp_path: Path) -> None:
    config = config_of(tmp_path, CRM.replace(", clear: {Risk: none}", ""))
    delivered(config, published_day(config, FIRST, {"a": "high"}))
    delivered(config, published_day(config, SECOND, {"b": "high"}))
    assert handed(config, "crm")["crm-000002-2026-01-12-r1.csv"] == [["b", "high"]]


def test_a_destination_that_is_new_in_the_config_gets_the_list_that_is_published(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    publication = published_day(config, FIRST, {"a": "high", "b": "low"})
    assert delivered(config, publication) == []
    config = config_of(tmp_path, CRM)
    delivered(config, publication, b=0)
    assert handed(config, "crm") == {"crm-000001-2026-01-05-r1.csv": [["a", "high"]]}


def test_one_that_left_the_config_is_owed_nothing_and_cleared_when_it_returns(tmp_path: Path) -> None:
    config = config_of(tmp_path, CHANGES)
    delivered(config, published_day(config, FIRST, {"a": "high"}))
    without = config_of(tmp_path)
    delivered(without, published_day(without, SECOND, {"b": "high"}))
    assert read_entry(config.output_dir, "changes").deliveries == ()
    delivered(config, published_day(config, THIRD, {"b": "high"}))
    assert handed(config, "changes")["changes-000002-2026-01-19-r1.csv"] == [["b", "high"], ["a", "none"]]


MAIL = """
to: klaviyo
name: mail
key: Email
columns: {Email: contacts.email, Risk: risk_band}
clear: {Risk: none}
channels: [email]
contacts: {path: people.csv}
"""


def test_contacts_that_come_late_heal_the_day_without_another_revision(tmp_path: Path) -> None:
    config = config_of(tmp_path, MAIL.replace("channels: [email]\n", "channels: [post, email]\n"))
    publication = published_day(config, FIRST, {"a": "high", "b": "high"})
    with pytest.raises(
        DestinationFailed, match=r"mail: Table contacts of the export mail is to be read from people.csv, b"
    ):
        delivered(config, publication)
    assert handed(config, "mail") == {}
    (tmp_path / "people.csv").write_text("customer_id,email\na,one@example.com\nb,two@example.com\n")
    (told,) = delivered(config, publication)
    assert (told.state, told.attempts) == ("delivered", 2)
    assert handed(config, "mail") == {
        "mail-000001-2026-01-05-r1.csv": [["one@example.com", "high"], ["two@example.com", "high"]]
    }


@pytest.mark.slow
def test_a_file_that_is_too_large_heals_with_fewer_columns(tmp_path: Path) -> None:
    people = pd.DataFrame({"customer_id": ["a"], "email": ["one@example.com"], "note": ["x" * 51_000_000]})
    people.to_parquet(tmp_path / "people.parquet")
    small = MAIL.replace("csv", "parquet")
    config = config_of(tmp_path, small.replace("Risk: risk_band", "Risk: risk_band, Note: contacts.note"))
    publication = published_day(config, FIRST, {"a": "high"})
    with pytest.raises(
        DestinationFailed, match=r"mail: its file has 51\.0 MB, and klaviyo takes 50 at most\. Map fewer"
    ):
        delivered(config, publication)
    config = config_of(tmp_path, small)
    delivered(config, publication)
    assert handed(config, "mail") == {"mail-000001-2026-01-05-r1.csv": [["one@example.com", "high"]]}


def test_a_published_file_that_somebody_changed_is_not_handed_over(tmp_path: Path) -> None:
    config = config_of(tmp_path, CRM)
    publication = published_day(config, FIRST, {"a": "high"})
    (publication.folder / "destinations/crm.csv").write_text("Nr,Risk\nb,high\n")
    with pytest.raises(DestinationFailed) as caught:
        delivered(config, publication)
    assert str(caught.value) == (
        f"2026-01-05 is published, but 1 of 1 destinations failed. crm: {publication.folder}/destinations/crm.csv belongs "
        "to the published list of 2026-01-05, but it was changed since. Put the file back from a backup, or show another "
        "revision of that day with --restore, or write one with --republish.\n"
        "Mend it and run the same command again: it delivers what failed, and the list stays as it is."
    )
    assert handed(config, "crm") == {}


def test_an_outbox_that_was_lost_is_told_again_from_the_files(tmp_path: Path) -> None:
    config = config_of(tmp_path, CHANGES)
    delivered(config, published_day(config, FIRST, {"a": "high", "b": "high"}))
    (config.output_dir / ".outbox/changes.json").unlink()
    (config.output_dir / "destinations/changes/changes-note.csv").write_text("somebody's own\n")
    delivered(config, published_day(config, SECOND, {"b": "high", "c": "high"}))
    assert handed(config, "changes")["changes-000002-2026-01-12-r1.csv"] == [
        ["b", "high"],
        ["c", "high"],
        ["a", "none"],
    ]


def test_an_outbox_that_was_changed_is_refused(tmp_path: Path) -> None:
    config = config_of(tmp_path, CRM, CHANGES)
    publication = published_day(config, FIRST, {"a": "high"})
    delivered(config, publication)
    path = config.output_dir / ".outbox/crm.json"
    whole = path.read_bytes()
    for changed in (whole[:-20], whole.replace(b'"handed": 1', b'"handed": 7'), b"", b"\xff", b"[]"):
        path.write_bytes(changed)
        with pytest.raises(DestinationFailed) as caught:
            delivered(config, publication)
        assert str(caught.value).splitlines()[0] == (
            "2026-01-05 is published, but 1 of 2 destinations failed. crm: .outbox/crm.json, which says what it holds, "
            "cannot be read or was changed by hand. Put the file back, or remove it: the whole list is then delivered again."
        )
        assert path.read_bytes() == changed
    assert [item["state"] for item in caught.value.destinations] == ["failed", "delivered"]
