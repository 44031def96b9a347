"""Two lists published by hand, of which one has matured; what came of them counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kizuna import journal
from kizuna.errors import ContractError
from kizuna.feedback.store import COLUMNS, store_feedback
from kizuna.lists.publication import locked
from kizuna.monitor.files import to_json, write_monitor
from kizuna.monitor.noted import note_monitor
from kizuna.monitor.pack import EFFECT_COLUMNS, MonitorPack
from kizuna.monitor.screen import screen_lines
from kizuna.project import Project
from published import DEFINITION, publish_list

TODAY = "2026-03-01"
# 12 listed: 6 target, 6 control; 4 never listed.
LISTED = [(f"t{k}", 0.5 + 0.05 * k, "target", "true") for k in range(6)] + [
    (f"u{k}", 0.5 + 0.05 * k, "control", "true") for k in range(6)
]
OTHERS = [(f"n{k}", 0.1, "target") for k in range(4)]
# Who buys within the window, and for how much.
BOUGHT = {"t0": 40.0, "t1": 30.0, "t2": 50.0, "t3": 20.0, "u0": 10.0, "u1": 12.0, "n0": 5.0, "n1": 5.0, "n2": 5.0}


def purchases(last: str = "2026-02-28") -> pd.DataFrame:
    everyone = [row[0] for row in LISTED] + [row[0] for row in OTHERS]
    rows = [(name, "2025-12-01", 20.0) for name in everyone]
    rows += [(name, "2026-01-20", amount) for name, amount in BOUGHT.items()]
    return pd.DataFrame([*rows, ("z", last, 1.0)], columns=["customer_id", "occurred_at", "amount"])


def shop(folder: Path, last: str = "2026-02-28", **config: object) -> Project:
    tree = {"name": "shop", "data": {"currency": "JPY", "tables": {}}, "output": {"dir": str(folder)}, **config}
    return Project(tree, tables={"purchases": purchases(last)}, today=pd.Timestamp("2026-12-01").date())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publish_list(tmp_path, "2026-01-05", LISTED, OTHERS, experiment="shop", control_share=0.5)
    publish_list(tmp_path, "2026-02-09", LISTED[:2], OTHERS, experiment="shop", control_share=0.5)
    return tmp_path


def test_realised_quality_counts_controls_and_the_never_listed(folder: Path) -> None:
    pack = shop(folder).monitor(TODAY)
    first, second = pack.lists.to_dict("records")
    assert (first["state"], second["state"]) == ("measured", "maturing")
    assert (first["listed"], first["target"], first["control"], first["exempt"]) == (12, 6, 6, 0)
    assert str(second["matures_on"]) == "2026-03-11"
    # 4 of 6 controls left; each stands for two, beside one of four never listed.
    assert (first["rows"], first["listed_rows"]) == (10, 6)
    assert first["precision"] == pytest.approx(4 / 6)
    assert first["base_rate"] == pytest.approx((2 * 4 + 1) / (2 * 6 + 4))
    assert first["lift"] == pytest.approx((4 / 6) / (9 / 16))
    assert first["predicted"] == pytest.approx(0.625)
    assert pack.bins["as_of"].nunique() == 1
    assert pd.isna(second["precision"])


def test_what_is_promised_stands_beside_what_came(folder: Path) -> None:
    pack = shop(folder).monitor(TODAY)
    first, second = pack.lists.to_dict("records")
    # Six controls with 0.5 to 0.75: none of them leaves 2 times in 1,000, none or one 28 times, all 59 times; four left.
    assert (first["predicted_low"], first["predicted_high"]) == (pytest.approx(1 / 6), 1)
    assert first["as_predicted"] is True
    # Each control stands for two customers, whether on the second list or on the first alone.
    assert first["predicted_base_rate"] == pytest.approx((2 * 6 * 0.625 + 4 * 0.1) / 16)
    assert first["predicted_lift"] == pytest.approx(0.625 / first["predicted_base_rate"])
    assert first["predicted_auc_low"] < first["predicted_auc"] < first["predicted_auc_high"]
    # The second list has targets alone of those who are named; of nobody who is left alone is anything known.
    assert second["state"] == "maturing"
    assert pd.isna(second["predicted"])
    assert second["predicted_base_rate"] == pytest.approx(0.1)
    assert (len(pack.promises), pack.below_promise) == (1, 0)
    said = "\n".join(screen_lines(pack, "en"))
    assert "5 Jan 2026: 67% of the listed left (30% to 90%; said 62%, 17% to 100%)" in said
    assert "in 1 of 1 matured lists the share that left lay within what had been promised" in said
    assert "promised minus came is -4.2 points on average" in said
    assert "9 Feb 2026: 2 listed; known on 11 Mar 2026." in said


def test_two_lists_that_kept_less_than_they_promised_are_said(tmp_path: Path) -> None:
    # All twelve of 0.95 stay, list after list; the third has not matured.
    rows = [(f"u{k}", 0.95, "control", "true") for k in range(12)]
    for day in ("2026-01-05", "2026-01-12", "2026-02-20"):
        publish_list(tmp_path, day, rows, OTHERS, control_share=0.5)
    bought = [(f"u{k}", day, 9.0) for k in range(12) for day in ("2025-12-01", "2026-01-20")]
    frame = pd.DataFrame([*bought, ("z", "2026-02-28", 1.0)], columns=["customer_id", "occurred_at", "amount"])
    project = Project(shop(tmp_path).config, tables={"purchases": frame}, today=pd.Timestamp("2026-12-01").date())
    pack = project.monitor(TODAY)
    assert pack.lists["as_predicted"].tolist() == [False, False, None]
    assert pack.below_promise == 2
    assert "In each of the last 2 matured lists fewer left than had been promised" in "\n".join(
        screen_lines(pack, "en")
    )
    with journal.journal_of("monitor", as_json=False) as run:
        note_monitor(pack)
    assert run.notes == {
        "expected_precision": pytest.approx(0.95),
        "promised_precision": pytest.approx(0.95),
        "realised_precision": 0.0,
        "lists_below_promise": 2,
    }


def test_no_verdict_before_the_quarter_has_matured(folder: Path) -> None:
    pack = shop(folder).monitor(TODAY)
    assert list(pack.effects.columns) == EFFECT_COLUMNS
    (effect,) = pack.effects.to_dict("records")
    assert (effect["period"], effect["state"], effect["verdict"]) == ("2026-Q1", "maturing", None)
    # The quarter still runs: a list of its last day would mature 30 days later.
    assert str(effect["verdict_on"]) == "2026-04-30"
    assert pd.isna(effect["value"])
    assert pack.left_out == {"exempt": 0, "not_contactable": 0, "listed_before": 2}


def test_lists_made_for_the_record_show_quality_and_no_effect(tmp_path: Path) -> None:
    publish_list(tmp_path, "2026-01-05", LISTED, OTHERS, experiment="shop", control_share=0.5, backfill=True)
    pack = shop(tmp_path).monitor(TODAY)
    (row,) = pack.lists.to_dict("records")
    assert (row["state"], row["precision"]) == ("measured", pytest.approx(4 / 6))
    assert pack.effects.empty
    assert pack.left_out == {"exempt": 0, "not_contactable": 0, "listed_before": 0, "backfill": 12}
    assert "  Nor do the 12 rows of lists made by backfill, which were sent to nobody." in screen_lines(pack, "en")
    publish_list(tmp_path, "2026-02-09", LISTED[:2], OTHERS, experiment="shop", control_share=0.5)
    (effect,) = shop(tmp_path).monitor(TODAY).effects.to_dict("records")
    assert (effect["period"], effect["state"]) == ("2026-Q1", "maturing")


def test_a_matured_quarter_has_the_difference_of_its_arms(tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    names = [f"{arm[0]}{k:02}" for k in range(40) for arm in ("target", "control")]
    rows = [(name, 0.5, {"t": "target", "c": "control"}[name[0]], "true") for name in names]
    publish_list(tmp_path, "2026-01-05", rows, control_share=0.5)
    spent = {name: 1000.0 * (name[0] == "t") + draw.uniform(0, 400) for name in names}
    tables = pd.DataFrame(
        [(name, day, amount) for name in names for day, amount in (("2025-12-01", 20.0), ("2026-01-20", spent[name]))]
        + [("z", "2026-06-30", 1.0)],
        columns=["customer_id", "occurred_at", "amount"],
    )
    profiles = pd.DataFrame({"customer_id": names, "market": ["jp", "us"] * 20 + ["us", "jp"] * 20})
    project = Project(shop(tmp_path).config, tables={"purchases": tables, "customers": profiles})
    pack = project.monitor("2026-07-01")
    (effect,) = pack.effects.to_dict("records")
    by_arm = {arm: np.mean([spent[name] for name in names if name[0] == arm]) for arm in "tc"}
    assert (effect["state"], effect["verdict"], effect["target"], effect["control"]) == ("measured", "earned", 40, 40)
    assert effect["value"] == pytest.approx(by_arm["t"] - by_arm["c"])
    assert effect["value_control"] == pytest.approx(by_arm["c"])
    assert effect["value_low"] < 1000 < effect["value_high"]
    # Everybody stayed: nothing to compare.
    assert pd.isna(effect["kept"])
    assert pd.isna(effect["more_customers"])
    assert pack.groups[["by", "group", "outcome"]].values.tolist() == [
        ["action", "A01", "net_value"],
        ["market", "jp", "net_value"],
        ["market", "us", "net_value"],
    ]
    assert "2026-Q1: those contacted bought more. ¥" in "\n".join(screen_lines(pack, "en"))


def test_days_without_data_are_no_proof_of_silence(folder: Path) -> None:
    pack = shop(folder, last="2026-01-31").monitor("2026-07-01")
    assert str(pack.known_before) == "2026-02-01"
    assert pack.lists["state"].tolist() == ["maturing", "maturing"]


def test_a_list_without_controls_tells_nothing(tmp_path: Path) -> None:
    publish_list(tmp_path, "2026-01-05", LISTED[:6], OTHERS, control_share=0.0)
    pack = shop(tmp_path).monitor(TODAY)
    assert pack.lists["state"].tolist() == ["no_control"]
    assert pack.bins.empty
    assert "nobody left alone" in "\n".join(screen_lines(pack, "en"))


def test_feedback_says_what_was_carried_out(folder: Path) -> None:
    done = pd.DataFrame([dict.fromkeys(COLUMNS) | {"customer_id": "t0", "as_of": "2026-01-05", "status": "done"}])
    with locked(folder) as output:
        store_feedback(output, pd.Timestamp("2026-01-05").date(), frozenset({"t0"}), done)
    pack = shop(folder).monitor(TODAY)
    assert pack.lists["executed_target"].tolist()[0] == pytest.approx(1 / 6)
    assert pack.lists["executed_control"].tolist()[0] == 0


def test_before_the_first_list_there_is_nothing_to_tell(tmp_path: Path) -> None:
    pack = shop(tmp_path).monitor(TODAY)
    assert pack.lists.empty
    assert pack.effects.empty
    assert pack.proven == frozenset()
    *said, last = screen_lines(pack, "en")
    assert said == [
        "shop: what became of the lists, as known before 1 Mar 2026",
        "No list was published before 1 Mar 2026. The first one begins with kizuna score.",
        "",
        "Drift, today beside training",
    ]
    assert last.startswith("  Not measured: The champion version of 'shop' was asked for, but ")


def test_labels_without_days_are_refused(tmp_path: Path) -> None:
    publish_list(tmp_path, "2026-01-05", LISTED, definition=DEFINITION | {"kind": "provided"})
    labels = pd.DataFrame({"customer_id": ["a", "b"], "churned": [0, 1]})
    tree = {
        "name": "shop",
        "data": {"tables": {}},
        "output": {"dir": str(tmp_path)},
        "churn": {"definition": "provided"},
    }
    with pytest.raises(ContractError) as raised:
        Project(tree, tables={"labels": labels, "purchases": purchases()}).monitor(TODAY)
    assert str(raised.value) == (
        "What became of the lists was asked for, but the labels have no as_of, and so no day. "
        "Fill the column as_of of table labels."
    )


def everything(folder: Path, pack: MonitorPack) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in write_monitor(pack, folder / "monitor")}


def test_files_and_json_are_the_same_for_the_same_rows(folder: Path) -> None:
    pack = shop(folder).monitor(TODAY)
    written = everything(folder, pack)
    assert sorted(written) == ["calibration.csv", "drift.csv", "drivers.csv", "effects.csv", "groups.csv", "lists.csv"]
    assert written == everything(folder, shop(folder).monitor(TODAY))
    tree = json.loads(json.dumps(to_json(pack), allow_nan=False))
    assert tree["lists"][0]["as_of"] == "2026-01-05"
    assert tree["effects"][0]["value"] is None
    assert [row["driver"] for row in tree["drivers"]] == ["CONTACT_GAP", "NO_THANKS", "FATIGUE"]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_screen_tells_both_lists_in_either_language(folder: Path, language: str) -> None:
    text = "\n".join(screen_lines(shop(folder).monitor(TODAY), language))
    assert "2026-Q1" in text
    assert "67%" in text
    assert "nan" not in text.lower()
    assert "None" not in text
    assert "{" not in text


def test_lists_by_labels_that_are_gone_are_refused_in_words(tmp_path: Path) -> None:
    publish_list(tmp_path, "2026-01-05", LISTED, OTHERS, definition={**DEFINITION, "kind": "provided"})
    with pytest.raises(ContractError, match="the labels have no as_of, and so no day"):
        shop(tmp_path).monitor(TODAY)
