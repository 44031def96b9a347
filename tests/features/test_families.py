"""One battery for every listed family, over small hostile shops: the oracle's values, and nothing from the future."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from tests.features.oracle import levels_of, past_of
from tests.features.oracle_customer import level_values, text_columns
from tests.features.oracles import ORACLES
from tests.features.poison import poison
from tests.features.shops import Shop, random_shop

from kizuna.config import FAMILIES as FAMILY_NAMES
from kizuna.data.events import Events
from kizuna.data.store import Store
from kizuna.features.families import FAMILIES, Family
from kizuna.features.frame import Frame, build_frame
from kizuna.features.history import History
from kizuna.features.plan import Settings
from kizuna.features.planning import make_plan
from kizuna.features.rows import every_pair

WINDOWS = [7, 30, 90, 180, 365]
_AMOUNTS = ("revenue", "refund_amount", "contact_cost", "compensation")
SHOPS = [(1, "full"), (2, "mixed"), (3, "lean"), (4, "undated"), (5, "mixed"), (6, "full")]


@cache
def shop_of(case: tuple[int, str]) -> Shop:
    return random_shop(*case)


@cache
def days_of(case: tuple[int, str]) -> tuple[int, ...]:
    """Snapshots where edges lie: on the day of an event, the day after, and a window's length later."""
    events = sorted({row["occurred_at"] for row in shop_of(case).rows["purchases"] if row["occurred_at"] > 18_000})
    middle, late = events[len(events) // 2], events[-6]
    return tuple(sorted({events[3] + 1, middle, middle + 1, middle + 30, late, late + 7, events[-1] + 365}))


@cache
def store_of(case: tuple[int, str]) -> Store:
    return shop_of(case).project().opened


def everyone(tables: object, rows: object) -> np.ndarray:
    return np.ones(len(rows), dtype=bool)  # type: ignore[arg-type]


def frame_over(store: Store, days: tuple[int, ...]) -> Frame:
    return build_frame(store, make_plan(store, store.config, list(days), everyone), list(days), everyone)


@cache
def frame_of_case(case: tuple[int, str]) -> Frame:
    return frame_over(store_of(case), days_of(case))


@cache
def readable(case: tuple[int, str]) -> pd.DataFrame:
    return frame_of_case(case).to_pandas()


def columns_of(frame: Frame, family: Family) -> list[str]:
    return [column.name for column in frame.plan.columns if column.family == family.name]


def bits(frame: Frame, family: Family) -> dict[str, bytes]:
    values = frame.columns()
    return {name: values[name].to_numpy().tobytes() for name in columns_of(frame, family)}


families = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
shops = pytest.mark.parametrize("case", SHOPS, ids=lambda c: f"{c[1]}-{c[0]}")


def test_families_of_the_config_are_the_listed_ones_and_each_has_an_oracle() -> None:
    assert [family.name for family in FAMILIES] == list(FAMILY_NAMES)
    assert set(ORACLES) == set(FAMILY_NAMES)


def expected(case: tuple[int, str], family: Family) -> pd.DataFrame:
    shop, keys = shop_of(case), readable(case)[["customer_id", "as_of"]]
    days = keys["as_of"].to_numpy().astype("datetime64[D]").astype(int)
    pasts = [past_of(shop, customer, day) for customer, day in zip(keys["customer_id"], days, strict=True)]
    texts = text_columns(pasts[0], family.name) if family.name in ("loyalty", "profile", "supplied") else []
    levels = {
        column: levels_of(list(zip(keys["customer_id"], pasts, strict=True)), family.table, column) for column in texts
    }
    rows = []
    for past in pasts:
        values = ORACLES[family.name](past, WINDOWS)
        for column in texts:
            values |= level_values(past, family.table, column, levels[column])
        rows.append(values)
    return pd.DataFrame(rows, dtype="float64")


@families
@shops
def test_equals_the_oracle_value_by_value(case: tuple[int, str], family: Family) -> None:
    frame, wanted = readable(case), expected(case, family)
    assert sorted(columns_of(frame_of_case(case), family)) == sorted(wanted.columns)
    wrong = []
    for name in wanted.columns:
        exact = np.isclose(frame[name], wanted[name], rtol=1e-9, atol=1e-6, equal_nan=True)
        for row in np.flatnonzero(~exact)[:1]:
            key = frame.loc[row, "customer_id"], frame.loc[row, "as_of"].date().isoformat()
            wrong.append(f"{name} of {key} is {frame.loc[row, name]}, should be {wanted.loc[row, name]}")
    assert not wrong, "\n".join(wrong)


@cache
def other_world(case: tuple[int, str], day: int, seed: int) -> tuple[Frame, Frame, Store, Store]:
    """The frame of one day, the same after everything not yet known was rewritten, and their stores."""
    changed = poison(shop_of(case), day, seed).project().opened
    return frame_over(store_of(case), (day,)), frame_over(changed, (day,)), store_of(case), changed


@families
@shops
@pytest.mark.parametrize("which", [1, 4])
def test_rewriting_the_future_moves_nothing(case: tuple[int, str], which: int, family: Family) -> None:
    before, after, store, changed = other_world(case, days_of(case)[which], seed=which)
    assert columns_of(after, family) == columns_of(before, family)
    here, there = store.ids()[before.customer], changed.ids()[after.customer]
    shop, day = shop_of(case), days_of(case)[which]
    for customer in set(here) ^ set(there):
        assert not any(past_of(shop, customer, day).rows.values())
    mine, theirs = before.columns()[np.isin(here, there)], after.columns()[np.isin(there, here)]
    moved = [c for c in columns_of(before, family) if mine[c].to_numpy().tobytes() != theirs[c].to_numpy().tobytes()]
    assert moved == []


@shops
def test_one_row_per_key_sorted_by_day_and_id(case: tuple[int, str]) -> None:
    frame, store = frame_of_case(case), store_of(case)
    ids = [name.encode() for name in store.ids()]
    assert ids == sorted(ids)
    keys = list(zip(frame.as_of.tolist(), frame.customer.tolist(), strict=True))
    assert keys == [(day, customer) for day in days_of(case) for customer in range(store.customers)]


@families
@shops
def test_one_snapshot_alone_equals_the_same_among_many(case: tuple[int, str], family: Family) -> None:
    many, day = frame_of_case(case), days_of(case)[4]
    alone = build_frame(store_of(case), many.plan, [day], everyone)
    assert bits(alone, family) == bits(many.where(many.as_of == day), family)


@cache
def shuffled(case: tuple[int, str]) -> Frame:
    return frame_over(shop_of(case).project(shuffle=11).opened, days_of(case))


@families
@shops
def test_order_of_rows_does_not_matter(case: tuple[int, str], family: Family) -> None:
    assert bits(shuffled(case), family) == bits(frame_of_case(case), family)


@cache
def in_blocks(case: tuple[int, str], threads: int) -> Frame:
    """The same frame from blocks of a few customers."""
    store = store_of(case)
    engine = store.config.engine.model_copy(update={"threads": threads, "rows_per_block": 150})
    store = replace(store, config=store.config.model_copy(update={"engine": engine}))
    assert len(store.ranges()) > 3
    return frame_over(store, days_of(case))


@families
@shops
@pytest.mark.parametrize("threads", [1, 2])
def test_blocks_equal_one_block(case: tuple[int, str], family: Family, threads: int) -> None:
    assert bits(in_blocks(case, threads), family) == bits(frame_of_case(case), family)


@families
@shops
def test_all_columns_are_float64_and_counts_are_never_null(case: tuple[int, str], family: Family) -> None:
    frame, plan = readable(case), frame_of_case(case).plan
    for column in [c for c in plan.columns if c.family == family.name]:
        values = frame[column.name]
        assert values.dtype == np.float64
        assert not np.isinf(values).any()
        if column.unit == "count":
            assert (values >= 0).all() or "_change_" in column.name
            assert (values == values.round()).all()
        if column.name.startswith("days_since_"):
            assert not (values < 1).any()


@families
def test_what_never_happened_is_null_and_what_did_not_happen_is_0(family: Family) -> None:
    store = store_of(SHOPS[0])
    before_all = frame_over(store, (1,))
    plan = frame_of_case(SHOPS[0]).plan
    frame = build_frame(store, plan, [1], everyone).columns()
    assert len(before_all) == store.customers
    for column in [c for c in plan.columns if c.family == family.name]:
        is_amount = column.unit in ("count", "points") or column.name.startswith(_AMOUNTS)
        is_amount &= column.name != "points_to_next"
        empty = (
            0.0 if is_amount or column.name in ("is_one_time", "is_member", "has_contract", "notice_given") else None
        )
        values = frame[column.name]
        assert values.isna().all() if empty is None else (values == empty).all(), column.name


@cache
def half(*tables: str) -> tuple[tuple[str, ...], list[str]]:
    """Families and column families of a plan over some of the tables."""
    store = shop_of(SHOPS[0]).only(*tables).project().opened
    plan = make_plan(store, store.config, list(days_of(SHOPS[0])), everyone)
    return plan.families, [column.family for column in plan.columns]


@families
def test_a_table_that_is_not_configured_yields_no_columns(family: Family) -> None:
    first = ("purchases", "complaints", "engagement", "customers")
    second = ("subscriptions", "outreach", "surveys", "loyalty", "referrals", "features")
    planned, columns = half(*(second if family.table in first else first))
    assert columns
    assert family.name not in {*planned, *columns}


@cache
def block_of(case: tuple[int, str], low: int, high: int) -> dict[str, Events]:
    return store_of(case).block(low, high).tables


@families
@shops
def test_names_do_not_depend_on_rows(case: tuple[int, str], family: Family) -> None:
    plan = frame_of_case(case).plan
    settings = Settings(plan.windows_days, plan.vocabularies)

    def names(low: int, high: int, days: list[int]) -> list[str]:
        tables, rows = block_of(case, low, high), every_pair(high - low, days)
        return [f.name for f in family.features(History(tables[family.table], rows, tables), settings)]

    everything = names(0, store_of(case).customers, list(days_of(case)))
    assert len(set(everything)) == len(everything)
    assert names(0, 0, []) == names(0, 1, [18_000]) == names(3, 5, list(days_of(case))) == everything
