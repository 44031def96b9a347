from __future__ import annotations

import pandas as pd

from kizuna.config import Config
from kizuna.config_file import parse_config
from kizuna.lists.publication import lists_before
from kizuna.lists.published import COLUMNS, as_received, published_rows, received
from published import publish_list


def config_of(folder) -> Config:
    return parse_config({"name": "shop", "data": {"tables": {}}, "output": {"dir": str(folder)}})


def test_rows_carry_what_their_manifest_says(tmp_path):
    rows = [("007", 0.9, "target", "true"), ("NA", 0.5, "control", "false"), ("é", 0.4, "exempt", "")]
    publish_list(tmp_path, "2026-01-05", rows, experiment="spring", control_share=0.4)
    publish_list(tmp_path, "2026-01-12", rows[:1])
    config = config_of(tmp_path)
    found = published_rows(lists_before(tmp_path, pd.Timestamp("2026-02-01").date()), config)
    assert list(found.columns) == COLUMNS
    assert found["customer_id"].tolist() == ["007", "NA", "é", "007"]
    assert found["experiment"].tolist() == ["spring"] * 3 + ["shop"]
    assert found["control_share"].tolist() == [0.4] * 3 + [0.2]
    assert found["contact_allowed"].tolist() == [True, False, pd.NA, True]
    assert found["as_of"].dt.strftime("%m-%d").tolist() == ["01-05"] * 3 + ["01-12"]


def test_lists_made_for_the_record_were_received_by_nobody(tmp_path):
    publish_list(tmp_path, "2026-01-05", [("a", 0.9, "target", "true")], backfill=True)
    publish_list(tmp_path, "2026-01-12", [("a", 0.9, "target", "true"), ("b", 0.8, "control", "true")], backfill=False)
    publish_list(tmp_path, "2026-01-19", [("b", 0.8, "control", "true")])
    lists = lists_before(tmp_path, pd.Timestamp("2026-02-01").date())
    rows = published_rows(lists, config_of(tmp_path))
    assert rows["backfill"].tolist() == [True, False, False, False]
    assert received(rows)["customer_id"].tolist() == ["a", "b", "b"]
    assert len(received(published_rows(as_received(lists), config_of(tmp_path)))) == 4
    assert received(published_rows([], config_of(tmp_path))).empty


def test_without_lists_there_are_no_rows(tmp_path):
    found = published_rows([], config_of(tmp_path))
    assert list(found.columns) == COLUMNS
    assert found.empty
    assert str(found["as_of"].dtype) == "datetime64[s]"
