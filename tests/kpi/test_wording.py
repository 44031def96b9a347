"""Every word of the KPIs in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest

from kizuna.config import Config
from kizuna.kpi.catalog import KPIS, Unit
from kizuna.kpi.numbers import DIRECTIONS, STATES
from kizuna.kpi.pack import words_of
from kizuna.kpi.periods import KINDS
from kizuna.kpi.standing import STAGES, Base
from kizuna.kpi.wording import definitions_frame, load_wording
from kizuna.wording.catalog import catalog, languages

SETTINGS = words_of(Config(name="shop", data={"tables": {}}), Base("inactivity", 180, 4))


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, item in tree.items():
        where = f"{path}.{key}"
        if isinstance(item, Mapping):
            yield from leaves(item, where)
        else:
            yield where, str(item)


@pytest.mark.parametrize("language", languages())
def test_the_catalog_is_complete(language: str) -> None:
    tree = catalog(language)["kpi"]
    assert list(tree["kpi"]) == [kpi.code for kpi in KPIS]
    for code, entry in tree["kpi"].items():
        assert list(entry) == ["name", "text"], code
        assert entry["text"].endswith("。" if language == "ja" else "."), code
    assert set(tree["unit"]) == set(get_args(Unit))
    assert set(tree["state"]) == set(STATES)
    assert set(tree["kind"]) == set(KINDS)
    assert set(tree["direction"]) == set(DIRECTIONS)
    assert list(tree["stage"]) == list(STAGES)
    assert tree["state"]["reference"] == {"ja": "参考値", "en": "for reference only"}[language]


def test_both_languages_have_the_same_keys_and_the_same_places_to_fill() -> None:
    english, japanese = (dict(leaves(catalog(language)["kpi"])) for language in languages())
    assert list(english) == list(japanese)
    places = re.compile(r"\{(\w+)")
    for key, text in english.items():
        assert set(places.findall(text)) == set(places.findall(japanese[key])), key


@pytest.mark.parametrize("kind", ["inactivity", "cancellation"])
@pytest.mark.parametrize("language", languages())
def test_every_definition_fills_its_places(language: str, kind: str) -> None:
    words = load_wording(language, SETTINGS | {"active": kind})
    for kpi in KPIS:
        text = words.definition(kpi.code)
        assert "{" not in text
        assert len(text) > 10
    for stage in STAGES:
        assert "{" not in words.filled(words.tree["stage"][stage]["text"])
    said = words.definition("customers_start")
    assert ("180" in said) == (kind == "inactivity")


def test_japanese_is_japanese() -> None:
    letters = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
    for key, text in leaves(catalog("ja")["kpi"]):
        if text and key not in (".screen.large.unit", ".screen.example", ".screen.none", ".kpi.nps.name"):
            assert letters.search(text), key


def test_the_definitions_of_the_pack() -> None:
    frame = definitions_frame(SETTINGS)
    assert frame.columns.tolist() == [
        "kpi",
        "unit",
        "better",
        "headline",
        "name_en",
        "definition_en",
        "name_ja",
        "definition_ja",
    ]
    nps = frame.set_index("kpi").loc["nps"]
    assert nps["definition_en"].startswith("Promoters (9 and 10) minus detractors (0 to 6)")
    assert "批判者（0〜6点）" in nps["definition_ja"]
    assert not frame.isna().any().any()


def test_what_a_group_is_called() -> None:
    words = load_wording("ja", SETTINGS)
    assert words.group("all", "all") == "全体"
    assert words.group("segment", "lapsing") == "休眠予備"
    assert words.group("market", "jp") == "jp"
