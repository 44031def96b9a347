from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kizuna import Project
from kizuna.data.frames import arrow_table, numpy_columns

EXPECTED = [("007", "2026-11-16", 5.0), ("NA", "2026-11-17", 7.5)]


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["007", "NA"],
            "occurred_at": [datetime(2026, 11, 16), datetime(2026, 11, 17, 23, 59)],
            "amount": [5.0, 7.5],
        }
    )


FRAMES = {
    "pandas": frame(),
    "indexed": frame().set_index("amount", drop=False),
    "strings": frame().astype({"customer_id": "string", "amount": "object"}),
    "categorical": frame().astype({"customer_id": "category", "amount": "category"}),
    "nanoseconds": frame().astype({"occurred_at": "datetime64[ns]"}),
    "arrow": pa.Table.from_pandas(frame()),
    "batch": pa.RecordBatch.from_pandas(frame()),
    "polars": pl.from_pandas(frame()),
    "lazy": pl.from_pandas(frame()).lazy(),
    "polars_categorical": pl.from_pandas(frame()).with_columns(pl.col("customer_id").cast(pl.Categorical)),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_every_frame_gives_the_same_two_rows(kind: str, rows_of: Any) -> None:
    project = Project({"name": "shop", "data": {"tables": {}}}, tables={"purchases": FRAMES[kind]})
    assert rows_of(project.store, "purchases", "amount") == EXPECTED


def test_a_frame_is_renamed_and_queried_like_a_file(open_shop: Any, rows_of: Any) -> None:
    table = {"query": "select * from source where amount > 6", "columns": {"customer_id": "user"}}
    store = open_shop({"purchases": table}, {"purchases": frame().rename(columns={"customer_id": "user"})})
    assert rows_of(store, "purchases", "amount") == EXPECTED[1:]


def test_a_column_of_mixed_objects_is_read_as_a_csv_would_be(open_shop: Any, rows_of: Any) -> None:
    mixed = pd.DataFrame(
        {
            "customer_id": pd.Series([7, "007", 8.0, None], dtype=object),
            "occurred_at": pd.Series(
                [pd.Timestamp("2026-11-16"), "2026/11/17", datetime(2026, 11, 18).date(), "2026-11-19"]
            ),
            "amount": pd.Series([1, "2", 3.5, 4], dtype=object),
            "is_return": pd.Series([True, "no", None, 0], dtype=object),
        }
    )
    store = open_shop({}, {"purchases": mixed}, on_bad_rows="quarantine")
    assert rows_of(store, "purchases", "amount", "is_return") == [
        ("007", "2026-11-17", 2.0, False),
        ("7", "2026-11-16", 1.0, True),
        ("8", "2026-11-18", 3.5, None),
    ]
    assert store.tables["purchases"].bad_rows == 1


def test_columns_come_back_from_arrow_as_they_were() -> None:
    columns = {
        "customer_id": np.array(["007", None, "絆"], dtype=object),
        "value": np.array([0.1, np.nan, -0.0]),
        "day": np.array(["2026-11-16", "NaT", "1969-12-31"], dtype="datetime64[s]"),
    }
    table = arrow_table(columns)
    assert [str(kind) for kind in table.schema.types] == ["string", "double", "timestamp[us]"]
    none = arrow_table({name: values[:0] for name, values in columns.items()})
    assert none.schema == table.schema
    found = numpy_columns(pa.concat_tables([none, table, table.slice(0, 1)]))
    for name, values in columns.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], np.append(values, values[:1]))
