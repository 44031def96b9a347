"""On a simulated shop: getting better in a named driver lowers the probability, driver by driver."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from kizuna.data.simulate import simulate
from kizuna.explain.better import better_versions
from kizuna.project import load
from kizuna.scoring.champion import load_models
from kizuna.scoring.day import score_day
from kizuna.scoring.rows import features_of_listed

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Day:
    """The list of one day, its features, those of the safest quarter, and the probability of any features."""

    listed: pd.DataFrame
    features: pd.DataFrame
    safe: pd.DataFrame
    columns: tuple
    probability: object


@pytest.fixture(scope="module", params=[3, 11])
def day(request, tmp_path_factory) -> Day:
    folder: Path = tmp_path_factory.mktemp("shop")
    simulate(folder, 2500, 900, request.param)
    project = load(folder / "config.yaml")
    assert project.train().promoted
    as_of, models = project.day("2026-01-01"), load_models(project.config)
    scored = score_day(project.store, project.config, models, as_of)
    safe = scored.scores.nsmallest(len(scored.scores) // 4, "churn_probability")["customer_id"]
    frames = [features_of_listed(project.store, models, as_of, ids) for ids in (scored.at_risk["customer_id"], safe)]
    return Day(scored.at_risk, *frames, models.plan.columns, lambda frame: models.churn.predict_proba(frame)[:, 1])


def lowered(day: Day, towards: str) -> tuple[Counter, Counter]:
    """How often a named driver's features moved when made better, and how often the probability then fell, by driver."""
    values, typical = day.features.to_numpy(dtype=float), day.safe.median().to_numpy(dtype=float)
    now = day.probability(day.features)
    moved, fell = Counter(), Counter()
    for reason in ("reason_1", "reason_2", "reason_3"):
        for driver in day.listed[reason].dropna().unique():
            rows = np.flatnonzero((day.listed[reason] == driver).to_numpy())
            better = values[rows].copy()
            mine = [at for at, column in enumerate(day.columns) if column.driver == driver]
            if towards == "everything typical":
                # What never happened has no typical value: nobody gets a complaint to be like the others.
                known = ~np.isnan(typical[mine]) & ~np.isnan(better[:, mine])
                better[:, mine] = np.where(known, typical[mine], better[:, mine])
            elif towards == "half way":
                better = (better + better_versions(better, driver, day.columns, typical)[0]) / 2
            else:
                better = better_versions(better, driver, day.columns, typical)[-1]
            differs = (better != values[rows]) & ~(np.isnan(better) & np.isnan(values[rows]))
            p = day.probability(pd.DataFrame(better, columns=day.features.columns))
            moved[driver] += int(differs.any(axis=1).sum())
            fell[driver] += int((differs.any(axis=1) & (p < now[rows])).sum())
    return moved, fell


@pytest.mark.parametrize("towards", ["everything typical", "half way", "own usual"])
def test_the_named_driver_made_better_lowers_the_probability(day, towards):
    moved, fell = lowered(day, towards)
    assert sum(fell.values()) >= 0.98 * sum(moved.values())
    # Of a driver named for a few dozen customers, three misses are no proof of less than 95 in 100.
    short = {d: (fell[d], count) for d, count in moved.items() if count and binom.cdf(fell[d], count, 0.95) < 0.01}
    assert short == {}


def test_nearly_everybody_has_a_reason(day):
    assert day.listed["reason_1"].notna().mean() >= 0.95
    assert day.listed["reason_2"].notna().mean() >= 0.9
