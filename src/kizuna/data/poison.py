"""Another world with the same past: everything that was not yet known on a day is rewritten, and only that.

A row was known if its day and its known day lie before the day; of a known row only the values that fill in later and
had not come by then are rewritten. All other rows get other values, days and customers, some are left out, and new ones
come: on later days, and, where the table can bring news late, on earlier days but known too late. Every choice is drawn
from a hash of the seed, the row and the cell, so that the same seed gives the same world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kizuna.data.contract import COMES_WITH, CONTRACTS, FILLS_IN_LATER, KINDS, Field
from kizuna.data.events import UNDATED, Events
from kizuna.data.sources import literal, quote
from kizuna.data.store import Store, TableInfo

_NUMBERS = (1e12, -1e12, -7e11, 1e6, 0.1, 1e-9, 0.0, 3.0)
_SAMPLED_LEVELS = 40


@dataclass(frozen=True)
class Poisoned:
    """What was done to one table.

    ``known`` rows stayed; ``rewritten``, ``dropped`` and ``added`` count the others. ``filled_in``: values of known rows
    that had not come by the day. ``values``: how many values were written in all.
    """

    table: str
    known: int
    rewritten: int
    dropped: int
    added: int
    filled_in: int
    values: int

    @property
    def unknown(self) -> int:
        """How many rows of the shop's own lie beyond the day."""
        return self.rewritten + self.dropped


