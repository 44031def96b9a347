"""Runs of the real commands: what they leave to be watched by, whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands import kizuna
from kizuna import journal
from kizuna.config_file import parse_config
from kizuna.watch import folder as room
from kizuna.watch.attach import watched
from kizuna.watch.folder import shared_files, watch_folder
from watch.exposed import strictly_read
from watch.hooks import nobody, webhook

DAY = ("--as-of", "2026-01-31")
CODE = 'kizuna_last_exit_code{shop="shop",command="%s"}'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The config of a shop of two customers, without a model: score ends with 12, monitor with 0."""
    (tmp_path / "purchases.csv").write_text(
        "customer_id,occurred_at,amount\n山田カナリア,2026-01-01,10\nC2,2026-01-30,20\n", encoding="utf-8"
    )
    lines = [
        "name: shop",
        "data: {tables: {purchases: {path: purchases.csv}}}",
        "output: {dir: out}",
        'tracking: {uri: "sqlite:///mlflow.db"}',
        'watch: {webhook: "${HOOK}"}',
    ]
    (tmp_path / "config.yaml").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "config.yaml"


def metrics(shop: Path) -> dict[str, float]:
    return strictly_read((shop.parent / "out/watch/kizuna.prom").read_text(encoding="utf-8"))


def alerts(shop: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shop.parent / "out/watch/alerts.json").read_text(encoding="utf-8"))
    return found


