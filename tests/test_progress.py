"""Progress: silent from Python, lines where nobody watches, a bar on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import textwrap

import pytest

from kizuna import progress


def test_python_is_told_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.track(range(3), "features", 300, 3)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_lines_say_rows_and_what_is_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 4.0, 10.0, 20.0, 41.0, 50.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.shown_progress():
        assert list(progress.track(range(5), "features", 1_000, 5)) == [0, 1, 2, 3, 4]
    out, err = capsys.readouterr()
    assert out == ""
    # Not in the first five seconds, then at once, then every half minute, and not when all is done.
    assert err.splitlines() == ["features: 400 of 1,000 rows, 15 s left", "features: 800 of 1,000 rows, 10 s left"]


def test_short_work_in_one_piece_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown_progress():
        assert list(progress.track([1], "features", 10, 1)) == [1]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_a_bar_with_rows_and_remaining_time() -> None:
    script = """
        import time
        from kizuna.progress import shown_progress, track
        with shown_progress():
            for _ in track(range(12), "features", 1_200_000, 12):
                time.sleep(0.1)
    """
    main, side = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stderr=side, env=environment) as process:
        os.close(side)
        shown = b""
        while chunk := _read(main):
            shown += chunk
        assert process.wait() == 0
    text = shown.decode()
    assert "features" in text
    assert "of 1,200,000 rows" in text
    assert "0:00:0" in text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:
        # The other side of a pseudo-terminal has been closed.
        return b""
