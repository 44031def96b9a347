"""Files written whole: a CSV file of text, numbers and days that no spreadsheet takes for formulas."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from kizuna.whole_file import text_of, write_csv, written_whole


def test_texts_of_the_shop_are_no_formulas_and_numbers_stay_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "group": ["=cmd|'/C calc'!A0", "@SUM(1)", "\t=1", "＝1+1", "a\0b", "plain", None],
            "mixed": [-1.5, "-x", None, 2, "y", "", True],
            "value": [-1.5, 2, 3, 4, 5, 6, float("nan")],
            "day": pd.to_datetime(["2026-01-05"] * 7),
        }
    )
    before = frame.copy()
    path = write_csv(frame, tmp_path / "kpi.csv")
    assert path.read_text().splitlines() == [
        "group,mixed,value,day",
        "'=cmd|'/C calc'!A0,-1.5,-1.5,2026-01-05",
        "'@SUM(1),'-x,2.0,2026-01-05",
        "'\t=1,,3.0,2026-01-05",
        "'＝1+1,2,4.0,2026-01-05",
        "ab,y,5.0,2026-01-05",
        "plain,,6.0,2026-01-05",
        ",True,,2026-01-05",
    ]
    pd.testing.assert_frame_equal(frame, before)


def test_a_pipe_in_place_of_a_file_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="It is no file"):
        text_of(tmp_path / "pipe")
    with pytest.raises(OSError, match="It is a device and no file"), written_whole(Path("/dev/null")):
        raise AssertionError
    (tmp_path / "file").write_text("山")
    assert text_of(tmp_path / "file") == "山"
    with pytest.raises(FileNotFoundError):
        text_of(tmp_path / "none")
