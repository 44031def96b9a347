"""One day's features as a file: the same values as in memory, block by block, and no half file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.features.shops import random_shop

from kizuna.features import parquet
from kizuna.timeline import date_of

DAY = date_of(19_500)


def test_the_file_holds_the_frame_s_values_whatever_the_blocks(tmp_path: Path) -> None:
    project = random_shop(1, "full").project(engine={"rows_per_block": 150})
    rows, columns = project.write_features(DAY, tmp_path / "f.parquet")
    found, wanted = pd.read_parquet(tmp_path / "f.parquet"), project.features([DAY])
    assert found.shape == (rows, columns + 2) == wanted.shape
    assert pq.ParquetFile(tmp_path / "f.parquet").num_row_groups > 1
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False)
    assert [path.name for path in tmp_path.iterdir()] == ["f.parquet"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f.parquet"
    file.write_text("old")

    def fail(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parquet, "block_values", fail)
    with pytest.raises(KeyboardInterrupt):
        random_shop(1, "full").project().write_features(DAY, file)
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["f.parquet"]