def test_states_are_told_once_each(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as hook:
        monkeypatch.setenv("HOOK", hook.address)
        assert kizuna("monitor", shop, *DAY)[0] == 0
        success = metrics(shop)['kizuna_last_success_timestamp_seconds{shop="shop",command="monitor"}']
        assert [kizuna("score", shop, *DAY)[0] for _ in range(2)] == [12, 12]
        (shop.parent / "purchases.csv").rename(shop.parent / "away.csv")
        assert kizuna("score", shop, *DAY)[0] == 10
        assert kizuna("monitor", shop, *DAY)[0] == 10
        found = metrics(shop)
        assert (found[CODE % "score"], found[CODE % "monitor"]) == (10, 10)
        assert found['kizuna_last_success_timestamp_seconds{shop="shop",command="monitor"}'] == success
        assert 'kizuna_last_success_timestamp_seconds{shop="shop",command="score"}' not in found
        (shop.parent / "away.csv").rename(shop.parent / "purchases.csv")
        assert kizuna("monitor", shop, *DAY)[0] == 0
    changes = [(told["subject"], told["from"], told["to"], told["exit_code"]) for told in hook.told]
    assert changes == [
        ("score", "ok", "failing (12)", 12),
        ("score", "failing (12)", "failing (10)", 10),
        ("monitor", "ok", "failing (10)", 10),
        ("monitor", "failing (10)", "ok", 0),
    ]
    first = hook.told[0]
    assert (first["as_of"], first["shop"], first["what_to_do"]) == (
        *("2026-01-31", "shop", "docs/runbook.md, 12: no usable model"),
    )
    assert first["text"].startswith("kizuna score of shop: ok -> failing (12). ")
    assert "\n" not in first["text"]
    for path in (shop.parent / "out").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_a_webhook_that_is_down_is_told_later_and_changes_nothing(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", nobody())
    code, _, said = kizuna("score", shop, *DAY)
    assert code == 12
    assert "The webhook was not told that score is failing (12): it cannot be reached (ConnectionRefusedError)." in said
    assert [message["to"] for message in alerts(shop)["waiting"]] == ["failing (12)"]
    with webhook() as hook:
        monkeypatch.setenv("HOOK", hook.address)
        hook.answer = 500
        code, _, said = kizuna("score", shop, *DAY)
        assert "score is failing (12): it answered 500. It is told later." in said
        hook.answer = 200
        kizuna("score", shop, *DAY)
        kizuna("score", shop, *DAY)
    assert [told["to"] for told in hook.told] == ["failing (12)"] * 2
    assert len({told["alert_id"] for told in hook.told}) == 1
    assert alerts(shop)["waiting"] == []


def test_no_customer_and_no_secret_is_kept(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.parent / "purchases.csv").write_text(
        "customer_id,occurred_at,amount\n山田カナリア,2026-01-01,canary@example\nC2,2026-01-30,20\n", encoding="utf-8"
    )
    with webhook() as hook:
        monkeypatch.setenv("HOOK", hook.address)
        assert kizuna("score", shop, *DAY)[0] == 11
        assert kizuna("monitor", shop, *DAY)[0] == 11
    kept = "".join(path.read_text() for path in (shop.parent / "out/watch").iterdir()) + json.dumps(hook.told)
    assert "failing (11)" in kept
    assert "canary" not in kept
    assert "カナリア" not in kept


def test_the_log_tells_runs_from_their_config_to_their_end(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", nobody())
    kizuna("score", shop, *DAY)
    kizuna("score", shop, *DAY, "--dry-run")
    lines = [json.loads(line) for line in (shop.parent / "out/watch/log.jsonl").read_text().splitlines()]
    assert len({line["run_id"] for line in lines}) == 2
    assert [line["exit_code"] for line in lines if line["event"] == "finished"] == [12, 12]
    # A dry run is no run of the job.
    assert metrics(shop)[CODE % "score"] == 12
    assert alerts(shop)["told"]["score"]["times"] == 1


@pytest.mark.parametrize("name", ["kizuna.prom", "alerts.json", "log.jsonl", ".lock"])
@pytest.mark.parametrize("how", ["folder", "pipe", "spoilt"])
def test_spoilt_files_change_no_exit_code(name: str, how: str, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LOCK_SECONDS", 0.2)
    path = shop.parent / "out" / "watch" / name
    path.parent.mkdir(parents=True)
    if how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b'\xff\x00{"told": {"score": 3}}')
    with webhook() as hook:
        monkeypatch.setenv("HOOK", hook.address)
        code, _, said = kizuna("score", shop, *DAY)
    assert code == 12
    assert "kizuna: " in said
    assert [told["to"] for told in hook.told] == ["failing (12)"]
    if how != "folder" or name != "kizuna.prom":
        assert metrics(shop)[CODE % "score"] == 12


def test_without_a_folder_it_is_told_all_the_same(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.parent / "out").write_text("no folder")
    with webhook() as hook:
        monkeypatch.setenv("HOOK", hook.address)
        code, _, said = kizuna("score", shop, *DAY)
    assert code != 0
    assert "The log cannot be written: Not a directory. The run itself goes on." in said
    assert "What is told now may be told again." in said
    assert [told["to"] for told in hook.told] == [f"failing ({code})"]


def test_another_run_that_does_not_let_go_is_said(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LOCK_SECONDS", 0.2)
    monkeypatch.setenv("HOOK", nobody())
    watch = shop.parent / "out" / "watch"
    watch.mkdir(parents=True)
    with shared_files(watch):
        code, _, said = kizuna("score", shop, *DAY)
    assert code == 12
    assert "The metrics file cannot be written: another run has held" in said


def test_metrics_may_lie_where_they_are_collected(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", nobody())
    place = shop.parent / "collected" / "shop.prom"
    option = ("--set", f"watch.metrics_file={place}")
    code, _, said = kizuna("score", shop, *DAY, *option)
    assert code == 12
    assert "The metrics file cannot be written: No such file or directory. The run itself goes on." in said
    place.parent.mkdir()
    assert kizuna("score", shop, *DAY, *option)[0] == 12
    assert strictly_read(place.read_text())[CODE % "score"] == 12
    assert place.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in place.parent.iterdir()] == ["shop.prom"]


def test_where_results_go_to_an_address_a_folder_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    tree = {"name": "shop", "data": {"tables": {}}, "output": {"dir": "s3://bucket/lists"}}
    with journal.journal_of("score", as_json=False) as run:
        watched(parse_config(tree))
        assert len(run.listeners) == 1
    said = "This run is not watched: output.dir is an address. Name a local folder in watch.dir."
    assert said in capfd.readouterr().err
    named = parse_config(tree | {"watch": {"dir": "here"}}, folder=Path("/srv"))
    assert watch_folder(named) == Path("/srv/here")


def test_two_programs_at_once_keep_each_others_metrics(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", nobody())
    line = [sys.executable, "-m", "kizuna.cli"]
    ran = [
        subprocess.Popen([*line, command, str(shop), *DAY], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for command in ("score", "monitor")
    ]
    said = [run.communicate()[1] for run in ran]
    assert [run.returncode for run in ran] == [12, 0], said
    assert metrics(shop)[CODE % "score"] == 12
    assert metrics(shop)[CODE % "monitor"] == 0
