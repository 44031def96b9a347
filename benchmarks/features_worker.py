"""One measured piece of work in a process of its own: prints one JSON object with its time and memory.

Usage: python benchmarks/features_worker.py JSON, where JSON holds ``work`` (a name of WORKS), ``shop``, ``tiny`` (a small
shop for the warm-up, which is not counted), ``days``, ``threads``, and what the work asks for beside.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from features_columns import columns
from features_shop import TABLES

WINDOWS_DAYS = (7, 30, 90, 180, 365)


def config(shop: Path, threads: int) -> dict[str, Any]:
    """The config of the benchmark's shop: nearly everyone who ever bought is a row."""
    return {
        "name": "benchmark",
        "data": {"tables": {name: {"path": str(shop / f"{name}.parquet")} for name in TABLES}},
        "churn": {"active_within_days": 3650},
        "features": {"windows_days": list(WINDOWS_DAYS)},
        "engine": {"threads": threads},
    }


def touch_memory(gigabytes: int = 8) -> None:
    """Lets another process write to much memory and end.

    On a virtual machine the first touch of a page is the host's time and not the engine's: seconds for a matrix of two
    gigabytes, none the second time. So every engine finds pages that have been touched.
    """
    touch = f"block = bytearray({gigabytes} << 30)\nfor at in range(0, len(block), 4096): block[at] = 1"
    subprocess.run([sys.executable, "-c", touch], check=True)


@dataclass
class Clock:
    """Seconds by the clock on the wall, and of all this process's threads on the processor; begins on touched memory."""

    def __post_init__(self) -> None:
        touch_memory()

    seconds: float = 0.0
    processor_seconds: float = 0.0

    def time(self, work: Callable[[], Any]) -> Any:
        """What the work gives; its time is added."""
        began, began_processor = time.perf_counter(), time.process_time()
        result = work()
        self.seconds += time.perf_counter() - began
        self.processor_seconds += time.process_time() - began_processor
        return result

    def measured(self, rows: int, columns: int) -> dict[str, Any]:
        """The result of a work, with the largest resident memory so far."""
        status = Path("/proc/self/status").read_text()
        peak_mb = int(status.split("VmHWM:")[1].split()[0]) // 1024
        return {"rows": rows, "columns": columns, "peak_mb": peak_mb, **asdict(self)}


def shared_columns(task: dict[str, Any]) -> list[str]:
    """The columns of this shop that both kizuna and the rivals make, in kizuna's order."""
    import kizuna
    from kizuna.features.planning import make_plan
    from kizuna.labels.definition import definition_of

    project = kizuna.Project(config(Path(task["tiny"]), 1))
    days = [project.day(day) for day in task["days"]]
    plan = make_plan(project.store, project.config, days, definition_of(project.config).eligible)
    ours = columns(WINDOWS_DAYS)
    return [name for name in plan.names if name in ours]


def run_kizuna(task: dict[str, Any], only: list[str] | None = None) -> dict[str, Any]:
    """All columns, or ``only`` some, from Parquet to the finished matrix; ``build_seconds`` are those from the open store."""
    import kizuna
    from kizuna.features.frame import build_frame
    from kizuna.features.planning import make_plan
    from kizuna.labels.definition import definition_of

    def open_shop(shop: str) -> kizuna.Project:
        project = kizuna.Project(config(Path(shop), task["threads"]))
        assert project.store.customers > 0
        return project

    def build(project: kizuna.Project) -> Any:
        days = [project.day(day) for day in task["days"]]
        eligible = definition_of(project.config).eligible
        plan = make_plan(project.store, project.config, days, eligible)
        if only is not None:
            chosen = set(only)
            plan = replace(plan, columns=tuple(column for column in plan.columns if column.name in chosen))
        return build_frame(project.store, plan, days, eligible)

    build(open_shop(task["tiny"]))
    clock = Clock()
    project = clock.time(lambda: open_shop(task["shop"]))
    open_seconds = clock.seconds
    frame = clock.time(lambda: build(project))
    measured = clock.measured(*frame.values.shape)
    if task.get("save"):
        save(
            Path(task["save"]),
            frame.customer_ids,
            frame.as_of,
            dict(zip(frame.plan.names, frame.values.T, strict=True)),
        )
    return measured | {"build_seconds": clock.seconds - open_seconds}


def run_kizuna_same(task: dict[str, Any]) -> dict[str, Any]:
    """The rivals' columns alone."""
    return run_kizuna(task, task["columns"])


