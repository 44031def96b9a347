import csv
from dataclasses import replace

import pandas as pd
import pytest

from kizuna.config_exports import CsvExport
from kizuna.errors import ResultError
from kizuna.exports.figures import rows_of
from kizuna.exports.people_csv import column_header, write_people_csv
from kizuna.safe_text import safe_text
from kizuna.scoring.rows import AT_RISK_COLUMNS
from kizuna.wording.catalog import languages
from kizuna.wording.words import load_words

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def read(path, encoding="utf-8-sig"):
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def with_ids(pack, *ids):
    rows = pack.at_risk.head(len(ids)).assign(customer_id=list(ids))
    return replace(pack, at_risk=rows)


def test_excel_in_japan_opens_it(tmp_path, build_pack):
    pack = build_pack("ja")
    assert write_people_csv(pack, CsvExport(to="csv"), tmp_path / "x.csv") == {"x.csv": 300}
    raw = (tmp_path / "x.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n") == 301
    rows = read(tmp_path / "x.csv")
    assert list(rows[0])[:6] == ["優先順位", "顧客ID", "対応区分", "基準日", "離反確率", "予測期間(日)"]
    assert {row["リスク区分"] for row in rows} <= {"高", "中", "低"}
    assert {row["対応区分"] for row in rows} == {"連絡する", "先に個別対応", "比較用(連絡しない)", "連絡を控える"}
    assert {row["連絡可否"] for row in rows} == {"可", "不可", "同意不明"}
    assert rows[0]["基準日"] == "2026/01/01"
    assert [int(row["優先順位"]) for row in rows] == list(range(1, 301))
    assert rows[0]["離反確率"] == f"{pack.at_risk['churn_probability'][0]:.4f}".rstrip("0")


def test_english_has_its_own_words_and_dates(tmp_path, build_pack):
    write_people_csv(build_pack("en"), CsvExport(to="csv"), tmp_path / "x.csv")
    rows = read(tmp_path / "x.csv")
    assert rows[0]["Day of the list"] == "2026-01-01"
    assert {row["Risk"] for row in rows} <= {"High", "Medium", "Low"}


@pytest.mark.parametrize("language", languages())
def test_every_column_of_the_list_has_a_heading_of_its_own(language):
    words = load_words(language)
    headings = [column_header(name, words) for name in AT_RISK_COLUMNS]
    assert not set(headings) & set(AT_RISK_COLUMNS)
    assert len(set(headings)) == len(headings)


def test_no_text_begins_a_formula_and_no_number_is_touched(tmp_path, build_pack, hostile_ids):
    pack = build_pack("ja")
    for options in ({}, {"encoding": "cp932", "unencodable": "translit"}):
        asked = CsvExport(to="csv", **options)
        write_people_csv(pack, asked, tmp_path / "x.csv")
        rows = read(tmp_path / "x.csv", asked.encoding)
        for row in rows:
            for text in row.values():
                assert not text.startswith(STARTS)
    write_people_csv(pack, CsvExport(to="csv"), tmp_path / "x.csv")
    found = {row["顧客ID"] for row in read(tmp_path / "x.csv")}
    assert {safe_text(name) for name in hostile_ids} <= found
    assert {"007", "NA", "'=1+1", "'-5", "'+81901234567", "N" * 120, "null", "𠮷野家😀"} <= found


def test_a_negative_number_stays_a_number(tmp_path, build_pack):
    pack = build_pack("ja", listed=1)
    pack = replace(pack, at_risk=pack.at_risk.assign(revenue_365d=-120.5))
    write_people_csv(pack, CsvExport(to="csv"), tmp_path / "x.csv")
    assert read(tmp_path / "x.csv")[0]["365日間の購入金額"] == "-120.5"


def test_tabs_line_ends_and_nul(tmp_path, build_pack):
    pack = with_ids(build_pack("ja"), "\tx", "\rx", "a\r\nb", "\0=1", 'a"b,c')
    write_people_csv(pack, CsvExport(to="csv"), tmp_path / "x.csv")
    assert [row["顧客ID"] for row in read(tmp_path / "x.csv")] == ["'\tx", "'\rx", "a\r\nb", "'=1", 'a"b,c']


def test_cp932_and_the_list_of_what_changed(tmp_path, build_pack):
    pack = with_ids(build_pack("ja"), "007", "𠮷野家😀", "﹦1+1")
    asked = CsvExport(to="csv", encoding="cp932", unencodable="translit")
    assert write_people_csv(pack, asked, tmp_path / "x.csv") == {"x.csv": 3, "x_characters.csv": 2}
    assert b"\r\n" in (tmp_path / "x.csv").read_bytes()
    # The small equals sign is none that begins a formula; what stands for it would.
    assert [row["顧客ID"] for row in read(tmp_path / "x.csv", "cp932")] == ["007", "吉野家〓", "'=1+1"]
    assert read(tmp_path / "x_characters.csv") == [
        {"優先順位": "2", "顧客ID": "𠮷野家😀", "列": "顧客ID", "文字": "𠮷😀", "出力した文字": "吉野家〓"},
        {"優先順位": "3", "顧客ID": "﹦1+1", "列": "顧客ID", "文字": "﹦", "出力した文字": "'=1+1"},
    ]
    with pytest.raises(ResultError, match=r"^x.csv asks for cp932, which lacks 𠮷😀﹦: they stand in 2 of 4 lines\."):
        write_people_csv(pack, CsvExport(to="csv", encoding="cp932"), tmp_path / "x.csv")


def test_a_wave_dash_is_listed_in_an_id_and_nowhere_else(tmp_path, build_pack):
    pack = with_ids(build_pack("ja"), "3〜5")
    pack = replace(pack, at_risk=pack.at_risk.assign(facts="DETRACTOR"))
    assert "〜" in load_words("ja")("fact.DETRACTOR")
    write_people_csv(pack, CsvExport(to="csv", encoding="cp932"), tmp_path / "x.csv")
    assert [row["列"] for row in read(tmp_path / "x_characters.csv")] == ["顧客ID"]


@pytest.mark.parametrize("language", languages())
def test_headings_can_be_written_in_cp932(language):
    words = load_words(language)
    texts = [text for key, text in words.texts.items() if key.split(".")[0] in ("column", "csv", "place", "arm")]
    "".join(texts).encode("cp932")


def test_only_whom_to_contact(tmp_path, build_pack):
    pack = build_pack("ja")
    write_people_csv(pack, CsvExport(to="csv", rows="contact"), tmp_path / "x.csv")
    rows = read(tmp_path / "x.csv")
    assert {row["対応区分"] for row in rows} == {"連絡する"}
    assert len(rows) == len(rows_of(pack.at_risk, "contact"))


def test_the_same_list_gives_the_same_bytes_in_any_order_of_rows(tmp_path, build_pack):
    pack = build_pack("ja")
    shuffled = replace(pack, at_risk=pack.at_risk.sample(frac=1, random_state=1))
    for name, given in (("a.csv", pack), ("b.csv", shuffled)):
        write_people_csv(given, CsvExport(to="csv"), tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_an_empty_list_is_a_header(tmp_path, build_pack):
    pack = build_pack("ja", listed=0)
    write_people_csv(pack, CsvExport(to="csv", encoding="cp932"), tmp_path / "x.csv")
    assert read(tmp_path / "x.csv", "cp932") == []
    assert pd.read_csv(tmp_path / "x.csv", encoding="cp932").shape[0] == 0
