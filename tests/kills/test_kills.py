"""Whatever kills the job, and whenever: readers see the old list or the new one, nothing is lost, nothing is delivered twice."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
from tests.kills.runs import KILLED, cold, finished, warm
from tests.kills.watching import Reader, published_bytes, reading

from commands import kizuna
from kizuna.data.simulate import simulate
from servers import postgresql_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

FIRST = date(2025, 3, 3)
KILLS = 200
COLD_KILLS = 10
STEPS = ("began", "ended")
EXPORTS = (
    "exports: [{{to: workbook}}, {{to: report}}, {{to: csv}}, {{to: database, uri: '${{SHOP_DATABASE}}', create: true}}, "
    "{{to: destination, name: crm, drop: {drop}, columns: {{id: customer_id, risk: risk_band, why: reason_1_text}}}}]"
)


@dataclass(frozen=True)
class Shop:
    """A trained shop whose lists go to a database and into a drop."""

    config: Path
    exports: Path
    drop: Path

    def score(self, day: date) -> list[object]:
        return ["score", self.config, "--as-of", day]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    simulate(folder, customers=250, days=700, seed=11)
    estimators = ("--set", "model.churn.estimator=logistic", "--set", "model.cltv.estimator=tweedie")
    code, _, err = kizuna("train", folder / "config.yaml", "--as-of", FIRST, *estimators, "--set", "at_risk.size=25")
    assert code == 0, err
    return folder


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgresql_server() as uri, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_DATABASE", uri)
        yield uri


@pytest.fixture
def shop(trained: Path, tmp_path: Path) -> Shop:
    """A copy of its own, without lists. Its config asks for a small list, so that most of a run is not writing."""
    folder = tmp_path / "shop"
    shutil.copytree(trained, folder)
    (tmp_path / "drop").mkdir()
    text = (folder / "config.yaml").read_text().replace("size: 300", "size: 25")
    (folder / "config.yaml").write_text(text + EXPORTS.format(drop=tmp_path / "drop") + "\n")
    return Shop(folder / "config.yaml", folder / "exports", tmp_path / "drop")


@pytest.fixture
def written(database: str) -> Callable[[], list[tuple[str, date, str, int]]]:
    """How often each row of the database's list was inserted, updated or deleted, from now on."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop table if exists at_risk, noted")
        connection.execute("create table at_risk (as_of date, customer_id text, primary key (as_of, customer_id))")
        connection.execute("create table noted (what text, as_of date, customer_id text)")
        connection.execute(
            "create or replace function note() returns trigger language plpgsql as $$ begin insert into noted values "
            "(tg_op, coalesce(new.as_of, old.as_of), coalesce(new.customer_id, old.customer_id)); return null; end $$"
        )
        connection.execute(
            "create trigger noted after insert or update or delete on at_risk for each row execute function note()"
        )

    def counted() -> list[tuple[str, date, str, int]]:
        with psycopg.connect(database) as connection:
            return connection.execute(
                "select what, as_of, customer_id, count(*) from noted group by 1, 2, 3"
            ).fetchall()

    return counted


def in_database(uri: str) -> dict[date, set[str]]:
    with psycopg.connect(uri) as connection:
        rows = connection.execute("select as_of, array_agg(customer_id) from at_risk group by 1").fetchall()
    return {day: set(ids) for day, ids in rows}


def listed(folder: Path) -> set[str]:
    return set(pd.read_csv(folder / "at_risk.csv", dtype=str, keep_default_na=False)["customer_id"])


def assert_delivered_once(shop: Shop, uri: str, written: list[tuple[str, date, str, int]], days: list[date]) -> None:
    """The database has each day's list, each row written once; the drop has each hand-over once."""
    assert in_database(uri) == {day: listed(shop.exports / day.isoformat()) for day in days}
    assert {what for what, *_ in written} == {"INSERT"}
    assert {count for *_, count in written} == {1}
    handed = sorted(path.name for path in shop.drop.iterdir())
    assert [name.split("-", 2)[2] for name in handed] == [f"{day}-r1.csv" for day in days]


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=7 * number) for number in range(count)]


