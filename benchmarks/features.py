"""Point-in-time features of kizuna, of DuckDB SQL and of pandas on one shop: the same rows, the same values, the clock.

Usage: python benchmarks/features.py [--customers 200000] [--snapshots 12] [--threads 2] [--engines kizuna,duckdb,pandas]
[--runs 3] [--folder DIR], or with --large [--events 100000000] for one day's features of a large shop by the command.
Every engine runs in a process of its own, from Parquet to the finished float64 matrix; imports and a warm-up on a tiny shop
are not counted. The script fails if values differ by more than 1e-6. Ratios within one run are what to compare; bare
seconds belong to one machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from features_large import run_large
from features_shop import TABLES, event_count, make_shop, snapshot_days
from features_sql import PLANS

WORKER = Path(__file__).with_name("features_worker.py")
TINY_CUSTOMERS, PANDAS_CUSTOMERS = 2_000, 5_000
FEWEST_COLUMNS = 90
RATIO_BAR, GROWTH_BAR, WEEKLY_BAR = 5.0, 4.4, 2.0
ENGINES = ("kizuna", "duckdb", "pandas")


def measure(work: str, runs: int = 1, **task: Any) -> dict[str, Any]:
    """What a worker measured; of several runs the fastest."""
    threads = str(task.get("threads", 1))
    pools = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(pools, threads)
    found = []
    for _ in range(runs):
        command = [sys.executable, str(WORKER), json.dumps({"work": work, **task})]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"{work} failed; see above.")
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return min(found, key=lambda result: result.get("seconds", 0))


class Shops:
    """The benchmark's folders: shops are made when first asked for."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder, self.threads = folder, threads

    def of(self, customers: int) -> str:
        """The shop with so many customers."""
        return str(make_shop(self.folder / f"shop-{customers}", customers, self.threads))

    def values(self, engine: str) -> str:
        """Where an engine's matrix is kept until it is compared."""
        return str(self.folder / f"values-{engine}")

    def sample(self, shop: str, customers: int) -> str:
        """The events of the first customers of a shop."""
        import duckdb

        folder = Path(f"{shop}-sample-{customers}")
        folder.mkdir(exist_ok=True)
        for table in TABLES:
            rows = f"SELECT * FROM '{shop}/{table}.parquet' WHERE customer_id < 'C{customers:08d}'"
            duckdb.execute(f"COPY ({rows}) TO '{folder}/{table}.parquet' (FORMAT parquet)")
        return str(folder)


def compare_engines(arguments: argparse.Namespace, shops: Shops) -> None:
    """Runs the engines, checks their values against one another, prints the table."""
    engines = arguments.engines.split(",")
    shop, tiny = shops.of(arguments.customers), shops.of(TINY_CUSTOMERS)
    task = {"tiny": tiny, "days": snapshot_days(arguments.snapshots), "threads": arguments.threads}
    names = measure("shared", **task)["columns"]
    if len(names) < FEWEST_COLUMNS:
        sys.exit(f"kizuna and the SQL share only {len(names)} columns; at least {FEWEST_COLUMNS} are to be compared.")
    task |= {"columns": names}
    print(
        f"{event_count(arguments.customers):,} events of {arguments.customers:,} customers, {arguments.snapshots} "
        f"snapshots, {arguments.threads} threads; {len(names)} columns in common",
        flush=True,
    )
    results: dict[str, dict[str, Any]] = {}
    others: dict[str, dict[str, Any]] = {}
    timed = {"shop": shop, "runs": arguments.runs, **task}
    if "kizuna" in engines:
        results["kizuna"] = measure("kizuna", **timed)
        results["kizuna, same columns"] = measure("kizuna, same columns", **timed, save=shops.values("kizuna"))
    if "duckdb" in engines:
        for plan in PLANS:
            results[f"duckdb, {plan}"] = measure("duckdb", **timed, plan=plan, save=shops.values(plan))
            others[f"duckdb, {plan}"] = {"right": shops.values(plan)}
    if "pandas" in engines:
        sample = min(PANDAS_CUSTOMERS, arguments.customers)
        timed["shop"] = shops.sample(shop, sample)
        results[f"pandas, {sample:,} customers"] = measure("pandas", **timed, save=shops.values("pandas"))
        others["pandas"] = {"right": shops.values("pandas"), "subset": True}
    for engine, task in others.items() if "kizuna" in engines else []:
        checked = measure("check", left=shops.values("kizuna"), columns=names, **task)
        print(f"equal to 1e-6: kizuna and {engine}, {checked['values']:,} values")
    _print_table(results)


