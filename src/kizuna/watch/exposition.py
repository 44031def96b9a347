"""Prometheus' text format: samples to text and back.

Source: "Exposition formats", prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4. A few lines of our own,
for the samples of the last run must be read back from the file, which its client library does not write from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*",?)*)\} (\S+)')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


@dataclass(frozen=True, order=True)
class Sample:
    """The name of a sample with its labels, in their order."""

    name: str
    labels: tuple[tuple[str, str], ...]

    def label(self, name: str) -> str | None:
        """The value of one label."""
        return dict(self.labels).get(name)


def exposed(samples: Mapping[Sample, float], helps: Mapping[str, str]) -> str:
    """The text of these gauges, by name and labels; ``helps`` says for each name what it is, and gives the order."""
    lines = []
    for name, text in helps.items():
        mine = sorted(sample for sample in samples if sample.name == name)
        if mine:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{{{_labels(sample)}}} {_number(samples[sample])}" for sample in mine]
    return "".join(f"{line}\n" for line in lines)


def read_exposed(text: str) -> dict[Sample, float]:
    """The samples of such a text; lines that are not one, and values that are no number, are passed over."""
    found = {}
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        labels = tuple((name, _unescaped(value)) for name, value in _LABEL.findall(match[2]))
        try:
            value = float(match[3])
        except ValueError:
            continue
        if math.isfinite(value):
            found[Sample(match[1], labels)] = value
    return found


def _labels(sample: Sample) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels)


def _escaped(value: str) -> str:
    # What text files take for an end of line, or for nothing, has no place in a label.
    plain = "".join(" " if ord(sign) < 32 and sign != "\n" else sign for sign in value)
    return "".join(_ESCAPES.get(sign, sign) for sign in plain)


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], value)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
