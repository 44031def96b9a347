"""Spark where it is not: what the engine asks for is said in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.commands import kizuna

from kizuna.engines.session import reason


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("pyspark", "pyspark.errors", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, module, None)
    config = tmp_path / "shop.yaml"
    config.write_text("name: shop\ndata: {tables: {purchases: {path: none.parquet}}}\nengine: {kind: spark}\n")
    code, out, err = kizuna("check", config)
    assert (code, out) == (2, "")
    assert "pip install 'kizuna[spark]'" in err
    assert len(err.splitlines()) == 1


def test_what_spark_says_is_cut_to_one_sentence() -> None:
    long = "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `foo` cannot be resolved. SQLSTATE: 42703; line 1 pos 7;\n'Project"
    assert reason(Exception(long)) == "A column `foo` cannot be resolved."
    assert reason(Exception()) == "Exception."
