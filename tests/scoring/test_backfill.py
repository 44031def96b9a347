"""Past weeks published by the models of then, through the real commands, a real registry and real files."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from tests.children import ended, in_child

from commands import kizuna
from kizuna import journal as journal_module
from kizuna.data.simulate import simulate
from kizuna.journal import Entry, Journal
from kizuna.lists.publication import locked, published
from kizuna.tracking.runs import talking

NOWHERE = {"to": "database", "uri": "postgresql://shop@127.0.0.1:1/postgres"}
CRM = {"to": "destination", "name": "crm", "columns": {"Nr": "customer_id"}}
WEEKS = ("2025-09-24", "2025-10-01", "2025-10-08", "2025-10-15", "2025-10-22")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a model trained until 2025-10-01 and one until 2025-10-20, both promoted today; lists go to two places."""
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=200, days=400, seed=3)
    config = folder / "config.yaml"
    tree = yaml.safe_load(config.read_text()) | {"exports": [{"to": "csv"}, NOWHERE, CRM]}
    tree |= {"features": {"families": ["purchases"]}, "model": {"churn": {"estimator": "rule"}}}
    config.write_text(yaml.safe_dump(tree))
    for day in ("2025-10-01", "2025-10-20"):
        code, out, err = kizuna("train", config, "--as-of", day, "--no-promote", "--json")
        assert code == 0, err
        assert kizuna("promote", config, json.loads(out)["versions"]["churn"])[0] == 0
    return folder


@pytest.fixture
def shop(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "shop"))


def back(shop: Path, first: str = WEEKS[0], last: str = WEEKS[-1], *more: object) -> tuple[int, str, str]:
    return kizuna("backfill", shop / "config.yaml", "--from", first, "--to", last, *more)


def told(shop: Path, *arguments: object) -> dict[str, Any]:
    code, out, err = back(shop, *arguments)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def links(shop: Path) -> dict[str, str]:
    exports = shop / "exports"
    return {path.name: os.readlink(path) for path in sorted(exports.iterdir()) if path.is_symlink()}


def contents(shop: Path) -> dict[str, Any]:
    """Every published file by its path, and the KPIs that are kept; of manifests what does not tell the time."""
    exports = shop / "exports"
    kept = [*(exports / ".revisions").rglob("*"), exports / "kpi" / "published.parquet"]
    files = (path for path in sorted(kept) if path.is_file())
    return {
        path.relative_to(exports).as_posix(): timeless(path) if path.name == "manifest.json" else path.read_bytes()
        for path in files
    }


