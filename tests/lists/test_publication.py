"""A day is seen whole or not at all, once, and never changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tests.children import die_at_change, in_child

from kizuna.errors import ConfigError, ResultError
from kizuna.lists.publication import Publication, difference, lists_before, locked, publish, published, restore

MONDAY, NEXT_MONDAY = date(2026, 11, 9), date(2026, 11, 16)
INPUTS = {"purchases": "aa11", "churn_model": "shop-churn/3"}


def writing(text: str) -> Callable[[Path], dict[str, int]]:
    def write(folder: Path) -> dict[str, int]:
        (folder / "at_risk.csv").write_text(f"customer_id\n{text}\n")
        (folder / "charts").mkdir()
        (folder / "charts" / "risk.svg").write_text("<svg/>")
        return {"at_risk.csv": 1}

    return write


def publish_once(
    folder: Path, as_of: date = MONDAY, text: str = "c1", inputs: dict[str, str] = INPUTS, republish: bool = False
) -> Publication:
    with locked(folder) as output:
        return publish(output, as_of, inputs, writing(text), {"eligible": 7}, republish)


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and link below a folder, with its time and content; the lock file left out."""
    paths = [path for path in folder.rglob("*") if path.name != ".lock" and (path.is_symlink() or path.is_file())]
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mtime_ns,
            os.readlink(path).encode() if path.is_symlink() else path.read_bytes(),
        )
        for path in paths
    }


def test_a_published_day_is_two_relative_links_to_one_complete_revision(tmp_path: Path) -> None:
    shown = publish_once(tmp_path)

    assert os.readlink(tmp_path / "2026-11-09") == ".revisions/2026-11-09/r1"
    assert os.readlink(tmp_path / "latest") == ".revisions/2026-11-09/r1"
    assert sorted(path.name for path in (tmp_path / "latest").iterdir()) == [
        "_SUCCESS",
        "at_risk.csv",
        "charts",
        "manifest.json",
    ]
    assert (tmp_path / "latest/_SUCCESS").read_bytes() == b""
    manifest = json.loads((tmp_path / "latest/manifest.json").read_text())
    own = manifest.pop("manifest_sha256")
    assert own == hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    assert manifest == {
        "as_of": "2026-11-09",
        "revision": 1,
        "eligible": 7,
        "fingerprints": INPUTS,
        "files": [
            {"path": "at_risk.csv", "rows": 1, "sha256": hashlib.sha256(b"customer_id\nc1\n").hexdigest()},
            {"path": "charts/risk.svg", "rows": None, "sha256": hashlib.sha256(b"<svg/>").hexdigest()},
        ],
    }
    assert (shown.as_of, shown.revision, shown.fingerprint) == (MONDAY, 1, INPUTS)
    assert published(tmp_path, MONDAY) == shown


def test_the_manifest_is_read_after_the_files_are_written(tmp_path: Path) -> None:
    manifest: dict[str, int] = {}

    def write(folder: Path) -> dict[str, np.int64]:
        (folder / "scores.csv").touch()
        manifest["eligible"] = 9
        return {"scores.csv": np.int64(3)}

    with locked(tmp_path) as output:
        shown = publish(output, MONDAY, INPUTS, write, manifest)  # type: ignore[arg-type]
    assert shown.manifest["eligible"] == 9
    assert shown.manifest["files"][0]["rows"] == 3


