from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TEXT = "customer_id,occurred_at,amount\n007,2026-11-16,5\nNA,2026-11-17 23:59,7.5\n"


def write_csv(path: Path) -> dict[str, Any]:
    (path / "p.csv").write_text(TEXT)
    return {"path": "p.csv"}


def test_csv_cells_keep_commas_line_breaks_quotes_and_blanks(tmp_path: Path, open_shop: Any, rows_of: Any) -> None:
    ids = ["a,b", "a\nb", "a\r\nb", 'a"b', " a ", "NULL", "'; DROP TABLE x; --", "../../x", "＝１", "🙂"]
    lines = "".join(f'"{name.replace(chr(34), 2 * chr(34))}",2026-11-16,1\n' for name in ids)
    (tmp_path / "p.csv").write_bytes(("customer_id,occurred_at,amount\n" + lines).encode())
    store = open_shop({"purchases": {"path": "p.csv"}})
    store.require_sound()
    assert [row[0] for row in rows_of(store, "purchases")] == sorted(ids, key=str.encode)
    assert list(store.ids()) == sorted(ids, key=str.encode)


def test_a_csv_of_one_column_may_have_empty_lines(tmp_path: Path, open_shop: Any) -> None:
    write_csv(tmp_path)
    (tmp_path / "out.csv").write_text("customer_id\n007\n\nNA\n\n")
    store = open_shop({"purchases": {"path": "p.csv"}, "suppressions": {"path": "out.csv"}})
    store.require_sound()
    assert store.tables["suppressions"].rows == 2


def error_of(open_shop: Any, source: dict[str, Any]) -> str:
    """The one error of a shop whose purchases come from ``source``, after its exit code."""
    store = open_shop({"purchases": source})
    [finding] = [item for item in store.findings if item.state == "error"]
    return f"{finding.exit_code} {finding.details}"


CSV_FAULTS = {
    "a,2026-11-16,1\nb,2026-11-16,1,9\n": "line 3 of p.csv has 4 cells and the header 3. Mend that line, or quote its cells.",
    "a,2026-11-16,1\nb,2026-11-16\n": "line 3 of p.csv has 2 cells and the header 3. Mend that line, or quote its cells.",
    '"a,2026-11-16,1\n': 'line 2 of p.csv opens a quote that is not closed as "" or ". Mend that line.',
    "a,2026-11-16,1\r\nb,2026-11-16,1\n": "p.csv mixes line endings (CR LF and LF), or its quotes do not close. "
    "Export it again with one ending.",
}


@pytest.mark.parametrize("body", CSV_FAULTS)
def test_a_csv_with_a_fault_is_refused_with_its_line(body: str, tmp_path: Path, open_shop: Any) -> None:
    (tmp_path / "p.csv").write_bytes(("customer_id,occurred_at,amount\n" + body).encode())
    assert error_of(open_shop, {"path": "p.csv"}) == f"11 Table purchases cannot be read: {CSV_FAULTS[body]}"


def test_a_csv_in_another_encoding_is_named(tmp_path: Path, open_shop: Any) -> None:
    again = "Export it again as UTF-8 (in Excel: CSV UTF-8)."
    text = "customer_id,occurred_at,amount\na,2026-11-16,1\n山田,2026-11-16,1\n"
    for encoding, said in (
        ("cp932", f"Line 3 of p.csv is not UTF-8; it reads as Shift_JIS (cp932). {again}"),
        ("utf-16", f"p.csv is UTF-16, not UTF-8. {again}"),
    ):
        (tmp_path / "p.csv").write_bytes(text.encode(encoding))
        assert error_of(open_shop, {"path": "p.csv"}) == f"11 Table purchases cannot be read: {said}"
    late = b"customer_id,occurred_at,amount\n" + b"a,2026-11-16,1\n" * 100_000 + "山田,2026-11-16,1\n".encode("cp932")
    (tmp_path / "p.csv").write_bytes(late)
    assert error_of(open_shop, {"path": "p.csv"}) == (
        f"11 Table purchases cannot be read: line 100,002 of p.csv is not UTF-8. {again}"
    )


def test_empty_and_doubled_headers(tmp_path: Path, open_shop: Any) -> None:
    (tmp_path / "p.csv").write_text("")
    assert error_of(open_shop, {"path": "p.csv"}) == (
        "10 Table purchases cannot be read: p.csv is empty: it has not even a header. Export it again."
    )
    (tmp_path / "p.csv").write_text("customer_id,occurred_at,amount,amount\na,2026-11-16,1,2\n")
    assert error_of(open_shop, {"path": "p.csv"}) == (
        "11 Table purchases cannot be read: The header of p.csv names 'amount' more than once. Rename or drop one of them."
    )
    (tmp_path / "p.csv.gz").write_text(TEXT)
    assert error_of(open_shop, {"path": "p.csv.gz"}).endswith("If it is not compressed, take .gz off its name.")
