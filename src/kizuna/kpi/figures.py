"""From sums to figures: value, interval, number of observations, and how a figure moves with an earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.kpi.catalog import Kpi
from kizuna.kpi.intervals import Estimates, difference, median_spell, net_promoters, rate, share
from kizuna.kpi.moments import BEFORE, XX, XY, YEAR, YY, N, X, Y
from kizuna.kpi.periods import Grid

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """One KPI in all cells. ``open``: spells that have not ended, NaN for other KPIs.

    ``with_before`` and ``with_year``: correlation with the same group's figure of the period before, and a year earlier.
    """

    estimates: Estimates
    n: Floats
    open: Floats
    with_before: Floats
    with_year: Floats

    def scaled(self, factor: Floats | float) -> Figures:
        """The same in another unit."""
        return Figures(self.estimates.scaled(factor), self.n, self.open, self.with_before, self.with_year)


@dataclass(frozen=True)
class Earlier:
    """For each cell the place of the same group's cell in an earlier period, −1 where there is none."""

    before: NDArray[np.int64]
    year_before: NDArray[np.int64]


def earlier_cells(grid: Grid, sizes: Sequence[int]) -> Earlier:
    """The earlier cells of every dimension's groups, in the order of ``moments.cells``."""
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    offset = 0
    for size in sizes:
        group = np.arange(size)
        one, other = (
            np.where(places[:, None] < 0, -1, offset + places[:, None] * size + group).ravel()
            for places in (grid.before, grid.year_before)
        )
        parts.append((one, other))
        offset += size * len(grid.periods)
    return Earlier(np.concatenate([one for one, _ in parts]), np.concatenate([other for _, other in parts]))


def figures_of(kpi: Kpi, sums: Floats, earlier: Earlier) -> Figures:
    """A KPI's figures from its moments (cells, WIDTH)."""
    x, y = sums[:, X], sums[:, Y]
    if kpi.method == "share":
        found, n = share(y, x), x
    elif kpi.method == "net_promoters":
        found, n = net_promoters((sums[:, YY] + y) / 2, (sums[:, YY] - y) / 2, x), x
    elif kpi.method == "rate":
        found, n = rate(x, y, _variance(sums)), sums[:, N] if kpi.by_customers else x
    else:
        found, n = rate(np.ones(len(y)), y, sums[:, YY]), sums[:, N]
    total = kpi.method == "total"
    together = (
        _correlation(sums, earlier.before, BEFORE, total),
        _correlation(sums, earlier.year_before, YEAR, total),
    )
    return Figures(found.scaled(kpi.factor), n, np.full(len(y), np.nan), *together)


def median_figures(counts: NDArray[np.int64], cells: int) -> Figures:
    """The median of spells in each cell, from the rows of ``spell_counts``."""
    value, low, high = (np.full(cells, np.nan) for _ in range(3))
    n, open_now = np.zeros(cells), np.zeros(cells)
    starts = (
        np.flatnonzero(np.r_[True, counts[1:, 0] != counts[:-1, 0]]) if len(counts) else np.zeros(0, dtype=np.int64)
    )
    for rows in np.split(counts, starts[1:]) if len(counts) else ():
        cell, days = rows[0, 0], np.unique(rows[:, 1])
        place = np.searchsorted(days, rows[:, 1])
        ended, lost = (
            np.bincount(place[rows[:, 2] == seen], rows[rows[:, 2] == seen, 3], minlength=len(days)).astype(np.int64)
            for seen in (1, 0)
        )
        found = median_spell(days, ended, lost)
        value[cell], low[cell], high[cell] = found.value, found.low, found.high
        n[cell], open_now[cell] = rows[:, 3].sum(), found.open
    alone = np.zeros(cells)
    return Figures(Estimates(value, low, high), n, open_now, alone, alone)


