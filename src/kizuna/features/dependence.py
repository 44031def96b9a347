"""Which columns a table stands behind: those that vanish without it, and those that then say something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from kizuna.data.blocks import Block
from kizuna.data.events import Events
from kizuna.data.store import Store
from kizuna.features.families import families_for
from kizuna.features.frame import Select, features_of, selected_rows
from kizuna.features.plan import FeaturePlan


def columns_behind(
    store: Store, plan: FeaturePlan, missing: Iterable[str], day: int, select: Select
) -> tuple[str, ...]:
    """Names of the plan's columns that differ for anybody selected on the day once these tables are missing."""
    gone = frozenset(missing)
    families = families_for(plan, store.config)

    def differing(block: Block) -> set[str]:
        rows = selected_rows(block, [day], select)
        without: Mapping[str, Events] = {name: block.tables[name] for name in block.tables if name not in gone}
        left = {
            (family, feature.name): np.asarray(feature.values, dtype=np.float64)
            for family, feature in features_of(without, rows, plan, families)
        }
        return {
            feature.name
            for family, feature in features_of(block.tables, rows, plan, families)
            if (family, feature.name) not in left
            or not np.array_equal(left[family, feature.name], np.asarray(feature.values, np.float64), equal_nan=True)
        }

    found = set[str]().union(*store.map(differing, "features without a table"))
    return tuple(name for name in plan.names if name in found)
