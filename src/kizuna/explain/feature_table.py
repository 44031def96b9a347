"""The table of features that a model uses: name, family, driver, window, unit and meaning in English and Japanese."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kizuna.explain.wording import feature_text
from kizuna.features.plan import Column


def feature_table(columns: Sequence[Column]) -> pd.DataFrame:
    """One row per column, in the plan's order."""
    return pd.DataFrame(
        {
            "name": [column.name for column in columns],
            "family": [column.family for column in columns],
            "driver": [column.driver for column in columns],
            "window_days": pd.array([column.window_days for column in columns], dtype="Int64"),
            "unit": [column.unit for column in columns],
            "en": [feature_text(column.name, "en") for column in columns],
            "ja": [feature_text(column.name, "ja") for column in columns],
        }
    )
