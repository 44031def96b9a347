"""Which side of a day is written once: a search of the code for every other place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import kizuna

SOURCE = Path(kizuna.__file__).parent
ALLOWED = {"features/timelines.py", "features/sweep.py", "data/knowable.py", "data/poison.py", "data/report.py"}
IN_SQL = re.compile(r"[<>]=?\s*\{[^}]*as_of|as_of[^}]*\}\s*[<>]=?|[<>]=?\s*as_of\b|\bas_of\s*[<>]=?")


def sources(*rooms: str) -> list[tuple[str, ast.Module]]:
    paths = sorted(path for room in rooms for path in (SOURCE / room).rglob("*.py"))
    return [(path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def is_as_of(node: ast.expr) -> bool:
    return any(
        (isinstance(part, ast.Name) and part.id == "as_of")
        or (isinstance(part, ast.Attribute) and part.attr == "as_of")
        for part in ast.walk(node)
    )


def comparisons_with_as_of(tree: ast.Module) -> list[int]:
    """Lines that order something by as_of, in Python or in SQL; docstrings may speak of it."""
    orders = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(op, orders) for op in node.ops):
            lines += [node.lineno] * any(is_as_of(part) for part in (node.left, *node.comparators))
        if isinstance(node, ast.JoinedStr) and IN_SQL.search(ast.unparse(node)):
            lines.append(node.lineno)
    return lines


def test_only_history_and_labels_compare_with_as_of() -> None:
    found = {
        name: lines
        for name, tree in sources("data", "features", "labels", "engines")
        if name not in ALLOWED and not name.startswith("labels/") and (lines := comparisons_with_as_of(tree))
    }
    assert found == {}


def test_the_search_finds_what_it_looks_for() -> None:
    found = {name for name, tree in sources("data", "features", "labels") if comparisons_with_as_of(tree)}
    assert {"features/sweep.py", "data/knowable.py", "data/report.py"} <= found
    assert any(name.startswith("labels/") for name in found)


def test_no_clock_below_the_command_line() -> None:
    clocks = {"today", "now", "utcnow", "time", "time_ns", "localtime", "gmtime"}
    rooms = ("data", "features", "labels", "engines", "models", "evaluation", "explain", "exports")
    found = [
        f"{name}:{node.lineno}"
        for name, tree in [*sources(*rooms), ("timeline.py", ast.parse((SOURCE / "timeline.py").read_text()))]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in clocks
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"date", "datetime", "time", "pd", "Timestamp"}
    ]
    assert found == []
