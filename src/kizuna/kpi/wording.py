"""The words about KPIs in each language: names, definitions with the shop's own settings, states, stages and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kizuna.kpi.catalog import KPIS
from kizuna.wording.catalog import catalog, languages

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Wording:
    """The words of one language, as a tree, with the places that the shop's settings fill."""

    language: str
    tree: Mapping[str, Any]
    settings: Mapping[str, str]

    def name(self, code: str) -> str:
        """What a KPI is called."""
        return str(self.tree["kpi"][code]["name"])

    def definition(self, code: str) -> str:
        """What exactly a KPI is, with the shop's own settings."""
        return self.filled(self.tree["kpi"][code]["text"])

    def word(self, group: str, code: str) -> str:
        """The word for a state, unit, kind, dimension or direction; the code itself where there is none."""
        return str(self.tree[group].get(code, code))

    def group(self, dimension: str, group: str) -> str:
        """What a group is called: everybody, a stage, or the text of the data."""
        if dimension == "all":
            return self.word("dimension", "all")
        return str(self.tree["stage"][group]["name"]) if dimension == "segment" else group

    def filled(self, text: str, **values: object) -> str:
        """A text with its places filled by the shop's settings and further values."""
        settings = dict(self.settings)
        if "active" in settings:
            settings["active"] = self.tree["active"][settings["active"]].format(**self.settings)
        return text.format(**settings, **values)


def load_wording(language: str, settings: Mapping[str, str]) -> Wording:
    """The words of a language. ``settings``: the figures that definitions mention (``pack.words_of``)."""
    return Wording(language, catalog(language)["kpi"], settings)


def definitions_frame(settings: Mapping[str, str]) -> pd.DataFrame:
    """kpi, unit, better, headline, then name and definition in every language: a row per KPI."""
    import pandas as pd

    rows = []
    for kpi in KPIS:
        row: dict[str, object] = {"kpi": kpi.code, "unit": kpi.unit, "better": kpi.better, "headline": kpi.headline}
        for language in languages():
            words = load_wording(language, settings)
            row |= {f"name_{language}": words.name(kpi.code), f"definition_{language}": words.definition(kpi.code)}
        rows.append(row)
    return pd.DataFrame(rows)
