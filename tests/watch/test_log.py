"""The log: whole lines whatever happens, turned over by size, without what an error quotes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kizuna import journal
from kizuna.watch.log import append, kept_message, told, turn_over

WRITER = """
import sys
from pathlib import Path
from kizuna import journal
from kizuna.watch.log import append
folder = Path(sys.argv[1])
with journal.journal_of(sys.argv[2], as_json=False) as run:
    run.listeners[:] = [lambda run, entry: append(folder, run, entry)]
    for number in range(300):
        journal.note(number=number, long="x" * 5000)
"""


def test_two_runs_interleave_whole_lines(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("one", "two")]
    assert [writer.wait() for writer in writers] == [0, 0]
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    for name in ("one", "two"):
        assert [line["number"] for line in lines if line["command"] == name] == list(range(300))
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o777 == 0o600


def test_after_half_a_line_a_new_one_begins(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"time": "2026')
    with journal.journal_of("score", as_json=False) as run:
        journal.note(rows=1)
    append(tmp_path, run, run.entries[0])
    first, second = (tmp_path / "log.jsonl").read_text().splitlines()
    assert first == '{"time": "2026'
    assert json.loads(second)["rows"] == 1


def test_a_pipe_in_its_place_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log.jsonl")
    with journal.journal_of("score", as_json=False) as run:
        journal.note(long="x" * 70_000)
    with pytest.raises(OSError, match="No space|temporarily"):
        append(tmp_path, run, run.entries[0])


def test_it_is_turned_over_and_few_are_kept(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / "log.jsonl").write_text(f"{number}\n" * 600)
        turn_over(tmp_path, megabytes=0.001, files=3)
    assert {path.name: path.read_text()[0] for path in tmp_path.iterdir()} == {"log.1.jsonl": "4", "log.2.jsonl": "3"}
    (tmp_path / "log.jsonl").write_text("small\n")
    turn_over(tmp_path, megabytes=0.001, files=1)
    assert (tmp_path / "log.jsonl").read_text() == "small\n"


def test_what_an_error_quotes_is_not_kept() -> None:
    contract = {"exit_code": 11, "error": "ContractError"}
    message = "Table purchases has 2 rows whose amount is no number: '1,234', \"it's\"."
    assert kept_message(contract | {"message": message}) == (
        "Table purchases has 2 rows whose amount is no number: '…', '…'."
    )
    unexpected = {"exit_code": 20, "error": "ConversionException", "message": "Unexpected ConversionException: Canary."}
    assert kept_message(unexpected) == "Unexpected ConversionException. Its words are on standard error alone."
    plain = {"exit_code": 10, "error": "DataMissing", "message": "Table 'purchases' has no row."}
    assert kept_message(plain) == plain["message"]


def test_only_failures_are_rewritten() -> None:
    with journal.journal_of("score", as_json=False) as run:
        journal.say("Unexpected joy")
        journal.fail("Unexpected KeyError: 'C001'", 20, "KeyError")
    said, failed = (told(entry).facts["message"] for entry in run.entries)
    assert said == "Unexpected joy"
    assert "C001" not in failed
