import pytest

from kizuna.exports.sheets.paper import Column, column_width, display_width, line_count, row_height


def test_japanese_takes_about_two_columns():
    assert display_width("最終購入") == pytest.approx(7.6)
    assert display_width("C004821") == pytest.approx(6.09)


def test_columns_fit_their_content_within_bounds():
    assert column_width(Column("ID", ["C004821"])) == pytest.approx(9.09)
    assert column_width(Column("ID", ["x" * 500], "text", 30)) == 30
    assert column_width(Column("ID", [])) == 6
    assert column_width(Column("D", [None], "date", 14)) == 14
    assert column_width(Column("V", [1_234_567.0, None], "money:#,##0", 18)) == 17


def test_long_texts_get_lines_and_lines_get_height():
    assert line_count("x" * 10, 12) == 1
    assert line_count("最終購入から六十二日が経過しています", 20) == 2
    assert line_count("one\ntwo", 20) == 2
    assert line_count(None, 20) == 1
    assert row_height(1) < row_height(2) < row_height(10) == row_height(60)
