"""Training rows beside published lists, counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kizuna.labels.training_set import TrainingSet
from kizuna.lists.selection import arm_of
from kizuna.project import Project
from published import publish_list

TRAIN_DAY = "2025-12-01"
LIST_DAY = "2025-10-20"
NAMES = [f"{k:02}" for k in range(40)]


def purchases() -> pd.DataFrame:
    """Half of the customers buy every ten days to the end, half stop in September."""
    rows = []
    for k, name in enumerate(NAMES):
        days = pd.date_range("2025-01-01", "2025-11-30" if k % 2 else "2025-09-20", freq="10D")
        rows += [{"customer_id": name, "occurred_at": day, "amount": 5.0} for day in days]
    return pd.DataFrame([*rows, {"customer_id": "z", "occurred_at": pd.Timestamp("2025-11-30"), "amount": 1.0}])


def training(folder: Path, treated: str) -> TrainingSet:
    tree = {
        "name": "shop",
        "data": {"tables": {}},
        "churn": {"horizon_days": 30, "active_within_days": 90},
        "snapshots": {"min_history_days": 60},
        "training": {"treated": treated},
        "output": {"dir": str(folder)},
        "features": {"families": ["purchases"], "windows_days": [30]},
    }
    return Project(tree, tables={"purchases": purchases()}, today=pd.Timestamp("2025-12-31").date()).training_set(
        TRAIN_DAY
    )


def listed(share: float) -> list[tuple[str, float, str, str]]:
    return [(name, 0.5, arm_of(name, "shop", share), "true") for name in NAMES if int(name) % 2 == 0]


def in_window(found: TrainingSet) -> np.ndarray:
    day = pd.Timestamp(LIST_DAY)
    return ((found.as_of <= day) & (day < found.as_of + pd.Timedelta(days=30))).to_numpy()


def test_lists_made_for_the_record_treated_nobody(tmp_path: Path) -> None:
    publish_list(tmp_path, LIST_DAY, listed(0.4), control_share=0.4, backfill=True)
    assert training(tmp_path, "flag").beside_lists == {"target_rows": 0, "control_rows": 0}
    assert training(tmp_path, "control_only").beside_lists == {"left_out_rows": 0, "control_rows": 0}


def test_kept_as_they_are_by_default(tmp_path: Path) -> None:
    publish_list(tmp_path, LIST_DAY, listed(0.4), control_share=0.4)
    found = training(tmp_path, "keep")
    assert found.beside_lists == {}
    assert "is_treated" not in found.features


def test_the_flag_is_the_arm_of_everybody_while_lists_ran(tmp_path: Path) -> None:
    plain = training(tmp_path, "keep")
    assert training(tmp_path, "flag").features["is_treated"].eq(0).all()
    publish_list(tmp_path, LIST_DAY, listed(0.4), control_share=0.4)
    # A list of the training day or later is not known yet.
    publish_list(tmp_path, TRAIN_DAY, listed(0.4), control_share=0.4)
    found = training(tmp_path, "flag")
    target = np.array([arm_of(name, "shop", 0.4) == "target" for name in found.customer_ids])
    wanted = in_window(found) & target
    assert 0 < wanted.sum() < len(wanted)
    np.testing.assert_array_equal(found.features["is_treated"].to_numpy() == 1, wanted)
    assert found.beside_lists == {
        "target_rows": int(wanted.sum()),
        "control_rows": int((in_window(found) & ~target).sum()),
    }
    pd.testing.assert_frame_equal(found.features.drop(columns="is_treated"), plain.features)


def test_at_scoring_nobody_is_flagged(tmp_path: Path) -> None:
    publish_list(tmp_path, LIST_DAY, listed(0.4), control_share=0.4)
    tree = {"name": "shop", "data": {"tables": {}}, "training": {"treated": "flag"}, "output": {"dir": str(tmp_path)}}
    frame = Project(tree, tables={"purchases": purchases()}).features([LIST_DAY])
    assert len(frame)
    assert frame["is_treated"].eq(0).all()


@pytest.mark.parametrize("share", [0.5, 0.4])
def test_controls_stand_for_both_arms(tmp_path: Path, share: float) -> None:
    plain = training(tmp_path, "keep")
    publish_list(tmp_path, LIST_DAY, listed(share), control_share=share)
    found = training(tmp_path, "control_only")
    arms = np.array([arm_of(name, "shop", share) if name != "z" else "" for name in plain.customer_ids])
    on_list = in_window(plain) & np.array([name in {row[0] for row in listed(share)} for name in plain.customer_ids])
    copies = pd.Series(1, index=pd.MultiIndex.from_arrays([plain.as_of, plain.customer_id]))
    seen = pd.Series(1, index=pd.MultiIndex.from_arrays([found.as_of, found.customer_id])).groupby(level=[0, 1]).sum()
    counted = seen.reindex(copies.index).fillna(0).to_numpy()
    assert set(counted[~on_list]) == {1}
    assert set(counted[on_list & (arms == "target")]) == {0}
    assert set(counted[on_list & (arms == "control")]) <= {np.floor(1 / share), np.ceil(1 / share)}
    assert found.beside_lists == {
        "left_out_rows": int((on_list & (arms == "target")).sum()),
        "control_rows": int((on_list & (arms == "control")).sum()),
    }
    assert found.as_of.is_monotonic_increasing
    assert len(found.y) == len(found.worth) == len(found.features) == counted.sum()
    again = training(tmp_path, "control_only")
    pd.testing.assert_frame_equal(found.features, again.features)
