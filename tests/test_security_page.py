"""SECURITY.md names tests that exist, and floors that are ours."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "SECURITY.md").read_text()
NAMED = re.findall(r"^- `(tests/\S+\.py)::(\w+)`$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_a_test_that_holds_a_promise_is_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_names_its_tests() -> None:
    promises = PAGE.split("## What it promises", 1)[1].split("## What is left to you", 1)[0]
    _, *each = re.split(r"^\*\*", promises, flags=re.MULTILINE)
    assert len(each) == 14
    assert all("\n- `tests/" in promise for promise in each)


def test_versions_and_floors_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    floors = {re.match(r"[\w-]+", line)[0]: line.split(",")[0] for line in project["dependencies"]}  # type: ignore[index]
    for name in ("mlflow", "skops"):
        assert f"`{floors[name]}`" in PAGE
    version = re.search('VERSION = "(.*)"', (ROOT / "src/kizuna/version.py").read_text())
    assert version is not None
    assert f"one line, {version[1].rpartition('.')[0]}." in PAGE


def test_floors_of_advisories_are_kept_and_every_pin_is_above_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"mlflow>=3.11,<4", "skops>=0.13"} <= set(project["dependencies"])
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    for name, floor in (("mlflow", (3, 11)), ("mlflow-skinny", (3, 11)), ("skops", (0, 13))):
        assert tuple(int(part) for part in pins[name].split(".")[:2]) >= floor


def test_the_audit_is_strict_and_no_part_of_the_tests() -> None:
    rules = re.findall(r"^([\w-]+): .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    recipes = dict(rules)
    assert "pip-audit --strict --no-deps --disable-pip --requirement constraints.txt" in recipes["audit"]
    assert "audit" not in recipes["test"] + recipes["test-slow"]