def run_duckdb(task: dict[str, Any]) -> dict[str, Any]:
    """The SQL, by the plan that the task names."""
    import features_sql

    wanted = _wanted(task)

    def build(shop: str) -> tuple[Any, Any]:
        return features_sql.build(Path(shop), wanted, task["days"], task["threads"], task["plan"])

    build(task["tiny"])
    clock = Clock()
    table, ids = clock.time(lambda: build(task["shop"]))
    measured = clock.measured(table.num_rows, len(wanted))
    if task.get("save"):
        names = np.array(ids["customer_id"].to_pylist(), dtype=object)
        customer_ids = names[table["customer"].to_numpy() - 1]
        values = {name: table[name].to_numpy() for name in wanted}
        save(Path(task["save"]), customer_ids, table["as_of"].to_numpy(), values)
    return measured


def run_pandas(task: dict[str, Any]) -> dict[str, Any]:
    """The straightforward pandas version."""
    import features_pandas

    wanted = _wanted(task)
    features_pandas.build(Path(task["tiny"]), wanted, task["days"][:1])
    clock = Clock()
    frame = clock.time(lambda: features_pandas.build(Path(task["shop"]), wanted, task["days"]))
    measured = clock.measured(len(frame), len(wanted))
    if task.get("save"):
        values = {name: frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in wanted}
        save(Path(task["save"]), frame["customer_id"].to_numpy(dtype=object), frame["as_of"].to_numpy(), values)
    return measured


def run_sort(task: dict[str, Any]) -> dict[str, Any]:
    """DuckDB alone: every table sorted by customer and time into Arrow."""
    import duckdb

    def sort(shop: str) -> int:
        connection = duckdb.connect(config={"threads": task["threads"]})
        query = "SELECT * FROM '{}/{}.parquet' ORDER BY customer_id, occurred_at"
        return len([connection.sql(query.format(shop, name)).to_arrow_table() for name in TABLES])

    sort(task["tiny"])
    clock = Clock()
    clock.time(lambda: sort(task["shop"]))
    return clock.measured(0, 0)


def save(folder: Path, ids: Any, as_of: Any, values: dict[str, Any]) -> None:
    """One .npy a column and ``key.npy``, rows sorted by customer and day: what check_equal compares."""
    folder.mkdir(parents=True, exist_ok=True)
    key = np.array([int(text[1:]) for text in ids], dtype=np.int64) * 100_000 + as_of
    order = np.argsort(key)
    np.save(folder / "key.npy", key[order])
    for name, column in values.items():
        np.save(folder / f"{name}.npy", np.asarray(column, dtype=np.float64)[order])


def check_equal(task: dict[str, Any]) -> dict[str, Any]:
    """How many values of ``left`` were compared with ``right``; AssertionError at the first that differ.

    ``subset``: right has some of left's rows only.
    """
    left, right = Path(task["left"]), Path(task["right"])
    ours, theirs = np.load(left / "key.npy"), np.load(right / "key.npy")
    if task.get("subset"):
        where = np.searchsorted(ours, theirs).clip(max=len(ours) - 1)
    else:
        assert len(ours) == len(theirs), f"{len(ours):,} rows against {len(theirs):,}"
        where = np.arange(len(ours))
    assert np.array_equal(ours[where], theirs), "other rows"
    for name in task["columns"]:
        a, b = np.load(left / f"{name}.npy")[where], np.load(right / f"{name}.npy")
        differ = np.flatnonzero(~np.isclose(a, b, rtol=1e-6, atol=1e-6, equal_nan=True))
        if len(differ):
            first = [f"{ours[where][i]}: {a[i]!r} and {b[i]!r}" for i in differ[:3]]
            raise AssertionError(f"{name}: {len(differ):,} of {len(a):,} values differ ({'; '.join(first)})")
    return {"values": len(theirs) * len(task["columns"])}


def _wanted(task: dict[str, Any]) -> dict[str, Any]:
    ours = columns(WINDOWS_DAYS)
    return {name: ours[name] for name in task["columns"]}


WORKS = {
    "shared": lambda task: {"columns": shared_columns(task)},
    "kizuna": run_kizuna,
    "kizuna, same columns": run_kizuna_same,
    "duckdb": run_duckdb,
    "pandas": run_pandas,
    "sort": run_sort,
    "check": check_equal,
}

if __name__ == "__main__":
    chosen = json.loads(sys.argv[1])
    print(json.dumps(WORKS[chosen["work"]](chosen)))
