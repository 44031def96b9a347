"""The kinds of destinations that a config may name: one file and one entry each."""

from __future__ import annotations

from kizuna.config_exports import DestinationExport
from kizuna.exports.destinations import braze, generic, klaviyo
from kizuna.exports.destinations.rules import Rules

KINDS: list[Rules] = [generic.RULES, braze.RULES, klaviyo.RULES]


def rules_of(asked: DestinationExport) -> Rules:
    """What the destination of a config demands."""
    return next(rules for rules in KINDS if rules.name == asked.to)
