"""The catalogs: ``<language>.yaml`` holds every word of a language; a further language is one further file like them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from kizuna.errors import ConfigError, nearest


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a catalog, sorted."""
    files = resources.files("kizuna.wording").iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml")))


@cache
def catalog(language: str) -> Mapping[str, Any]:
    """The catalog of a language as it is written: documents, reasons, kpi, playbook. ConfigError where there is none."""
    known = languages()
    if language not in known:
        raise ConfigError(
            f"Words in '{language}' were asked for; there are words for {', '.join(known)}.{nearest(language, known)} "
            "Set at_risk.language to one of them."
        )
    text = (resources.files("kizuna.wording") / f"{language}.yaml").read_text(encoding="utf-8")
    # The C loader, where PyYAML has it, reads a catalog in a twentieth of the time.
    found: Mapping[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found
