"""Where a shop stands, on real files, real lists and a real registry."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import kizuna
from kizuna.config_file import load_config
from kizuna.lists.publication import locked
from kizuna.status.due import due
from kizuna.status.found import status
from kizuna.status.words import status_json, status_lines
from kizuna.tracking.registry import Registry
from published import publish_list

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
HEADER = "customer_id,occurred_at,amount\n"
LISTED = [("a", 0.9, "target", "true")]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    """A shop whose rows reach until 2026-03-01, without models and lists; it stands on 2026-03-02.

    In memory where there is such a thing: SQLite flushes every small change.
    """
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as folder:
        yield _made(Path(folder))


def _made(folder: Path) -> Path:
    tree = {
        "name": "shop",
        "data": {"tables": {"purchases": {"path": "p.csv", "warn_after_days": 3, "error_after_days": 7}}},
        "churn": {"horizon_days": 30},
        "tracking": {"uri": "sqlite:///mlflow.db"},
        "output": {"dir": "out"},
    }
    (folder / "shop.yaml").write_text(yaml.safe_dump(tree))
    (folder / "p.csv").write_text(HEADER + "a,2026-01-01,1\nb,2026-03-01,2\n")
    return folder


def change(shop: Path, **tables: Any) -> None:
    tree = yaml.safe_load((shop / "shop.yaml").read_text())
    tree["data"]["tables"] |= tables
    (shop / "shop.yaml").write_text(yaml.safe_dump(tree))


def lines(shop: Path, now: datetime = NOW) -> dict[str, str]:
    """What is said, by the head of its line."""
    said = status_lines(status(load_config(shop / "shop.yaml"), now), "shop.yaml")
    return {line[:15].strip() or line.split()[0]: line[15:] for line in said[1:]} | {"": said[0]}


def as_json(shop: Path, now: datetime = NOW) -> dict[str, Any]:
    return status_json(status(load_config(shop / "shop.yaml"), now), "shop.yaml")


def register(shop: Path, train_day: str, promote: bool = True, **tags: str) -> None:
    registry, folder = Registry(f"sqlite:///{shop}/mlflow.db", "shop"), shop / f"model{train_day}"
    folder.mkdir()
    (folder / "model.json").write_text(train_day)
    with registry.training_run(f"train {train_day}", {}) as run:
        version = run.log_model("churn", folder, ["x"], ["p"], {"train_day": train_day, "grade": "A"} | tags)
    if promote:
        registry.promote(version, datetime(2026, 2, 1, 9, 0, tzinfo=UTC))


def put_list(shop: Path, as_of: str, published_at: datetime = NOW, **manifest: Any) -> None:
    publish_list(shop / "out", as_of, LISTED, published_at=published_at.isoformat(), **manifest)


def test_a_new_shop_is_told_to_train(shop: Path) -> None:
    assert status_lines(status(load_config(shop / "shop.yaml"), NOW), "shop.yaml") == [
        "shop on 2026-03-02",
        "last list      none is published",
        "champion       none is promoted",
        "challenger     none waits",
        "lists          none",
        "tables         purchases      until 2026-03-01, 1 day ago, 3 allowed",
        "lock           no run is at work",
        "next           no model is in use: kizuna train shop.yaml",
    ]
    assert not (shop / "out").exists()
    assert not (shop / "mlflow.db").exists()


def test_a_shop_with_models_and_lists(shop: Path) -> None:
    """Windows of 30 days: the list of 01-30 has matured on 03-01; that of 02-16 will on 03-18."""
    register(shop, "2026-02-01")
    register(
        shop, "2026-02-08", promote=False, validation_status="refused", **{"gate.signal": "fail .484 (limit .500)"}
    )
    put_list(shop, "2026-01-30", backfill=True)
    put_list(shop, "2026-02-16", datetime(2026, 2, 16, 6, 3, tzinfo=UTC))
    said = lines(shop)
    assert said["last list"] == "2026-02-16 (r1), published 14 days ago (2026-02-16 06:03 UTC)"
    assert said["champion"] == "version 1, grade A, trained until 2026-02-01, in use since 2026-02-01"
    assert said["challenger"] == (
        "version 2, grade A, trained until 2026-02-08; refused by the gate: signal .484 (limit .500)"
    )
    assert said["lists"] == (
        "2 published (1 by backfill), 1 running, 1 matured; that of 2026-02-16 matures next, on 2026-03-18"
    )
    assert said["next"] == "score is due: kizuna score shop.yaml --as-of 2026-03-02"
    found = as_json(shop)
    assert found["last_success"] == {
        "as_of": "2026-02-16",
        "revision": 1,
        "backfill": False,
        "published_at": "2026-02-16T06:03:00+00:00",
        "age_seconds": 14 * 86_400 - 180,
    }
    assert found["lists"] == {
        **{"published": 2, "backfilled": 1, "running": 1, "matured": 1, "not_monitored": 1},
        **{"next_maturity": "2026-03-18", "next_maturity_of": "2026-02-16"},
    }
    assert found["due"] == ["score", "monitor", "train"]


def test_the_outcome_of_a_list_is_shown_once(shop: Path) -> None:
    register(shop, "2026-02-20")
    put_list(shop, "2026-01-30")
    put_list(shop, "2026-03-01")
    assert lines(shop)["next"] == "the outcome of 1 list is known: kizuna monitor shop.yaml --as-of 2026-03-02"
    (shop / "out/monitor").mkdir()
    (shop / "out/monitor/lists.csv").write_text("as_of,state\n2026-01-30,measured\n2026-03-01,maturing\n")
    assert lines(shop)["next"] == "nothing is to be done"
    assert as_json(shop)["due"] == []


def test_a_week_whose_rows_are_not_there_waits_for_them(shop: Path) -> None:
    """Two days without rows may be a weekend."""
    register(shop, "2026-02-20")
    put_list(shop, "2026-02-20")
    assert lines(shop)["next"] == "score is due: kizuna score shop.yaml --as-of 2026-03-02"
    (shop / "p.csv").write_text(HEADER + "a,2026-02-24,1\n")
    assert lines(shop)["next"] == "score is due: kizuna score shop.yaml --as-of 2026-02-27"
    (shop / "p.csv").write_text(HEADER + "a,2026-02-23,1\n")
    change(shop, purchases={"path": "p.csv"})
    assert lines(shop)["next"] == "score is due: kizuna score shop.yaml --as-of 2026-02-27"
    (shop / "p.csv").write_text(HEADER + "a,2026-02-22,1\n")
    assert lines(shop)["next"] == "the list of 2026-02-27 is due, but the rows end on 2026-02-22: load newer ones"


def test_models_that_wait_and_models_that_are_old(shop: Path) -> None:
    register(shop, "2026-02-20", promote=False)
    assert lines(shop)["next"] == "no model is in use; version 1 waits: kizuna promote shop.yaml 1"
    Registry(f"sqlite:///{shop}/mlflow.db", "shop").promote("1", NOW)
    assert lines(shop)["next"] == "no list yet: kizuna score shop.yaml --as-of 2026-03-02"
    put_list(shop, "2026-03-01")
    (shop / "p.csv").write_text(HEADER + "b,2026-03-19,2\n")
    later = datetime(2026, 3, 20, tzinfo=UTC)
    put_list(shop, "2026-03-20")
    assert lines(shop, later)["next"] == (
        "train is due, the champion knows nothing of the last 28 days: kizuna train shop.yaml"
    )
    register(shop, "2026-03-19", promote=False)
    assert lines(shop, later)["next"] == "version 2 knows more and waits: kizuna promote shop.yaml 2"


def test_what_cannot_be_read_is_said_and_the_rest_is_told(shop: Path) -> None:
    put_list(shop, "2026-02-16")
    change(shop, surveys={"path": "gone.csv"}, loyalty={"path": "gone.csv", "on_missing": "degrade"})
    said = lines(shop)
    assert said["next"].startswith("Table surveys is to be read from gone.csv, but there is no such file")
    assert said["last list"].startswith("2026-02-16 (r1)")
    assert [(table["table"], table["state"]) for table in as_json(shop)["tables"]] == [
        *(("purchases", "fresh"), ("surveys", "unusable"), ("loyalty", "unusable")),
    ]
    (shop / "mlflow.db").write_text("garbage")
    found = as_json(shop)
    assert (found["champion"], len(found["problems"]), found["next"]) == (None, 1, found["problems"][0].splitlines()[0])
    (shop / "out/2026-02-16/manifest.json").write_text("{")
    assert len(as_json(shop)["problems"]) == 2
    assert as_json(shop)["last_success"] is None
    put_list(shop, "2026-02-23", definition={"kind": "inactivity"})
    (shop / "out/2026-02-16").unlink()
    shutil.rmtree(shop / "out/.revisions/2026-02-16")
    assert as_json(shop)["problems"][1] == (
        f"The lists in {shop}/out cannot be read (TypeError): a manifest was changed by hand. Put it back from a backup."
    )
    code, out, err = kizuna("status", shop / "shop.yaml")
    assert (code, err) == (0, "")
    assert "\nproblem        " in out


def test_rows_that_are_too_old_are_said(shop: Path) -> None:
    later = datetime(2026, 3, 8, 23, 0, tzinfo=UTC)
    register(shop, "2026-02-20")
    assert lines(shop, later)["tables"].endswith("until 2026-03-01, 7 days ago, 3 allowed; late")
    later = datetime(2026, 3, 9, tzinfo=UTC)
    assert lines(shop, later)["tables"].endswith("until 2026-03-01, 8 days ago, 7 allowed; stale")
    assert lines(shop, later)["next"] == "load table purchases: its newest row is 8 days old, 7 are allowed"
    assert [step.what for step in due(status(load_config(shop / "shop.yaml"), later), "c")] == ["load", "score"]


def test_who_holds_the_folder_is_said_and_nobody_is_kept_out(shop: Path) -> None:
    with locked(shop / "out"):
        assert f"process {os.getpid()} on {socket.gethostname()}" in lines(shop)["lock"]
    assert lines(shop)["lock"] == "no run is at work"
    script = "import sys, time; from pathlib import Path; from kizuna.lists.publication import locked\n"
    script += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script, shop / "out"], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert f"process {holder.pid} on " in lines(shop)["lock"]
        holder.kill()
    assert lines(shop)["lock"] == "no run is at work"


def test_the_command_tells_the_same_as_json_and_ends_with_2_for_a_wrong_config(shop: Path) -> None:
    code, out, err = kizuna("status", shop / "shop.yaml", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["name"], found["champion"], found["last_success"], found["lock"]) == ("shop", None, None, None)
    assert found["rows_until"] == "2026-03-02"
    code, _, err = kizuna("status", shop / "shop.yaml", "--set", "data.time_zone=UTC")
    assert code == 2
    assert "unknown key 'data.time_zone'" in err
