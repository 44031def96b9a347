"""Any system that takes a CSV: everything comes from the config."""

from __future__ import annotations

from kizuna.config_exports import DestinationExport
from kizuna.exports.destinations.rules import Rules, plain_day


def _mistakes(asked: DestinationExport) -> list[str]:
    return ["has attributes, which only braze knows. Leave them out"] if asked.attributes else []


def _refusal(column: str, text: str) -> str | None:
    return None


RULES = Rules("destination", _mistakes, _refusal, plain_day)
