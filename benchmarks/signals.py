"""How far each feature alone ranks churn, out of time, on a simulated shop and on the public ones whose data are there.

Usage: python benchmarks/signals.py [--customers 5000] [--days 1095] [--seed 7] [--write docs/features/signals.yaml].
The number is the mean out-of-fold AUC of the churn rate that the training rows of a fold had in each of about 20 bins of
the feature, null being a bin of its own. With --write it becomes the file that docs/features.md shows; of a feature with
several windows the best one is kept.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import yaml

from kizuna import Project, load
from kizuna.data.simulate import simulate
from kizuna.evaluation.folds import FoldPlan, make_folds
from kizuna.evaluation.leaks.findings import binned_auc
from kizuna.explain.wording import stem_of

ROOT = Path(__file__).parents[1]
PUBLIC = {"online_retail": "configs/online_retail.yaml", "cdnow": "configs/cdnow.yaml"}
NOTE = """# Written by benchmarks/signals.py. By feature and shop: [AUC of the best window alone, its column]; null where the
# feature has one and the same value on all training rows.
"""
Signals = dict[str, list[float | str] | None]


def signals_of(project: Project) -> Signals:
    """By stem the AUC of its best column alone and that column's name; None where no column varies."""
    training, config = project.training_set(), project.config
    plan = FoldPlan(training.definition.window, config.evaluation.folds, config.model.seed, training.dated)
    folds = make_folds(training.frame.as_of, training.customer_ids, training.y, plan)
    measured = [(split.train, split.test) for split in folds.splits[: folds.reported]]
    print(
        f"{config.name}: {len(training.y):,} rows, {training.y.mean():.1%} churned, {len(measured)} folds", flush=True
    )
    out: Signals = {}
    for name, values in zip(training.frame.plan.names, training.frame.values.T, strict=True):
        before = out.setdefault(key_of(name), None)
        if np.unique(values).size > 1:
            found = round(float(binned_auc(values, training.y, measured)), 3)
            if before is None or found > float(before[0]):
                out[key_of(name)] = [found, name]
    return out


def key_of(name: str) -> str:
    """The column with its window, or its level, left open."""
    column, sign, _ = name.partition("=")
    return f"{column}={{level}}" if sign else stem_of(name)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=1_095)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    found: dict[str, Signals] = {}
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), asked.customers, asked.days, asked.seed)
        found["simulated"] = signals_of(load(Path(folder) / "config.yaml"))
    for shop, config in PUBLIC.items():
        project = load(ROOT / config)
        if all(Path(project.config.resolve(table.path)).exists() for table in project.config.data.tables.values()):
            found[shop] = signals_of(project)
    for shop, signals in found.items():
        print(f"\n{shop}")
        for stem, best in sorted(signals.items(), key=lambda item: -float(item[1][0]) if item[1] else 0.0):
            print(f"  {best[0]:.3f}  {best[1]}" if best else f"    –    {stem}")
    if asked.write:
        stems = sorted({stem for signals in found.values() for stem in signals})
        tree = {stem: {shop: signals[stem] for shop, signals in found.items() if stem in signals} for stem in stems}
        lines = [
            f"{stem!r}: {yaml.safe_dump(row, default_flow_style=True, width=1000, sort_keys=False)}"
            for stem, row in tree.items()
        ]
        asked.write.write_text(NOTE + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
