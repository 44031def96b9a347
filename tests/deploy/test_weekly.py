"""weekly.sh, run for real: which day it names, what it tries again, and what reaches kizuna."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.deploy.codes import CODES, DEPLOY, RETRIED, needs_zones, program

pytestmark = needs_zones

WEEKLY = DEPLOY / "weekly.sh"
SOUND = {"KIZUNA_ZONE": "Asia/Tokyo", "KIZUNA_PAUSE_SECONDS": "0"}


def weekly(place: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{place}:/usr/bin:/bin"
    return subprocess.run(
        [str(WEEKLY), *arguments], capture_output=True, text=True, check=False, env={"PATH": path} | environment
    )


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Europe/Berlin", "Pacific/Apia", "UTC"])
def test_the_day_is_the_monday_of_the_week_in_the_shop_s_zone(zone: str, tmp_path: Path) -> None:
    place = program(tmp_path, 'echo "$*"')
    clock = place / "date"
    moments = [datetime(2026, 11, 22, 14, 59, tzinfo=UTC) + timedelta(hours=11 * step) for step in range(16)]
    moments += [
        datetime(2026, 3, 8, 7, tzinfo=UTC),
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    ]
    for moment in moments:
        clock.write_text(f'#!/bin/sh\n[ "$*" = +%s ] && echo {int(moment.timestamp())} && exit\nexec /bin/date "$@"\n')
        clock.chmod(0o755)
        here = moment.astimezone(ZoneInfo(zone)).date()
        monday = here - timedelta(days=here.weekday())
        ended = weekly(place, "score", "shop.yaml", KIZUNA_ZONE=zone)
        assert (ended.stdout, ended.stderr) == (f"score shop.yaml --as-of {monday}\n", ""), moment


def test_further_options_are_handed_on_to_the_letter(tmp_path: Path) -> None:
    place = program(tmp_path, 'shift 4; for word in "$@"; do echo "<$word>"; done')
    ended = weekly(place, "score", "my shop.yaml", "--set", "name=a b", "--json", **SOUND)
    assert ended.stdout == "<--set>\n<name=a b>\n<--json>\n"


@pytest.mark.parametrize("code", CODES)
def test_only_what_may_pass_is_tried_again_and_the_last_code_is_kizuna_s(code: int, tmp_path: Path) -> None:
    place = program(tmp_path, f"echo x >>{tmp_path}/calls; exit {code}")
    ended = weekly(place, "score", "shop.yaml", KIZUNA_TRIES="3", **SOUND)
    assert ended.returncode == code
    assert (tmp_path / "calls").read_text().count("x") == (3 if code in RETRIED else 1)
    said = [f"weekly.sh: kizuna score ended with {code}; again in 0 s, {left} left." for left in (2, 1)]
    assert ended.stderr.splitlines() == (said if code in RETRIED else [])


def test_what_is_written_is_for_the_user_of_the_job_alone(tmp_path: Path) -> None:
    assert weekly(program(tmp_path, "umask"), "check", "shop.yaml", **SOUND).stdout == "0077\n"


def test_what_passed_in_between_is_done(tmp_path: Path) -> None:
    place = program(tmp_path, f"echo x >>{tmp_path}/calls; [ $(wc -l <{tmp_path}/calls) -ge 2 ] || exit 10")
    assert weekly(place, "score", "shop.yaml", KIZUNA_TRIES="9", **SOUND).returncode == 0
    assert (tmp_path / "calls").read_text().count("x") == 2


def test_the_real_program_s_codes_are_understood(tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[2] / "src"
    place = program(tmp_path, f'PYTHONPATH={source} exec {sys.executable} -m kizuna.cli "$@"')
    shop = tmp_path / "shop.yaml"
    shop.write_text("name: shop\ndata: {tables: {purchases: {path: none.csv}}}\n")
    late = weekly(place, "score", str(shop), KIZUNA_TRIES="2", **SOUND)
    assert late.returncode == 10
    assert late.stderr.count("there is no such file") == 2
    wrong = weekly(place, "score", str(shop), "--set", "chrun.x=1", KIZUNA_TRIES="2", **SOUND)
    assert wrong.returncode == 2
    assert wrong.stderr.count("unknown key") == 1


def test_without_a_number_of_tries_there_is_one(tmp_path: Path) -> None:
    place = program(tmp_path, f"echo x >>{tmp_path}/calls; exit 75")
    assert weekly(place, "score", "shop.yaml", **SOUND).returncode == 75
    assert (tmp_path / "calls").read_text() == "x\n"


REFUSED: dict[str, tuple[list[str], dict[str, str], str]] = {
    "no config": (["score"], SOUND, "asks for a command and a config, such as: weekly.sh score /srv/kizuna/shop.yaml"),
    "no zone": (
        ["score", "shop.yaml"],
        {},
        "KIZUNA_ZONE asks for the shop's time zone, such as Asia/Tokyo; found ''. Set it.",
    ),
    "unknown zone": (
        ["score", "shop.yaml"],
        {"KIZUNA_ZONE": "Asia/Tokjo"},
        "KIZUNA_ZONE asks for the shop's time zone, such as Asia/Tokyo; found 'Asia/Tokjo'. Set it.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_missing_is_said_before_anything_runs(case: str, tmp_path: Path) -> None:
    arguments, environment, said = REFUSED[case]
    ended = weekly(program(tmp_path, f"touch {tmp_path}/ran"), *arguments, **environment)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"weekly.sh: {said}\n")
    assert not (tmp_path / "ran").exists()


def test_sigterm_reaches_kizuna_itself(tmp_path: Path) -> None:
    place = program(tmp_path, f"trap 'exit 143' TERM; touch {tmp_path}/ready; while :; do sleep 0.05; done")
    environment = {"PATH": f"{place}:{os.environ['PATH']}"} | SOUND
    running = subprocess.Popen([str(WEEKLY), "score", "shop.yaml"], env=environment)
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=10) == 143
