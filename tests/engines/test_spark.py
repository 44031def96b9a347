"""The Spark engine in local mode against the local engine: the same tables, features, labels, report, list and errors."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.commands import kizuna

from kizuna.data.knowable import knowable_fingerprints
from kizuna.errors import ConfigError, ContractError, DataMissing
from kizuna.labels.level_days import level_frame
from kizuna.labels.training_set import build_training_set
from kizuna.project import Project, load

pytestmark = pytest.mark.slow

SETTINGS = {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.driver.memory": "1g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.catalogImplementation": "in-memory",
}
DAYS = ["2025-06-01", "2025-10-01"]
ENGINE = {"kind": "spark", "settings": SETTINGS}


def on_spark(rows_per_block: int) -> list[str]:
    """The overrides that move a shop to Spark."""
    engine = {**ENGINE, "rows_per_block": rows_per_block}
    return [f"engine={json.dumps(engine)}"]


@pytest.fixture(scope="module", autouse=True)
def _one_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    SETTINGS["spark.sql.warehouse.dir"] = str(tmp_path_factory.mktemp("warehouse"))
    yield
    from pyspark.sql import SparkSession

    if (session := SparkSession.getActiveSession()) is not None:
        session.stop()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    assert kizuna("simulate", folder, "--customers", 400, "--days", 730)[0] == 0
    return folder


@pytest.fixture(scope="module")
def both(shop: Path) -> tuple[Project, Project]:
    return load(shop / "config.yaml"), load(shop / "config.yaml", on_spark(8_000))


def test_the_shop_lies_in_several_blocks_and_looks_the_same(both: tuple[Project, Project]) -> None:
    here, there = both
    assert len(there.store.firsts) > 2
    assert there.store.tables == here.store.tables
    assert there.store.customers == here.store.customers
    assert there.store.findings == here.store.findings
    assert there.store.ids().tolist() == here.store.ids().tolist()
    assert there.store.ids(3, 7).tolist() == here.store.ids(3, 7).tolist()
    assert next(iter(there.store.firsts.values())) == 0
    pd.testing.assert_frame_equal(there.check(), here.check())
    day = here.day("2025-10-01")
    assert knowable_fingerprints(there.store, day) == knowable_fingerprints(here.store, day)


def test_features_are_equal_in_memory_and_in_the_file(both: tuple[Project, Project], tmp_path: Path) -> None:
    here, there = both
    pd.testing.assert_frame_equal(there.features(DAYS), here.features(DAYS), rtol=0, atol=1e-9)
    sizes = [project.write_features(DAYS[1], tmp_path / name) for project, name in ((here, "a"), (there, "b"))]
    assert sizes[0] == sizes[1]
    files = [pd.read_parquet(tmp_path / name) for name in "ab"]
    pd.testing.assert_frame_equal(files[1], files[0], rtol=0, atol=1e-9)
    assert not list(there.config.output_dir.glob(".staging*"))


def test_large_results_come_in_pieces(both: tuple[Project, Project], monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = both
    monkeypatch.setattr("kizuna.engines.session._PIECE_BYTES", 100_000)
    pd.testing.assert_frame_equal(there.features(DAYS), here.features(DAYS), rtol=0, atol=1e-9)


@pytest.mark.parametrize("max_rows", [2_000_000, 600])
def test_training_sets_are_equal(shop: Path, both: tuple[Project, Project], max_rows: int) -> None:
    overrides = [f"training.max_rows={max_rows}"]
    found = []
    for project, engine in zip(both, ([], on_spark(8_000)), strict=True):
        again = load(shop / "config.yaml", [*engine, *overrides])
        again.__dict__["opened"] = project.opened
        project.opened.config = again.config
        found.append(again.training_set())
    here, there = found
    assert (here.sampled_share < 1) == (max_rows == 600)
    assert len(here.y) > 300
    pd.testing.assert_frame_equal(there.features, here.features, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(there.y, here.y)
    np.testing.assert_array_equal(there.worth, here.worth)
    assert there.customer_ids.tolist() == here.customer_ids.tolist()
    assert there.frame.plan == here.frame.plan


def test_past_levels_are_equal(shop: Path, both: tuple[Project, Project], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizuna.labels.level_days.LEVEL_ROWS", 2_000)
    found = []
    for project, engine in zip(both, ([], on_spark(8_000)), strict=True):
        few = load(shop / "config.yaml", [*engine, "snapshots.max_count=4"])
        frame = level_frame(
            project.store, few.config, build_training_set(project.store, few.config, project.day(DAYS[1]))
        )
        assert frame is not None
        found.append(frame.to_pandas().assign(churned=frame.also["churned"]))
    here, there = found
    assert here["as_of"].nunique() > 10
    assert 500 < len(here) < 3_000
    pd.testing.assert_frame_equal(there, here, rtol=0, atol=1e-9)


def test_train_and_score_give_the_same_list(shop: Path, tmp_path: Path) -> None:
    folders = {}
    for name, engine in (("here", []), ("there", on_spark(8_000))):
        place = [f"tracking.uri=sqlite:///{tmp_path}/{name}.db", f"output.dir={tmp_path / name}", "exports=[]"]
        options = [part for override in [*place, *engine] for part in ("--set", override)]
        code, out, err = kizuna("train", shop / "config.yaml", "--as-of", "2025-12-01", *options)
        assert code == 0, (out, err)
        code, out, err = kizuna("score", shop / "config.yaml", "--as-of", "2025-12-15", *options)
        assert code == 0, (out, err)
        assert kizuna("score", shop / "config.yaml", "--as-of", "2025-12-15", *options)[0] == 0
        folders[name] = tmp_path / name / "2025-12-15"
    assert len(pd.read_csv(folders["here"] / "at_risk.csv")) > 50
    lists = [(folder / "at_risk.csv").read_bytes() for folder in folders.values()]
    assert lists[0] == lists[1]
    here, there = (pd.read_parquet(folder / "scores.parquet") for folder in folders.values())
    pd.testing.assert_frame_equal(there, here, rtol=0, atol=1e-9)
    inputs = [json.loads((folder / "manifest.json").read_text()) for folder in folders.values()]
    assert inputs[0]["counts"] == inputs[1]["counts"]
    # The same day found again on the other engine is the same publication.
    engine = [part for override in on_spark(50_000) for part in ("--set", override)]
    options = [
        part
        for override in (f"tracking.uri=sqlite:///{tmp_path}/here.db", f"output.dir={tmp_path / 'here'}", "exports=[]")
        for part in ("--set", override)
    ]
    assert kizuna("score", shop / "config.yaml", "--as-of", "2025-12-15", *options, *engine)[0] == 0
    assert [path.name for path in sorted((tmp_path / "here" / ".revisions" / "2025-12-15").iterdir())] == ["r1"]


# ---- rows that no simulation makes ------------------------------------------------------------------------------------


def difficult(folder: Path) -> dict[str, Any]:
    """A small shop in files whose ids, days and gaps are spelled in every way that is read; its config."""
    names = [7, 8, 9, 10, 11, 12, 40, 41, 42, 43]
    stamps = pd.to_datetime(
        [f"2025-03-{day:02d} 2{hour}:30" for day, hour in zip(range(1, 11), [0, 3] * 5, strict=True)]
    )
    folder.mkdir()
    purchases = pd.DataFrame(
        {
            "customer_id": pd.array([*names, *names, None], dtype="Int64"),
            "occurred_at": [*stamps, *(stamps + pd.Timedelta(days=20)), stamps[0]],
            "amount": [*np.arange(10.0), *(np.arange(10.0) * 3 - 3), 5.0],
            "known_at": [*(stamps + pd.Timedelta(days=3)), *(stamps + pd.Timedelta(days=90)), stamps[0]],
            "unused": "x",
        }
    )
    purchases.to_parquet(folder / "purchases.parquet", index=False)
    offsets = pd.to_datetime([f"2025-03-0{day}T23:30:00Z" for day in (1, 2, 3, 4)], utc=True)
    complaints = pd.DataFrame(
        {"customer_id": ["7", " ", "8", "99"], "occurred_at": offsets, "severity": ["a", "b", None, "a"]}
    )
    (folder / "complaints").mkdir()
    complaints.iloc[:2].to_parquet(folder / "complaints" / "one.parquet", index=False)
    complaints.iloc[2:].to_parquet(folder / "complaints" / "two.parquet", index=False)
    (folder / "customers.csv").write_text(
        "customer_id,market,tier,stars\n7,JP,007,1\n8,,12,2.5\n40,JP,x,\n007,KR,x,3\n43,KR,y,-1e2\n", encoding="utf-8"
    )
    surveys = pd.DataFrame({"customer_id": [7.0, 8.0, 9.5], "occurred_at": "2025-03-08T23:00:00+09:00"})
    surveys.assign(kind="nps", score=[1, 9, 10]).to_parquet(folder / "surveys.parquet", index=False)
    tables: dict[str, Any] = {
        "purchases": {"path": str(folder / "purchases.parquet")},
        "complaints": {"path": str(folder / "complaints"), "arrives_after_days": 2},
        "customers": {"path": str(folder / "customers.csv"), "attributes": ["tier", "stars"]},
        "surveys": {"path": str(folder / "surveys.parquet")},
        "referrals": {"path": str(folder / "none.parquet"), "on_missing": "degrade"},
    }
    data = {"timezone": "Asia/Tokyo", "tables": tables, "on_bad_rows": "quarantine"}
    return {"name": "shop", "data": data, "churn": {"active_within_days": 365}, "output": {"dir": str(folder / "out")}}


def pair_of(config: dict[str, Any], rows_per_block: int = 8) -> tuple[Project, Project]:
    """The same shop on both engines."""
    there = {**config, "engine": {**ENGINE, "rows_per_block": rows_per_block}}
    return tuple(Project(tree, today=date(2025, 5, 1)) for tree in (config, there))  # type: ignore[return-value]


def test_ids_days_and_bad_rows_are_read_alike(tmp_path: Path) -> None:
    config = difficult(tmp_path / "files")
    here, there = pair_of(config)
    quarantine = Path(config["output"]["dir"]) / "check" / "quarantine"
    assert here.store.customers == 11
    aside = {file.name: pd.read_parquet(file) for file in quarantine.iterdir()}
    for file in quarantine.iterdir():
        file.unlink()
    assert there.store.tables == here.store.tables
    assert there.store.findings == here.store.findings
    assert {finding.name for finding in here.store.findings} == {"bad_rows", "orphan_rows", "missing_table"}
    assert there.store.ids().tolist() == here.store.ids().tolist()
    assert set(aside) == {"purchases.parquet", "complaints.parquet", "surveys.parquet"}
    for name, rows in aside.items():
        pd.testing.assert_frame_equal(pd.read_parquet(quarantine / name), rows, check_dtype=False)
    pd.testing.assert_frame_equal(there.check(), here.check())
    for day in ("2025-03-04", "2025-03-12", "2025-04-20"):
        pd.testing.assert_frame_equal(there.features([day]), here.features([day]), rtol=0, atol=1e-9)


def test_bad_rows_of_one_block_fail_the_shop_in_the_same_words(tmp_path: Path) -> None:
    config = difficult(tmp_path / "files")
    config["data"]["on_bad_rows"] = "fail"
    texts = []
    for project in pair_of(config):
        with pytest.raises(ContractError) as refused:
            _ = project.store
        texts.append(str(refused.value))
    assert texts[0] == texts[1]
    assert "1 of 21 rows are empty" in texts[0]


def test_frames_catalog_tables_and_queries(tmp_path: Path) -> None:
    config = difficult(tmp_path / "files")
    here, there = pair_of(config)
    there.opened.prepared.sparkSession.sql("CREATE DATABASE IF NOT EXISTS db")
    session = there.opened.prepared.sparkSession
    raw = session.read.parquet(str(tmp_path / "files" / "purchases.parquet"))
    raw.withColumnRenamed("amount", "total").write.mode("overwrite").saveAsTable("db.orders")
    tables = config["data"]["tables"]
    asked: dict[str, dict[str, Any]] = {
        "catalog": {"table": "db.orders", "columns": {"amount": "total"}},
        "query over the table": {"table": "db.orders", "query": "select *, total as amount from source"},
        "query over the catalog": {"query": "select customer_id, occurred_at, total amount, known_at from db.orders"},
        "query over files": {"path": tables["purchases"]["path"], "query": "select * except (unused) from source"},
    }
    wanted = here.features(["2025-04-20"])
    for what, source in asked.items():
        changed = {**config, "data": {**config["data"], "tables": {**tables, "purchases": source}}}
        _, spark = pair_of(changed)
        pd.testing.assert_frame_equal(spark.features(["2025-04-20"]), wanted, obj=what)
    without = {**config, "data": {**config["data"], "tables": {k: v for k, v in tables.items() if k != "purchases"}}}
    for frame in (raw, pd.read_parquet(tables["purchases"]["path"])):
        given = Project({**without, "engine": ENGINE}, {"purchases": frame}, today=date(2025, 5, 1))
        pd.testing.assert_frame_equal(given.features(["2025-04-20"]), wanted)
    for source, kind, words in (
        ({"table": "db.nothing"}, DataMissing, "catalog does not have"),
        ({"table": "db.orders"}, ContractError, "needs a column amount"),
        ({"table": "db.orders", "query": "select nothing from source"}, ConfigError, "query of table purchases fails"),
        ({"table": "db.orders", "query": "selec"}, ConfigError, "query of table purchases fails"),
        ({}, ConfigError, "names neither path"),
        (
            {"table": "db.orders", "query": "select *, cast(unused as int) as amount from source"},
            ContractError,
            "cannot convert",
        ),
        ({"path": f"file://{tmp_path}/nothing"}, DataMissing, "no Parquet file is there"),
    ):
        changed = {**config, "data": {**config["data"], "tables": {**tables, "purchases": source}}}
        with pytest.raises(kind, match=words):
            _ = pair_of(changed)[1].store


def test_a_table_that_the_whole_shop_rules_out_is_left_out(tmp_path: Path) -> None:
    config = difficult(tmp_path / "files")
    future = pd.DataFrame({"customer_id": ["7", "9"], "started_at": "2031-01-01"})
    future.to_parquet(tmp_path / "files" / "later.parquet", index=False)
    empty = pd.read_parquet(tmp_path / "files" / "complaints").iloc[:0]
    empty.to_parquet(tmp_path / "files" / "empty.parquet", index=False)
    tables = {
        "subscriptions": {"path": str(tmp_path / "files" / "later.parquet"), "on_missing": "degrade"},
        "complaints": {"path": str(tmp_path / "files" / "empty.parquet"), "on_missing": "degrade"},
        "surveys": config["data"]["tables"]["surveys"],
    }
    here, there = pair_of({**config, "data": {**config["data"], "tables": tables}})
    assert list(here.opened.tables) == ["surveys"]
    assert there.opened.tables == here.opened.tables
    assert there.opened.findings == here.opened.findings
    assert there.opened.customers == here.opened.customers == 2


def test_families_of_the_shops_own_travel_and_fail_in_their_own_words(tmp_path: Path) -> None:
    config = difficult(tmp_path / "files")
    loud = tmp_path / "loud.py"
    text = (
        "from kizuna.features import Feature\n\nTABLE = 'complaints'\nSCALE = 2.0\n\n\n"
        "def twice(values):\n    return SCALE * values\n\n\n"
        "def features(h, settings):\n    yield Feature('loud', 'COMPLAINT_OPEN', 'count', twice(h.count()))\n"
    )
    loud.write_text(text, encoding="utf-8")
    here, there = pair_of({**config, "features": {"extra": [str(loud)]}})
    frame = there.features(["2025-04-20"])
    assert frame["loud"].max() == 2
    pd.testing.assert_frame_equal(frame, here.features(["2025-04-20"]))
    loud.write_text(text.replace("    yield", "    assert len(h.rows) == 0, 'boom'\n    yield"), encoding="utf-8")
    texts = []
    for project in pair_of({**config, "features": {"extra": [str(loud)]}}):
        with pytest.raises(ConfigError) as refused:
            project.features(["2025-04-20"])
        texts.append(str(refused.value))
    assert texts[0] == texts[1]
    assert "loud.py, line 12" in texts[0]
    _, there = pair_of({**config, "features": {"extra": [str(loud)]}})
    with pytest.raises(ConfigError, match="boom"):
        there.write_features("2025-04-20", tmp_path / "frame.parquet")
    assert not list(there.config.output_dir.glob(".staging*"))


def test_a_store_that_is_let_go_of_takes_no_other_with_it(tmp_path: Path) -> None:
    config = difficult(tmp_path / "files")
    first, second = pair_of(config)[1], pair_of(config)[1]
    kept = [project.store.prepared for project in (first, second)]
    assert [frame.storageLevel.useDisk for frame in kept] == [True, True]
    del second
    gc.collect()
    assert [frame.storageLevel.useDisk for frame in kept] == [True, False]


def test_what_needs_rows_at_hand_is_refused(tmp_path: Path) -> None:
    from kizuna.prove import prove

    _, there = pair_of(difficult(tmp_path / "files"))
    with pytest.raises(ConfigError, match="engine.kind: local"):
        prove(there, there.day("2025-03-12"))
    with pytest.raises(ConfigError, match="engine.kind: local"):
        there.store.events("purchases", 0, 1)
