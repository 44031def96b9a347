from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kizuna.errors import ConfigError

HEADER = "customer_id,occurred_at,amount"


PURCHASES = {"purchases": {"path": "p.csv"}}


def details(store: Any, state: str = "error") -> list[str]:
    return [f"{item.exit_code} {item.details}" for item in store.findings if item.state == state]


def write(path: Path, *lines: str, header: str = HEADER, name: str = "p.csv") -> None:
    (path / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def test_a_missing_column_names_the_nearest(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,1", header="customer_id,ocurred_at,amount")
    assert details(open_shop(PURCHASES)) == [
        "11 Table purchases needs a column occurred_at; found customer_id, ocurred_at, amount. "
        "Did you mean 'ocurred_at'? Map it: data.tables.purchases.columns: {occurred_at: …}."
    ]
    renamed = {"purchases": {"path": "p.csv", "columns": {"occurred_at": "ocured_at"}}}
    assert details(open_shop(renamed))[0].startswith(
        "11 Table purchases needs a column occurred_at (looked for 'ocured_at')"
    )
    optional = {"purchases": {"path": "p.csv", "columns": {"occurred_at": "ocurred_at", "order_id": "no"}}}
    assert details(open_shop(optional))[0].startswith(
        "11 Table purchases needs a column order_id (looked for 'no'); found"
    )
    wide = ",".join(f"c{index}" for index in range(50))
    write(tmp_path, ",".join("1" * 50), header=wide)
    assert "c18, c19 and 30 more." in details(open_shop(PURCHASES))[0]


def test_a_rename_of_a_column_that_kizuna_does_not_have(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,1")
    with pytest.raises(ConfigError) as caught:
        open_shop({"suppressions": {"path": "p.csv", "columns": {"reson": "amount"}}})
    assert str(caught.value) == (
        "data.tables.suppressions.columns: there is no column 'reson'. Did you mean 'reason'? "
        "Columns of suppressions are customer_id, from, until, reason, known_at."
    )
    with pytest.raises(
        ConfigError, match=r"^There is no table 'purchase'. Did you mean 'purchases'\? Tables are customers, pu"
    ):
        open_shop({}, {"purchase": pd.DataFrame()})


def test_attributes_and_supplied_columns_are_numbers_where_a_plain_csv_holds_only_numbers(
    tmp_path: Path, open_shop: Any, rows_of: Any
) -> None:
    write(tmp_path, "a,2026-11-16,1", "b,2026-11-16,1")
    write(tmp_path, "a,12,007,x,", "b,,008,y,", header="customer_id,age,code,tier,none", name="f.csv")
    attributes = ["age", "code", "tier"]
    tables = PURCHASES | {"customers": {"path": "f.csv", "attributes": attributes}, "features": {"path": "f.csv"}}
    store = open_shop(tables)
    store.require_sound()
    for name in ("customers", "features"):
        kinds = {item.name: item.kind for item in store.tables[name].columns}
        assert [kinds[column] for column in attributes] == ["number", "text", "text"]
        assert rows_of(store, name, *attributes)[0][2:] == (12.0, "007", "x")
    typed = {"features": tables["features"] | {"query": "select customer_id, age from source"}}
    assert open_shop(PURCHASES | typed).tables["features"].columns[-1].kind == "text"
    frame = pd.DataFrame({"customer_id": ["a"], "x": [1], "y": [True], "z": ["1"], "w": [None]})
    store = open_shop(PURCHASES, {"features": frame})
    assert [item.kind for item in store.tables["features"].columns[1:]] == ["number", "flag", "text", "text"]


def test_supplied_columns_that_bear_a_name_of_ours(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,1")
    write(tmp_path, "a,1", header="customer_id,Day", name="f.csv")
    tables = PURCHASES | {"features": {"path": "f.csv"}}
    assert details(open_shop(tables)) == [
        "11 Table features: the column 'Day' is a name that kizuna keeps for itself. "
        "Rename it, data.tables.features.columns: {my_day: Day}, or leave it out in the query."
    ]
    open_shop(PURCHASES | {"features": {"path": "f.csv", "columns": {"my_day": "Day"}}}).require_sound()
