"""Definitions: every column has one, in both languages, and every definition has its column."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

import pytest
import yaml
from tests.features.shops import random_shop
from tests.features.small import everyone

from kizuna.explain.wording import feature_text, load_wording, stem_of
from kizuna.features.families import FAMILIES
from kizuna.features.plan import UNITS, Column
from kizuna.features.planning import make_plan
from kizuna.wording.catalog import languages

FOLDER = resources.files("kizuna.features") / "definitions"
OF_THE_SHOP = ("profile", "supplied")
"""Families with columns that the shop names itself: ``{attribute}``, ``{column}={level}``."""


def definitions(name: str) -> Mapping[str, Mapping[str, object]]:
    found: Mapping[str, Mapping[str, object]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def columns() -> tuple[Column, ...]:
    """Every column that a shop with all the contract's columns has."""
    store = random_shop(1, "full").project().opened
    return make_plan(store, store.config, [19_700], everyone).columns


def key_of(column: Column, defined: Mapping[str, object]) -> str:
    """The entry that defines a column."""
    stem, sign, _ = stem_of(column.name)[0].partition("=")
    if column.family in OF_THE_SHOP and stem not in defined:
        stem = "{attribute}" if column.family == "profile" else "{column}"
    return f"{stem}={{level}}" if sign else stem


@pytest.mark.parametrize("family", [family.name for family in FAMILIES])
def test_the_columns_of_a_family_are_those_that_its_file_defines(family: str, columns: tuple[Column, ...]) -> None:
    defined = definitions(family)
    found = {key_of(column, defined) for column in columns if column.family == family}
    # Which levels have a column depends on the shop's rows.
    assert found <= set(defined)
    assert {key for key in defined if "=" not in key} <= found


@pytest.mark.parametrize("language", languages())
def test_columns_have_a_label_a_driver_and_a_unit(language: str, columns: tuple[Column, ...]) -> None:
    drivers = load_wording(language).drivers
    for column in columns:
        assert column.driver in drivers, column.name
        assert column.unit in UNITS, column.name
        assert feature_text(column.name, language) != column.name or column.family in OF_THE_SHOP, column.name


@pytest.mark.parametrize("name", [*(family.name for family in FAMILIES), "left_out"])
def test_entries_are_whole(name: str) -> None:
    for key, entry in definitions(name).items():
        assert set(entry) == ({"en", "ja"} if name == "left_out" else {"row", "en", "ja"}), key
        for language in ("en", "ja"):
            text = str(entry[language])
            assert text.endswith("." if language == "en" else "。"), key
            assert ("{w}" in key) <= ("{w}" in text), key


def test_what_is_left_out_is_not_defined() -> None:
    defined = {key for family in FAMILIES for key in definitions(family.name)}
    assert not {stem_of(key)[0] for key in definitions("left_out")} & defined
