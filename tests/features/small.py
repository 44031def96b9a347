"""Ten rows as text, and the feature frame over them."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from kizuna.features.frame import build_frame
from kizuna.features.planning import make_plan
from kizuna.project import Project
from kizuna.timeline import day_of


def table(header: str, *lines: str) -> pd.DataFrame:
    """A table of texts: words between blanks, ``-`` for null."""
    names = header.split()
    rows = [[None if word == "-" else word for word in line.split()] for line in lines]
    assert all(len(row) == len(names) for row in rows)
    return pd.DataFrame(
        {name: pd.array([row[i] for row in rows], dtype="str") for i, name in enumerate(names)}, columns=names
    )


def project_of(tables: dict[str, pd.DataFrame], **sections: Any) -> Project:
    """A project whose clock stands far behind its rows; ``sections`` of the config override the defaults."""
    data = {"tables": {name: {} for name in tables}} | sections.pop("data", {})
    return Project({"name": "shop", "data": data, **sections}, tables, today=date(2040, 1, 1))


def everyone(tables: object, rows: Any) -> np.ndarray:
    """Every customer on every day."""
    return np.ones(len(rows), dtype=bool)


def features_of(as_of: str, tables: dict[str, pd.DataFrame], **sections: Any) -> pd.DataFrame:
    """The feature frame of everyone on one day, by customer id."""
    store, day = project_of(tables, **sections).opened, day_of(date.fromisoformat(as_of))
    store.require_sound()
    plan = make_plan(store, store.config, [day], everyone)
    return build_frame(store, plan, [day], everyone).to_pandas().set_index("customer_id").drop(columns="as_of")
