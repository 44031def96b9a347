from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import openpyxl
import pandas as pd

from kizuna.config import Export
from kizuna.config_file import parse_config
from kizuna.exports.catalog import EXPORTS, write_exports
from kizuna.exports.failed import failed_exports
from kizuna.exports.outgoing import Outgoing
from kizuna.project import Project

MARKETS = {"C000431": "JP", "C001255": "東京", "C003021": "../x", "007": "jp"}


def outgoing(pack: Any, *exports: dict[str, Any]) -> Outgoing:
    data = {"tables": {"customers": {"attributes": ["store"]}}}
    config = parse_config({"name": "shop", "data": data, "exports": list(exports)})
    customers = pd.DataFrame(
        {"customer_id": list(MARKETS), "market": list(MARKETS.values()), "store": [7, 7.5, None, 12]}
    )
    return Outgoing(pack, config, Project(config, {"customers": customers}).opened)


def names_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_file_export_of_the_config_has_one_entry() -> None:
    sections = get_args(get_args(Export)[0])
    kinds = [name for section in sections for name in get_args(section.model_fields["to"].annotation)]
    assert [export.name for export in EXPORTS] == [kind for kind in kinds if kind != "database"]


def test_every_entry_says_what_it_wrote(tmp_path: Path, build_pack) -> None:
    columns = {"external_id": "customer_id"}
    out = outgoing(
        build_pack("en", listed=3),
        *({"to": "workbook"}, {"to": "report"}, {"to": "csv"}),
        *({"to": "csv", "encoding": "cp932", "unencodable": "replace"}, {"to": "braze", "columns": columns}),
        {"to": "database", "uri": "postgresql://nowhere"},
    )
    rows = write_exports(out, tmp_path)
    assert rows.keys() == names_of(tmp_path)
    assert {name: count for name, count in rows.items() if "/" not in name} == {
        "at_risk.xlsx": 3,
        "report.html": 3,
        "at_risk_excel.csv": 3,
        "at_risk_cp932.csv": 3,
        "at_risk_cp932_characters.csv": 0,
    }


def test_one_workbook_and_csv_for_each_market(tmp_path: Path, build_pack) -> None:
    out = outgoing(
        build_pack("ja", listed=40), {"to": "workbook", "split_by": "market"}, {"to": "csv", "split_by": "market"}
    )
    rows = write_exports(out, tmp_path)
    assert rows.keys() == names_of(tmp_path)
    endings = {name.removeprefix("at_risk_").removesuffix(".xlsx") for name in rows if name.endswith(".xlsx")}
    assert {"東京", "unknown"} < endings
    assert any(name.startswith("x-") for name in endings)
    assert {name for name in rows if name.endswith(".csv")} == {f"at_risk_excel_{ending}.csv" for ending in endings}
    assert sum(count for name, count in rows.items() if name.endswith(".xlsx")) == 40
    book = openpyxl.load_workbook(tmp_path / "at_risk_東京.xlsx")
    said = [str(cell.value) for row in book["まとめ"].iter_rows() for cell in row if cell.value]
    assert any("shop: 東京" in text for text in said)
    assert {prop.name: prop.value for prop in book.custom_doc_props.props}["kizuna_name"] == "shop"


def test_numbers_split_as_people_write_them(build_pack) -> None:
    profile = outgoing(build_pack("ja", listed=1)).profile
    assert {name: text for name, text in profile["store"].items() if isinstance(text, str)} == {
        "C000431": "7",
        "C001255": "7.5",
        "007": "12",
    }
    assert profile["language"].isna().all()


def test_a_shop_without_customers_has_a_profile_of_nothing(build_pack) -> None:
    config = parse_config({"name": "shop", "data": {"tables": {}}})
    orders = pd.DataFrame({"customer_id": ["a"], "occurred_at": ["2025-12-01"], "amount": [1.0]})
    profile = Outgoing(build_pack("ja", listed=1), config, Project(config, {"purchases": orders}).opened).profile
    assert profile.columns.tolist() == ["market", "language"]
    assert profile.index.tolist() == ["a"]
    assert profile.isna().all(axis=None)


def test_a_list_of_nobody_is_still_told(tmp_path: Path, build_pack) -> None:
    nobody = build_pack("ja", listed=0)
    rows = write_exports(outgoing(nobody, {"to": "workbook", "split_by": "market"}), tmp_path)
    assert rows == {"at_risk.xlsx": 0}


def test_a_character_that_cp932_lacks_keeps_only_its_own_file_back(tmp_path: Path, build_pack) -> None:
    pack = build_pack("ja", listed=3)
    pack.at_risk.loc[pack.at_risk.index[0], "reason_1_text"] = "𠮷野"
    rows = write_exports(outgoing(pack, {"to": "csv", "encoding": "cp932"}, {"to": "csv"}), tmp_path)
    assert rows == {"at_risk_cp932.failed.txt": 0, "at_risk_excel.csv": 3}
    assert names_of(tmp_path) == rows.keys()
    assert (tmp_path / "at_risk_cp932.failed.txt").read_text() == (
        "at_risk_cp932.csv asks for cp932, which lacks 𠮷: they stand in 1 of 4 lines. "
        "Set unencodable of that export to replace or translit.\n"
    )
    assert failed_exports(rows) == ["at_risk_cp932"]
