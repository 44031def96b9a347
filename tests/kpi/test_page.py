"""The page of KPIs is current, and says what readers of the textbooks must know."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from kizuna.config_kpi import Kpi
from kizuna.kpi.catalog import KPIS
from kizuna.kpi.numbers import STATES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def build() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield importlib.import_module("docs.kpi.build")


def test_the_page_is_current(build: Any) -> None:
    assert build.PAGE.read_text(encoding="utf-8") == build.build_page(), "docs/kpi.md is out of date: run make docs"


def test_the_page_has_every_kpi_state_and_setting(build: Any) -> None:
    page = build.build_page()
    for kpi in KPIS:
        assert f"### `{kpi.code}` · " in page
    for word in (*STATES, *Kpi.model_fields):
        assert word in page
    for trap in (
        "complement of retention, not its reciprocal",
        "Few complaints are not satisfaction",
        "is no constant",
    ):
        assert trap in page
