"""What several commands take and do: the config, its overrides, the day, accepted gates, one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kizuna.project import Project

Command = Callable[..., int | None]
ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The shop's YAML file.", show_default=False)]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the config; repeatable.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
AcceptGate = Annotated[
    list[str] | None, typer.Option("--accept-gate", metavar="NAME", help="Let a failing gate pass; repeatable.")
]
Why = Annotated[
    list[str] | None, typer.Option("--why", metavar="TEXT", help="Why it may; once, or once for each gate.")
]
AsOf = Annotated[str, typer.Option("--as-of", metavar="DATE", help="The day to stand on, such as 2026-01-31.")]


def project_of(path: Path, overrides: list[str] | None) -> Project:
    """The project of a config file with its overrides."""
    from kizuna.project import load

    return load(path, overrides or [])


def watched_project(path: Path, overrides: list[str] | None, unwatched: bool = False) -> Project:
    """The same, with the run watched from here on; ``unwatched``: it is logged alone, and moves no metric and no state."""
    from kizuna import journal
    from kizuna.watch.attach import watched

    project = project_of(path, overrides)
    if unwatched:
        journal.note(unwatched=True)
    watched(project.config)
    return project


def print_json(tree: Any) -> None:
    """Prints one JSON object."""
    from kizuna.plain import plain

    print(json.dumps(plain(tree), ensure_ascii=False, indent=2))
