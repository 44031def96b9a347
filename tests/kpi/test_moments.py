"""Sums over customers against loops, and what follows from them against influence written out."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from kizuna.config_kpi import Kpi as Section
from kizuna.kpi.catalog import BY_CODE
from kizuna.kpi.figures import earlier_cells, figures_of, median_figures
from kizuna.kpi.groups import Groups
from kizuna.kpi.moments import WIDTH, Measured, Spells, added, cells, moments, spell_counts
from kizuna.kpi.periods import Grid, grid_of
from kizuna.timeline import day_of

GROUPS = Groups({"all": ("all",), "market": ("de", "jp", "us")})
PEOPLE = 150


@pytest.fixture(scope="module")
def grid() -> Grid:
    return grid_of(day_of(date(2024, 4, 1)), day_of(date(2024, 9, 30)), day_of(date(2024, 10, 1)), Section())


@pytest.fixture(scope="module")
def drawn(grid: Grid) -> tuple[Measured, np.ndarray]:
    """Numbers of which half are nought, and groups that change from period to period."""
    generator = np.random.default_rng(2)
    shape = (len(grid.periods), PEOPLE)
    x, y = (generator.integers(0, 5, shape) * generator.integers(0, 2, shape) for _ in range(2))
    codes = np.stack([np.zeros(shape), generator.integers(0, 3, shape)]).astype(np.int16)
    return Measured("complaints_per_100_orders", x.astype(float), y.astype(float)), codes


def test_moments_are_the_sums_that_they_say(grid: Grid, drawn: tuple[Measured, np.ndarray]) -> None:
    measured, codes = drawn
    found = moments(measured, codes, grid, GROUPS)
    keys = cells(grid, GROUPS)
    assert found.shape == (len(keys), WIDTH)
    for row, (dimension, place, group) in zip(found, keys, strict=True):
        number = list(GROUPS.levels).index(dimension)
        level = GROUPS.levels[dimension].index(group)
        mine = codes[number, place] == level
        x, y = measured.x[place] * mine, measured.y[place] * mine
        expected = [((x != 0) | (y != 0)).sum(), x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum()]
        for other in (grid.before[place], grid.year_before[place]):
            theirs = (codes[number, other] == level) * (other >= 0)
            c, d = measured.x[other] * theirs, measured.y[other] * theirs
            expected += [(x * c).sum(), (x * d).sum(), (y * c).sum(), (y * d).sum()]
        assert row.tolist() == expected


def test_correlations_are_those_of_the_customers_influence(grid: Grid, drawn: tuple[Measured, np.ndarray]) -> None:
    measured, codes = drawn
    earlier = earlier_cells(grid, GROUPS.sizes.tolist())
    sums = moments(measured, codes, grid, GROUPS)
    rates = figures_of(BY_CODE["complaints_per_100_orders"], sums, earlier)
    totals = figures_of(BY_CODE["orders"], sums, earlier)
    for cell, (dimension, place, group) in enumerate(cells(grid, GROUPS)):
        number = list(GROUPS.levels).index(dimension)
        level = GROUPS.levels[dimension].index(group)

        def influence(at: int, number: int = number, level: int = level) -> tuple[np.ndarray, np.ndarray]:
            mine = codes[number, at] == level
            x, y = measured.x[at] * mine, measured.y[at] * mine
            return y - y.sum() / x.sum() * x, y

        for other, of_rate, of_total in (
            (grid.before[place], rates.with_before, totals.with_before),
            (grid.year_before[place], rates.with_year, totals.with_year),
        ):
            if other < 0:
                assert (of_rate[cell], of_total[cell]) == (0, 0)
                continue
            for now, then, found in zip(
                influence(place), influence(other), (of_rate[cell], of_total[cell]), strict=True
            ):
                assert found == pytest.approx((now @ then) / np.sqrt((now @ now) * (then @ then)), abs=1e-12)
        own = influence(place)[0]
        n = int(sums[cell, 0])
        width = 2 * 1.959964 * np.sqrt((own @ own) / sums[cell, 1] ** 2 * n / (n - 1)) * 100
        assert rates.estimates.high[cell] - rates.estimates.low[cell] == pytest.approx(width, rel=1e-6)


def test_spells_of_blocks_add_up(grid: Grid) -> None:
    generator = np.random.default_rng(4)
    codes = np.stack([np.zeros((len(grid.periods), PEOPLE)), generator.integers(0, 3, (len(grid.periods), PEOPLE))])
    codes = codes.astype(np.int16)
    customer, day = generator.integers(0, PEOPLE, 300).astype(np.int32), generator.integers(19_700, 20_000, 300)
    lasted, seen = generator.integers(0, 12, 300), generator.random(300) < 0.8

    def counted(rows: slice) -> np.ndarray:
        spells = Spells("resolution_days", customer[rows], day[rows].astype(np.int32), lasted[rows], seen[rows])
        return spell_counts(spells, codes, grid, GROUPS)

    whole = counted(slice(None))
    assert added([counted(slice(0, 100)), counted(slice(100, None))]).tolist() == whole.tolist()
    figures = median_figures(whole, len(cells(grid, GROUPS)))
    for cell, (dimension, place, group) in enumerate(cells(grid, GROUPS)):
        number, level = list(GROUPS.levels).index(dimension), GROUPS.levels[dimension].index(group)
        period = grid.periods[place]
        mine = (day >= period.start) & (day < period.end) & (codes[number, place, customer] == level)
        assert (figures.n[cell], figures.open[cell]) == (mine.sum(), (mine & ~seen).sum())
