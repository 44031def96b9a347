from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from tests.delivery.week import CRM, FIRST, SECOND, config_of, delivered, published_day

from kizuna.delivery.outbox import Delivery, Entry, Planned, entry_names, forget_others, read_entry, write_entry
from kizuna.delivery.states import delivery_states
from kizuna.lists.publication import locked

GONE = Delivery("crm", FIRST, 2, "ab", "failed", 3, None, 1, "away.")
HERE = Delivery("crm", SECOND, 1, "cd", "delivered", 1, 7)
ENTRY = Entry(
    "crm", "ef", (GONE, HERE), {"007": "12", "a\r\nb": "", "𠮷": "34"}, 6, Planned("7.csv", "56", {"NA": "78"})
)


def test_an_entry_comes_back_as_it_was_written(tmp_path: Path) -> None:
    assert read_entry(tmp_path, "crm") == Entry("crm")
    with locked(tmp_path) as output:
        for entry in (ENTRY, Entry("crm"), replace(ENTRY, planned=None)):
            write_entry(output, entry)
            assert read_entry(tmp_path, "crm") == entry
    assert entry_names(tmp_path) == ["crm"]


def test_it_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        config = config_of(tmp_path, CRM)
        delivered(config, published_day(config, FIRST, {"a": "high"}))
    finally:
        os.umask(before)
    for place in (".outbox", "destinations"):
        for path in [config.output_dir / place, *(config.output_dir / place).rglob("*")]:
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_the_newest_and_what_is_owed_are_told(tmp_path: Path) -> None:
    config = config_of(tmp_path, CRM, CRM.replace("crm,", "mail,"), CRM.replace("crm,", "new,"))
    assert delivery_states(config) == []
    with locked(config.output_dir) as output:
        write_entry(output, ENTRY)
        write_entry(
            output, Entry("mail", deliveries=(replace(HERE, name="mail", as_of=FIRST), replace(HERE, name="mail")))
        )
        write_entry(output, Entry("new"))
    # What a destination left behind that the config has no longer is nobody's concern.
    (config.output_dir / ".outbox/old.json").write_text("{")
    assert delivery_states(config) == [GONE, HERE, replace(HERE, name="mail")]


def test_a_day_has_one_delivery() -> None:
    again = replace(GONE, state="delivered")
    assert ENTRY.with_delivery(again).deliveries == (again, HERE)
    assert (ENTRY.of(FIRST), Entry("crm").of(FIRST)) == (GONE, None)
    assert GONE.is_of(again)
    assert not GONE.is_of(replace(GONE, revision=3))


def test_who_left_the_config_is_owed_nothing_and_litter_goes(tmp_path: Path) -> None:
    with locked(tmp_path) as output:
        write_entry(output, ENTRY)
        litter = tmp_path / ".outbox/.crm.json.4711"
        litter.write_text("{")
        forget_others(output, ["crm"])
        assert not litter.exists()
        assert read_entry(tmp_path, "crm") == ENTRY
        forget_others(output, [])
    assert read_entry(tmp_path, "crm") == replace(ENTRY, deliveries=())
