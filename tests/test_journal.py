"""What a run tells: stages that nest, JSON lines, silence where nobody listens."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from kizuna import journal


def test_stages_nest_and_their_seconds_and_ends_are_kept() -> None:
    with journal.journal_of("score", as_json=False) as kept:
        with contextlib.suppress(ZeroDivisionError), journal.stage("publish"):
            with journal.stage("seal"):
                journal.say("a line")
            raise ZeroDivisionError
        journal.note(rows=3)
        journal.note(rows=4, table="purchases")
    assert [(entry.event, entry.stage) for entry in kept.entries] == [
        *(("began", "publish"), ("began", "seal"), ("said", "seal"), ("ended", "seal"), ("ended", "publish")),
        *(("noted", None), ("noted", None)),
    ]
    assert [(stage.name, stage.well) for stage in kept.stages] == [("seal", True), ("publish", False)]
    assert 0 <= kept.stages[0].seconds <= kept.stages[1].seconds <= kept.seconds
    assert kept.notes == {"rows": 4, "table": "purchases"}


def test_without_a_journal_nothing_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    journal.say("a line")
    journal.note(rows=1)
    with journal.stage("read"):
        journal.warn("another")
    assert capfd.readouterr() == ("", "")


def test_plain_lines_hold_what_is_said_and_json_lines_all(capfd: pytest.CaptureFixture[str]) -> None:
    for as_json in (False, True):
        with journal.journal_of("score", as_json) as kept, journal.stage("read"):
            journal.say("山 rows")
            journal.fail("no such file", 10, "DataMissing")
    out, err = capfd.readouterr()
    plain, json_lines = err.splitlines()[:2], [json.loads(line) for line in err.splitlines()[2:]]
    assert out == ""
    assert (plain[0][-6:], plain[1]) == ("山 rows", "kizuna: no such file")
    assert [line["event"] for line in json_lines] == ["began", "said", "failed", "ended"]
    assert {(line["run_id"], line["command"], line["stage"]) for line in json_lines} == {(kept.run_id, "score", "read")}
    assert json_lines[2]["message"] == "no such file"
    assert json_lines[2]["exit_code"] == 10


def test_a_log_without_room_stops_no_run() -> None:
    code = (
        "from kizuna import journal\nwith journal.journal_of('score', False):\n    journal.say('a line')\nprint('done')"
    )
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=full, text=True)
    assert ran.stdout == "done\n"
