"""A strict reader of Prometheus' text format, version 0.0.4, for tests: whatever the format forbids is an error."""

from __future__ import annotations

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'


def strictly_read(text: str) -> dict[str, float]:
    """Values by name{labels}; HELP and TYPE come once, before the samples of their name, which stand together."""
    assert text.endswith("\n")
    assert "\r" not in text
    found: dict[str, float] = {}
    said: list[str] = []
    typed: list[str] = []
    current = ""
    for line in text.removesuffix("\n").split("\n"):
        if match := re.fullmatch(rf"# HELP ({NAME}) (?:[^\\]|\\[\\n])+", line):
            assert match[1] not in said
            said.append(match[1])
            current = match[1]
        elif match := re.fullmatch(rf"# TYPE ({NAME}) gauge", line):
            assert match[1] == current
            assert match[1] not in typed
            typed.append(match[1])
        else:
            match = re.fullmatch(rf"({NAME})(\{{{LABEL}(?:,{LABEL})*\}}) (\S+)", line)
            assert match, line
            assert match[1] == current
            assert match[1] in typed
            assert match[1] + match[2] not in found
            found[match[1] + match[2]] = float(match[3])
    return found
