import csv
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.errors import ResultError
from kizuna.exports.csv import write_at_risk_csv, write_removed_csv


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_type_is_written_as_promised(tmp_path):
    frame = pd.DataFrame(
        {
            "as_of": pd.Series([pd.Timestamp(2026, 1, 1), pd.NaT], dtype="datetime64[s]"),
            "customer_id": pd.Series(["007", "a,b"], dtype="str"),
            "churn_probability": [0.782149, 1.0],
            "value_at_risk": [48200.0, -0.001],
            "overdue_ratio": [3.44444, np.nan],
            "weeks_on_list": pd.Series([1, None], dtype="Int64"),
            "contact_allowed": pd.Series([True, None], dtype="boolean"),
            "act_by": [date(2026, 1, 5), None],
            "facts": pd.Series(["", None], dtype="str"),
        }
    )
    write_at_risk_csv(frame, tmp_path / "at_risk.csv")
    assert (tmp_path / "at_risk.csv").read_bytes().decode("utf-8") == (
        "as_of,customer_id,churn_probability,value_at_risk,overdue_ratio,weeks_on_list,contact_allowed,act_by,facts\n"
        '2026-01-01,007,0.7821,48200,3.44,1,true,2026-01-05,""\n'
        ',"a,b",1,0,,,,,\n'
    )


def test_hostile_ids_come_back_to_the_letter(tmp_path, build_pack, hostile_ids):
    pack = build_pack()
    write_at_risk_csv(pack.at_risk, tmp_path / "at_risk.csv")
    text = (tmp_path / "at_risk.csv").read_bytes()
    assert not text.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in text
    rows = read(tmp_path / "at_risk.csv")
    assert list(rows[0]) == list(pack.at_risk.columns)
    assert [row["customer_id"] for row in rows] == pack.at_risk["customer_id"].tolist()
    assert set(hostile_ids) <= {row["customer_id"] for row in rows}
    assert {row["contact_allowed"] for row in rows} == {"true", "false", ""}


def test_numbers_have_no_noise_and_change_only_by_rounding(tmp_path, build_pack):
    pack = build_pack()
    write_at_risk_csv(pack.at_risk, tmp_path / "at_risk.csv")
    back = pd.read_csv(tmp_path / "at_risk.csv", dtype={"customer_id": "str"}, keep_default_na=False, na_values=[""])
    for name, step in (("churn_probability", 1e-4), ("value_at_risk", 0.01), ("overdue_ratio", 0.01)):
        difference = (back[name] - pack.at_risk[name].reset_index(drop=True)).abs()
        assert difference.max() <= step / 2 + 1e-9
        assert (back[name].isna() == pack.at_risk[name].isna()).all()
    lengths = [len(row["churn_probability"]) for row in read(tmp_path / "at_risk.csv")]
    assert max(lengths) <= len("0.1234")


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=8))
def test_any_text_comes_back(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("csv") / "at_risk.csv"
    write_at_risk_csv(pd.DataFrame({"customer_id": texts, "other": ["x"] * len(texts)}, dtype=object), path)
    assert [row["customer_id"] for row in read(path)] == texts


def test_the_same_list_gives_the_same_bytes_and_the_removed_are_sorted(tmp_path, build_pack):
    pack = build_pack()
    write_at_risk_csv(pack.at_risk, tmp_path / "a.csv")
    write_at_risk_csv(build_pack().at_risk, tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    removed = pack.removed
    write_removed_csv(removed, tmp_path / "removed.csv")
    write_removed_csv(removed.iloc[::-1], tmp_path / "again.csv")
    assert (tmp_path / "removed.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
    assert (tmp_path / "removed.csv").read_text().splitlines()[1] == "C900000,2025-12-25,purchased"


def test_an_empty_list_is_a_header(tmp_path, build_pack):
    pack = build_pack(listed=0)
    write_at_risk_csv(pack.at_risk, tmp_path / "at_risk.csv")
    assert (tmp_path / "at_risk.csv").read_text() == ",".join(pack.at_risk.columns) + "\n"


def test_a_column_name_that_is_not_ascii_is_refused(tmp_path):
    with pytest.raises(ResultError) as caught:
        write_at_risk_csv(pd.DataFrame({"顧客": ["1"]}), tmp_path / "at_risk.csv")
    assert str(caught.value) == "at_risk.csv asks for ASCII column names; found '顧客'. Rename the column."
