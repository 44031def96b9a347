"""Seconds and rows per second of each stage on a simulated shop: simulate, open, features, train, score.

Usage: python benchmarks/stages.py [CUSTOMERS] [DAYS]. Ratios between stages of one run are what to compare; bare
seconds belong to one machine.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


def timed(name: str, work: Callable[[], Result], rows: Callable[[Result], int]) -> Result:
    began = time.perf_counter()
    result = work()
    seconds, count = time.perf_counter() - began, rows(result)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{name:<10} {seconds:8.1f} s {count:>12,} rows {count / seconds:>12,.0f} rows/s   peak {peak_mb:,} MB",
        flush=True,
    )
    return result


def main(customers: int, days: int) -> None:
    from kizuna import load
    from kizuna.data.simulate import simulate
    from kizuna.scoring.job import score

    with tempfile.TemporaryDirectory() as folder:
        print(f"{customers:,} customers, {days:,} days")
        timed("simulate", lambda: simulate(Path(folder), customers, days), lambda rows: sum(rows.values()))
        project = load(Path(folder) / "config.yaml")
        timed("open", lambda: project.store, lambda store: sum(info.rows for info in store.tables.values()))
        timed("features", lambda: project.features(["2025-12-01"]), len)
        timed("training", project.training_set, lambda training: len(training.churned))
        result = timed("train", project.train, lambda run: len(run.trained.training.churned))
        day = result.trained.training.train_day
        timed(
            "score", lambda: score(project.store, project.config, day), lambda done: done.manifest["counts"]["eligible"]
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in [*sys.argv[1:], "20000", "1095"][:2]))
