"""A day is seen whole or not at all, once, and never changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from kizuna.errors import ConfigError, ResultError
from kizuna.lists.publication import difference, lists_before, locked, publish, published, restore
from published import INPUTS, MONDAY, NEXT_MONDAY, publish_text


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
    shown = publish_text(tmp_path)

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
    since = datetime.now(UTC) - datetime.fromisoformat(manifest.pop("published_at"))
    assert timedelta(0) <= since < timedelta(minutes=5)
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
    folder = publish_text(tmp_path).folder
    times = {path.name: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert times["_SUCCESS"] == max(times.values())


def test_files_are_private(tmp_path: Path) -> None:
    output = tmp_path / "exports"
    publish_text(output)
    for path in [output, *output.rglob("*")]:
        if not path.is_symlink():
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_the_same_inputs_are_a_no_op_that_touches_nothing(tmp_path: Path) -> None:
    first = publish_text(tmp_path)
    before = everything(tmp_path)
    assert publish_text(tmp_path, text="other text from the same inputs") == first
    assert everything(tmp_path) == before


def test_restore_names_the_revisions_there_are(tmp_path: Path) -> None:
    publish_text(tmp_path)
    publish_text(tmp_path, republish=True)
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


def test_earlier_lists_come_oldest_first_and_later_days_are_not_seen(tmp_path: Path) -> None:
    days = [date(2026, 11, 23), date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)]
    for day in days:
        publish_text(tmp_path, day)
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
    publish_text(tmp_path / "one")
    time.sleep(0.01)
    publish_text(tmp_path / "two/deeper")
    first, second = everything(tmp_path / "one"), everything(tmp_path / "two/deeper")
    contents = [{name: found[1] for name, found in files.items()} for files in (first, second)]
    assert contents[0] == contents[1]


class TestFailure:
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
        publish_text(tmp_path)
        assert not stale.exists()
        assert not (tmp_path / ".link-latest").is_symlink()

    def test_a_manifest_changed_by_hand_is_said(self, tmp_path: Path) -> None:
        folder = publish_text(tmp_path).folder
        (folder / "manifest.json").write_text("{")
        with pytest.raises(ResultError) as broken:
            published(tmp_path, MONDAY)
        assert str(broken.value) == (
            f"{folder} was published, but its manifest.json cannot be read. Somebody changed it by hand: put the "
            "file back, or remove the folder and publish the day again."
        )
        shutil.rmtree(folder)
        assert published(tmp_path, MONDAY) is None
        assert publish_text(tmp_path).revision == 1

    def test_a_folder_of_somebody_else_is_not_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / "latest").mkdir()
        with pytest.raises(ConfigError) as foreign:
            publish_text(tmp_path)
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


def test_a_run_killed_between_its_two_links_is_completed_by_the_no_op(tmp_path: Path) -> None:
    publish_text(tmp_path, date(2026, 11, 2))
    publish_text(tmp_path)
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").symlink_to(".revisions/2026-11-02/r1")
    publish_text(tmp_path)
    assert os.readlink(tmp_path / "latest") == ".revisions/2026-11-09/r1"