def _print_table(results: dict[str, dict[str, Any]]) -> None:
    speed = {name: r["rows"] * r["columns"] / r["seconds"] / 1e6 for name, r in results.items()}
    rival = f"duckdb, {PLANS[0]}" if f"duckdb, {PLANS[0]}" in results else None
    header = (
        "engine",
        "rows",
        "columns",
        "seconds",
        "processor s",
        "million values/s",
        "peak MB",
        f"speed over duckdb, {PLANS[0]}",
    )
    print("\n| " + " | ".join(header) + " |\n|" + " --- |" * len(header))
    for name, r in results.items():
        ratio = f"{speed[name] / speed[rival]:.2f}" if rival else ""
        times = (f"{r['seconds']:.1f}", f"{r['processor_seconds']:.1f}", f"{speed[name]:.2f}")
        cells = (name, f"{r['rows']:,}", str(r["columns"]), *times, f"{r['peak_mb']:,}", ratio)
        print("| " + " | ".join(cells) + " |")
    if rival and "kizuna" in speed:
        for ours in ("kizuna", "kizuna, same columns"):
            against = ", ".join(f"{speed[ours] / speed[f'duckdb, {plan}']:.1f} ({plan})" for plan in PLANS)
            met = _verdict(RATIO_BAR, speed[ours] / speed[rival])
            print(
                f"\n{ours}, values per second over duckdb: {against}; bar {RATIO_BAR} over the {PLANS[0]}: {met}",
                end="",
            )
    print(flush=True)


def measure_growth(arguments: argparse.Namespace, shops: Shops) -> None:
    """Prints how the time grows from a quarter of the customers to all."""
    task = {"tiny": shops.of(TINY_CUSTOMERS), "days": snapshot_days(arguments.snapshots), "threads": arguments.threads}
    small, large = (
        measure("kizuna", arguments.runs, shop=shops.of(customers), **task)["seconds"]
        for customers in (arguments.customers // 4, arguments.customers)
    )
    print(
        f"growth: 4 times the customers take {large / small:.2f} times as long ({small:.1f} s, {large:.1f} s; ", end=""
    )
    print(f"bar {GROWTH_BAR}: {_verdict(large / small, GROWTH_BAR)})", flush=True)


def measure_weekly(arguments: argparse.Namespace, shops: Shops) -> None:
    """Prints one day's features against the time in which DuckDB sorts the same events."""
    task = {"shop": shops.of(arguments.customers), "tiny": shops.of(TINY_CUSTOMERS), "threads": arguments.threads}
    sort = measure("sort", arguments.runs, **task)["seconds"]
    day = measure("kizuna", arguments.runs, **task, days=snapshot_days(1))
    print(f"one day: duckdb sorts the events by customer and time in {sort:.2f} s; kizuna makes", end=" ")
    print(f"{day['rows']:,} rows of {day['columns']} features (bar: {WEEKLY_BAR} times the sort)")
    for what, seconds in (("from the open store", day["build_seconds"]), ("from Parquet", day["seconds"])):
        print(f"  {what} {seconds:.2f} s, {seconds / sort:.2f} times: {_verdict(seconds / sort, WEEKLY_BAR)}")


def _verdict(value: float, bar: float) -> str:
    return "met" if value <= bar else "missed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--snapshots", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--runs", type=int, default=3, help="the fastest of so many runs counts")
    parser.add_argument("--folder", type=Path, help="where shops and values are kept (default: a folder that goes)")
    parser.add_argument("--large", action="store_true", help="one day's features by the command, memory watched")
    parser.add_argument("--events", type=int, default=100_000_000, help="with --large")
    parser.add_argument("--memory-gb", type=float, help="with --large: the command is ended above this")
    arguments = parser.parse_args()
    unknown = set(arguments.engines.split(",")) - set(ENGINES)
    if unknown:
        parser.error(f"unknown engines: {', '.join(sorted(unknown))}; there are {', '.join(ENGINES)}")
    with tempfile.TemporaryDirectory(prefix="kizuna-benchmark-") as temporary:
        folder = arguments.folder or Path(temporary)
        if arguments.large:
            sys.exit(run_large(folder, arguments.events, arguments.threads, arguments.memory_gb))
        shops = Shops(folder, arguments.threads)
        compare_engines(arguments, shops)
        if "kizuna" in arguments.engines:
            measure_growth(arguments, shops)
            measure_weekly(arguments, shops)


if __name__ == "__main__":
    main()
