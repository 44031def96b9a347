"""A full disk, a registry that is taken away, clocks that jump: the old list stays, or the new one is what it always is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.kills.runs import Warm, cold, finished, warm
from tests.kills.watching import Reader, published_bytes, reading

from commands import kizuna
from kizuna.data.simulate import simulate

pytestmark = pytest.mark.slow

FIRST, SECOND = date(2025, 9, 1), date(2025, 9, 8)
FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
# Before a leap day ends, when clocks go forward, at a year's end, and long after the data.
CLOCKS = {
    "2028-02-29 23:59:58": "Asia/Tokyo",
    "2026-03-29 01:59:58": "Europe/Berlin",
    "2026-12-31 23:59:58": "Pacific/Kiritimati",
    "2035-06-01 12:00:00": "America/St_Johns",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    simulate(folder, customers=250, days=600, seed=12)
    estimators = ("--set", "model.churn.estimator=logistic", "--set", "model.cltv.estimator=tweedie")
    code, _, err = kizuna("train", folder / "config.yaml", "--as-of", FIRST, *estimators)
    assert code == 0, err
    text = (folder / "config.yaml").read_text().replace("size: 300", "size: 25")
    (folder / "config.yaml").write_text(text + "exports: [{to: workbook}, {to: report}, {to: csv}]\n")
    return folder


@pytest.fixture
def shop(trained: Path, tmp_path: Path) -> Path:
    """The config of a copy without lists."""
    return Path(shutil.copytree(trained, tmp_path / "shop")) / "config.yaml"


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Warm]:
    with warm(tmp_path) as found:
        yield found


@pytest.fixture
def small_disk(shop: Path) -> Iterator[Path]:
    """The shop's output on a disk of its own, with room for a list."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    exports = shop.parent / "exports"
    exports.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", str(exports)], check=True)
    try:
        yield exports
    finally:
        subprocess.run(["umount", "-l", str(exports)], check=True)


def test_a_disk_that_fills_up_at_any_moment(shop: Path, job: Warm, small_disk: Path, tmp_path: Path) -> None:
    def resize(kilobytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(small_disk)], check=True)

    def used_kilobytes() -> int:
        found = os.statvfs(small_disk)
        return (found.f_blocks - found.f_bfree) * found.f_frsize // 1024

    assert job.run("score", shop, "--as-of", FIRST) == 0
    before, codes = published_bytes(small_disk, FIRST), []
    with reading(Reader(small_disk)) as reader:
        room = 0
        while not codes or codes[-1] != 0:
            resize(used_kilobytes() + room)
            codes.append(job.run("score", shop, "--as-of", SECOND))
            assert codes[-1] in (0, 2, 20), job.log.read_text()[-2000:]
            if codes[-1] != 0:
                assert not (small_disk / SECOND.isoformat()).exists()
                assert os.readlink(small_disk / "latest") == f".revisions/{FIRST}/r1"
                assert "No space left on device" in job.log.read_text().splitlines()[-1]
            room += 40
    assert not reader.wrong
    assert len(codes) > 4
    assert published_bytes(small_disk, FIRST) == before
    assert not list(small_disk.glob(".revisions/*/.staging*"))
    other = ("--set", f"output.dir={tmp_path / 'clean'}")
    assert [job.run("score", shop, "--as-of", day, *other) for day in (FIRST, SECOND)] == [0, 0]
    assert published_bytes(small_disk, SECOND) == published_bytes(tmp_path / "clean", SECOND)


@pytest.mark.parametrize("stage", ["gates_before", "score", "files", "link"])
def test_a_registry_that_is_taken_away_once_the_models_are_read(shop: Path, job: Warm, stage: str) -> None:
    store, artifacts = shop.parent / "mlflow.db", shop.parent / "artifacts"

    def take_away(child: int) -> None:
        for path in (store, artifacts):
            path.rename(path.with_name(f"{path.name}.away"))

    assert job.met_at(("began", stage), take_away, "score", shop, "--as-of", FIRST) == 0
    shown = os.readlink(shop.parent / "exports/latest")
    assert job.run("score", shop, "--as-of", SECOND) == 12
    assert os.readlink(shop.parent / "exports/latest") == shown
    for path in (store, artifacts):
        path.with_name(f"{path.name}.away").rename(path)
    assert job.run("score", shop, "--as-of", SECOND) == 0


def faked(clock: str, folder: Path) -> dict[str, str]:
    """The environment of a process whose clock begins at this moment, and follows what is written to a file later on."""
    assert FAKETIME is not None, "install faketime, as tests/system_packages.sh does"
    (folder / "clock").write_text(f"@{clock}\n")
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(folder / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def test_no_clock_and_no_zone_of_the_machine_changes_a_byte(shop: Path, tmp_path: Path) -> None:
    found = []
    for number, (clock, zone) in enumerate(CLOCKS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        run = cold(
            *("score", shop, "--as-of", FIRST, "--set", f"output.dir={folder / 'out'}"), TZ=zone, **faked(clock, folder)
        )
        err = finished(run)[1]
        assert run.returncode == 0, err
        found.append(published_bytes(folder / "out", FIRST))
    assert len(found[0]) > 5
    assert all(files == found[0] for files in found[1:])


def test_a_clock_that_jumps_while_the_job_runs(shop: Path, tmp_path: Path) -> None:
    for day, jump in ((FIRST, "2026-01-01 00:00:00"), (SECOND, "2026-09-01 00:00:00")):
        run = cold("score", shop, "--as-of", day, "--log-json", **faked("2026-06-01 12:00:00", tmp_path))
        assert run.stderr is not None
        for line in run.stderr:
            if '"event": "began", "stage": "score"' in line:
                (tmp_path / "clock").write_text(f"@{jump}\n")
        assert finished(run)[0] == 0
    reader = Reader(shop.parent / "exports")
    reader.look()
    assert not reader.wrong
    assert sorted(reader.shown) == [FIRST.isoformat(), SECOND.isoformat(), "latest"]
