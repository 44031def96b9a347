"""The table of KPIs: one row for each KPI, period and group, with its state and its changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kizuna.kpi.catalog import KPIS, Kpi
from kizuna.kpi.figures import Earlier, Figures, change
from kizuna.kpi.groups import ALL
from kizuna.kpi.intervals import Estimates
from kizuna.kpi.periods import Grid
from kizuna.timeline import date_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    *(
        "kpi",
        "kind",
        "period",
        "start",
        "end",
        "dimension",
        "group",
        "value",
        "low",
        "high",
        "n",
        "open",
        "unit",
        "state",
    ),
    *("finished", "before", "change", "change_low", "change_high", "direction"),
    *("year_before", "change_year", "change_year_low", "change_year_high", "direction_year"),
]
STATES = ("ok", "reference", "not_enough_data", "censored", "no_table")
DIRECTIONS = ("up", "down", "not_clear")
_DIGITS = 10
_TEXTS = ("kpi", "kind", "period", "dimension", "group", "unit", "state", "direction", "direction_year")
# What rows are sorted by.
_KPI, _PERIOD = "_kpi", "_period"
_PLACES = {kpi.code: place for place, kpi in enumerate(KPIS)}
_LARGEST_EXACT = 1e15

Column = NDArray[np.object_] | NDArray[np.float64]
Keys = tuple[NDArray[np.object_], NDArray[np.int64], NDArray[np.object_]]


@dataclass(frozen=True)
class Reach:
    """What can be known at all: first days of the base and of each table, how far activity looks back, how late rows come.

    ``first_days`` holds the tables, and the columns as ``table.column``, that are there; ``base`` is the table of activity.
    """

    first_days: Mapping[str, int]
    active_days: int
    arrives_after_days: int
    reference_below: int


@dataclass(frozen=True)
class Cells:
    """What each figure's cells are: dimension, place of the period, group; and where the earlier ones lie."""

    keys: Keys
    earlier: Earlier


def numbers_frame(figures: Mapping[str, list[tuple[Cells, Figures]]], grid: Grid, reach: Reach) -> pd.DataFrame:
    """``COLUMNS``: sorted by KPI, kind, period, dimension and group, in the order of catalog, grid and groups.

    A group is there where anything of it was counted in any period shown. Of a KPI without its table only everybody is.
    """
    import pandas as pd

    parts = []
    for kpi in KPIS:
        if missing(kpi, reach):
            if "scores" not in kpi.needs:
                parts.append(_absent(kpi, grid))
            continue
        parts += [_rows(kpi, cells, found, grid, reach) for cells, found in figures.get(kpi.code, [])]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in (_KPI, _PERIOD, *COLUMNS)}
    order = np.lexsort((columns.pop(_PERIOD), columns.pop(_KPI)))
    frame = pd.DataFrame({name: values[order] for name, values in columns.items()})
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame.astype(dict.fromkeys(_TEXTS, "str") | {"finished": "bool"})


def missing(kpi: Kpi, reach: Reach) -> bool:
    """Whether a table or column that a KPI needs is not there."""
    return any(need not in reach.first_days for need in kpi.needs)


def _absent(kpi: Kpi, grid: Grid) -> dict[str, Column]:
    places = np.flatnonzero([period.shown for period in grid.periods])
    none = np.full(len(places), np.nan)
    empty = Estimates(none, none, none)
    state = np.full(len(places), "no_table", dtype=object)
    groups = np.full(len(places), ALL, dtype=object)
    columns = _columns(kpi, grid, (groups, places, groups), (empty, none, none), state)
    silent = np.full(len(places), "", dtype=object)
    return columns | _compared(empty, none, silent, "") | _compared(empty, none, silent, "_year")


