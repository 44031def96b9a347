"""The service and its timer, and systemd's own check of them."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from tests.deploy.codes import DEPLOY

NAMES = ("kizuna-score.service", "kizuna-score.timer")


def settings_of(name: str) -> dict[str, list[str]]:
    """The values of each key of a unit file."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (DEPLOY / "systemd" / name).read_text().splitlines():
        if line and line[0] not in "#[":
            key, value = line.split("=", 1)
            found[key].append(value)
    return found


@pytest.mark.slow
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    for name in NAMES:
        text = (DEPLOY / "systemd" / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/kizuna/deploy/weekly.sh", str(DEPLOY / "weekly.sh")))
    line = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in NAMES)]
    ended = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert not [said for said in ended.stderr.splitlines() if "kizuna" in said]
    when = settings_of("kizuna-score.timer")["OnCalendar"][0]
    subprocess.run(["systemd-analyze", "calendar", when], check=True, stdout=subprocess.DEVNULL)


def test_the_timer_and_the_day_stand_in_one_zone() -> None:
    timer, service = settings_of("kizuna-score.timer"), settings_of("kizuna-score.service")
    assert timer["OnCalendar"] == ["Mon *-*-* 06:00:00 Asia/Tokyo"]
    assert timer["Persistent"] == ["true"]
    assert timer["WantedBy"] == ["timers.target"]
    assert "KIZUNA_ZONE=Asia/Tokyo OMP_NUM_THREADS=1" in service["Environment"]


def test_systemd_alone_tries_again_so_that_sigterm_reaches_kizuna() -> None:
    service = settings_of("kizuna-score.service")
    assert service["ExecStart"] == ["/opt/kizuna/deploy/weekly.sh score /srv/kizuna/shop.yaml"]
    assert not [value for value in service["Environment"] if "KIZUNA_TRIES" in value]
    assert service["Type"] == ["exec"]


def test_the_run_is_not_root_may_write_little_and_reads_its_secrets_from_a_file() -> None:
    service = settings_of("kizuna-score.service")
    assert service["User"] == ["kizuna"]
    assert service["EnvironmentFile"] == ["/etc/kizuna/shop.env"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["ReadWritePaths"] == ["/srv/kizuna"]
    assert service["UMask"] == ["0077"]
    assert service["NoNewPrivileges"] == ["yes"]
