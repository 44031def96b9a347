"""Everything about KPIs of a span of time: the numbers, the migration table, what was restated, the definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.blocks import Block
from kizuna.data.store import Store
from kizuna.errors import ConfigError, DataMissing
from kizuna.kpi import repeats, retention, voices
from kizuna.kpi.catalog import BY_CODE, KPIS
from kizuna.kpi.facts import Facts
from kizuna.kpi.figures import Figures, derived, earlier_cells, figures_of, median_figures, years_of
from kizuna.kpi.frozen import compared, read_published, restated, with_new
from kizuna.kpi.groups import Groups, group_codes, groups_of
from kizuna.kpi.migration import migration_frame, moves
from kizuna.kpi.moments import Measured, Spells, added, cells, moments, spell_counts
from kizuna.kpi.numbers import Cells, Reach, numbers_frame
from kizuna.kpi.periods import Grid, grid_of
from kizuna.kpi.scene import Published, Scene, Terms
from kizuna.kpi.standing import Base, standing
from kizuna.kpi.wording import definitions_frame
from kizuna.labels.definition import definition_of
from kizuna.labels.training_set import default_train_day
from kizuna.lists.publication import lists_before
from kizuna.timeline import date_of, day_of

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_DAYS = 365
# A touchpoint of fewer answers has no figures of its own: its name may be about one customer.
_FEWEST_ANSWERS = 5
ALWAYS = -(2**30)
Key = tuple[str, str, str]


@dataclass(frozen=True)
class KpiPack:
    """The KPIs as they stood on the morning of ``known_before``.

    ``numbers``: see ``numbers.COLUMNS``, with what was published of each. ``migration``: see ``migration.COLUMNS``.
    ``restated``: see ``frozen.RESTATED``. ``definitions``: a row per KPI with its words in every language.
    ``published``: what is published once this run is written. ``settings``: the figures that definitions mention.
    """

    name: str
    known_before: date
    currency: str | None
    basis: str
    numbers: pd.DataFrame
    migration: pd.DataFrame
    restated: pd.DataFrame
    definitions: pd.DataFrame
    published: pd.DataFrame
    settings: Mapping[str, str]


def kpi_pack(store: Store, config: Config, first: date, last: date) -> KpiPack:
    """The KPIs of the months, quarters and fiscal years that begin on the days ``first`` … ``last``.

    It stands on the morning after ``last``, or after the data's newest day where that is earlier: what was known later is
    not seen. Nothing is written. Errors: ConfigError for days that hold no month; DataMissing where the data begin later.
    """
    if last < first:
        raise ConfigError(f"KPIs were asked for from {first} to {last}, which is earlier. Swap the two days.")
    definition = definition_of(config)
    known_before = min(default_train_day(store, definition), day_of(last) + 1)
    base = base_of(store, config)
    reach = _reach(store, config, base, known_before)
    if not any(day < known_before for day in reach.first_days.values() if day != ALWAYS):
        begins = store.tables[store.label_table].first_day
        what = (
            "hold no dated row. Load purchases, subscriptions or other events with their days"
            if begins is None
            else f"begin on {date_of(begins)}. Choose later days"
        )
        raise DataMissing(f"KPIs were asked for {first} to {last}, but the data {what}.")
    if day_of(first) >= known_before:
        raise DataMissing(
            f"KPIs were asked for {first} to {last}, but the data end on {date_of(known_before - 1)}. Choose earlier days."
        )
    grid = grid_of(day_of(first), day_of(last), known_before, config.kpi)
    groups, horizon = groups_of(store, known_before), config.cltv.horizon_days
    published = _published_values(config, grid)
    if published:
        reach = _with(reach, {"scores": min(published) - 1})
    terms = Terms(
        base,
        config.cltv.margin,
        horizon if isinstance(horizon, int) else _FORMULA_DAYS,
        tuple(config.kpi.referral_channels),
        published,
    )
    sums, spells, moved = _summed(store, grid, groups, terms)
    figures = _figures(sums, spells, grid, groups, terms)
    numbers = numbers_frame(figures, grid, reach)
    basis, settings = basis_of(config, base), words_of(config, base)
    before = read_published(config.output_dir / "kpi")
    after = with_new(before, numbers, date_of(known_before), basis)
    # A run that stands earlier than what was published knows less, and says nothing against it.
    theirs = after[after["known_before"] <= np.datetime64(date_of(known_before))]
    return KpiPack(
        name=config.name,
        known_before=date_of(known_before),
        currency=config.data.currency,
        basis=basis,
        numbers=compared(numbers, theirs),
        migration=migration_frame(moved, grid, reach.arrives_after_days),
        restated=restated(numbers, theirs, basis),
        definitions=definitions_frame(settings),
        published=after,
        settings=settings,
    )


def base_of(store: Store, config: Config) -> Base:
    """What makes a customer active: the churn definition's, and of provided labels purchases in a time, else contracts."""
    kind = config.churn.definition
    if kind == "provided":
        kind = "inactivity" if "purchases" in store.tables or "subscriptions" not in store.tables else "cancellation"
    return Base(kind, config.churn.active_within_days, config.kpi.regular_orders)


def basis_of(config: Config, base: Base) -> str:
    """The settings that a figure depends on, as one text."""
    active = f"bought within {base.active_days} days" if base.kind == "inactivity" else "live contract"
    return (
        f"active: {active}; regular: {base.regular_orders} orders a year; margin {config.cltv.margin:g}; "
        f"referral: {', '.join(config.kpi.referral_channels)}"
    )


