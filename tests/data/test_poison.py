"""The other world: what was known stays to the letter, what was not is rewritten."""

from __future__ import annotations

import pytest
from tests.features.shops import FIRST, LAST, random_shop

from kizuna.data.contract import CONTRACTS
from kizuna.data.knowable import knowable_fingerprints
from kizuna.data.poison import Poisoned, drop_poisoned, poisoned
from kizuna.data.store import Store

DAYS = (FIRST - 100, (FIRST + LAST) // 2, LAST - 50)
STYLES = ("full", "mixed", "lean", "undated")


def poisoned_shop(seed: int, style: str, as_of: int) -> tuple[Store, Store, dict[str, Poisoned]]:
    store = random_shop(seed, style).project().opened
    world, done = poisoned(store, as_of, seed)
    return store, world, {one.table: one for one in done}


def rows_of(store: Store, table: str) -> list[tuple[object, ...]]:
    return store.connection.execute(f"SELECT * FROM {store.relation(table)}").fetchall()


def one_number(store: Store, query: str) -> int:
    return int(store.connection.execute(query).fetchall()[0][0])


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("as_of", DAYS)
def test_what_was_known_stays_and_the_rest_does_not(style: str, as_of: int) -> None:
    store, world, done = poisoned_shop(3, style, as_of)
    assert knowable_fingerprints(world, as_of) == knowable_fingerprints(store, as_of)
    for table, one in done.items():
        past = f"day < {as_of} AND known < {as_of}"
        rows = one_number(store, f"SELECT count(*) FROM {store.relation(table)}")
        assert one.known == one_number(store, f"SELECT count(*) FROM {store.relation(table)} WHERE {past}")
        assert one.known + one.unknown == rows
        assert one.known + one.rewritten + one.added == len(rows_of(world, table)) == world.tables[table].rows
        assert one_number(world, f"SELECT count(*) FROM {world.relation(table)} WHERE known < day") == 0
        if one.unknown > 5:
            later = f"SELECT * FROM {{}} WHERE NOT ({past})"
            before = set(store.connection.execute(later.format(store.relation(table))).fetchall())
            after = store.connection.execute(later.format(world.relation(table))).fetchall()
            assert one.dropped > 0 or one.unknown < 20
            assert sum(row in before for row in after) < len(after) / 4


def test_news_comes_late_to_tables_that_can_bring_it_late_and_to_newcomers() -> None:
    as_of = (FIRST + LAST) // 2
    store, world, _ = poisoned_shop(5, "full", as_of)
    for table in ("purchases", "complaints", "loyalty"):
        late = f"SELECT count(*) FROM {world.relation(table)} WHERE day < {as_of} AND known >= {as_of}"
        new = f"SELECT count(*) FROM {world.relation(table)} WHERE customer >= {store.customers}"
        assert one_number(world, late) > 0
        assert one_number(world, new) > 0
    lean, without, _ = poisoned_shop(5, "lean", as_of)
    assert lean.tables["purchases"].lag_days == 0
    assert one_number(without, f"SELECT count(*) FROM {without.relation('purchases')} WHERE known <> day") == 0


def test_a_table_that_always_arrives_as_late_does_so_here_too() -> None:
    as_of = (FIRST + LAST) // 2
    shop = random_shop(2, "lean")
    tables = {name: {"arrives_after_days": 9} for name in shop.rows}
    store = shop.project(data={"tables": tables}).opened
    world, _ = poisoned(store, as_of, 1)
    late = f"SELECT count(*) FROM {world.relation('purchases')}"
    assert one_number(world, f"{late} WHERE known <> day + 9") == 0
    assert one_number(world, f"{late} WHERE day < {as_of} AND known >= {as_of}") > 0


@pytest.mark.parametrize("style", ["full", "mixed", "undated"])
def test_keys_stay_unique(style: str) -> None:
    _, world, _ = poisoned_shop(1, style, (FIRST + LAST) // 2)
    for table in world.tables:
        if CONTRACTS[table].key:
            keys = f"SELECT count(*) - count(DISTINCT (customer, day)) FROM {world.relation(table)}"
            assert one_number(world, keys) == 0


def test_the_same_seed_gives_the_same_world_and_another_another() -> None:
    as_of = (FIRST + LAST) // 2
    store = random_shop(4, "full").project().opened
    once, _ = poisoned(store, as_of, 1)
    first = {table: rows_of(once, table) for table in once.tables}
    again, _ = poisoned(store, as_of, 1)
    assert {table: rows_of(again, table) for table in again.tables} == first
    other, _ = poisoned(store, as_of, 2)
    assert rows_of(other, "purchases") != first["purchases"]
    drop_poisoned(other)
    names = store.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert not any(name.startswith(("poison", "mixed")) for (name,) in names)
