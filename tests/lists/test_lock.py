"""One run at a time writes an output folder; a dead one holds nobody up, and a lost lock is found out."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.children import ended, holding, in_child
from tests.lists.machines import ELSEWHERE, warnings_of

from kizuna.errors import ConfigError, LockHeld
from kizuna.lists import owner as owner_file
from kizuna.lists.lock import held_folder, holder_of
from kizuna.lists.owner import parse_owner, this_owner
from kizuna.lists.publication import locked, publish, published
from published import INPUTS, MONDAY, publish_text, writing


def left_behind(folder: Path, record: str, age_seconds: float = 0) -> None:
    """A lock file as a dead run left it."""
    (folder / ".lock").write_text(record)
    then = time.time() - age_seconds
    os.utime(folder / ".lock", (then, then))


class TestHeld:
    def test_one_run_per_folder_and_the_words_say_who_holds_it(self, tmp_path: Path) -> None:
        with holding(lambda: locked(tmp_path)) as child:
            with pytest.raises(LockHeld) as held:
                publish_text(tmp_path)
            words = re.sub(r"since \d{4}-\d\d-\d\d \d\d:\d\d UTC", "since T", str(held.value))
            assert re.sub(r"life \d+ s", "life N s", words) == (
                f"The output folder {tmp_path} was asked for, but another run holds it: process {child} on "
                f"{socket.gethostname()}, since T, last sign of life N s ago. "
                "Wait until it ends, or stop it, and run again."
            )
            assert held.value.exit_code == 14
            assert str(holder_of(tmp_path)).startswith(f"process {child} on ")
        assert holder_of(tmp_path) is None
        assert publish_text(tmp_path).revision == 1

    def test_a_lock_that_was_only_just_taken_names_nobody(self, tmp_path: Path) -> None:
        with locked(tmp_path):
            (tmp_path / ".lock").write_text("")
            with pytest.raises(LockHeld) as held, locked(tmp_path):
                pass
        assert str(held.value) == (
            f"The output folder {tmp_path} was asked for, but another run holds it: it began or ended just now. "
            "Wait until it ends, or stop it, and run again."
        )

    def test_a_finished_run_leaves_an_empty_lock_file(self, tmp_path: Path) -> None:
        with locked(tmp_path):
            record = json.loads((tmp_path / ".lock").read_text())
            assert (record["pid"], record["host"]) == (os.getpid(), socket.gethostname())
        assert (tmp_path / ".lock").read_text() == ""
        assert (tmp_path / ".lock").stat().st_mode & 0o777 == 0o600
        assert warnings_of(lambda: publish_text(tmp_path)) == []

    def test_the_heart_beats_while_the_run_is_busy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(owner_file, "BEAT_SECONDS", 0.05)
        with locked(tmp_path):
            os.utime(tmp_path / ".lock", (0, 0))
            until = time.monotonic() + 5
            while (tmp_path / ".lock").stat().st_mtime == 0 and time.monotonic() < until:
                sum(range(100_000))
            assert (tmp_path / ".lock").stat().st_mtime > 0


class TestTakenOver:
    def test_what_a_killed_run_of_this_host_left_is_taken_over_at_once_and_said(self, tmp_path: Path) -> None:
        with holding(lambda: locked(tmp_path)) as child:
            pass
        assert holder_of(tmp_path) is None
        said = warnings_of(lambda: publish_text(tmp_path))
        assert len(said) == 1
        assert re.sub(r"since .* UTC", "since T", said[0]) == (
            f"the lock of {tmp_path} was not given back by process {child} on {socket.gethostname()}, since T, which has "
            "ended; it is taken over"
        )

    def test_a_process_id_that_was_used_again_holds_nothing(self, tmp_path: Path) -> None:
        me = json.loads(this_owner().to_json())
        left_behind(tmp_path, json.dumps(me | {"began": me["began"] - 1}))
        assert holder_of(tmp_path) is None
        assert publish_text(tmp_path).revision == 1

    @pytest.mark.parametrize(
        "record",
        [
            '{"pid": 12, "ho',
            "garbage",
            "\x00" * 50,
            "[1, 2]",
            '{"pid": "12", "host": 3}',
            "null",
            "[" * 3000,
            '{"pid": 1, "host": "a\\u001b[2Jb"}',
        ],
    )
    def test_a_torn_record_stops_nobody(self, tmp_path: Path, record: str) -> None:
        left_behind(tmp_path, record)
        assert warnings_of(lambda: publish_text(tmp_path)) == [
            f"the lock of {tmp_path} held no readable record of a run; it is taken over"
        ]

    def test_the_record_of_an_older_version_on_this_host_is_taken_over(self, tmp_path: Path) -> None:
        left_behind(tmp_path, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        assert publish_text(tmp_path).revision == 1

    def test_another_host_holds_it_as_long_as_its_heart_beats(self, tmp_path: Path) -> None:
        left_behind(tmp_path, json.dumps(ELSEWHERE), age_seconds=100)
        with pytest.raises(LockHeld) as held:
            publish_text(tmp_path)
        assert re.sub(r"life \d+ s", "life N s", str(held.value)) == (
            f"The output folder {tmp_path} was asked for, but another run holds it: process 7 on elsewhere, since "
            "2026-11-09 06:00 UTC, last sign of life N s ago. Wait until it ends, or stop it, and run again."
        )
        assert json.loads((tmp_path / ".lock").read_text()) == ELSEWHERE
        assert str(holder_of(tmp_path)).startswith("process 7 on elsewhere")

    @pytest.mark.parametrize("age_seconds", [301, 10**6, -(10**6)])
    def test_another_host_whose_heart_has_stopped_is_taken_over(
        self, tmp_path: Path, age_seconds: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(owner_file, "BEAT_SECONDS", 0.1)
        left_behind(tmp_path, json.dumps(ELSEWHERE), age_seconds)
        assert warnings_of(lambda: publish_text(tmp_path)) == [
            f"the lock of {tmp_path} was not given back by process 7 on elsewhere, since 2026-11-09 06:00 UTC, which has "
            "ended; it is taken over"
        ]

    def test_a_beat_that_is_seen_counts_whatever_the_clocks_say(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(owner_file, "BEAT_SECONDS", 5.0)
        left_behind(tmp_path, json.dumps(ELSEWHERE), age_seconds=7200)

        def beat() -> None:
            time.sleep(0.5)
            os.utime(tmp_path / ".lock", (1000, 1000))

        child = in_child(beat)
        with pytest.raises(LockHeld):
            publish_text(tmp_path)
        assert ended(child) == 0

    def test_a_child_that_lives_on_does_not_keep_the_lock_of_a_dead_parent(self, tmp_path: Path) -> None:
        heard, told = os.pipe()

        @contextmanager
        def place() -> Iterator[None]:
            with locked(tmp_path):
                if os.fork() == 0:
                    os.write(told, b"%12d" % os.getpid())
                    signal.pause()
                # Only now is what a child lets go of when it begins let go of.
                os.write(told, os.read(heard, 12))
                yield

        with holding(place):
            grandchild = int(os.read(heard, 12))
        try:
            assert publish_text(tmp_path).revision == 1
        finally:
            os.kill(grandchild, signal.SIGKILL)

    def test_a_child_that_ends_leaves_its_parents_lock_alone(self, tmp_path: Path) -> None:
        with locked(tmp_path) as output:
            assert ended(in_child(lambda: publish_text(tmp_path))) == 14
            output.require()

    def test_a_program_that_was_started_within_does_not_keep_it(self, tmp_path: Path) -> None:
        with locked(tmp_path):
            line = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
            sleeper = subprocess.Popen(line, close_fds=False, stdout=subprocess.PIPE)
            assert sleeper.stdout is not None
            # It holds what this process holds until it has become another program.
            sleeper.stdout.readline()
        try:
            assert publish_text(tmp_path).revision == 1
        finally:
            sleeper.kill()
            sleeper.communicate()


class TestLost:
    def test_a_lock_file_that_was_removed_is_found_out_before_anything_is_shown(self, tmp_path: Path) -> None:
        def removing(folder: Path) -> dict[str, int]:
            (tmp_path / ".lock").unlink()
            return writing()(folder)

        with pytest.raises(LockHeld) as lost, locked(tmp_path) as output:
            publish(output, MONDAY, {}, removing, {})
        assert str(lost.value) == (
            f"The output folder {tmp_path} was locked by this run, but no longer is: {tmp_path}/.lock was removed. "
            "Nothing was published. Run again when no other run is at work."
        )
        assert published(tmp_path, MONDAY) is None
        assert publish_text(tmp_path).revision == 1

    def test_a_run_that_overtook_keeps_what_it_published(self, tmp_path: Path) -> None:
        def overtaken(folder: Path) -> dict[str, int]:
            (tmp_path / ".lock").unlink()
            assert publish_text(tmp_path).revision == 1
            return writing()(folder)

        with pytest.raises(LockHeld) as lost, locked(tmp_path) as output:
            publish(output, MONDAY, {"purchases": "bb"}, overtaken, {})
        assert "was locked by this run, but no longer is" in str(lost.value)
        shown = published(tmp_path, MONDAY)
        assert shown is not None
        assert shown.fingerprint == INPUTS
        shown.require_whole()

    def test_a_run_of_another_host_that_took_it_over_is_named_and_keeps_it(self, tmp_path: Path) -> None:
        def standing_still(folder: Path) -> dict[str, int]:
            (tmp_path / ".lock").write_text(json.dumps(ELSEWHERE))
            return writing()(folder)

        with pytest.raises(LockHeld) as lost, locked(tmp_path) as output:
            publish(output, MONDAY, {}, standing_still, {})
        assert "process 7 on elsewhere, since 2026-11-09 06:00 UTC has taken it. Nothing" in str(lost.value)
        assert json.loads((tmp_path / ".lock").read_text()) == ELSEWHERE

    def test_a_record_that_was_emptied_is_written_again(self, tmp_path: Path) -> None:
        with held_folder(tmp_path) as held:
            (tmp_path / ".lock").write_text("")
            held.require()
            assert parse_owner((tmp_path / ".lock").read_text()) == held.owner


class TestPlanted:
    @pytest.mark.parametrize("kind", ["folder", "link", "dangling link", "pipe", "hard link"])
    def test_what_is_no_lock_file_is_refused_in_words(self, tmp_path: Path, kind: str) -> None:
        output, other = tmp_path / "exports", tmp_path / "other"
        output.mkdir()
        other.write_text("somebody's")
        place = output / ".lock"
        {
            "folder": place.mkdir,
            "link": lambda: place.symlink_to(other),
            "dangling link": lambda: place.symlink_to("nowhere"),
            "pipe": lambda: os.mkfifo(place),
            "hard link": lambda: place.hardlink_to(other),
        }[kind]()
        with pytest.raises(ConfigError) as refused:
            publish_text(output)
        assert str(refused.value) == (
            f"{place} should be the lock file of the output folder, but it is a link, a folder or a device that kizuna "
            "did not make. Move it away and run again."
        )
        assert other.read_text() == "somebody's"
        assert not (output / "nowhere").exists()