def _rows(kpi: Kpi, cells: Cells, found: Figures, grid: Grid, reach: Reach) -> dict[str, Column]:
    dimension, place, group = cells.keys
    waiting = ~grid.finished(kpi.waits_days + reach.arrives_after_days)[place]
    before_data = grid.ends[place] <= max(reach.first_days[need] for need in kpi.needs)
    known = ~before_data & ~(waiting & (kpi.waits_days > 0))
    value = np.where(known, found.estimates.value, np.nan)
    estimates = Estimates(
        value, *(np.where(np.isnan(value), np.nan, end) for end in (found.estimates.low, found.estimates.high))
    )
    n = np.where(before_data, 0.0, found.n)
    cut = waiting | _cut_before(kpi, grid, reach)[place] | (np.nan_to_num(found.open) > 0)
    few = (n < reach.reference_below) & (kpi.method not in ("total", "derived"))
    nothing = before_data | (np.isnan(value) & ~(cut & (n > 0))) | ((n == 0) & (kpi.method != "total"))
    state = np.select([nothing, cut, few], ["not_enough_data", "censored", "reference"], "ok").astype(object)
    # An open ticket makes a median provisional; what is not finished, or was not seen from the beginning, is no comparison.
    usable = ~waiting & ~_cut_before(kpi, grid, reach)[place] & ~nothing
    figures = Figures(estimates, n, found.open, found.with_before, found.with_year)
    columns = _columns(kpi, grid, cells.keys, (estimates, n, found.open), state)
    for name, places, together in (
        ("", cells.earlier.before, found.with_before),
        ("_year", cells.earlier.year_before, found.with_year),
    ):
        columns |= _change(figures, places, together, (usable, few), name)
    shown = np.array([period.shown for period in grid.periods], dtype=np.bool_)[place]
    alive = {(d, g) for d, g, seen in zip(dimension, group, shown & (n > 0), strict=True) if seen}
    keep = shown & np.array(
        [d == ALL or (d, g) in alive for d, g in zip(dimension, group, strict=True)], dtype=np.bool_
    )
    return {name: values[keep] for name, values in columns.items()}


def _cut_before(kpi: Kpi, grid: Grid, reach: Reach) -> NDArray[np.bool_]:
    """(periods,) whether history does not reach back far enough before each period."""
    if not kpi.past:
        return np.zeros(len(grid.periods), dtype=np.bool_)
    back = 366 if kpi.past == "year" else reach.active_days
    first = reach.first_days.get("base", reach.first_days.get("purchases", 0))
    return np.asarray(grid.starts - back < first)


def _change(
    figures: Figures,
    places: NDArray[np.int64],
    together: NDArray[np.float64],
    sound: tuple[NDArray[np.bool_], ...],
    suffix: str,
) -> dict[str, Column]:
    """The change since an earlier period, with its direction where it is clear and neither figure is for reference only."""
    usable, few = sound
    there = (places >= 0) & usable & usable[places]
    found = change(figures, np.where(there, places, -1), together)
    then = np.where(there, figures.estimates.value[places], np.nan)
    enough = there & ~few & ~few[places]
    direction = np.select(
        [~there | np.isnan(found.value), enough & (found.low > 0), enough & (found.high < 0)],
        ["", "up", "down"],
        "not_clear",
    ).astype(object)
    return _compared(found, then, direction, suffix)


def _compared(
    found: Estimates, then: NDArray[np.float64], direction: NDArray[np.object_], suffix: str
) -> dict[str, Column]:
    return {
        "year_before" if suffix else "before": _rounded(then),
        f"change{suffix}": _rounded(found.value),
        f"change{suffix}_low": _rounded(found.low),
        f"change{suffix}_high": _rounded(found.high),
        f"direction{suffix}": direction,
    }


def _columns(
    kpi: Kpi,
    grid: Grid,
    keys: Keys,
    numbers: tuple[Estimates, NDArray[np.float64], NDArray[np.float64]],
    state: NDArray[np.object_],
) -> dict[str, Column]:
    dimension, place, group = keys
    estimates, n, open_now = numbers
    periods = grid.periods
    finished = grid.finished(0)

    def of_period(values: list[object]) -> NDArray[np.object_]:
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return np.asarray(out[place])

    rows = len(place)
    return {
        _KPI: np.full(rows, _PLACES[kpi.code], dtype=np.float64),
        _PERIOD: place.astype(np.float64),
        "kpi": np.full(rows, kpi.code, dtype=object),
        "kind": of_period([period.kind for period in periods]),
        "period": of_period([period.name for period in periods]),
        "start": of_period([date_of(period.start) for period in periods]),
        "end": of_period([date_of(period.end - 1) for period in periods]),
        "dimension": dimension,
        "group": group,
        "value": _rounded(estimates.value),
        "low": _rounded(estimates.low),
        "high": _rounded(estimates.high),
        "n": _rounded(n),
        "open": _rounded(open_now),
        "unit": np.full(rows, kpi.unit, dtype=object),
        "state": state,
        "finished": finished[place].astype(object),
    }


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """To ten digits, so that the order in which blocks were added up is not seen; whole numbers stay as they are."""
    whole = (values == np.round(values)) & (np.abs(values) < _LARGEST_EXACT)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where((values == 0) | ~np.isfinite(values), 0, np.floor(np.log10(np.abs(values))))
    unit = 10.0 ** (_DIGITS - 1 - size)
    # Sums that should be nought differ from it by the last bits of their parts.
    return np.where(whole | ~np.isfinite(values), values, np.round(values * unit) / unit) + 0.0
