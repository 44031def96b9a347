"""One day's features of a large shop by the command, its memory watched from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from features_shop import EVENTS_PER_CUSTOMER, NEWEST_SNAPSHOT, TABLES, event_count, make_shop

_POLL_SECONDS = 0.1


def run_large(folder: Path, events: int, threads: int, memory_gb: float | None) -> int:
    """Exit code of the command (or 1 where it went over the memory); prints seconds, rows and peak memory.

    ``memory_gb``: the command is ended when its resident memory passes this.
    """
    customers = events // sum(EVENTS_PER_CUSTOMER.values())
    began = time.perf_counter()
    shop = make_shop(folder / f"shop-{customers}", customers, threads)
    print(f"{event_count(customers):,} events of {customers:,} customers, made in {time.perf_counter() - began:.0f} s")
    config, out = folder / "large.yaml", folder / "large.parquet"
    tree = {
        "name": "benchmark",
        "data": {"tables": {name: {"path": str((shop / f"{name}.parquet").resolve())} for name in TABLES}},
        "churn": {"active_within_days": 3650},
        "engine": {"threads": threads},
    }
    config.write_text(json.dumps(tree))
    kizuna = str(Path(sys.executable).with_name("kizuna"))
    command = [kizuna, "features", str(config), "--as-of", NEWEST_SNAPSHOT.isoformat(), "--out", str(out)]
    began = time.perf_counter()
    child = subprocess.Popen(command)
    limit_kb = None if memory_gb is None else int(memory_gb * 1024 * 1024)
    peaks, over = watch(child.pid, limit_kb)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    print(
        f"kizuna features: {seconds:.1f} s, exit {child.returncode}, {usage.ru_utime + usage.ru_stime:.1f} s of processor"
    )
    print(
        f"peak resident memory {usage.ru_maxrss / 1024:,.0f} MB by the kernel; seen every {_POLL_SECONDS} s: "
        f"{peaks['VmRSS'] / 1024:,.0f} MB, of it at most {peaks['RssAnon'] / 1024:,.0f} MB of its own and "
        f"{peaks['RssFile'] / 1024:,.0f} MB of mapped files"
    )
    if over:
        print(f"ended above {memory_gb} GB")
    return 1 if over else child.returncode


def watch(pid: int, limit_kb: int | None) -> tuple[dict[str, int], bool]:
    """The largest memory in kB that a process was seen with, until it ends, and whether it was ended for too much."""
    peaks, over = {"VmRSS": 0, "RssAnon": 0, "RssFile": 0}, False
    status = Path(f"/proc/{pid}/status")
    while True:
        found = dict(line.split(":", 1) for line in status.read_text().splitlines())
        if "VmRSS" not in found:
            return peaks, over
        for name in peaks:
            peaks[name] = max(peaks[name], int(found[name].split()[0]))
        if limit_kb is not None and not over and int(found["VmRSS"].split()[0]) > limit_kb:
            os.kill(pid, signal.SIGKILL)
            over = True
        time.sleep(_POLL_SECONDS)
