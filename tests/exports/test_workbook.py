import re
import shutil
import subprocess
import zipfile
from datetime import datetime

import openpyxl
import pandas as pd
import pytest

from kizuna.exports.figures import places
from kizuna.exports.split import split_pack
from kizuna.exports.workbook import write_workbook
from kizuna.wording.catalog import languages
from kizuna.wording.words import load_words

SHEETS = {
    "ja": [
        *("まとめ", "今週のリスト", "先に個別対応", "連絡しない(比較用)"),
        *(
            "前回からの変化",
            "市場・ステージ別",
            "理由と施策",
            "何人に連絡すべきか",
            "これまでの実績",
            "KPI",
            "KPI(区分別)",
        ),
        *("モデルの成績", "データ品質", "用語と読み方"),
    ],
    "en": [
        *("Summary", "This week", "Service first", "Do not contact"),
        *("Changes", "By market and stage", "Reasons and actions", "How many to contact", "Lists so far"),
        *("KPI", "KPI by group", "Model results", "Data quality", "How to read"),
    ],
}
FEEDBACK = {
    "ja": ["対応状況", "対応日", "施策", "結果", "コメント"],
    "en": ["Status", "Done on", "Action taken", "Outcome", "Comment"],
}


def table(sheet):
    rows = list(sheet.iter_rows(values_only=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


@pytest.mark.parametrize("language", languages())
def test_the_sheets_stand_in_order(read_workbook, language):
    _, book = read_workbook(language, rich=True)
    assert book.sheetnames == SHEETS[language]
    assert book.active.title == SHEETS[language][0]
    assert all(len(name) <= 31 for name in book.sheetnames)


def test_sheets_of_which_nothing_is_known_are_left_out(read_workbook, build_pack):
    assert read_workbook("en")[1].sheetnames == [name for name in SHEETS["en"] if not name.startswith("KPI")]
    undated = read_workbook("en", dated=False, definition="provided", listed=3)[1].sheetnames
    assert not {"Lists so far", "KPI", "KPI by group"} & set(undated)


def test_a_part_shows_no_figures_of_the_whole_shop_as_its_own(tmp_path, build_pack):
    pack = build_pack("en", rich=True)
    part = split_pack(pack, pack.scores.set_index("customer_id")["market"])["us"]
    write_workbook(part, tmp_path / "at_risk.xlsx")
    book = openpyxl.load_workbook(tmp_path / "at_risk.xlsx")
    assert book.sheetnames == [name for name in SHEETS["en"] if name not in ("Lists so far", "KPI", "KPI by group")]
    said = [cell.value for row in book["Summary"].iter_rows() for cell in row if isinstance(cell.value, str)]
    whole = [text for text in said if text.endswith("(whole shop)")]
    assert [text.split()[0] for text in whole] == ["Q3", "Of", "Of"]
    results = [row[0] for row in book["Model results"].iter_rows(values_only=True)]
    assert "Please note" in results


@pytest.mark.parametrize("language", languages())
def test_no_formula_and_no_link_whatever_the_data_say(read_workbook, tmp_path, build_pack, language):
    _, book = read_workbook(language, rich=True)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert len(cells) > 5000
    assert {cell.data_type for cell in cells} <= {"n", "s", "d"}
    assert not any(cell.hyperlink for cell in cells)
    write_workbook(build_pack(language, rich=True), tmp_path / "at_risk.xlsx")
    with zipfile.ZipFile(tmp_path / "at_risk.xlsx") as archive:
        parts = {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
    assert not [name for name in parts if "vba" in name.lower() or "externalLink" in name]
    sheets = "".join(text for name, text in parts.items() if name.startswith("xl/worksheets/sheet"))
    assert "<f>" not in sheets
    assert "<hyperlink" not in sheets
    assert 'TargetMode="External"' not in "".join(parts.values())


def test_ids_are_text_and_unaltered(read_workbook, hostile_ids):
    pack, book = read_workbook("ja")
    read = {}
    for name in SHEETS["ja"][1:4]:
        sheet = book[name]
        column = [cell.value for cell in sheet[1]].index("顧客ID") + 1
        for row in range(2, sheet.max_row + 1):
            cell = sheet.cell(row, column)
            assert (cell.data_type, cell.number_format) == ("s", "@")
            read.setdefault(name, []).append(cell.value)
    everyone = [identifier for ids in read.values() for identifier in ids]
    assert sorted(everyone) == sorted(pack.at_risk["customer_id"])
    assert set(hostile_ids) <= set(everyone)


def test_the_list_holds_whom_to_contact_and_nobody_else(read_workbook):
    pack, book = read_workbook("en")
    place = dict(zip(pack.at_risk["customer_id"], places(pack.at_risk), strict=True))
    for name, wanted in (
        ("This week", {"contact"}),
        ("Service first", {"service"}),
        ("Do not contact", {"control", "paused"}),
    ):
        rows = table(book[name])
        assert {place[row["Customer ID"]] for row in rows} == wanted
        assert len(rows) == sum(there in wanted for there in place.values())
        assert [row["Rank"] for row in rows] == sorted(row["Rank"] for row in rows)
    for row in table(book["Do not contact"]):
        reasons = {
            "control": {"Left alone so that the effect can be measured"},
            "paused": {"Contacted or listed lately, contact rests"},
        }
        assert row["Why not to contact"] in reasons[place[row["Customer ID"]]]
        assert not {"Status", "What to do"} & set(row)


def test_numbers_dates_and_shares_are_typed(read_workbook):
    pack, book = read_workbook("ja")
    first = table(book["今週のリスト"])[0]
    expected = pack.at_risk[pack.at_risk["customer_id"] == first["顧客ID"]].iloc[0]
    assert first["離反確率"] == pytest.approx(expected["churn_probability"])
    assert first["失う恐れ"] == pytest.approx(expected["value_at_risk"])
    assert first["いつまでに"] == expected["act_by"].to_pydatetime()
    assert first["リスク区分"] in {"高", "中", "低"}
    assert first["最終購入日"] == expected["last_purchase"].to_pydatetime()
    sheet = book["今週のリスト"]
    formats = {cell.value: sheet.cell(2, cell.column).number_format for cell in sheet[1]}
    assert formats["離反確率"] == "0.0%"
    assert formats["失う恐れ"] == '#,##0"円"'
    assert formats["いつまでに"] == "yyyy/mm/dd"


@pytest.mark.parametrize("language", languages())
def test_filters_frozen_headers_and_drop_downs(read_workbook, language):
    _, book = read_workbook(language)
    words = load_words(language)
    for key in ("list", "service"):
        sheet = book[words(f"sheet.{key}")]
        header = [cell.value for cell in sheet[1]]
        assert sheet.freeze_panes == "C2"
        assert sheet.auto_filter.ref == f"A1:{openpyxl.utils.get_column_letter(len(header))}{sheet.max_row}"
        first = header.index(FEEDBACK[language][0])
        assert header[first : first + 5] == FEEDBACK[language]
        assert all(
            sheet.cell(row, first + k + 1).value is None for row in range(2, sheet.max_row + 1) for k in range(5)
        )
        rules = {
            min(cells.min_col for cells in rule.sqref.ranges): rule for rule in sheet.data_validations.dataValidation
        }
        letters = {FEEDBACK[language][column - first - 1]: rule for column, rule in rules.items()}
        assert set(letters) == set(FEEDBACK[language][:4])
        assert letters[FEEDBACK[language][0]].formula1 == (
            '"未,済,不要"' if language == "ja" else '"To do,Done,Not needed"'
        )
        assert letters[FEEDBACK[language][1]].type == "date"
        assert all(str(rule.sqref).endswith(str(sheet.max_row)) for rule in rules.values())
    apart = book[words("sheet.apart")]
    assert apart.data_validations.dataValidation == []
    assert apart.auto_filter.ref


@pytest.mark.parametrize("language", languages())
def test_every_sheet_prints_in_landscape_one_page_wide(read_workbook, language):
    _, book = read_workbook(language, rich=True)
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        assert sheet.page_setup.fitToWidth in (1, None)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert book[SHEETS[language][1]].print_title_rows == "$1:$1"


def test_a_list_is_the_same_file_every_time(tmp_path, build_pack):
    for name in ("a", "b"):
        write_workbook(build_pack("ja", rich=True), tmp_path / f"{name}.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        days = set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+", archive.read("docProps/core.xml").decode()))
    assert days == {"2026-01-01T00:00:00"}


def test_a_filled_copy_says_which_list_it_belongs_to(read_workbook):
    _, book = read_workbook("ja")
    assert {prop.name: prop.value for prop in book.custom_doc_props.props} == {
        "kizuna_name": "shop",
        "kizuna_as_of": "2026-01-01",
        "kizuna_language": "ja",
    }
    assert book.properties.created == datetime(2026, 1, 1)


def test_hostile_codes_and_groups_stay_text(read_workbook, build_pack):
    pack = build_pack("en", listed=40, rich=True)
    names = ['=HYPERLINK("http://x")', "<img src=x onerror=alert(1)>", "𠮷" * 60, "bell\x07\x0b"]
    scores = pack.scores.assign(market=[names[place % 4] for place in range(len(pack.scores))], language="-1+1")
    rows = pack.at_risk.assign(action="=1+1", reason_1="@SUM(A1)", arm="target", lifecycle_stage="+1")
    _, book = read_workbook("en", listed=40, rich=True, scores=scores, at_risk=rows)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"n", "s", "d"}
    assert not any(cell.hyperlink for cell in cells)
    texts = {cell.value for cell in cells}
    assert {*names[:3], "-1+1", "=1+1", "@SUM(A1)"} <= texts


def test_control_characters_and_endless_texts_are_no_hindrance(read_workbook, build_pack):
    pack = build_pack("en", listed=4)
    rows = pack.at_risk.assign(
        reason_1_text=["bell\x07 and \x0b tab", "x" * 40_000, "line\nbreak", "_x0041_"], arm="target"
    )
    rows["contact_allowed"] = True
    _, book = read_workbook("en", at_risk=rows)
    texts = [row["Why"] for row in table(book["This week"])]
    assert texts[1] == "x" * 32_767
    assert texts[2] == "line\nbreak"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("libreoffice") is None, reason="needs LibreOffice")
@pytest.mark.parametrize(
    "changes", [{"rich": True}, {"values": False, "answer": None}, {"listed": 0, "first_run": True}]
)
@pytest.mark.parametrize("language", languages())
def test_libreoffice_opens_and_prints_it(tmp_path, build_pack, language, changes):
    write_workbook(build_pack(language, **changes), tmp_path / "at_risk.xlsx")
    home = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["libreoffice", home, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), "at_risk.xlsx"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stdout + done.stderr.replace("javaldx", "")
    assert (tmp_path / "at_risk.pdf").read_bytes().startswith(b"%PDF")


def test_a_part_may_have_a_very_long_name(build_pack, tmp_path):
    pack = build_pack("en")
    everybody = [*pack.scores["customer_id"], *pack.removed["customer_id"]]
    (part,) = split_pack(pack, pd.Series("A&B " * 80, index=everybody)).values()
    write_workbook(part, tmp_path / "long.xlsx")
    footer = openpyxl.load_workbook(tmp_path / "long.xlsx")["Summary"].oddFooter.left.text
    assert footer.startswith("shop: A&&B A&&B")
    assert footer.endswith("Summary")
