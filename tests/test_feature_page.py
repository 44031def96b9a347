"""The page of features: it is current, lists every column and every row of the map, and what it says of columns holds."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.features.shops import random_shop
from tests.features.small import everyone

from kizuna.data.contract import CONTRACTS, FILLS_IN_LATER
from kizuna.explain.wording import stem_of
from kizuna.features.families import FAMILIES
from kizuna.features.plan import UNITS
from kizuna.features.planning import make_plan

ROOT = Path(__file__).parents[1]
MAP = {
    *(f"M{n}" for n in range(1, 14)),
    *(f"X{n}" for n in range(1, 11)),
    *(f"S0-{n}" for n in (*range(1, 7), "C1", "C2", "C3", "C4", "CRM1", "CRM2", "T")),
    *(f"S1-{n}" for n in range(1, 23)),
    *(f"S2-{n}" for n in ("B1", "B2", "B3", "B4", "B5", *range(1, 12), "C")),
    *(f"S3-{n}" for n in range(1, 10)),
    *(f"S4-{letter}" for letter in "abcdefghijklmn"),
}


@pytest.fixture(scope="module")
def build() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield importlib.import_module("docs.features.build")


@pytest.fixture(scope="module")
def stems(build: Any) -> list[Any]:
    found: list[Any] = build.all_stems()
    return found


def columns_of(stems: list[Any]) -> list[str]:
    return [name for stem in stems for name in stem.columns]


def test_the_page_is_current(build: Any) -> None:
    assert build.PAGE.read_text(encoding="utf-8") == build.build_page(), (
        "docs/features.md is out of date: run make docs"
    )


def test_the_page_has_every_column_that_a_shop_with_all_tables_gets(stems: list[Any]) -> None:
    store = random_shop(1, "full").project().opened
    plan = make_plan(store, store.config, [19_700], everyone)
    shops_own = {"stamps", "usage", "is_vip"}
    found = {column.name: (column.family, column.driver, column.unit) for column in plan.columns}
    paged = {name: (stem.family, stem.driver, stem.unit) for stem in stems for name in stem.columns}
    assert {name: told for name, told in found.items() if "=" not in name and name not in shops_own} == {
        name: told for name, told in paged.items() if "{" not in name
    }


def test_no_name_is_there_twice(stems: list[Any]) -> None:
    assert max(Counter(columns_of(stems)).values()) == 1
    assert {stem.unit for stem in stems} <= set(UNITS)


def test_each_of_the_98_rows_of_the_map_went_somewhere(build: Any, stems: list[Any]) -> None:
    rows = build.own("loyalty_rows")
    assert len(MAP) == 98
    assert Counter(row["row"] for row in rows) == Counter(MAP)
    asked = {row for stem in stems for row in build.rows_of(stem)}
    assert asked <= MAP
    for row in rows:
        assert set(row) <= {"row", "ja", "en", "names", *build.PLACES}, row["row"]
        assert row["row"] in asked or build.names_of(row) or set(row) & set(build.PLACES), row["row"]


def test_every_name_of_the_map_leads_to_a_column_or_to_a_reason(build: Any, stems: list[Any]) -> None:
    known = {*columns_of(stems), *build.definitions("left_out")}
    for row in build.own("loyalty_rows"):
        for name, places in build.names_of(row):
            assert set(places) <= known, (row["row"], name)


def test_every_definition_of_a_family_is_on_the_page(build: Any, stems: list[Any]) -> None:
    for family in FAMILIES:
        keys = {build.definition_key(stem) for stem in stems if stem.family == family.name}
        assert keys == set(build.definitions(family.name))


def test_windows_longer_than_the_history_are_left_out_but_for_those_the_page_names(build: Any) -> None:
    columns = importlib.import_module("docs.features.columns")
    kept, gone = set(), set()
    for family in FAMILIES:
        items = columns.all_items(family.table)
        every = {feature.name for feature in columns.features_of(family, items)}
        short = {feature.name for feature in columns.features_of(family, items, windows_days=(), history_days=0)}
        kept |= {name for name in short if stem_of(name)[1] is not None}
        gone |= {name for name in every - short if stem_of(name)[1] is None}
    assert kept == {"points_expiring_30d"}
    assert gone == {"months_to_reward"}
    for name in kept | gone:
        assert f"`{name}`" in (ROOT / "docs" / "features" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("orders", ()),
        ("open_inquiries", (("complaints.resolved_at",), ("complaints.kind",))),
        ("calls_180d", (("outreach.kind", "outreach.channel"),)),
        ("birthday_missed", (("customers.birth_date",), ("outreach.kind", "outreach.purpose"))),
        ("days_since_dialogue", (("referrals.kind", "complaints", "surveys"),)),
        ("first_order_csat", (("surveys",),)),
        ("acquisition_channel={level}", (("customers.acquisition_channel",), ("customers.valid_from",))),
    ],
)
def test_needs(stems: list[Any], name: str, needs: tuple[tuple[str, ...], ...]) -> None:
    assert {stem.name: stem.needs for stem in stems}[name] == needs


def test_further_columns_are_those_of_the_contract(build: Any) -> None:
    kinds = {"time": "day", "number": "number", "flag": "flag", "code": "code"}
    known = {
        f"{t.name}.{f.name}": (kinds.get(f.kind), f.name in FILLS_IN_LATER)
        for t in CONTRACTS.values()
        for f in t.fields
    }
    for row in build.own("contract"):
        assert (row["kind"], row.get("later", False)) == known[row["column"]], row["column"]


def test_signals_are_measured_on_columns_that_are_there(build: Any, stems: list[Any]) -> None:
    keys = {stem.key: stem for stem in stems}
    for key, shops in build.own("signals").items():
        assert set(shops) <= set(build.SHOPS)
        for measured in shops.values():
            assert measured is None or (measured[1] in keys[key].columns or "=" in key), key
            assert measured is None or 0 < measured[0] < 1, key
