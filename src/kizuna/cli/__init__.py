"""The command line: each command parses, calls one function, prints."""

from kizuna.cli.program import main, run

__all__ = ["main", "run"]
