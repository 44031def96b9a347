"""The share of `kizuna train` that is spent outside LightGBM's own fit, on a simulated shop.

Usage: python benchmarks/training.py [--rows 1000000] [--columns 100] [--threads 2] [--folder DIR]. One process runs the
command as a user would; the clock stands on LightGBM while it bins a matrix or grows trees, whoever called it. Bar: at most
a quarter of the time is spent elsewhere. Seconds of the largest other parts are printed as they were met, children in them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

BAR = 0.25
# A simulated shop of three years has about so many training rows a customer, over 24 snapshots.
ROWS_PER_CUSTOMER = 7.3
PARTS = (
    "kizuna.data.loading:open_store",
    "kizuna.labels.training_set:build_training_set",
    "kizuna.evaluation.leaks.findings:find_leaks",
    "kizuna.models.churn.classifier:ChurnClassifier.fit",
    "kizuna.models.value.regressor:CltvRegressor.fit",
    "kizuna.models.learners.linear:fit_linear",
    "kizuna.models.churn.silence:fit_silence",
    "kizuna.evaluation.assessment:assess_churn",
    "kizuna.evaluation.baselines.scores:churn_baselines",
    "kizuna.train_record:log_evidence",
    "kizuna.train_record:register_models",
)


class Clock:
    """Seconds by name; a part inside itself counts once."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inside: set[str] = set()

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            if name in self._inside:
                return work(*given, **named)
            self._inside.add(name)
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                self.seconds[name] += time.perf_counter() - began
                self._inside.discard(name)

        return timed


def clocked() -> Clock:
    """A clock set around LightGBM and the parts named above, where they are looked up."""
    import lightgbm

    clock = Clock()
    lightgbm.train = clock.around("LightGBM", lightgbm.train)
    lightgbm.Dataset.construct = clock.around("LightGBM", lightgbm.Dataset.construct)
    for part in PARTS:
        module_name, path = part.split(":")
        module = import_module(module_name)
        owner = getattr(module, path.split(".")[0]) if "." in path else module
        attribute = path.rsplit(".", maxsplit=1)[-1]
        work = getattr(owner, attribute)
        timed = clock.around(part.replace(":", " "), work)
        setattr(
            owner, attribute, timed if not isinstance(owner.__dict__[attribute], classmethod) else staticmethod(timed)
        )
        for other in [other for name, other in sys.modules.items() if name.startswith("kizuna")]:
            if getattr(other, attribute, None) is work:
                setattr(other, attribute, timed)
    return clock


def main() -> int:
    """0 where the bar is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as drawn:
        folder = asked.folder or Path(drawn)
        return measure(shop(folder, asked.rows), asked)


def shop(folder: Path, rows: int) -> Path:
    """The config of a simulated shop that gives so many rows; what is there already is kept."""
    from kizuna.data.simulate import simulate

    home = folder / f"training-{rows}"
    if not (home / "config.yaml").exists():
        simulate(home, int(rows / ROWS_PER_CUSTOMER * 1.05), 1095)
    return home / "config.yaml"


def measure(config: Path, asked: argparse.Namespace) -> int:
    """Prints where the time went; 0 where the bar is met."""
    from kizuna import load

    columns = [name for name in load(config).features(["2025-09-01"]).columns if name not in ("customer_id", "as_of")]
    left_out = json.dumps(columns[asked.columns :])
    overrides = [f"training.max_rows={asked.rows}", f"engine.threads={asked.threads}", f"features.exclude={left_out}"]
    clock = clocked()
    from kizuna.cli import main as command

    began = time.perf_counter()
    sys.argv = ["kizuna", "train", str(config), *(word for override in overrides for word in ("--set", override))]
    try:
        command()
    except SystemExit as ended:
        code = ended.code
    total = time.perf_counter() - began
    outside = total - clock.seconds["LightGBM"]
    print(f"kizuna train: {total:.0f} s, exit {code}, {asked.rows:,} rows at most, {asked.threads} threads")
    for name, seconds in clock.seconds.most_common():
        print(f"  {name:<55} {seconds:8.1f} s  {seconds / total:6.1%}")
    print(f"outside LightGBM's own fit: {outside:.0f} s, {outside / total:.0%} (bar: at most {BAR:.0%})")
    return int(outside / total > BAR)


if __name__ == "__main__":
    sys.exit(main())
