"""A million customers scored end to end: seconds, rows a second and memory of each stage, beside features and prediction alone.

Usage: python benchmarks/scoring.py [--customers 1000000] [--days 730] [--lists 4] [--threads 1] [--folder DIR]. A simulated
shop of a tenth of the customers is trained on, then copied ten times under other ids; weekly lists are scored by the
command, so that the last has a past. Three processes are then timed: `kizuna features` of the day, which reads the tables
and builds every feature; the same with LightGBM's and everybody else's prediction, nothing written; and `kizuna score`
with workbook and report. Bar: the last takes at most twice as long as the second, whose peak memory is printed beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

COPIES = 10
BAR = 2.0
FIRST = date(2025, 3, 3)
_ALONE = """
import resource, sys, time
import kizuna
from kizuna.features.context import Pauses
from kizuna.scoring.champion import load_models
from kizuna.scoring.everyone import score_everyone
import lightgbm
spent = 0.0
inside = lightgbm.Booster.predict
def predict(*given, **named):
    global spent
    began = time.perf_counter()
    try:
        return inside(*given, **named)
    finally:
        spent += time.perf_counter() - began
lightgbm.Booster.predict = predict
began = time.perf_counter()
project = kizuna.load(sys.argv[1], sys.argv[3:])
store = project.store
opened = time.perf_counter() - began
scores, _ = score_everyone(store, load_models(project.config), project.day(sys.argv[2]), Pauses(()))
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"\\n{seconds} {opened} {spent} {len(scores)} {store.rows} {peak}")
"""


def copy_shop(small: Path, large: Path) -> None:
    """The same tables with every customer and order ten times, under ids of their own."""
    import duckdb
    import pyarrow.parquet as pq

    large.mkdir()
    connection = duckdb.connect()
    for path in sorted(small.glob("*.parquet")):
        names = pq.ParquetFile(path).schema_arrow.names
        parts = []
        for number in range(COPIES):
            cells = [f"'{number}' || {n} AS {n}" if n in ("customer_id", "order_id") else n for n in names]
            parts.append(f"SELECT {', '.join(cells)} FROM '{path}'")
        connection.execute(f"COPY ({' UNION ALL '.join(parts)}) TO '{large / path.name}' (FORMAT parquet)")


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "kizuna.cli", *(str(argument) for argument in arguments)]
    ended = subprocess.run(line, text=True, capture_output=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(line)}\n{ended.stderr}")
    return ended


def watched(*arguments: object) -> tuple[float, int, list[dict[str, object]]]:
    """Seconds, peak memory in MB, and the JSON log of a command."""
    began = time.perf_counter()
    line = [sys.executable, "-m", "kizuna.cli", *(str(argument) for argument in arguments), "--log-json"]
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=said) as run:
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        said.seek(0)
        lines = said.read().splitlines()
    if run.returncode:
        sys.exit("\n".join(lines[-3:]))
    return seconds, usage.ru_maxrss // 1024, [json.loads(text) for text in lines if text.startswith("{")]


def main(customers: int, days: int, lists: int, threads: int, folder: Path) -> int:
    small, large = folder / "small", folder / "large"
    overrides = ("--set", f"engine.threads={threads}")
    if not large.exists():
        command("simulate", small, "--customers", customers // COPIES, "--days", days, "--seed", 7)
        copy_shop(small, large)
        text = (small / "config.yaml").read_text()
        (large / "config.yaml").write_text(text.replace("sqlite:///mlflow.db", f"sqlite:///{small}/mlflow.db"))
        command("train", small / "config.yaml", "--as-of", FIRST, "--set", "training.max_rows=300000")
    config = large / "config.yaml"
    for week in range(lists):
        command("score", config, "--as-of", FIRST + timedelta(days=7 * week), *overrides)
    day = FIRST + timedelta(days=max(7 * lists, 182))
    features, peak, _ = watched("features", config, "--as-of", day, "--out", folder / "features.parquet", *overrides)
    print(f"{'features alone':<28} {features:8.1f} s   peak {peak:,} MB", flush=True)
    told = subprocess.run(
        [sys.executable, "-c", _ALONE, config, day.isoformat(), overrides[1]],
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    alone, opened, predicted, scored, rows, peak = (float(number) for number in told.splitlines()[-1].split())
    print(f"{'features and prediction':<28} {alone:8.1f} s   peak {peak:,.0f} MB", flush=True)
    print(f"{'  of which LightGBM':<28} {predicted:8.1f} s {scored / predicted:>12,.0f} customers/s")
    print(f"{'  of which reading':<28} {opened:8.1f} s {rows / opened:>12,.0f} rows/s", flush=True)
    total, peak, log = watched("score", config, "--as-of", day, *overrides)
    for entry in log:
        if entry["event"] == "ended":
            took = float(str(entry["took_seconds"]))
            print(f"  {entry['stage']:<26} {took:8.1f} s {scored / max(took, 0.001):>12,.0f} customers/s")
    print(f"{'score, list and documents':<28} {total:8.1f} s {scored / total:>12,.0f} customers/s   peak {peak:,} MB")
    print(f"{1 - predicted / total:.0%} outside LightGBM's own prediction")
    print(
        f"{total / alone:.2f} times features and prediction alone; bar {BAR:g}: {'held' if total <= BAR * alone else 'missed'}"
    )
    return int(total > BAR * alone)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--lists", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.folder:
        asked.folder.mkdir(parents=True, exist_ok=True)
        sys.exit(main(asked.customers, asked.days, asked.lists, asked.threads, asked.folder.resolve()))
    with tempfile.TemporaryDirectory() as made:
        sys.exit(main(asked.customers, asked.days, asked.lists, asked.threads, Path(made)))