def test_success_is_the_last_file_written(tmp_path: Path) -> None:
    folder = publish_once(tmp_path).folder
    times = {path.name: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert times["_SUCCESS"] == max(times.values())


def test_files_are_private(tmp_path: Path) -> None:
    output = tmp_path / "exports"
    publish_once(output)
    for path in [output, *output.rglob("*")]:
        if not path.is_symlink():
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_the_same_inputs_are_a_no_op_that_touches_nothing(tmp_path: Path) -> None:
    first = publish_once(tmp_path)
    before = everything(tmp_path)
    assert publish_once(tmp_path, text="other text from the same inputs") == first
    assert everything(tmp_path) == before


def test_other_inputs_for_a_published_day_are_refused_with_the_difference(tmp_path: Path) -> None:
    publish_once(tmp_path, inputs={"purchases": "a" * 64, "churn_model": "shop-churn/3", "surveys": "77"})
    before = everything(tmp_path)
    with pytest.raises(ConfigError) as refused:
        publish_once(tmp_path, inputs={"purchases": "b" * 64, "churn_model": "shop-churn/4", "config": "5e"})
    assert str(refused.value) == (
        "2026-11-09 was asked for, but it is published already (r1) from other inputs: churn_model changed "
        "(shop-churn/3 to shop-churn/4); config is new (5e); purchases changed (aaaaaaaaaaaa… to bbbbbbbbbbbb…); "
        "surveys is gone (77).\nLeave it, or add a revision with --republish, which keeps r1."
    )
    assert refused.value.exit_code == 2
    assert everything(tmp_path) == before


def test_republish_adds_a_revision_and_keeps_the_first_to_the_byte(tmp_path: Path) -> None:
    first = publish_once(tmp_path)
    kept = everything(first.folder)
    second = publish_once(tmp_path, text="c2", inputs={"purchases": "bb22"}, republish=True)
    assert second.revision == 2
    assert (tmp_path / "2026-11-09/at_risk.csv").read_text() == "customer_id\nc2\n"
    assert os.readlink(tmp_path / "latest") == ".revisions/2026-11-09/r2"
    assert everything(first.folder) == kept


def test_restore_links_an_earlier_revision_again(tmp_path: Path) -> None:
    publish_once(tmp_path)
    publish_once(tmp_path, text="c2", republish=True)
    with locked(tmp_path) as output:
        assert restore(output, MONDAY, 1).revision == 1
    assert (tmp_path / "2026-11-09/at_risk.csv").read_text() == "customer_id\nc1\n"
    assert os.readlink(tmp_path / "latest") == ".revisions/2026-11-09/r1"
    assert publish_once(tmp_path, republish=True).revision == 3


def test_restore_names_the_revisions_there_are(tmp_path: Path) -> None:
    publish_once(tmp_path)
    publish_once(tmp_path, republish=True)
    with locked(tmp_path) as output:
        with pytest.raises(ConfigError) as unknown:
            restore(output, MONDAY, 7)
        with pytest.raises(ConfigError) as never:
            restore(output, NEXT_MONDAY, 1)
    assert str(unknown.value) == (
        f"Revision 7 of 2026-11-09 was asked for, but it is not in {tmp_path}; complete revisions of that day: "
        "r1, r2. Choose one of them."
    )
    assert str(never.value) == (
        f"Revision 1 of 2026-11-16 was asked for, but it is not in {tmp_path}; complete revisions of that day: "
        "none. Choose one of them, or score the day."
    )


def test_latest_is_the_greatest_day_whatever_was_published_last(tmp_path: Path) -> None:
    publish_once(tmp_path, NEXT_MONDAY)
    publish_once(tmp_path, MONDAY)
    assert os.readlink(tmp_path / "latest") == ".revisions/2026-11-16/r1"
    assert os.readlink(tmp_path / "2026-11-09") == ".revisions/2026-11-09/r1"


def test_earlier_lists_come_oldest_first_and_later_days_are_not_seen(tmp_path: Path) -> None:
    days = [date(2026, 11, 23), date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)]
    for day in days:
        publish_once(tmp_path, day)
    (tmp_path / "check").mkdir()
    (tmp_path / "20261101").mkdir()
    assert [earlier.as_of for earlier in lists_before(tmp_path, date(2026, 11, 16))] == [
        date(2026, 11, 2),
        date(2026, 11, 9),
    ]
    assert lists_before(tmp_path, date(2026, 11, 2)) == []
    assert lists_before(tmp_path / "nowhere", MONDAY) == []


def test_nothing_is_published_in_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert published(tmp_path / "nowhere", MONDAY) is None


def test_two_folders_hold_the_same_bytes_but_for_the_manifest(tmp_path: Path) -> None:
    publish_once(tmp_path / "one")
    time.sleep(0.01)
    publish_once(tmp_path / "two/deeper")
    first, second = everything(tmp_path / "one"), everything(tmp_path / "two/deeper")
    contents = [{name: found[1] for name, found in files.items()} for files in (first, second)]
    assert contents[0] == contents[1]