def words_of(config: Config, base: Base) -> dict[str, str]:
    """The figures that definitions mention, by their places."""
    horizon = config.cltv.horizon_days
    return {
        "active_days": str(base.active_days),
        "active": base.kind,
        "regular_orders": str(base.regular_orders),
        "horizon_days": str(horizon if isinstance(horizon, int) else _FORMULA_DAYS),
        "margin": f"{config.cltv.margin:g}",
        "reference_below": str(config.kpi.reference_below),
        "referral_channels": ", ".join(config.kpi.referral_channels),
    }


def _reach(store: Store, config: Config, base: Base, known_before: int) -> Reach:
    """The first known day of each table, and of each column as its table's; ``known_before`` where nothing is known yet."""
    found: dict[str, int] = {}
    for name, info in store.tables.items():
        first = store.first_known_day(name, known_before)
        # Customers are there from the beginning, whether or not their rows are dated.
        found[name] = ALWAYS if name == "customers" else known_before if first is None else first
        found |= {f"{name}.{column.name}": found[name] for column in info.columns}
    if base.table in found:
        found["base"] = found[base.table]
    source = config.data.tables.get(base.table)
    active = base.active_days if base.kind == "inactivity" else 0
    late = source.arrives_after_days if source else 0
    return Reach(found, active, late, config.kpi.reference_below)


def _with(reach: Reach, days: Mapping[str, int]) -> Reach:
    return Reach({**reach.first_days, **days}, reach.active_days, reach.arrives_after_days, reach.reference_below)


def _published_values(config: Config, grid: Grid) -> Published:
    """The values published last in each period or on the morning after it, by day, where the model gave any."""
    import pandas as pd

    there = {day_of(item.as_of): item for item in lists_before(config.output_dir, date_of(grid.known_before + 1))}
    spans = list(zip(grid.starts.tolist(), grid.ends.tolist(), strict=True))
    newest = {max((day for day in there if start < day <= end), default=None) for start, end in spans}
    found: dict[int, Mapping[str, float]] = {}
    for day in sorted(day for day in newest if day is not None):
        scores = pd.read_parquet(there[day].file("scores.parquet"), columns=["customer_id", "cltv"]).dropna()
        if len(scores):
            found[day] = dict(zip(scores["customer_id"], scores["cltv"].astype(float), strict=True))
    return found


def _summed(
    store: Store, grid: Grid, groups: Groups, terms: Terms
) -> tuple[dict[Key, NDArray[np.float64]], dict[str, NDArray[np.int64]], NDArray[np.float64]]:
    """Moments by KPI, dimension and group ("" for every dimension's groups), counts of spells, and moves of all blocks."""

    def look(block: Block) -> dict[str, Any]:
        facts = Facts(block.tables, grid.known_before, block.customers)
        scene = Scene(facts, grid, standing(facts, terms.base, grid.days), terms, block.ids())
        codes = group_codes(facts, groups, grid, scene.standing)
        sums: dict[Key, NDArray[np.float64]] = {}
        spells: dict[str, NDArray[np.int64]] = {}
        for item in _measures(scene):
            if isinstance(item, Spells):
                spells[item.name] = spell_counts(item, codes, grid, groups)
            else:
                sums[item.name, *(item.group or ("", ""))] = moments(item, codes, grid, groups)
        return {"sums": sums, "spells": spells, "moves": moves(scene)}

    sums: dict[Key, NDArray[np.float64]] = {}
    spells: dict[str, list[NDArray[np.int64]]] = {}
    moved: NDArray[np.float64] | None = None
    for found in store.map(look, "KPIs"):
        for key, values in found["sums"].items():
            sums[key] = sums[key] + values if key in sums else values
        for name, rows in found["spells"].items():
            spells.setdefault(name, []).append(rows)
        moved = found["moves"] if moved is None else moved + found["moves"]
    return sums, {name: added(parts) for name, parts in spells.items()}, np.asarray(moved)


def _measures(scene: Scene) -> Iterator[Measured | Spells]:
    for room in (retention, repeats, voices):
        yield from room.measures(scene)


def _figures(
    sums: Mapping[Key, NDArray[np.float64]],
    spells: Mapping[str, NDArray[np.int64]],
    grid: Grid,
    groups: Groups,
    terms: Terms,
) -> dict[str, list[tuple[Cells, Figures]]]:
    """Each KPI's figures by cell; those of touchpoints after those of everybody's groups."""
    sizes = groups.sizes.tolist()
    every = cells(grid, groups)
    everyone = _cells([(d, p, g) for d, p, g in every], grid, sizes)
    found = {
        key[0]: figures_of(BY_CODE[key[0]], values, everyone.earlier) for key, values in sums.items() if not key[1]
    }
    found |= {name: median_figures(rows, len(every)) for name, rows in spells.items()}
    if "churn_rate" in found:
        found |= derived(found, years_of(grid, sizes), terms.cltv_horizon_days / 365)
    out = {kpi.code: [(everyone, found[kpi.code])] for kpi in KPIS if kpi.code in found}
    for code, dimension, group in sorted(key for key in sums if key[1]):
        apart = _cells([(dimension, place, group) for place in range(len(grid.periods))], grid, [1])
        figures = figures_of(BY_CODE[code], sums[code, dimension, group], apart.earlier)
        if np.any(figures.n >= _FEWEST_ANSWERS):
            out[code].append((apart, figures))
    return out


def _cells(keys: list[tuple[str, int, str]], grid: Grid, sizes: list[int]) -> Cells:
    dimension, group = (np.array([key[part] for key in keys], dtype=object) for part in (0, 2))
    return Cells((dimension, np.array([key[1] for key in keys], dtype=np.int64), group), earlier_cells(grid, sizes))
