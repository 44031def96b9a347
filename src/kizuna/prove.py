"""``kizuna check --prove``: the features of a day, built from the tables as they are and again with their future rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.blocks import Block
from kizuna.data.contract import FILLS_IN_LATER
from kizuna.data.poison import Poisoned, drop_poisoned, mixed, poisoned
from kizuna.data.store import Store
from kizuna.errors import DataMissing
from kizuna.features.families import families_of
from kizuna.features.family import Family
from kizuna.features.frame import Tables, block_values
from kizuna.features.plan import FeaturePlan
from kizuna.features.planning import earliest_day, make_plan
from kizuna.features.rows import Rows, every_pair
from kizuna.labels.definition import definition_of
from kizuna.labels.training_set import default_train_day
from kizuna.timeline import date_of

if TYPE_CHECKING:
    from kizuna.project import Project

# What a moved feature reads is looked for in this many of them.
_TRACED = 20
_OTHERS = "rows of other customers, or the codes of texts, which all rows decide"


@dataclass(frozen=True)
class Moved:
    """A feature that changed with the future: on how many customers, one of them with both values, and what it reads."""

    feature: str
    family: str
    customers: int
    customer_id: str
    before: float
    after: float
    reads: str


@dataclass(frozen=True)
class Proof:
    """What was rewritten, how much was compared, and what moved. ``only_in_one``: columns of one world's plan alone."""

    as_of: int
    chosen: bool
    tables: list[Poisoned]
    customers: int
    features: int
    moved: list[Moved]
    only_in_one: list[str]

    @property
    def identical(self) -> bool:
        """Whether nothing moved."""
        return not self.moved and not self.only_in_one

    @property
    def exit_code(self) -> int:
        """0 where nothing moved, else 13."""
        return 0 if self.identical else 13

    def to_json(self) -> dict[str, Any]:
        """The proof as one JSON object."""
        return {
            "exit_code": self.exit_code,
            "as_of": date_of(self.as_of).isoformat(),
            "identical": self.identical,
            "tables": [asdict(table) for table in self.tables],
            "customers": self.customers,
            "features": self.features,
            "values_compared": self.customers * self.features,
            "moved": [asdict(moved) for moved in self.moved],
            "only_in_one": self.only_in_one,
        }


def prove(project: Project, as_of: int | None = None) -> Proof:
    """The proof for one day: every family's features of every customer, in both worlds, block by block.

    ``as_of`` None: the newest day whose churn label could have matured. DataMissing where nothing was known by then, or
    everything was.
    """
    store = project.store
    definition = definition_of(project.config)
    day = default_train_day(store, definition) - definition.horizon_days if as_of is None else as_of
    first = earliest_day(store)
    if first is not None and day <= first:
        raise DataMissing(
            f"A proof was asked for {date_of(day)}, but the data begin on {date_of(first)}. Choose a later --as-of."
        )
    features = project.config.features.model_copy(update={"families": "all"})
    config = project.config.model_copy(update={"features": features})
    world, tables = poisoned(store, day, config.model.seed)
    try:
        if not sum(table.unknown for table in tables):
            raise DataMissing(
                f"A proof was asked for {date_of(day)}, but every row was known before that day, so there is no future to "
                "rewrite. Choose an earlier --as-of."
            )
        plans = (make_plan(store, config, [day], _everyone), make_plan(world, config, [day], _everyone))
        names = [[column.name for column in plan.columns] for plan in plans]
        pair = _Pair(store, world, plans, families_of(config), day)
        return Proof(
            as_of=day,
            chosen=as_of is None,
            tables=tables,
            customers=store.customers,
            features=len(pair.names),
            moved=_moved(pair),
            only_in_one=[name for name in dict.fromkeys(names[0] + names[1]) if name not in pair.names],
        )
    finally:
        drop_poisoned(world)


def proof_lines(proof: Proof) -> list[str]:
    """The proof for a reader."""
    day = date_of(proof.as_of)
    chosen = (
        " (the newest day whose churn label could have matured; choose another with --as-of)" if proof.chosen else ""
    )
    lines = [f"Everything that was not known before {day} is rewritten{chosen}."]
    heads = ("rows known", "rewritten", "left out", "added", "still open", "values")
    lines.append(f"{'table':<14}" + "".join(f"{head:>12}" for head in heads))
    for table in proof.tables:
        counts = (table.known, table.rewritten, table.dropped, table.added, table.filled_in, table.values)
        lines.append(f"{table.table:<14}" + "".join(f"{count:>12,}" for count in counts))
    lines.append(
        f"{proof.customers * proof.features:,} feature values compared: {proof.features:,} features of "
        f"{proof.customers:,} customers."
    )
    if proof.identical:
        return [*lines, f"Identical: no feature of {day} reads what was not yet known."]
    for moved in proof.moved:
        others = f" (and of {moved.customers - 1:,} others)" if moved.customers > 1 else ""
        lines.append(
            f"MOVED feature {moved.feature} of customer {moved.customer_id}{others} on {day} changed from "
            f"{_figure(moved.before)} to {_figure(moved.after)} when only the future was rewritten: it reads {moved.reads}."
        )
    lines += [f"MOVED feature {name} is there or not by what was known only later." for name in proof.only_in_one]
    count, every = len(proof.moved) + len(proof.only_in_one), proof.features + len(proof.only_in_one)
    do = "does" if count == 1 else "do"
    return [*lines, f"Not point-in-time: {count:,} of {every:,} features {do} not rest on the known past alone."]


