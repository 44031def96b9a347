from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.packaging.custom import StringProperty

from kizuna.config import Config
from kizuna.config_file import parse_config
from kizuna.errors import ConfigError
from kizuna.exports.sheets.lists import FEEDBACK
from kizuna.feedback.receipt import Receipt, receipt_json, receipt_lines, receive
from kizuna.feedback.store import carried_out, read_feedback
from kizuna.wording.words import load_words
from published import publish_list

TODAY = date(2026, 2, 1)
LISTED = [(name, 0.5, "target", "true") for name in ("007", "NA", "c", "d")]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    publish_list(tmp_path / "out", "2026-01-05", LISTED)
    return config_of(tmp_path)


def config_of(folder: Path, **data: str) -> Config:
    return parse_config({"name": "shop", "data": {"tables": {}, **data}, "output": {"dir": str(folder / "out")}})


def book(path: Path, *rows: tuple[Any, ...], **properties: str) -> Path:
    """Rows of customer, status, done_on, action, outcome, comment, as many of them as there are."""
    found = openpyxl.Workbook()
    words = load_words("en")
    found.active.append([words("column.customer_id"), *(words(f"feedback.{key}") for key in FEEDBACK)])
    for row in rows:
        found.active.append(list(row))
    for name, value in ({"name": "shop", "as_of": "2026-01-05"} | properties).items():
        found.custom_doc_props.append(StringProperty(name=f"kizuna_{name}", value=value))
    found.active.title = "list"
    found.save(path)
    return path


def stored(config: Config) -> list[list[object]]:
    frame = read_feedback(config.output_dir, "2026-01-05").drop(columns="as_of")
    return frame.astype({"done_on": "str"}).fillna("-").values.tolist()


def counts(receipt: Receipt) -> tuple[int, int, int, int]:
    return receipt.rows, receipt.filled, receipt.done, receipt.exit_code


GOOD = [
    ("007", "Done", datetime(2026, 1, 7), "As planned", "購入あり", "𠮷 <b>"),
    ("NA", "Not needed"),
    ("c",),
]


def test_a_filled_workbook_is_stored_once(config: Config, tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", *GOOD)
    first = receive(config, path, TODAY)
    assert counts(first) == (3, 2, 1, 0)
    assert first.changed
    assert stored(config) == [
        ["007", "done", "2026-01-07", "planned", "bought", "𠮷 <b>"],
        ["NA", "not_needed", "-", "-", "-", "-"],
    ]
    before = first.path.read_bytes(), first.path.stat().st_mtime_ns
    again = receive(config, path, TODAY)
    assert not again.changed
    assert (first.path.read_bytes(), first.path.stat().st_mtime_ns) == before
    assert first.path == config.output_dir / "feedback" / "2026-01-05.parquet"
    done = carried_out(config.output_dir, ["2026-01-05", "2026-01-12"], TODAY)
    assert done is not None
    assert done.astype(str).values.tolist() == [["007", "2026-01-05"]]
    # On the day on which it was done, nobody knew of it yet.
    earlier = carried_out(config.output_dir, ["2026-01-05"], date(2026, 1, 7))
    assert earlier is not None
    assert earlier.empty


def test_a_corrected_workbook_replaces_and_another_store_s_stays(config: Config, tmp_path: Path) -> None:
    receive(config, book(tmp_path / "one.xlsx", *GOOD), TODAY)
    receive(config, book(tmp_path / "other.xlsx", ("d", "Done")), TODAY)
    # 007 is done after all with something else, NA is blank again.
    corrected = receive(
        config, book(tmp_path / "two.xlsx", ("007", "done", None, "Something else"), ("NA",), ("c",)), TODAY
    )
    assert corrected.changed
    assert [row[:4] for row in stored(config)] == [["007", "done", "-", "other"], ["d", "done", "-", "-"]]


BAD = [
    ("007", "Done", "2026-01-07"),
    ("7", "Done"),
    ("NA", "perhaps", "soon"),
    ("c", "Done", "2026-01-04"),
    ("d", None, "2026-02-02"),
    ("007", "To do"),
]
SAID = [
    "this customer is not on the list of 2026-01-05.",
    "“(text of 7 letters)” is not one of the choices (Status).",
    "“(text of 4 letters)” is not a date. Write it like 2026-01-31.",
    "2026-01-04 is impossible: contact is made between 2026-01-05 and 2026-02-01.",
    "2026-02-02 is impossible: contact is made between 2026-01-05 and 2026-02-01.",
    "this customer stands in the workbook twice.",
]


def test_rows_that_cannot_be_read_are_listed_and_nothing_is_stored(config: Config, tmp_path: Path) -> None:
    receipt = receive(config, book(tmp_path / "b.xlsx", *BAD), TODAY)
    assert [(error.row, error.text(load_words("en"))) for error in receipt.errors] == list(
        zip([3, 4, 4, 5, 6, 7], SAID, strict=True)
    )
    assert receipt.exit_code == 11
    assert not receipt.path.exists()
    lines = receipt_lines(receipt, "en")
    assert lines[0] == "List of 5 Jan 2026: 6 rows, 4 filled in, 0 done."
    assert lines[1] == "  list, row 3: this customer is not on the list of 2026-01-05."
    assert lines[-1] == (
        "Nothing was stored: 6 entries cannot be read. Correct them and run again, or set data.on_bad_rows: quarantine "
        "to store the others."
    )
    assert "保存していません" in receipt_lines(receipt, "ja")[-1]
    tree = json.loads(json.dumps(receipt_json(receipt)))
    assert (tree["stored"], tree["exit_code"], [error["text"] for error in tree["errors"]]) == (False, 11, SAID)


def test_with_quarantine_the_other_rows_are_stored(config: Config, tmp_path: Path) -> None:
    rows = [*BAD[1:5], ("007", "Done", "2026-01-07")]
    receipt = receive(config_of(tmp_path, on_bad_rows="quarantine"), book(tmp_path / "b.xlsx", *rows), TODAY)
    assert (receipt.exit_code, len(receipt.errors), receipt.done) == (0, 5, 1)
    assert [row[0] for row in stored(config)] == ["007"]


def test_another_shop_and_an_unpublished_list_are_refused(config: Config, tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", *GOOD, name="other")
    with pytest.raises(ConfigError) as raised:
        receive(config, path, TODAY)
    assert str(raised.value) == (
        f"Feedback on the lists of 'shop' was asked for, but {path} belongs to 'other'. Name the config of that shop."
    )
    path = book(tmp_path / "c.xlsx", *GOOD, as_of="2026-01-12")
    with pytest.raises(ConfigError) as raised:
        receive(config, path, TODAY)
    assert str(raised.value) == (
        f"{path} is feedback on the list of 2026-01-12, but no list of that day is published in "
        f"{config.output_dir}. Look at output.dir, or publish the day again."
    )


def test_feedback_without_entries_says_nothing(config: Config, tmp_path: Path) -> None:
    receive(config, book(tmp_path / "b.xlsx", ("007",)), TODAY)
    assert carried_out(config.output_dir, ["2026-01-05"], TODAY) is None
    assert pd.read_parquet(config.output_dir / "feedback/2026-01-05.parquet").empty
