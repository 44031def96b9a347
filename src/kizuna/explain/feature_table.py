"""The table of features that a model uses: name, family, driver, window, unit and meaning in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kizuna.explain.wording import feature_text, fill, stem_of
from kizuna.features.plan import FeaturePlan


def feature_table(plan: FeaturePlan) -> pd.DataFrame:
    """One row per column, in the plan's order; families of the shop's own files bring their own words."""
    columns = plan.columns
    return pd.DataFrame(
        {
            "name": [column.name for column in columns],
            "family": [column.family for column in columns],
            "driver": [column.driver for column in columns],
            "window_days": pd.array([column.window_days for column in columns], dtype="Int64"),
            "unit": [column.unit for column in columns],
            "en": [_meaning(column.name, "en", plan.meanings) for column in columns],
            "ja": [_meaning(column.name, "ja", plan.meanings) for column in columns],
        }
    )


def _meaning(name: str, language: str, meanings: Mapping[str, Mapping[str, str]]) -> str:
    stem, window = stem_of(name)
    own = meanings.get(stem, {}).get(language) or meanings.get(name, {}).get(language)
    if own is None:
        return feature_text(name, language)
    return fill(own, {} if window is None else {"w": float(window)}, language)