def derived(found: Mapping[str, Figures], years: Floats, cltv_years: float) -> dict[str, Figures]:
    """KPIs that follow from others, cell by cell. ``years``: the length of each cell's period.

    A factor of the formula has no interval of its own where it is set and not measured.
    """
    out: dict[str, Figures] = {}
    if "cltv_formula" in found:
        formula = found["cltv_formula"].scaled(cltv_years)
        out["cltv_formula"] = formula
        fixed = np.where(np.isnan(formula.estimates.value), np.nan, cltv_years)
        none = np.full(len(fixed), np.nan)
        out["cltv_years"] = _beside(formula, Estimates(fixed, none, none))
    churn = found["churn_rate"]
    lifetime = Estimates(*(_over(years, part) for part in _turned(churn.estimates)))
    out["lifetime_by_churn_years"] = _beside(churn, lifetime)
    if "cltv_formula" in found:
        yearly = found["cltv_formula"].estimates
        # Both intervals at once are more than 95 %: cautious.
        product = [one * other for one, other in zip(_parts(yearly), _parts(lifetime), strict=True)]
        out["cltv_formula_by_churn"] = _beside(found["cltv_formula"], Estimates(*product))
    if "revenue_per_crr_point" in found:
        start = found["customers_start"].estimates.value
        out["revenue_per_crr_point"] = found["revenue_per_crr_point"].scaled(np.maximum(start, 0) / 100)
    return out


def change(figures: Figures, places: NDArray[np.int64], correlation: Floats) -> Estimates:
    """Each cell's figure minus an earlier cell's, with its interval; NaN where there is no earlier one."""
    there = places >= 0
    then = Estimates(*(np.where(there, part[places], np.nan) for part in _parts(figures.estimates)))
    return difference(figures.estimates, then, correlation)


def years_of(grid: Grid, sizes: Sequence[int]) -> Floats:
    """The length in years of the period of each cell."""
    years = (grid.ends - grid.starts) / 365
    return np.concatenate([np.repeat(years, size) for size in sizes])


def _variance(sums: Floats) -> Floats:
    """Of the ratio of sums y/x when customers are drawn: Σ(y − r·x)² / x², × n/(n − 1)."""
    x, y, n = sums[:, X], sums[:, Y], sums[:, N]
    with np.errstate(invalid="ignore", divide="ignore"):
        r = y / x
        squares = np.maximum(sums[:, YY] - 2 * r * sums[:, XY] + r * r * sums[:, XX], 0)
        return np.where(n > 1, squares / (x * x) * n / (n - 1), np.nan)


def _correlation(sums: Floats, places: NDArray[np.int64], at: int, total: bool) -> Floats:
    """How two estimates move together because the same customers are in both; 0 where that is not known."""
    then = sums[places]
    ab, ad, bc, bd = (sums[:, at + step] for step in range(4))
    with np.errstate(invalid="ignore", divide="ignore"):
        r, s = (
            (np.zeros(len(sums)), np.zeros(len(sums))) if total else (sums[:, Y] / sums[:, X], then[:, Y] / then[:, X])
        )
        covariance = bd - s * bc - r * ad + r * s * ab
        squares = [
            own[:, YY] - 2 * ratio * own[:, XY] + ratio * ratio * own[:, XX] for own, ratio in ((sums, r), (then, s))
        ]
        found = covariance / np.sqrt(squares[0] * squares[1])
    return np.where((places >= 0) & np.isfinite(found), np.clip(found, -1, 1), 0.0)


def _beside(figures: Figures, estimates: Estimates) -> Figures:
    alone = np.zeros(len(figures.n))
    return Figures(estimates, figures.n, figures.open, alone, alone)


def _parts(estimates: Estimates) -> tuple[Floats, Floats, Floats]:
    return estimates.value, estimates.low, estimates.high


def _turned(estimates: Estimates) -> tuple[Floats, Floats, Floats]:
    """Value, high, low: the ends that a quotient turns round."""
    return estimates.value, estimates.high, estimates.low


def _over(part: Floats, whole: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, np.nan)