def _figure(value: float) -> str:
    return "null" if np.isnan(value) else f"{value:g}"


@dataclass(frozen=True)
class _Pair:
    """Both worlds, each with its own plan, and the day."""

    store: Store
    world: Store
    plans: tuple[FeaturePlan, FeaturePlan]
    families: list[Family]
    as_of: int

    @cached_property
    def names(self) -> list[str]:
        """The columns of both plans."""
        others = set(self.plans[1].names)
        return [name for name in self.plans[0].names if name in others]

    @cached_property
    def position(self) -> dict[str, int]:
        """The place of each of these names."""
        return {name: index for index, name in enumerate(self.names)}

    def values(self, tables: Tables, customers: int, world: int, only: Sequence[str] | None = None) -> NDArray[Any]:
        """(customers, names) of one world's tables; ``only``: of these families' columns, the others are NaN."""
        plan = self.plans[world]
        families = [family for family in self.families if only is None or family.name in only]
        mine = {family.name for family in families}
        columns = tuple(column for column in plan.columns if column.family in mine)
        rows = every_pair(customers, [self.as_of])
        built = block_values(tables, rows, replace(plan, columns=columns), families)
        out = np.full((customers, len(self.names)), np.nan, order="F")
        for index, column in enumerate(columns):
            if column.name in self.position:
                out[:, self.position[column.name]] = built[:, index]
        return out


def _everyone(tables: Tables, rows: Rows) -> NDArray[np.bool_]:
    return np.ones(len(rows), dtype=np.bool_)


def _differs(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.bool_]:
    """Where two arrays of float64 are not the same bits; one NaN is like another."""
    same = (before.view(np.int64) == after.view(np.int64)) | (np.isnan(before) & np.isnan(after))
    return np.asarray(~same)


def _moved(pair: _Pair) -> list[Moved]:
    """The features that differ anywhere, in the plan's order, each with its first customer."""
    names = pair.names

    def compare(block: Block) -> tuple[NDArray[np.int64], dict[int, tuple[int, float, float]]]:
        before = pair.values(block.tables, block.customers, 0)
        # Two halves: what a customer's features are does not depend on who stands in the same block.
        middle = (block.low + block.high) // 2
        halves = [pair.world.block(*ends) for ends in ((block.low, middle), (middle, block.high))]
        after = np.concatenate([pair.values(half.tables, half.customers, 1) for half in halves])
        differs = _differs(before, after)
        counts = differs.sum(axis=0)
        examples = {}
        for column in np.flatnonzero(counts):
            row = int(np.argmax(differs[:, column]))
            examples[int(column)] = (block.low + row, float(before[row, column]), float(after[row, column]))
        return counts, examples

    total = np.zeros(len(names), np.int64)
    first: dict[int, tuple[int, float, float]] = {}
    for counts, examples in pair.store.map(compare, "proof"):
        total += counts
        first = examples | first
    family = {column.name: column.family for column in pair.plans[0].columns}
    found = {names[column]: first[column][0] for column in sorted(first)}
    reads = _trace(pair, dict(list(found.items())[:_TRACED]), family)
    return [
        Moved(
            feature=name,
            family=family[name],
            customers=int(total[column]),
            customer_id=str(pair.store.ids(first[column][0], first[column][0] + 1)[0]),
            before=first[column][1],
            after=first[column][2],
            reads=reads.get(name, "what was not yet known"),
        )
        for column, name in ((column, names[column]) for column in sorted(first))
    ]


def _trace(pair: _Pair, found: dict[str, int], family: dict[str, str]) -> dict[str, str]:
    """What each moved feature reads, seen by rewriting one thing at a time for its example customer."""
    reads: dict[str, list[str]] = {name: [] for name in found}
    for customer in sorted(set(found.values())):
        mine = [name for name, example in found.items() if example == customer]
        columns = [pair.position[name] for name in mine]
        only = sorted({family[name] for name in mine})
        own = dict(pair.store.block(customer, customer + 1).tables)
        for table in own:
            aspects = [("", "false"), *_aspects(pair, table)]
            events = [mixed(pair.store, pair.world, table, customer, condition) for _, condition in aspects]
            before, *after = [pair.values(own | {table: mix}, 1, 0, only)[:, columns] for mix in events]
            for (words, _), values in zip(aspects[1:], after, strict=True):
                for name, has_moved in zip(mine, _differs(before, values)[0], strict=True):
                    reads[name] += [words] * bool(has_moved)
    return {name: " and ".join(words) or _OTHERS for name, words in reads.items()}


def _aspects(pair: _Pair, table: str) -> list[tuple[str, str]]:
    """The parts of a table that were rewritten, in words and as SQL conditions on its rows."""
    day, as_of = date_of(pair.as_of), pair.as_of
    later = [item.name for item in pair.store.tables[table].columns if item.name in FILLS_IN_LATER]
    known = f"day < {as_of} AND known < {as_of}"
    return [
        (f"rows of {table} dated {day} or later", f"day >= {as_of}"),
        (f"rows of {table} that became known on {day} or later", f"day < {as_of} AND known >= {as_of}"),
        *([(f"{', '.join(later)} of {table} before they come", known)] if later else []),
    ]