def test_two_hundred_kills_at_random_moments(
    shop: Shop, database: str, written: Callable[[], Any], tmp_path: Path
) -> None:
    draw = random.Random(11)
    kills, weeks, day = 0, [], FIRST
    with warm(tmp_path) as job, reading(Reader(shop.exports, shop.drop)) as reader:
        began = time.monotonic()
        assert job.run(*shop.score(day)) == 0, job.log.read_text()[-2000:]
        seconds = time.monotonic() - began
        weeks.append(day)
        while kills < KILLS:
            day = weeks[-1] + timedelta(days=7)
            for _ in range(25):
                began = time.monotonic()
                code = job.run(*shop.score(day), after_seconds=draw.uniform(0, seconds))
                assert code in (0, KILLED), job.log.read_text()[-2000:]
                kills += code == KILLED
                if code == 0:
                    seconds = 0.5 * (seconds + time.monotonic() - began)
                    break
                # Whatever had happened, the old list is whole, and so is the new one where it is there already.
                assert not reader.wrong
            assert job.run(*shop.score(day)) == 0, job.log.read_text()[-2000:]
            weeks.append(day)
        reader.look_again()
    assert not reader.wrong
    assert reader.looks > KILLS
    assert_delivered_once(shop, database, written(), weeks)
    assert not list(shop.exports.glob(".revisions/*/.staging*"))
    # Another shop whose runs nobody has killed has published the same.
    text = shop.config.read_text().splitlines()
    clean = shop.config.with_name("clean.yaml")
    exports = "exports: [{to: workbook}, {to: report}, {to: csv}]"
    kept = [line for line in text if not line.startswith("exports:")]
    clean.write_text("\n".join([*kept, exports]).replace("dir: exports", "dir: clean") + "\n")
    with warm(tmp_path) as job:
        for day in weeks:
            assert job.run("score", clean, "--as-of", day) == 0
            expected = published_bytes(clean.parent / "clean", day)
            found = published_bytes(shop.exports, day)
            assert {name: found[name] for name in expected} == expected


def test_a_kill_at_every_named_step(shop: Shop, database: str, written: Callable[[], Any], tmp_path: Path) -> None:
    with warm(tmp_path) as job, reading(Reader(shop.exports, shop.drop)) as reader:
        steps = [(line["event"], line["stage"]) for line in job.entries(*shop.score(FIRST)) if line["event"] in STEPS]
        assert {stage for _, stage in steps} >= {
            "read",
            "model",
            "score",
            "files",
            "seal",
            "link",
            "publish",
            "deliver",
        }
        weeks = [FIRST]
        for event, stage in dict.fromkeys(steps):
            weeks.append(weeks[-1] + timedelta(days=7))
            assert job.killed_at((event, stage), *shop.score(weeks[-1])) in (0, KILLED)
            assert not reader.wrong, (event, stage)
            assert job.run(*shop.score(weeks[-1])) == 0, (event, stage, job.log.read_text()[-2000:])
        reader.look_again()
    assert not reader.wrong
    assert_delivered_once(shop, database, written(), weeks)


def test_ten_kills_of_a_cold_start(shop: Shop, database: str, written: Callable[[], Any]) -> None:
    draw = random.Random(12)
    with reading(Reader(shop.exports, shop.drop)) as reader:
        began = time.monotonic()
        assert finished(cold(*shop.score(FIRST)))[0] == 0
        seconds, day = time.monotonic() - began, FIRST + timedelta(days=7)
        for _ in range(COLD_KILLS):
            run = cold(*shop.score(day))
            time.sleep(draw.uniform(0.3, 1) * seconds)
            run.kill()
            assert finished(run)[0] in (0, KILLED)
            assert not reader.wrong
        assert finished(cold(*shop.score(day)))[0] == 0
        reader.look_again()
    assert not reader.wrong
    assert_delivered_once(shop, database, written(), [FIRST, day])


def test_two_jobs_at_once(shop: Shop, database: str, written: Callable[[], Any]) -> None:
    weeks = days_from(FIRST, 4)
    with reading(Reader(shop.exports, shop.drop)) as reader:
        for day in weeks:
            both = [cold(*shop.score(day)) for _ in range(2)]
            ends = [finished(run) for run in both]
            # The second finds the lock, or, where the first was quick, the day published.
            assert sorted(code for code, _ in ends) in ([0, 14], [0, 0]), ends
            assert (shop.exports / day.isoformat()).resolve().name == "r1"
    assert not reader.wrong
    assert_delivered_once(shop, database, written(), weeks)