def poisoned(store: Store, as_of: int, seed: int) -> tuple[Store, list[Poisoned]]:
    """The store as it could look later, over the same connection, and what was done to each table.

    Customers keep their numbers; new ones get higher numbers, which have no id.
    """
    newcomers = max(10, store.customers // 100)
    world = replace(
        store,
        tables=dict(store.tables),
        findings=[],
        customers=store.customers + newcomers,
        prefix="poisoned_",
    )
    return world, [_poison_table(world, store, name, _Draw(as_of, seed, name)) for name in store.tables]


def mixed(store: Store, world: Store, table: str, customer: int, other: str) -> Events:
    """One customer's rows of a table, from ``world`` where the SQL condition ``other`` holds and else from the store."""
    info = store.tables[table]
    texts = [item.name for item in info.columns if item.kind in ("text", "code")]
    spelled = ", ".join(f"CAST({quote(name)} AS VARCHAR) AS {quote(name)}" for name in texts)
    select = f"SELECT * {f'REPLACE ({spelled})' if spelled else ''} FROM"
    blend = replace(store, tables={table: info}, prefix="mixed_")
    blend.connection.execute(f"DROP TABLE IF EXISTS {blend.relation(table)}")
    blend.write_table(
        table,
        f"{select} {store.relation(table)} WHERE customer = {customer} AND NOT ({other}) UNION ALL BY NAME "
        f"{select} {world.relation(table)} WHERE customer = {customer} AND ({other})",
    )
    return blend.events(table, customer, customer + 1)


def drop_poisoned(world: Store) -> None:
    """Lets go of a poisoned store's tables."""
    for table in world.tables:
        for prefix in (world.prefix, "mixed_"):
            world.connection.execute(f"DROP TABLE IF EXISTS {quote(prefix + table)}")


@dataclass(frozen=True)
class _Draw:
    """SQL of choices that depend on the seed, the table, the row and the name of the choice."""

    as_of: int
    seed: int
    table: str

    def below(self, name: str, count: int) -> str:
        """A whole number from 0 to ``count`` − 1."""
        return (
            f"CAST(hash(poison_row, poison_origin, {literal(f'{self.seed}|{self.table}|{name}')}) % {count} AS INTEGER)"
        )

    def one_of(self, name: str, choices: Sequence[str]) -> str:
        """One of several SQL expressions, each as likely as the others."""
        cases = " ".join(f"WHEN {index} THEN {choice}" for index, choice in enumerate(choices[:-1]))
        return f"CASE {self.below(name, len(choices))} {cases} ELSE {choices[-1]} END" if cases else choices[0]


def _poison_table(world: Store, store: Store, table: str, draw: _Draw) -> Poisoned:
    info, connection, as_of = store.tables[table], store.connection, draw.as_of
    texts = [item for item in info.columns if item.kind in ("text", "code")]
    spelled = ", ".join(f"CAST({quote(item.name)} AS VARCHAR) AS {quote(item.name)}" for item in texts)
    # One row in so many is a pattern for a new one; a small table needs more of them.
    every = 2 if info.rows < 1_000 else 8
    source = (
        f"SELECT * {f'REPLACE ({spelled})' if spelled else ''}, rowid AS poison_row, 0 AS poison_origin, "
        f"(day < {as_of} AND known < {as_of}) AS poison_past FROM {store.relation(table)}"
    )
    parts = [f"SELECT {_kept(info, draw)} FROM ({source}) WHERE poison_past"]
    if _can_be_unknown(info):
        moved = _moved(info, draw, store.customers, world.customers)
        levels = {item.name: _levels(store, table, item.name) for item in texts}
        for origin, chosen in (
            (1, f"NOT poison_past AND {draw.below('drop', 5)} > 0"),
            (2, f"{draw.below('pattern', every)} = 0"),
        ):
            rows = f"SELECT * FROM (SELECT * REPLACE ({origin} AS poison_origin) FROM ({source})) WHERE {chosen}"
            parts.append(f"SELECT {_rewritten(info, draw, levels)} FROM (SELECT * REPLACE ({moved}) FROM ({rows}))")
    connection.execute(f"DROP TABLE IF EXISTS {world.relation(table)}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE poison AS {' UNION ALL '.join(parts)}")
    _keep_keys(world, table)
    world.write_table(table, "SELECT * EXCLUDE (poison_row, poison_origin, poison_past) FROM poison")
    done = _counted(store, table, as_of)
    connection.execute("DROP TABLE poison")
    _note_table(world, info)
    return done


def _dated_by(info: TableInfo) -> str | None:
    name = "valid_from" if info.name == "customers" else CONTRACTS[info.name].dated_by
    return name if any(item.name == name for item in info.columns) else None


def _can_be_unknown(info: TableInfo) -> bool:
    return _dated_by(info) is not None or info.lag_days is None


def _kept(info: TableInfo, draw: _Draw) -> str:
    """SQL of a known row's columns: what had not filled in by the day does so on another day from there on, or never."""
    names = {item.name for item in info.columns}
    cells = ["customer", "day", "known", "poison_row", "poison_origin", "poison_past"]
    for item in info.columns:
        column, name = quote(item.name), f"later {item.name}"
        if item.name == "customer_id":
            continue
        if item.name in COMES_WITH:
            comes = COMES_WITH[item.name]
            open_then = f"({comes} IS NULL OR {comes} >= {draw.as_of})" if comes in names else "true"
            cells.append(f"CASE WHEN {open_then} THEN {_value(item, draw, name, ())} ELSE {column} END AS {column}")
        elif item.name in FILLS_IN_LATER:
            later = draw.one_of(name, ("NULL", f"{draw.as_of}", f"{draw.as_of} + {draw.below(name + ' days', 400)}"))
            open_then = f"({column} IS NULL OR {column} >= {draw.as_of})"
            cells.append(f"CASE WHEN {open_then} THEN {later} ELSE {column} END AS {column}")
        else:
            cells.append(column)
    return ", ".join(cells)


def _moved(info: TableInfo, draw: _Draw, customers: int, all_customers: int) -> str:
    """SQL of the customer, day and known day that an unknown row gets: on a later day, or earlier but known too late."""
    as_of = draw.as_of
    later = f"{as_of} + {draw.one_of('ahead', ('0', draw.below('ahead days', 120)))}"
    is_late = f"{draw.below('late', 2)} = 0"
    if _dated_by(info) is None:
        day, known = "day", f"{as_of} + {draw.below('known', 30)}"
    elif info.lag_days is None:
        back = f"CASE WHEN day < {as_of} THEN day ELSE {as_of} - 1 - {draw.below('back', 250)} END"
        day = f"CASE WHEN {is_late} THEN {back} ELSE {later} END"
        # A later row's known day is its own or after it; an earlier row's is the day itself or after it.
        known = f"greatest({as_of}, {day}) + {draw.one_of('known', ('0', draw.below('known days', 30)))}"
    elif info.lag_days > 0:
        day = f"CASE WHEN {is_late} THEN {as_of} - 1 - {draw.below('back', info.lag_days)} ELSE {later} END"
        known = f"{day} + {info.lag_days}"
    else:
        day = known = later
    anyone = draw.one_of("newcomer", (draw.below("customer", customers), draw.below("customer", all_customers)))
    newcomer = f"{customers} + {draw.below('new customer', all_customers - customers)}"
    customer = draw.one_of("who", ("customer", "customer", "customer", anyone, newcomer))
    return f"CAST({customer} AS INTEGER) AS customer, CAST({day} AS INTEGER) AS day, CAST({known} AS INTEGER) AS known"


def _rewritten(info: TableInfo, draw: _Draw, levels: dict[str, tuple[str, ...]]) -> str:
    """SQL of an unknown row's columns, after its customer and days have changed."""
    dated_by, names = _dated_by(info), {item.name for item in info.columns}
    cells = ["customer", "day", "known", "poison_row", "poison_origin", "poison_past"]
    for item in info.columns:
        column = quote(item.name)
        if item.name == "customer_id":
            continue
        if item.name == dated_by:
            own = "day + 1" if info.name == "features" else "day"
            value = f"CASE WHEN day > {UNDATED} THEN {own} END"
        elif item.name == "known_at":
            value = "known"
        elif item.name == "is_return" and "amount" in names:
            value = f"({_value(_field(info, 'amount'), draw, 'amount', ())} < 0)"
        else:
            value = _value(item, draw, item.name, levels.get(item.name, ()))
        cells.append(f"{value} AS {column}")
    return ", ".join(cells)


def _field(info: TableInfo, name: str) -> Field:
    return next(item for item in info.columns if item.name == name)


def _value(item: Field, draw: _Draw, name: str, levels: tuple[str, ...]) -> str:
    """SQL of another value of a column: what it was, an extreme, or nothing where it may be empty."""
    column, empty = quote(item.name), [] if item.required else ["NULL"]
    if item.kind == "number":
        return draw.one_of(name, (column, *(f"CAST({number!r} AS DOUBLE)" for number in _NUMBERS), *empty))
    if item.kind == "flag":
        return draw.one_of(name, ("true", "false", *empty))
    if item.kind == "time":
        around = f"{draw.as_of} - 400 + {draw.below(name + ' days', 900)}"
        return draw.one_of(name, (column, f"{draw.as_of}", around, *empty))
    other = draw.one_of(name + " level", tuple(literal(level) for level in levels)) if levels else column
    return draw.one_of(name, (column, other, other, *empty))


def _levels(store: Store, table: str, column: str) -> tuple[str, ...]:
    """Some of a text column's levels and two new ones; where the contract knows all kinds, these."""
    if column == "kind" and table in KINDS:
        return KINDS[table]
    found = store.connection.execute(
        f"SELECT level FROM (SELECT DISTINCT CAST({quote(column)} AS VARCHAR) AS level FROM {store.relation(table)}) "
        f"WHERE level IS NOT NULL ORDER BY hash(level), level LIMIT {_SAMPLED_LEVELS}"
    ).fetchall()
    # One before all others and one behind most, so that every level's place among them changes.
    return ("! poison", *(row[0] for row in found), "poison")


def _keep_keys(world: Store, table: str) -> None:
    """One row per key stays where the contract wants it so; what was known always does."""
    if CONTRACTS[table].key:
        world.connection.execute(
            "CREATE OR REPLACE TEMP TABLE poison AS SELECT * FROM poison "
            "QUALIFY row_number() OVER (PARTITION BY customer, day ORDER BY poison_origin, poison_row) = 1"
        )


def _counted(store: Store, table: str, as_of: int) -> Poisoned:
    info, connection = store.tables[table], store.connection
    names = {item.name for item in info.columns}
    comes = {name: COMES_WITH.get(name, name) for name in names & FILLS_IN_LATER}
    still_open = " + ".join(
        f"count(*) FILTER (WHERE poison_origin = 0 AND NOT coalesce({quote(column)} < {as_of}, false))"
        if column in names
        else "count(*) FILTER (WHERE poison_origin = 0)"
        for column in comes.values()
    )
    origins = ", ".join(f"count(*) FILTER (WHERE poison_origin = {origin})" for origin in (0, 1, 2))
    counts = connection.execute(f"SELECT {origins}, {still_open or '0'} FROM poison").fetchall()[0]
    known, rewritten, added, filled_in = (int(count) for count in counts)
    rows = int(connection.execute(f"SELECT count(*) FROM {store.relation(table)}").fetchall()[0][0])
    values = (rewritten + added) * sum(name not in ("customer_id", "known_at") for name in names) + filled_in
    return Poisoned(table, known, rewritten, rows - known - rewritten, added, filled_in, values)


def _note_table(world: Store, info: TableInfo) -> None:
    usable = f"FILTER (WHERE day > {UNDATED} AND day <= {world.today})"
    rows, first, last, future = world.connection.execute(
        f"SELECT count(*), min(day) {usable}, max(day) {usable}, count(*) FILTER (WHERE day > {world.today}) "
        f"FROM {world.relation(info.name)}"
    ).fetchall()[0]
    world.tables[info.name] = replace(info, rows=int(rows), first_day=first, last_day=last, future_rows=int(future))
