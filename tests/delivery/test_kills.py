"""A delivery that is killed before any of its steps and run again has one effect."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.children import ended, in_child
from tests.delivery.week import (
    CHANGES,
    CRM,
    DROPPED,
    FIRST,
    SECOND,
    at_stage,
    config_of,
    delivered,
    handed,
    interrupt,
    published_day,
)

from kizuna import journal
from kizuna.config import Config
from kizuna.delivery.states import delivery_states
from kizuna.errors import DestinationFailed, LockHeld
from kizuna.lists.publication import Publication, published
from servers import postgresql_server, run, select

_CHANGING = {"os.rename", "os.remove", "os.mkdir", "os.chmod"}


def killed(work: Callable[[], object], folder: Path, number: int) -> bool:
    """Whether a forked process was killed in the work: before its step of that number, or it came to its end first.

    Steps are what it changes in the folder, and what it tells its journal.
    """
    steps = iter(range(number, -1, -1))

    def step() -> None:
        if next(steps) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        if event in {"open", *_CHANGING} and str(arguments[0]).startswith(str(folder)):
            step()

    def armed() -> None:
        sys.addaudithook(audit)
        with journal.journal_of("score", True) as told:
            told.listeners[:] = [lambda *_: step()]
            work()

    code = ended(in_child(armed))
    assert code in (0, -signal.SIGKILL)
    return code != 0


def everything(folder: Path) -> dict[str, bytes]:
    """Every file but the count of attempts, which may differ."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if ".outbox" not in name and ".revisions" not in name}


def shop(folder: Path, *exports: str) -> tuple[Config, Publication]:
    """A shop whose destinations have its first list, and whose second is published and not delivered."""
    (folder / "there").mkdir(parents=True)
    config = config_of(folder, *exports)
    delivered(config, published_day(config, FIRST, {"a": "high", "b": "high", "c": "high"}))
    return config, published_day(config, SECOND, {"a": "high", "b": "low", "d": "high"})


def kills(folder: Path, *exports: str) -> Iterator[tuple[Config, Publication, bool]]:
    """A shop whose delivery was killed at the first step, at the second, …; then one where it was not."""
    shop(folder / "made", *exports)
    for number in range(100):
        shutil.copytree(folder / "made", folder / str(number), symlinks=True)
        config = config_of(folder / str(number), *exports)
        publication = published(config.output_dir, SECOND)
        assert publication is not None
        dead = killed(lambda c=config, p=publication: delivered(c, p), folder, number)  # type: ignore[misc]
        yield config, publication, dead
        if not dead:
            assert number > 10
            return
    raise AssertionError("it never came to its end")


@pytest.mark.slow
def test_files_are_handed_over_once_whenever_it_was_killed(tmp_path: Path) -> None:
    config, publication = shop(tmp_path / "clean", DROPPED, CHANGES)
    delivered(config, publication)
    clean = everything(tmp_path / "clean")
    for config, publication, dead in kills(tmp_path / "killed", DROPPED, CHANGES):
        told = delivered(config, publication)
        assert [item.state for item in told] == ["delivered"] * 2
        assert everything(config.output_dir.parent) == clean
        assert dead or {item.attempts for item in told} == {1}


@pytest.mark.slow
def test_who_opts_out_after_a_kill_is_not_left_in_the_destination(tmp_path: Path) -> None:
    for config, publication, _ in kills(tmp_path, DROPPED):
        delivered(config, publication, b=0)
        (done,) = delivery_states(config)
        held = {key: risk for rows in handed(config, "crm").values() for key, risk in rows}
        assert held == {"a": "high", "b": "none" if done.opted_out else "low", "c": "none", "d": "high"}
        # What the outbox knew to be delivered before b opted out stays until the next list; a kill leaves nothing else.
        assert done.opted_out == 1 or done.attempts == 1


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_server() as uri:
        yield uri


@pytest.mark.slow
def test_a_database_has_the_day_once_whenever_it_was_killed(server: str, tmp_path: Path) -> None:
    database = f"{{to: database, uri: '{server}', table: lists, create: true}}"
    run(server, "CREATE TABLE audit (as_of date, customer_id text)")
    shop(tmp_path / "first", database)
    run(
        server,
        "CREATE FUNCTION said() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO audit VALUES (NEW.as_of, NEW.customer_id); RETURN NULL; END $$",
        "CREATE TRIGGER said AFTER INSERT OR UPDATE ON lists FOR EACH ROW EXECUTE FUNCTION said()",
    )
    for config, publication, _ in kills(tmp_path / "killed", database):
        delivered(config, publication)
        found = select(server, "SELECT as_of, string_agg(customer_id, '' ORDER BY customer_id) FROM audit GROUP BY 1")
        # The first list was there already when this shop delivered it, and is not touched.
        assert found == [(SECOND, "abd")]
        run(server, "DELETE FROM lists WHERE as_of > '2026-01-05'", "DELETE FROM audit")


def test_a_run_that_was_killed_after_it_planned_a_file_writes_the_same(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    config = config_of(tmp_path, DROPPED)
    publication = published_day(config, FIRST, {"a": "high"})

    with at_stage("began", "drop", interrupt), pytest.raises(KeyboardInterrupt):
        delivered(config, publication)
    assert list((tmp_path / "there").iterdir()) == []
    (done,) = delivered(config, publication)
    assert (done.state, done.attempts) == ("delivered", 2)
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["crm-000001-2026-01-05-r1.csv"]
    assert list(handed(config, "crm")) == ["crm-000001-2026-01-05-r1.csv"]


def test_a_full_disk_is_said_and_healed(tmp_path: Path) -> None:
    config = config_of(tmp_path, CRM)
    publication = published_day(config, FIRST, {"a": "high"})
    (config.output_dir / "destinations").write_text("somebody's file")
    with pytest.raises(DestinationFailed, match=r"crm: .*: (File exists|Not a directory)\."):
        delivered(config, publication)
    (config.output_dir / "destinations").unlink()
    delivered(config, publication)
    assert handed(config, "crm") == {"crm-000001-2026-01-05-r1.csv": [["a", "high"]]}


@pytest.mark.parametrize("stage", ["rows", "plan", "drop", "note"])
def test_a_run_that_has_lost_its_lock_delivers_nothing_more(tmp_path: Path, stage: str) -> None:
    (tmp_path / "there").mkdir()
    config = config_of(tmp_path, DROPPED)
    publication = published_day(config, FIRST, {"a": "high"})

    with (
        at_stage("began", stage, (config.output_dir / ".lock").unlink),
        pytest.raises(LockHeld, match="was locked by this run, but no longer is"),
    ):
        delivered(config, publication)
    names = ["crm-000001-2026-01-05-r1.csv"]
    assert [path.name for path in (tmp_path / "there").iterdir()] == (names if stage == "note" else [])
    delivered(config, publication)
    assert [path.name for path in (tmp_path / "there").iterdir()] == names
