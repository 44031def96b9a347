from dataclasses import replace

import openpyxl
import pandas as pd
import pytest

from kizuna.exports.sheets.lists import FEEDBACK
from kizuna.exports.workbook import write_workbook
from kizuna.wording.catalog import languages
from kizuna.wording.words import load_words


def header_of(pack, path, sheet):
    write_workbook(pack, path)
    return [cell.value for cell in openpyxl.load_workbook(path)[sheet][1]]


def test_columns_without_a_value_are_left_out(tmp_path, build_pack):
    pack = build_pack("en", listed=60, values=False)
    rows = pack.at_risk.assign(usual_gap_days=None, data_warning=None, reason_3_text=None)
    header = header_of(replace(pack, at_risk=rows), tmp_path / "at_risk.xlsx", "This week")
    gone = {"Value at risk", "Expected value (CLTV)", "Usual gap (days)", "Data warning", "Third reason"}
    assert not gone & set(header)
    assert {"Second reason", "Stage", "Last purchase"} <= set(header)


@pytest.mark.parametrize(
    ("language", "sheet", "header"),
    [("en", "This week", "Next purchase, if any"), ("ja", "今週のリスト", "購入する場合の次回購入日")],
)
def test_the_day_of_the_next_purchase_is_a_date(tmp_path, build_pack, language, sheet, header):
    pack = build_pack(language, listed=3)
    days = pd.Series(pd.to_datetime(["2026-01-04", None, "2026-02-01"]))
    write_workbook(
        replace(pack, at_risk=pack.at_risk.assign(arm="target", contact_allowed=True, expected_next_purchase=days)),
        tmp_path / "a.xlsx",
    )
    rows = openpyxl.load_workbook(tmp_path / "a.xlsx")[sheet]
    column = [cell.value for cell in rows[1]].index(header) + 1
    assert [rows.cell(row, column).value for row in (2, 3, 4)] == [
        pd.Timestamp("2026-01-04"),
        None,
        pd.Timestamp("2026-02-01"),
    ]


def test_unknown_consent_is_shown(tmp_path, build_pack):
    pack = build_pack("en", listed=3)
    rows = pack.at_risk.assign(arm="target", contact_allowed=pd.Series([True, None, None], dtype="boolean"))
    write_workbook(replace(pack, at_risk=rows), tmp_path / "at_risk.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "at_risk.xlsx")["This week"]
    column = [cell.value for cell in sheet[1]].index("Contact allowed") + 1
    assert [sheet.cell(row, column).value for row in (2, 3, 4)] == ["Yes", "Consent unknown", "Consent unknown"]


def test_the_reason_not_to_contact_is_in_words(tmp_path, build_pack):
    pack = build_pack("en", listed=4)
    rows = pack.at_risk.assign(
        arm=["control", "target", "target", "target"],
        contact_allowed=pd.Series([True, False, False, False], dtype="boolean"),
        suppressed_reason=[None, "no_consent", "legal hold", None],
    )
    write_workbook(replace(pack, at_risk=rows), tmp_path / "at_risk.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "at_risk.xlsx")["Do not contact"]
    assert [sheet.cell(row, 3).value for row in range(1, 6)] == [
        *("Why not to contact", "Left alone so that the effect can be measured"),
        *("No consent to any channel", "legal hold", "Not to be contacted at present"),
    ]


@pytest.mark.parametrize("language", languages())
def test_drop_downs_fit_into_a_cell_rule_and_read_back_without_doubt(language):
    words = load_words(language)
    headers = [words(f"feedback.{key}") for key in FEEDBACK]
    assert len(set(headers)) == len(headers)
    for key, choices in FEEDBACK.items():
        labels = [words(f"feedback_{key}.{choice}") for choice in choices]
        assert len(set(labels)) == len(labels)
        assert len(",".join(labels)) <= 255


@pytest.mark.parametrize("language", languages())
def test_empty_sheets_say_so(tmp_path, build_pack, language):
    write_workbook(build_pack(language, listed=0), tmp_path / "at_risk.xlsx")
    book, words = openpyxl.load_workbook(tmp_path / "at_risk.xlsx"), load_words(language)
    for key in ("list", "service", "apart"):
        assert book[words(f"sheet.{key}")]["A2"].value == words(f"empty.{key}")
