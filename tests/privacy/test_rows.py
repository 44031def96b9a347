"""One customer's rows in each kind of file: whole cells under the right heading, and every other byte as it was."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

from kizuna.privacy import csv_rows, outbox_keys, page_rows, parquet_rows, workbook_rows
from kizuna.privacy.files import found_in
from kizuna.privacy.sought import Sought

IDS = frozenset({"customer_id"})
HOSTILE = ["7", 'a"b', "a,b", "a\nb", "a\r\nb", " a", "=1+1", "山田", "<b>", "a: b", "&amp;", "🙂", "x" * 200_000]


def sought(customer: str, **more: Any) -> Sought:
    return Sought(customer, IDS, **more)


def test_a_csv_loses_the_rows_of_the_customer_and_no_other_byte() -> None:
    text = 'list_rank,customer_id,text\n7,1007,"a\nb"\n8,7,"x"\n9,"7",y\n1, 7,7\n'
    count, after = csv_rows.without_rows(text.encode(), sought("7"))
    assert (count, after.decode()) == (2, 'list_rank,customer_id,text\n7,1007,"a\nb"\n1, 7,7\n')


@pytest.mark.parametrize("who", HOSTILE)
def test_an_id_of_any_letters_is_found_in_csv_and_parquet(who: str) -> None:
    frame = pd.DataFrame({"customer_id": [*HOSTILE, f"{who}x"], "n": range(len(HOSTILE) + 1)})
    left = frame[frame["customer_id"] != who]
    count, after = csv_rows.without_rows(frame.to_csv(index=False).encode(), sought(who))
    assert (count, after.decode()) == (1, left.to_csv(index=False))
    target = io.BytesIO()
    frame.to_parquet(target)
    count, after = parquet_rows.without_rows(target.getvalue(), sought(who))
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(after)), left.reset_index(drop=True))


def test_a_file_without_the_customer_stays_as_it_is() -> None:
    content = b"customer_id,a\n1,2\n"
    assert csv_rows.without_rows(content, sought("2")) == (0, content)
    assert csv_rows.without_rows(b"", sought("2")) == (0, b"")
    assert csv_rows.without_rows(b"kpi,value\n2,2\n", sought("2")) == (0, b"kpi,value\n2,2\n")


def test_in_a_csv_for_people_the_rank_tells_ids_apart_that_look_alike() -> None:
    text = "優先順位,顧客ID,何か\r\n1,A〓,x\r\n2,A〓,y\r\n".encode("cp932")
    who = sought("A𠮷", rank="2")
    count, after = csv_rows.without_rows(text, who)
    assert (count, after.decode("cp932")) == (1, "優先順位,顧客ID,何か\r\n1,A〓,x\r\n")
    text = "\ufeffRank,Customer ID,x\r\n1,'=1+1,x\r\n2,=1+1,y\r\n".encode()
    assert csv_rows.without_rows(text, sought("=1+1", rank="1"))[0] == 1


def test_an_id_that_parquet_holds_as_a_number_is_found() -> None:
    for values in ([7, 1007, 70], [7.0, 1007.0, 70.0], [7.0, float("inf"), 7.5]):
        target = io.BytesIO()
        pd.DataFrame({"customer_id": values}).to_parquet(target)
        count, after = parquet_rows.without_rows(target.getvalue(), sought("7"))
        assert (count, pd.read_parquet(io.BytesIO(after))["customer_id"].tolist()) == (1, values[1:])


@pytest.mark.parametrize("who", ["7", "<b>", "a: b", "&amp;", "山田"])
def test_a_page_loses_row_and_dot(who: str) -> None:
    from markupsafe import escape

    def row(name: str) -> str:
        return (
            f'<tr role="row" class="contact" data-place="contact">\n<td role="cell">7</td>\n<th role="rowheader">'
            f"<bdi>{escape(name)}</bdi></th>\n<td>why</td>\n</tr>\n"
        )

    def dot(name: str) -> str:
        return f'<circle class="contact" cx="1" cy="2" r="3.6"><title>{escape(name)}: 50 %, 7 JPY</title></circle>\n'

    others = [f"1{who}", f"{who}0", f"{who}: 7"]
    page = "".join(dot(name) + row(name) for name in [*others[:2], who, others[2]])
    count, after = page_rows.without_rows(page.encode(), sought(who))
    assert (count, after.decode()) == (2, "".join(dot(name) + row(name) for name in others))


def test_a_workbook_has_an_empty_hidden_row_and_none_of_its_texts(tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime(2026, 1, 5)})
        sheet = book.add_worksheet("list")
        for number, line in enumerate(
            [("Rank", "Customer ID", "Why"), ("7", "1007", "same"), ("8", "7", "his own <&>"), ("9", "8", "same")]
        ):
            sheet.write_row(number, 0, line)
        sheet.autofilter(0, 0, 3, 2)
        changes = book.add_worksheet("changes")
        changes.write_row(0, 0, ("7", "customers"))
        changes.write_row(2, 1, ("Change", "Customer ID"))
        changes.write_row(3, 1, ("new", "7"))
        changes.write_row(4, 1, ("left", "8"))
        changes.write_row(6, 2, ("7",))
        book.add_worksheet("hidden").write_row(0, 0, ("his own <&>",))
    before = path.read_bytes()
    count, after = workbook_rows.without_rows(before, sought("7"))
    assert count == 2
    path.write_bytes(after)
    book = openpyxl.load_workbook(path)
    values = [[[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets]
    assert values[0] == [["Rank", "Customer ID", "Why"], ["7", "1007", "same"], [None] * 3, ["9", "8", "same"]]
    assert values[1][0][:2] == ["7", "customers"]
    assert values[1][3] == [None, None, None]
    assert values[1][4] == [None, "left", "8"]
    assert values[1][6][2] == "7"
    assert book["list"].row_dimensions[3].hidden
    assert book["list"].auto_filter.ref == "A1:C4"
    assert workbook_rows.without_rows(after, sought("7")) == (0, after)
    assert workbook_rows.without_rows(after, sought("8"))[0] == 2
    assert workbook_rows.without_rows(before, sought("77")) == (0, before)


def test_an_outbox_entry_forgets_the_key_and_stays_sound() -> None:
    entry = {"name": "crm", "held": {"7": "x", "1007": "y"}, "planned": {"file": "f", "held": {"7": "z"}}, "handed": 7}
    count, after = outbox_keys.without_keys(json.dumps({"entry": entry, "sha256": "old"}).encode(), sought("7"))
    tree = json.loads(after)
    assert (count, tree["entry"]["held"], tree["entry"]["planned"]["held"]) == (2, {"1007": "y"}, {})
    assert len(tree["sha256"]) == 64
    other = json.dumps({"7": 7, "counts": {"7": 1}}).encode()
    assert outbox_keys.without_keys(other, sought("7")) == (0, other)


def test_bytes_that_are_none_of_these_are_a_value_error() -> None:
    for without in (workbook_rows.without_rows, parquet_rows.without_rows, outbox_keys.without_keys):
        with pytest.raises(ValueError):  # noqa: PT011
            without(b"PAR1 and nothing", sought("7"))
    with pytest.raises(ValueError, match="cp932"):
        csv_rows.without_rows(b"customer_id\n\x81\xff\xff", sought("7"))


def test_a_damaged_file_is_unread_and_stops_nobody(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": [f"c{number}" for number in range(50)], "text": "said"})
    frame.to_parquet(tmp_path / "a.parquet")
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet().write_column(0, 0, ["Customer ID", *frame["customer_id"]])
    for path in tuple(tmp_path.iterdir()):
        whole, unread = path.read_bytes(), 0
        for place in range(0, len(whole), 7):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
            unread += not found_in(path, sought("c7")).is_read
        assert unread > 50


def test_days_are_not_customers() -> None:
    content = pd.DataFrame({"as_of": [date(2026, 1, 5)], "customer_id": ["a"]}).to_csv(index=False).encode()
    assert csv_rows.without_rows(content, sought("2026-01-05")) == (0, content)


def test_a_file_that_the_system_does_not_let_read_is_unread(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "a.csv")
    assert not found_in(tmp_path / "a.csv", sought("7")).is_read
