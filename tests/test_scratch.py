"""Scratch folders: private, gone with their owner, and swept where the owner was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kizuna.scratch import new_scratch, scratch_folder, sweep

HOLD = """
import sys
from kizuna.scratch import new_scratch
scratch = new_scratch(sys.argv[1])
print(scratch.folder, flush=True)
sys.stdin.read()
"""


def test_it_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch_folder(str(tmp_path)) as folder:
        (folder / "rows").mkdir()
        assert (folder.parent, folder.stat().st_mode & 0o777) == (tmp_path, 0o700)
        assert sweep(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_holds_is_not(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        (folder / "rows.parquet").write_text("a customer")
        assert sweep(tmp_path) == 0
        os.kill(holder.pid, signal.SIGKILL)
    assert folder.exists()
    assert sweep(tmp_path) == 1
    assert not folder.exists()


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "kizuna-demo").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "kizuna-link").symlink_to(tmp_path / "elsewhere")
    assert sweep(tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "kizuna-demo", "kizuna-link"]


@pytest.mark.parametrize("broken", ["folder", "link"])
def test_a_planted_lock_file_is_no_reason_to_fail(broken: str, tmp_path: Path) -> None:
    (tmp_path / "kizuna-x").mkdir()
    if broken == "folder":
        (tmp_path / "kizuna-x/.owned").mkdir()
    else:
        (tmp_path / "kizuna-x/.owned").symlink_to("/etc/hostname")
    assert sweep(tmp_path) == 0
    new_scratch(str(tmp_path)).remove()
