"""The cron file: five fields that mean what they say, and command lines that run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from croniter import croniter
from tests.deploy.codes import DEPLOY, needs_zones, program

# Minute, hour, day of the month, month, day of the week.
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
LINES = [line for line in (DEPLOY / "cron/kizuna").read_text().splitlines() if line and not line.startswith("#")]
SETTINGS = dict(line.split("=", 1) for line in LINES if re.match(r"[A-Z_]+=", line))
JOBS = [line.split(None, 6) for line in LINES if not re.match(r"[A-Z_]+=", line)]
COMMANDS = {job[6].split(" /srv")[0].split()[-1]: job[6] for job in JOBS}


def test_times_lie_within_their_fields_and_every_line_names_a_user() -> None:
    assert [" ".join(job[:5]) for job in JOBS] == ["0 6 * * 1", "0 9 * * 1", "0 2 1 * *"]
    for job in JOBS:
        for field, (low, high) in zip(job[:5], RANGES, strict=True):
            assert field == "*" or low <= int(field) <= high
        assert job[5] == "kizuna"


def test_a_parser_of_cron_agrees() -> None:
    assert all(croniter.is_valid(" ".join(job[:5])) for job in JOBS)


def test_the_zone_is_the_same_for_cron_and_for_the_day() -> None:
    assert SETTINGS["CRON_TZ"] == SETTINGS["KIZUNA_ZONE"] == "Asia/Tokyo"
    assert SETTINGS["OMP_NUM_THREADS"] == "1"
    assert int(SETTINGS["KIZUNA_TRIES"]) * int(SETTINGS["KIZUNA_PAUSE_SECONDS"]) == 4 * 3600


def test_no_line_holds_a_percent_sign_which_cron_reads_as_a_line_end() -> None:
    assert not [job for job in JOBS if "%" in job[6]]


def run(name: str, code: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command line of the file as cron runs it, with the paths of a test."""
    place = program(folder, f'echo "$* $WAREHOUSE"; echo why >&2; exit {code}')
    (folder / "shop.env").write_text("WAREHOUSE='postgresql://shop:p w@db/shop'\n")
    line = COMMANDS[name].replace("/opt/kizuna/deploy", str(DEPLOY))
    line = re.sub("/etc/kizuna|/var/log/kizuna", str(folder), line)
    told = {key: SETTINGS[key] for key in ("KIZUNA_ZONE", "OMP_NUM_THREADS")} | {"KIZUNA_TRIES": "1"}
    environment = told | {"PATH": f"{place}:/usr/bin:/bin"}
    return subprocess.run([SETTINGS["SHELL"], "-c", line], capture_output=True, text=True, check=False, env=environment)


@needs_zones
@pytest.mark.parametrize("name", ["score", "monitor", "train"])
def test_a_run_that_succeeds_sends_no_mail_and_its_secrets_come_from_the_file(name: str, tmp_path: Path) -> None:
    ended = run(name, 0, tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    logged = (tmp_path / f"{name}.log").read_text()
    assert logged.startswith(f"{name} /srv/kizuna/shop.yaml --")
    assert logged.endswith(" postgresql://shop:p w@db/shop\nwhy\n")
    assert (tmp_path / f"{name}.log").stat().st_mode & 0o777 == 0o600


@needs_zones
@pytest.mark.parametrize("name", ["score", "monitor", "train"])
def test_a_run_that_fails_mails_the_end_of_its_log(name: str, tmp_path: Path) -> None:
    assert run(name, 13, tmp_path).stdout.endswith("\nwhy\n")


def test_the_file_has_no_bytes_that_cron_trips_over() -> None:
    content = (DEPLOY / "cron/kizuna").read_bytes()
    assert content.endswith(b"\n")
    assert b"\r" not in content
    assert os.access(DEPLOY / "weekly.sh", os.X_OK)