class TestFailure:
    @pytest.mark.parametrize("error", [OSError("No space left on device"), SystemExit(143), KeyboardInterrupt()])
    def test_a_failure_while_writing_leaves_nothing_visible(self, tmp_path: Path, error: BaseException) -> None:
        def write(folder: Path) -> dict[str, int]:
            (folder / "at_risk.csv").write_text("half a li")
            raise error

        publish_once(tmp_path)
        before = everything(tmp_path)
        with locked(tmp_path) as output, pytest.raises(type(error)):
            publish(output, NEXT_MONDAY, INPUTS, write, {})
        assert everything(tmp_path) == before
        assert published(tmp_path, NEXT_MONDAY) is None
        assert publish_once(tmp_path, NEXT_MONDAY).revision == 1

    def test_a_file_that_was_announced_but_not_written_is_refused(self, tmp_path: Path) -> None:
        with locked(tmp_path) as output, pytest.raises(ResultError) as missing:
            publish(output, MONDAY, INPUTS, lambda folder: {"scores.parquet": 3}, {})
        assert str(missing.value) == ("scores.parquet should have been written, but was not. Nothing was published.")
        assert everything(tmp_path) == {}

    def test_what_dead_runs_left_behind_is_removed(self, tmp_path: Path) -> None:
        stale = tmp_path / ".revisions/2026-10-05/.staging-r4"
        stale.mkdir(parents=True)
        (stale / "scores.parquet").write_bytes(b"half")
        (tmp_path / ".link-latest").symlink_to("nowhere")
        publish_once(tmp_path)
        assert not stale.exists()
        assert not (tmp_path / ".link-latest").is_symlink()

    def test_a_manifest_changed_by_hand_is_said(self, tmp_path: Path) -> None:
        folder = publish_once(tmp_path).folder
        (folder / "manifest.json").write_text("{")
        with pytest.raises(ResultError) as broken:
            published(tmp_path, MONDAY)
        assert str(broken.value) == (
            f"{folder} was published, but its manifest.json cannot be read. Somebody changed it by hand: put the "
            "file back, or remove the folder and publish the day again."
        )
        shutil.rmtree(folder)
        assert published(tmp_path, MONDAY) is None
        assert publish_once(tmp_path).revision == 1

    def test_a_folder_of_somebody_else_is_not_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / "latest").mkdir()
        with pytest.raises(ConfigError) as foreign:
            publish_once(tmp_path)
        assert str(foreign.value) == (
            f"{tmp_path}/latest should become a link to the published results, but it is a file or folder that "
            "kizuna did not write. Move it away, or choose another output.dir."
        )
        assert not (tmp_path / ".revisions").exists()

    def test_an_output_folder_that_cannot_be_written_is_a_config_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ConfigError) as refused, locked(tmp_path / "file/exports"):
            pass
        assert str(refused.value) == (
            f"output.dir asks for {tmp_path}/file/exports, which cannot be written: Not a directory. "
            "Choose another folder, or mend its permissions."
        )


def test_difference_is_empty_for_equal_inputs() -> None:
    assert difference(INPUTS, dict(reversed(INPUTS.items()))) == []


def look_as_a_reader(folder: Path, day_was_published: bool) -> None:
    """Fails when what a link shows is not complete. Readers resolve a link once and read what they found."""
    for name in ("2026-11-09", "latest"):
        try:
            found = (folder / name).resolve(strict=True)
        except FileNotFoundError:
            assert name == "2026-11-09"
            assert not day_was_published
            continue
        assert is_complete(found)


def is_complete(revision: Path) -> bool:
    if not (revision / "_SUCCESS").is_file():
        return False
    listed = json.loads((revision / "manifest.json").read_text())["files"]
    sums = [hashlib.sha256((revision / file["path"]).read_bytes()).hexdigest() for file in listed]
    return len(listed) == 2 and sums == [file["sha256"] for file in listed]


@pytest.mark.parametrize("day_was_published", [False, True])
def test_a_run_killed_at_any_step_shows_old_or_new_and_the_next_run_heals(
    tmp_path: Path, day_was_published: bool
) -> None:
    start = tmp_path / "start"
    publish_once(start, date(2026, 11, 2))
    if day_was_published:
        publish_once(start, text="old")
    shown = set()
    for step in range(1, 200):
        folder = tmp_path / str(step)
        shutil.copytree(start, folder, symlinks=True)

        def work(step: int = step, folder: Path = folder) -> None:
            die_at_change(step, folder)
            publish_once(folder, text="new", inputs={"purchases": "bb22"}, republish=True)

        child = in_child(work)
        ended, status = 0, 0
        while not ended:
            ended, status = os.waitpid(child, os.WNOHANG)
            look_as_a_reader(folder, day_was_published)
        for success in folder.glob(".revisions/*/*/_SUCCESS"):
            assert is_complete(success.parent)
        current = published(folder, MONDAY)
        shown.add(current.revision if current else 0)
        healed = publish_once(folder, text="new", inputs={"purchases": "bb22"}, republish=True)
        assert healed.revision == (current.revision if current else 0) + 1
        assert (folder / "2026-11-09/at_risk.csv").read_text() == "customer_id\nnew\n"
        assert os.readlink(folder / "latest") == f".revisions/2026-11-09/r{healed.revision}"
        assert not list(folder.glob(".revisions/*/.s*"))
        assert not list(folder.glob(".link-*"))
        if status == 0:
            break
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert status == 0
    assert step > 20
    assert shown == ({1, 2} if day_was_published else {0, 1})


def test_a_run_killed_between_its_two_links_is_completed_by_the_no_op(tmp_path: Path) -> None:
    publish_once(tmp_path, date(2026, 11, 2))
    publish_once(tmp_path)
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").symlink_to(".revisions/2026-11-02/r1")
    publish_once(tmp_path)
    assert os.readlink(tmp_path / "latest") == ".revisions/2026-11-09/r1"