def timeless(manifest: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(manifest.read_text())
    return {name: value for name, value in found.items() if name not in ("manifest_sha256", "published_at")}


def manifest_of(shop: Path, day: str) -> dict[str, Any]:
    return timeless(shop / "exports" / day / "manifest.json")


def reason(err: str) -> str:
    """The error's own lines, without what was said on the way."""
    return err.partition("kizuna: ")[2]


def written(shop: Path) -> dict[Path, int]:
    """When each file and link of the shop's output was last written, but what is told of runs."""
    paths = (path for path in (shop / "exports").rglob("*") if path.name != ".lock" and "watch" not in path.parts)
    return {path: path.lstat().st_mtime_ns for path in paths}


def test_each_week_is_made_by_the_model_of_then_and_delivered_nowhere(shop: Path) -> None:
    found = told(shop, WEEKS[0], WEEKS[-1], "--json")
    assert {key: found[key] for key in ("from", "to", "every_days", "published", "left", "skipped")} == {
        **{"from": "2025-09-24", "to": "2025-10-22", "every_days": 7},
        **{"published": 4, "left": 0, "skipped": 1},
    }
    days = [(day["as_of"], day["state"], day["models"] and day["models"]["churn"]) for day in found["days"]]
    assert days == [
        ("2025-09-24", "skipped", None),
        ("2025-10-01", "published", "shop-churn v1"),
        ("2025-10-08", "published", "shop-churn v1"),
        ("2025-10-15", "published", "shop-churn v1"),
        ("2025-10-22", "published", "shop-churn v2"),
    ]
    assert links(shop) == {day: f".revisions/{day}/r1" for day in WEEKS[1:]} | {"latest": ".revisions/2025-10-22/r1"}
    assert [manifest_of(shop, day)["backfill"] for day in WEEKS[1:]] == [True] * 4
    assert [manifest_of(shop, day)["hindsight"] for day in WEEKS[1:]] == [False] * 4
    assert not [path for path in contents(shop) if "destinations" in path]
    status = pd.read_csv(shop / "exports/2025-10-15/at_risk.csv")["list_status"]
    assert {"new", "continuing"} <= set(status)
    assert len(pd.read_csv(shop / "exports/2025-10-22/removed.csv")) > 0
    before = written(shop)
    code, out, err = back(shop)
    assert code == 0, err
    assert out.splitlines()[-1] == (
        "0 published, 4 published before and left, 1 before the first champion; nothing was delivered"
    )
    assert written(shop) == before


def test_a_backfilled_week_is_what_score_publishes_with_that_model(shop: Path, trained: Path, tmp_path: Path) -> None:
    """Score is given the champion of then, and delivers nowhere as well, so that its files can be compared."""
    assert back(shop, WEEKS[3])[0] == 0
    other = Path(shutil.copytree(trained, tmp_path / "other"))
    for version, day in (("1", WEEKS[3]), ("2", WEEKS[4])):
        assert kizuna("promote", other / "config.yaml", version)[0] == 0
        code, _, err = kizuna("score", other / "config.yaml", "--as-of", day, "--set", "exports=[{to: csv}]")
        assert code == 0, err
    mine, theirs = contents(shop), contents(other)
    assert mine.keys() == theirs.keys()
    differing = sorted(path for path in mine if mine[path] != theirs[path])
    assert all(path.endswith("manifest.json") for path in differing)
    for day in WEEKS[3:]:
        assert manifest_of(shop, day) == manifest_of(other, day) | {"backfill": True}


def test_published_days_are_left_and_latest_stays_the_greatest(shop: Path) -> None:
    """The list of 10-29 and that of 10-15 were made live; neither is touched, and 10-15 keeps the model it was made by."""
    for day in ("2025-10-29", "2025-10-15"):
        live = kizuna("score", shop / "config.yaml", "--as-of", day, "--hindsight")
        assert live[0] == 15
    before = {path: text for path, text in contents(shop).items() if "10-29" in path or "10-15" in path}
    found = told(shop, WEEKS[1], WEEKS[-1], "--json")
    assert [day["state"] for day in found["days"]] == ["published", "published", "left", "published"]
    assert manifest_of(shop, "2025-10-15")["models"]["churn"] == "shop-churn v2"
    assert manifest_of(shop, "2025-10-15")["backfill"] is False
    after = contents(shop)
    assert {path: after[path] for path in before} == before
    assert links(shop)["latest"] == ".revisions/2025-10-29/r1"


def test_nobody_rests_because_of_a_list_that_was_sent_to_nobody(shop: Path, trained: Path, tmp_path: Path) -> None:
    """The same two weeks, live and by backfill, and a live list after them: the same people, other pauses."""
    other = Path(shutil.copytree(trained, tmp_path / "other"))
    assert back(other, "2025-10-22", "2025-10-29")[0] == 0
    for day in ("2025-10-22", "2025-10-29"):
        assert kizuna("score", shop / "config.yaml", "--as-of", day)[0] == 15
    lists = []
    for folder in (shop, other):
        assert kizuna("score", folder / "config.yaml", "--as-of", "2025-11-05")[0] == 15
        lists.append(pd.read_csv(folder / "exports/2025-11-05/at_risk.csv", dtype=str).set_index("customer_id"))
    live, after = lists
    assert after["list_status"].eq("continuing").any()
    both = live.index.intersection(after.index)
    assert live.loc[both, "list_status"].tolist() == after.loc[both, "list_status"].tolist()
    refused = [(rows["contact_allowed"] == "false").loc[both] for rows in (live, after)]
    assert refused[0].sum() > refused[1].sum()
    assert not (refused[1] & ~refused[0]).any()


def test_score_delivers_no_list_that_was_made_for_the_record(shop: Path) -> None:
    """The same inputs are a no-op; a revision that score writes itself is delivered, and fails here."""
    assert back(shop, "2025-10-22", "2025-10-22")[0] == 0
    code, _, err = kizuna("score", shop / "config.yaml", "--as-of", "2025-10-22")
    assert code == 0
    assert err.splitlines()[-1].endswith(
        "2025-10-22 was published by kizuna backfill (r1), which is delivered nowhere; "
        "--republish adds a revision that is"
    )
    assert kizuna("score", shop / "config.yaml", "--as-of", "2025-10-22", "--republish")[0] == 15
    assert (manifest_of(shop, "2025-10-22")["revision"], manifest_of(shop, "2025-10-22")["backfill"]) == (2, False)
    assert kizuna("score", shop / "config.yaml", "--as-of", "2025-10-22", "--restore", 1)[0] == 0


def test_lines_say_what_became_of_each_day(shop: Path) -> None:
    code, out, err = back(shop, "2025-09-29", "2025-10-01", "--every", 2)
    assert code == 0
    counts = manifest_of(shop, "2025-10-01")["counts"]
    assert out.splitlines() == [
        "2025-09-29  skipped    no version was champion yet",
        f"2025-10-01  published  r1  shop-churn v1  {counts['eligible']} eligible, {counts['listed']} listed",
        "1 published, 0 published before and left, 1 before the first champion; nothing was delivered",
    ]
    said = [line.partition("s] ")[2] for line in err.splitlines()]
    assert said[0] == "2025-09-29: before the first champion; skipped (1 of 2)"
    assert said[-1] == "2025-10-01: published (2 of 2)"


def test_a_gate_that_fails_ends_it_and_accepted_stays_on_record_with_each_day(shop: Path) -> None:
    nobody = ("--set", "at_risk.min_probability=1")
    code, out, err = back(shop, WEEKS[2], WEEKS[3], *nobody)
    assert (code, out, links(shop)) == (13, "", {})
    refusal, ended_at = reason(err).splitlines()
    assert refusal.startswith("Gate list_size: nobody is listed, of ")
    assert ended_at.startswith(f"The backfill ended at {WEEKS[2]}, whose champion was version 1 of 'shop-churn'; ")
    assert back(shop, WEEKS[2], WEEKS[3], *nobody, "--accept-gate", "list_size")[0] == 2
    told(shop, WEEKS[2], WEEKS[3], *nobody, "--accept-gate", "list_size", "--why", "a quiet autumn", "--json")
    for day in WEEKS[2:4]:
        (failed,) = [gate for gate in manifest_of(shop, day)["gates"] if gate["status"] == "fail"]
        assert (failed["name"], failed["reason"]) == ("list_size", "a quiet autumn")
        assert failed["accepted_by"]


class TestWords:
    def test_the_first_day_after_the_last(self, shop: Path) -> None:
        code, out, err = back(shop, "2025-10-08", "2025-10-01")
        assert (code, out, reason(err)) == (
            *(2, ""),
            "Lists were asked for from 2025-10-08 to 2025-10-01, which is earlier. Swap --from and --to.\n",
        )

    def test_no_day(self, shop: Path) -> None:
        code, _, err = back(shop, "2025-13-08", "2025-10-01")
        assert code == 2
        assert reason(err).startswith("--from asks for a day like 2026-01-31; found '2025-13-08'.")
        assert back(shop, "2025-10-01", "2025-10-08", "--every", 0)[0] == 2

    def test_days_that_the_rows_do_not_reach(self, shop: Path) -> None:
        code, _, err = back(shop, "2025-12-24", "2026-01-21")
        assert (code, reason(err)) == (
            10,
            "Lists were asked for until 2026-01-21, but the newest row is of 2025-12-31. "
            "Load newer rows, or ask for days until 2026-01-01.\n",
        )
        assert links(shop) == {}

    def test_no_day_has_a_champion(self, shop: Path) -> None:
        code, _, err = back(shop, "2025-09-17", "2025-09-24")
        assert (code, reason(err)) == (
            12,
            "Lists of 'shop' were asked for 2025-09-17 to 2025-09-24, but the first champion was trained on data until "
            "2025-10-01. Ask for days from then on, or train with --as-of 2025-09-17 or earlier.\n",
        )
        nothing = ("--set", f"tracking.uri=sqlite:///{shop}/none.db")
        code, _, err = back(shop, "2025-10-08", "2025-10-15", *nothing)
        assert (code, reason(err)) == (
            12,
            "Lists of 'shop' were asked for 2025-10-08 to 2025-10-15, but no version was ever champion. "
            "Train one with 'kizuna train'.\n",
        )

    def test_another_run_holds_the_folder(self, shop: Path) -> None:
        with locked(shop / "exports"):
            code, _, err = back(shop)
        assert code == 14
        assert reason(err).splitlines()[1] == (
            "The backfill ended at 2025-10-01, whose champion was version 1 of 'shop-churn'; the days before it stay, "
            "3 later days not attempted. Run it again afterwards."
        )
        assert links(shop) == {}

    def test_the_champion_of_then_was_deleted(self, shop: Path) -> None:
        with talking(f"sqlite:///{shop}/mlflow.db") as client:
            client.delete_registered_model_alias("shop-churn", "champion")
            client.delete_model_version("shop-churn", "2")
        code, _, err = back(shop)
        assert code == 12
        said = reason(err).splitlines()
        assert said[0].startswith("Version 2 of 'shop' was asked for, but there is no such version.")
        assert said[1] == (
            "The backfill ended at 2025-10-22, whose champion was version 2 of 'shop-churn'; the days before it stay, "
            "it was the last day. Run it again afterwards."
        )
        assert list(links(shop)) == [*WEEKS[1:4], "latest"]


STEPS = [
    ("began", "score"),
    ("began", "files"),
    ("began", "seal"),
    ("ended", "seal"),
    ("ended", "link"),
    ("ended", None),
]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[0]} {step[1]}")
def test_killed_at_a_step_of_its_second_day_and_run_again(
    step: tuple[str, str | None], shop: Path, tmp_path: Path
) -> None:
    """None stands for the day itself, which has ended with its link and before anything else is done."""
    other = Path(shutil.copytree(shop, tmp_path / "other"))
    asked = ("backfill", other / "config.yaml", "--from", "2025-10-01", "--to", "2025-10-15")
    wanted = (step[0], step[1] or "day 2025-10-08")

    def kill(told: Journal, entry: Entry) -> None:
        second = any(one.stage == "day 2025-10-08" for one in told.entries)
        if second and (entry.event, entry.stage) == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        started = journal_module.journal_of

        @contextlib.contextmanager
        def watched(command: str, as_json: bool) -> Iterator[Journal]:
            with started(command, as_json) as opened:
                opened.listeners.append(kill)
                yield opened

        journal_module.journal_of = watched
        kizuna(*asked)

    assert ended(in_child(work)) == -signal.SIGKILL
    known = set(links(other)) - {"latest"}
    assert known == ({"2025-10-01", "2025-10-08"} if wanted[0] == "ended" and step[1] != "seal" else {"2025-10-01"})
    assert kizuna(*asked)[0] == 0
    assert back(shop, "2025-10-01", "2025-10-15")[0] == 0
    assert contents(other) == contents(shop)
    assert links(other) == links(shop)


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_it_ends_with_the_same_bytes(shop: Path, tmp_path: Path) -> None:
    """A copy is killed again and again, each time a little later, until it ends by itself."""
    other = Path(shutil.copytree(shop, tmp_path / "other"))
    assert back(shop)[0] == 0
    asked = ["backfill", str(other / "config.yaml"), "--from", WEEKS[0], "--to", WEEKS[-1]]
    code, kills, seconds = -signal.SIGKILL, 0, 2.5
    while code == -signal.SIGKILL:
        with subprocess.Popen(
            [sys.executable, "-m", "kizuna.cli", *asked], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            began = time.monotonic()
            while process.poll() is None and time.monotonic() - began < seconds:
                time.sleep(0.01)
            process.kill()
        code, kills, seconds = process.returncode, kills + 1, seconds * 1.3
        for day in WEEKS[1:]:
            found = published(other / "exports", date.fromisoformat(day))
            assert found is None or {item["path"] for item in found.manifest["files"]} < set(os.listdir(found.folder))
    assert code == 0
    assert kills > 2
    assert contents(other) == contents(shop)
    assert links(other) == links(shop)
