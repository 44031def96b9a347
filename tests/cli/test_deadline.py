"""A run that takes too long: ended from within, and from outside itself where it is held up in a library."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import kizuna
from kizuna import journal
from kizuna.cli.deadline import TimeUp, end_after

HELD_UP = """
import hashlib
from kizuna import journal
from kizuna.cli import deadline
deadline.GRACE_SECONDS = 0.3
with journal.journal_of("score", as_json=True), journal.stage("read"):
    deadline.end_after(0.2)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)
"""


def held_up(cleared: list[bool]) -> None:
    """A step that never ends, within which every failure is taken for its own."""
    with journal.stage("publish"):
        end_after(0.2)
        try:
            while True:
                with contextlib.suppress(Exception):
                    time.sleep(5)
        finally:
            cleared.append(True)


def test_a_run_is_ended_at_its_step_and_what_it_began_is_cleared() -> None:
    cleared: list[bool] = []
    with journal.journal_of("score", as_json=False) as run:
        with pytest.raises(TimeUp) as ended:
            held_up(cleared)
        run.tell("finished", exit_code=75)
    assert cleared == [True]
    assert ended.value.code == 75
    assert ended.value.message == (
        "the run has taken longer than --max-seconds 0.2; it was at the step publish. Nothing is half done: run it again, with "
        "more time where it was not held up."
    )


def test_a_run_that_ends_in_time_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with journal.journal_of("score", as_json=False) as run:
        end_after(0.3)
        run.tell("finished", exit_code=0)
        time.sleep(0.5)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_library_that_does_not_return_is_not_waited_for() -> None:
    ran = subprocess.run([sys.executable, "-c", HELD_UP], capture_output=True, text=True, timeout=60)
    *_, failed, finished = (json.loads(line) for line in ran.stderr.splitlines())
    assert (ran.returncode, failed["event"], finished["exit_code"]) == (75, "failed", 75)
    assert "it was at the step read" in failed["message"]


@pytest.fixture
def slow_shop(tmp_path: Path) -> Path:
    """The config of a shop whose only table is a query of hours."""
    query = "select max(sqrt(range)) as amount, '1' as customer_id, date '2026-01-01' as occurred_at from range(100000000000)"
    lines = [
        "name: shop",
        f'data: {{tables: {{purchases: {{path: purchases.csv, query: "{query}"}}}}}}',
        "output: {dir: out}",
        'tracking: {uri: "sqlite:///mlflow.db"}',
    ]
    (tmp_path / "purchases.csv").write_text("a\n1\n")
    (tmp_path / "config.yaml").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "config.yaml"


def test_score_ends_within_a_query_and_is_watched(slow_shop: Path) -> None:
    code, _, said = kizuna("score", slow_shop, "--as-of", "2026-01-31", "--max-seconds", 1)
    assert code == 75, said
    assert "kizuna: the run has taken longer than --max-seconds 1; it was at the step read." in said
    exposed = (slow_shop.parent / "out/watch/kizuna.prom").read_text()
    assert 'kizuna_last_exit_code{shop="shop",command="score"} 75' in exposed


def test_sigterm_within_a_query_is_no_error_of_the_query(slow_shop: Path) -> None:
    line = [sys.executable, "-m", "kizuna.cli", "score", str(slow_shop), "--as-of", "2026-01-31", "--log-json"]
    run = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    while '"stage": "read"' not in run.stderr.readline():
        assert run.poll() is None
    time.sleep(1.5)
    run.send_signal(signal.SIGTERM)
    last = [json.loads(told) for told in run.communicate(timeout=30)[1].splitlines()]
    assert run.returncode == 143, last
    assert [told["message"] for told in last if told["event"] == "failed"] == ["ended by SIGTERM; nothing is half done"]
