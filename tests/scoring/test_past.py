"""What a list's documents are told of the time before it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kizuna.kpi.frozen import read_published
from kizuna.project import Project
from kizuna.scoring.past import Before, before_of, freeze_kpis, past_lists
from published import DEFINITION, publish_list

LISTED = [("a", 0.8, "target", "true"), ("b", 0.7, "control", "true"), ("c", 0.6, "target", "")]
SUMMARY = {
    "as_of": "2026-01-12",
    "eligible": 4,
    "listed": 3,
    "to_contact": 2,
    "expected_share": 0.5,
    "high_share": 0.25,
}
TODAY = SUMMARY | {"as_of": "2026-03-02", "value_at_risk": 70.0}


def shop(folder: Path, **config: object) -> Project:
    tree = {"name": "shop", "data": {"tables": {}}, "output": {"dir": str(folder)}, **config}
    bought = [(name, f"{day}-03", 10.0) for name in "abcd" for day in ("2025-10", "2025-12", "2026-02")]
    purchases = pd.DataFrame(bought, columns=["customer_id", "occurred_at", "amount"])
    return Project(tree, tables={"purchases": purchases}, today=pd.Timestamp("2026-03-02").date())


def before(project: Project) -> tuple[Before, list[str]]:
    said: list[str] = []
    return before_of(project.store, project.config, project.day("2026-03-02"), said.append), said


def test_before_the_first_list_there_are_the_kpis_alone(tmp_path: Path) -> None:
    found, said = before(shop(tmp_path))
    assert (list(found.lists), found.monitor, found.proven, said) == ([], None, frozenset(), [])
    assert past_lists(found, TODAY) is None
    assert found.kpi is not None
    assert found.kpi.numbers["period"].max() >= "2026-02"


def test_no_document_no_kpis(tmp_path: Path) -> None:
    assert before(shop(tmp_path, exports=[]))[0].kpi is None


def test_the_trend_ends_with_this_list(tmp_path: Path) -> None:
    publish_list(tmp_path, "2026-01-05", LISTED, experiment="shop", control_share=0.5)
    publish_list(tmp_path, "2026-01-12", LISTED, experiment="shop", control_share=0.5, summary=SUMMARY)
    publish_list(tmp_path, "2026-03-02", LISTED, experiment="shop", control_share=0.5, summary=TODAY)
    found, _ = before(shop(tmp_path))
    past = past_lists(found, TODAY)
    assert past is not None
    # The list of the day itself is not before it; one without a summary has no place in the trend.
    assert [str(day) for day in past.lists["as_of"]] == ["2026-01-05", "2026-01-12"]
    assert past.trend["as_of"].dt.strftime("%m-%d").tolist() == ["01-12", "03-02"]
    assert past.trend["value_at_risk"].fillna(-1).tolist() == [-1, 70]
    assert past.basis == "revenue"


def test_lists_that_cannot_be_judged_hold_up_nothing(tmp_path: Path) -> None:
    provided = DEFINITION | {"kind": "provided"}
    publish_list(tmp_path, "2026-01-05", LISTED, experiment="shop", control_share=0.5, definition=provided)
    project = shop(tmp_path, churn={"definition": "provided"})
    project.tables |= {
        "labels": pd.DataFrame({"customer_id": ["a", "b"], "churned": [0, 1]}),
        "features": pd.DataFrame({"customer_id": ["a", "b"], "x": [1.0, 2.0]}),
    }
    found, said = before(project)
    assert found.monitor is None
    assert said[0] == (
        "earlier lists are left out of the documents: What became of the lists was asked for, but the labels have no "
        "as_of, and so no day. Fill the column as_of of table labels."
    )


@pytest.mark.parametrize("twice", [False, True])
def test_what_a_document_showed_is_kept(tmp_path: Path, twice: bool) -> None:
    project = shop(tmp_path)
    found, _ = before(project)
    for _ in range(1 + twice):
        freeze_kpis(found, project.config, print)
    assert found.kpi is not None
    kept = read_published(tmp_path / "kpi")
    pd.testing.assert_frame_equal(kept, found.kpi.published)
    assert len(kept)


def test_a_folder_that_cannot_be_written_is_said_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "kpi").write_text("no folder")
    project, said = shop(tmp_path), []
    freeze_kpis(before(project)[0], project.config, said.append)
    assert len(said) == 1
    assert said[0].startswith("the KPIs shown are not kept: ")
