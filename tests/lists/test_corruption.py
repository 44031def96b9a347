"""What somebody does to published lists from outside is healed, or said; it never shapes a later list in silence."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kizuna.errors import ConfigError, KizunaError, LockHeld, ResultError
from kizuna.lists.publication import lists_before, locked, publish, published, restore
from kizuna.lists.revision import manifest_text
from published import INPUTS, MONDAY, NEXT_MONDAY, publish_text


class TestFiles:
    @pytest.mark.parametrize(
        ("harm", "found"),
        [
            (lambda path: path.unlink(), "it is gone"),
            (lambda path: path.write_text("customer_id\nc2\n"), "it was changed since"),
            (lambda path: path.write_bytes(b""), "it was changed since"),
            (lambda path: (path.unlink(), path.mkdir()), "it is no file any more"),
            (lambda path: (path.unlink(), path.symlink_to("nowhere")), "it is gone"),
        ],
    )
    def test_a_file_that_is_not_what_was_published_is_not_read(
        self, tmp_path: Path, harm: Callable[[Path], Any], found: str
    ) -> None:
        shown = publish_text(tmp_path)
        assert shown.file("at_risk.csv").read_text() == "customer_id\nc1\n"
        harm(shown.folder / "at_risk.csv")
        with pytest.raises(ResultError) as damaged:
            shown.file("at_risk.csv")
        assert str(damaged.value) == (
            f"{shown.folder}/at_risk.csv belongs to the published list of 2026-11-09, but {found}. Put the file back from "
            "a backup, or show another revision of that day with --restore, or write one with --republish."
        )
        assert damaged.value.exit_code == 13
        with pytest.raises(ResultError):
            publish_text(tmp_path)
        assert publish_text(tmp_path, republish=True).revision == 2
        with locked(tmp_path) as output, pytest.raises(ResultError):
            restore(output, MONDAY, 1)

    def test_a_file_that_the_manifest_does_not_name_is_not_read(self, tmp_path: Path) -> None:
        shown = publish_text(tmp_path)
        (shown.folder / "more.csv").write_text("customer_id\nc9\n")
        with pytest.raises(ResultError, match=r"but its manifest does not name it\. Put"):
            shown.file("more.csv")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "[]",
            "null",
            '{"as_of": "2026-11-09", "revision": 1}',
            '{"as_of": "2026-11-16", "revision": 1, "fingerprints": {}, "files": []}',
            '{"as_of": "2026-11-09", "revision": 2, "fingerprints": {}, "files": []}',
            '{"as_of": "2026-11-09", "revision": 1, "fingerprints": [], "files": []}',
            '{"as_of": "2026-11-09", "revision": 1, "fingerprints": {}, "files": [{"path": "../x", "sha256": ""}]}',
            '{"as_of": "2026-11-09", "revision": 1, "fingerprints": {}, "files": [{"path": 1, "sha256": ""}]}',
            "[" * 100_000,
        ],
    )
    def test_a_manifest_that_kizuna_did_not_write_is_said(self, tmp_path: Path, text: str) -> None:
        folder = publish_text(tmp_path).folder
        (folder / "manifest.json").write_text(manifest_text(json.loads(text)) if text.startswith('{"') else text)
        for look in (lambda: published(tmp_path, MONDAY), lambda: lists_before(tmp_path, NEXT_MONDAY)):
            with pytest.raises(ResultError, match=r"its manifest\.json cannot be read\. Somebody changed it by hand"):
                look()

    def test_a_manifest_with_any_byte_changed_is_said(self, tmp_path: Path) -> None:
        path = publish_text(tmp_path).folder / "manifest.json"
        whole = path.read_bytes()
        for place in range(0, len(whole), 7):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(ResultError, match=r"its manifest\.json cannot be read"):
                published(tmp_path, MONDAY)
        path.write_bytes(whole)
        assert published(tmp_path, MONDAY) is not None

    def test_nobody_waits_for_a_pipe_in_its_place(self, tmp_path: Path) -> None:
        path = publish_text(tmp_path).folder / "manifest.json"
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(ResultError, match=r"its manifest\.json cannot be read"):
            published(tmp_path, MONDAY)

    def test_a_list_without_its_success_is_written_anew(self, tmp_path: Path) -> None:
        (publish_text(tmp_path).folder / "_SUCCESS").unlink()
        assert publish_text(tmp_path).revision == 2


class TestLinks:
    @pytest.mark.parametrize("target", [".revisions", "elsewhere"])
    def test_a_link_in_place_of_all_revisions_is_said(self, tmp_path: Path, target: str) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / ".revisions").symlink_to(target)
        with pytest.raises(
            ConfigError, match="should be the folder of all published revisions, but it is a link or a file"
        ):
            publish_text(tmp_path)
        assert not any((tmp_path / "elsewhere").iterdir())

    def test_a_lost_link_is_set_again_by_the_same_run(self, tmp_path: Path) -> None:
        publish_text(tmp_path)
        for name in ("2026-11-09", "latest"):
            (tmp_path / name).unlink()
        assert publish_text(tmp_path).revision == 1
        assert os.readlink(tmp_path / "2026-11-09") == os.readlink(tmp_path / "latest") == ".revisions/2026-11-09/r1"

    @pytest.mark.parametrize(
        "target", ["nowhere", "/etc", "..", ".revisions/2026-11-02/r1", ".revisions/2026-11-09/r0"]
    )
    def test_latest_is_set_right_wherever_it_led(self, tmp_path: Path, target: str) -> None:
        publish_text(tmp_path)
        (tmp_path / "latest").unlink()
        (tmp_path / "latest").symlink_to(target)
        publish_text(tmp_path)
        assert os.readlink(tmp_path / "latest") == ".revisions/2026-11-09/r1"

    @pytest.mark.parametrize(
        "target", ["/etc", "..", ".revisions/2026-11-02/r1", ".revisions/2026-11-09/r1/../r1", "r1"]
    )
    def test_a_days_link_that_leads_elsewhere_is_not_followed(self, tmp_path: Path, target: str) -> None:
        publish_text(tmp_path, date(2026, 11, 2))
        publish_text(tmp_path)
        (tmp_path / "2026-11-09").unlink()
        (tmp_path / "2026-11-09").symlink_to(target)
        words = (
            f"The link {tmp_path}/2026-11-09 should show a revision of 2026-11-09 in {tmp_path}/.revisions, but leads "
            "elsewhere. Somebody changed it by hand: remove it, and publish the day again."
        )
        for look in (
            lambda: published(tmp_path, MONDAY),
            lambda: lists_before(tmp_path, NEXT_MONDAY),
            lambda: publish_text(tmp_path),
        ):
            with pytest.raises(ResultError) as elsewhere:
                look()
            assert str(elsewhere.value) == words
        (tmp_path / "2026-11-09").unlink()
        assert publish_text(tmp_path).revision == 1

    def test_a_list_whose_revision_is_gone_is_missed_by_later_lists(self, tmp_path: Path) -> None:
        shutil.rmtree(publish_text(tmp_path).folder)
        with pytest.raises(ResultError) as gone:
            lists_before(tmp_path, NEXT_MONDAY)
        assert str(gone.value) == (
            f"The list of 2026-11-09 was published in {tmp_path}, but no link shows a complete revision of it any more. "
            f"Put it back from a backup; or, to go on without that list, remove {tmp_path}/2026-11-09 and "
            f"{tmp_path}/.revisions/2026-11-09."
        )
        (tmp_path / "2026-11-09").unlink()
        assert lists_before(tmp_path, NEXT_MONDAY) == []

    def test_a_list_whose_link_is_gone_is_missed_by_later_lists(self, tmp_path: Path) -> None:
        publish_text(tmp_path)
        publish_text(tmp_path, republish=True)
        (tmp_path / "2026-11-09").unlink()
        with pytest.raises(ResultError) as gone:
            lists_before(tmp_path, NEXT_MONDAY)
        assert (
            "any more (there: r1, r2). Show one again (kizuna score CONFIG --as-of 2026-11-09 --restore 2); or, to go on"
        ) in str(gone.value)
        with locked(tmp_path) as output:
            restore(output, MONDAY, 1)
        assert [one.revision for one in lists_before(tmp_path, NEXT_MONDAY)] == [1]

    def test_a_run_that_was_killed_before_its_link_is_no_list_that_is_gone(self, tmp_path: Path) -> None:
        place = publish_text(tmp_path).folder
        (tmp_path / "2026-11-09").unlink()
        (place.parent / ".showing-r1").touch()
        assert lists_before(tmp_path, NEXT_MONDAY) == []
        assert publish_text(tmp_path, NEXT_MONDAY).revision == 1
        assert not place.exists()


class TestMidway:
    def test_a_staging_folder_that_somebody_removes_publishes_nothing(self, tmp_path: Path) -> None:
        def robbed(staging: Path) -> dict[str, int]:
            (staging / "at_risk.csv").touch()
            shutil.rmtree(staging)
            return {"at_risk.csv": 0}

        with locked(tmp_path) as output, pytest.raises((OSError, ResultError)):
            publish(output, MONDAY, INPUTS, robbed, {})
        assert published(tmp_path, MONDAY) is None
        assert publish_text(tmp_path).revision == 1

    def test_a_link_that_cannot_be_set_leaves_the_old_list_and_no_half_revision(self, tmp_path: Path) -> None:
        publish_text(tmp_path)

        def blocking(staging: Path) -> dict[str, int]:
            (tmp_path / ".link-2026-11-09").mkdir()
            return {}

        with locked(tmp_path) as output, pytest.raises(FileExistsError):
            publish(output, MONDAY, {"purchases": "bb"}, blocking, {}, republish=True)
        assert sorted(path.name for path in (tmp_path / ".revisions/2026-11-09").iterdir()) == ["r1"]
        assert os.readlink(tmp_path / "latest") == ".revisions/2026-11-09/r1"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB and 60 inodes; the test is skipped where none may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=60", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(options, capture_output=True).returncode != 0:
        pytest.skip("no file system may be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


class TestFull:
    def written(self, place: Path) -> list[str]:
        return sorted(path.name for path in place.rglob("*") if re.match(r"r\d|\.s|\.link", path.name))

    def test_at_every_size_that_is_left_the_old_list_stays_or_the_new_one_is_whole(self, small_disk: Path) -> None:
        output = small_disk / "exports"
        publish_text(output)
        ended = set()
        for left_kb in range(0, 80, 4):
            ballast = small_disk / "ballast"
            free = os.statvfs(small_disk)
            ballast.write_bytes(b"x" * max(free.f_bavail * free.f_frsize - left_kb * 1024, 0))
            try:
                publish_text(output, NEXT_MONDAY)
                ended.add("published")
            except OSError as full:
                ended.add(full.strerror)
            if (found := published(output, NEXT_MONDAY)) is not None:
                found.require_whole()
                shutil.rmtree(output / ".revisions/2026-11-16")
                (output / "2026-11-16").unlink()
            assert self.written(output) == ["r1"]
            ballast.unlink()
        assert ended == {"No space left on device", "published"}

    def test_without_inodes_nothing_is_published(self, small_disk: Path) -> None:
        output = small_disk / "exports"
        publish_text(output)
        for left in range(12):
            taken = 0
            while os.statvfs(small_disk).f_favail > left:
                (small_disk / f"taken{taken}").touch()
                taken += 1
            with suppress(OSError):
                publish_text(output, NEXT_MONDAY)
            if (found := published(output, NEXT_MONDAY)) is not None:
                found.require_whole()
                break
            assert self.written(output) == ["r1"]
            for number in range(taken):
                (small_disk / f"taken{number}").unlink()
        assert left > 3
        assert published(output, NEXT_MONDAY) is not None

    def test_a_file_system_that_may_only_be_read_is_said(self, small_disk: Path) -> None:
        output = small_disk / "exports"
        publish_text(output)
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        with pytest.raises(ConfigError) as refused:
            publish_text(output)
        assert str(refused.value) == (
            f"output.dir asks for {output}, which cannot be written: Read-only file system. "
            "Choose another folder, or mend its permissions."
        )
        assert [one.revision for one in lists_before(output, NEXT_MONDAY)] == [1]


def test_all_refusals_have_an_exit_code() -> None:
    assert {kind.exit_code for kind in (ConfigError, ResultError, LockHeld)} == {2, 13, 14}
    assert all(issubclass(kind, KizunaError) for kind in (ConfigError, ResultError, LockHeld))
