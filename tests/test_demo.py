"""The demo: from nothing to a list, in the words that a newcomer reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import kizuna
from kizuna.demo import clear


@pytest.mark.slow
def test_a_newcomer_sees_the_whole_way_and_where_to_look(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    code, out, err = kizuna("demo", "--customers", "3000", "--dir", folder)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0] == "kizuna demo: a simulated shop, 3,000 customers, 3 years, 9 tables (no real person)"
    assert [line.split()[0] for line in lines[1:4]] == ["simulate", "check", "train"]
    assert lines[4] == "  Named by risk on 2025-10-03, knowing nothing later; what happened by 2025-12-31:"
    assert lines[-1].startswith("Yours  kizuna init myshop")
    assert (folder / "exports" / "latest" / "at_risk.xlsx").is_file()


def test_the_demo_removes_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    code, _, err = kizuna("demo", "--dir", tmp_path)
    assert code == 2
    assert "something else is there" in err
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_an_earlier_demo_makes_way(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    (folder / "truth").mkdir(parents=True)
    (folder / "truth" / "parameters.json").write_text("{}")
    (folder / "purchases.parquet").write_text("old")
    clear(folder)
    assert not folder.exists()
