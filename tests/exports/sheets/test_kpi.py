from dataclasses import replace

import pandas as pd
import pytest
from tests.exports.made_kpi import made_kpi

from kizuna.exports.sheets.kpi import MONTHS, trend_text
from kizuna.kpi.catalog import KPIS
from kizuna.kpi.wording import load_wording


@pytest.fixture
def sheet(read_workbook):
    def read(language="en", **fields):
        return read_workbook(language, **({"rich": True} | fields))[1]["KPI"]

    return read


def blocks(sheet):
    """The tables whose second column names lines: heads, and (KPI, line) -> the row's cells."""
    found, name = [], ""
    for row in sheet.iter_rows():
        if row[0].value in ("KPI", "指標") and row[1].value is None and row[2].value:
            found.append(([cell.value for cell in row[2:] if cell.value], {}))
        elif found and row[1].value in ("Value", "95% interval", "n", "On period before", "On year before"):
            name = row[0].value or name
            found[-1][1][name, row[1].value] = row[2:]
    return found


def figures(kpi, kind, code, dimension="all"):
    numbers = made_kpi().numbers
    mine = numbers[(numbers["kpi"] == code) & (numbers["kind"] == kind) & (numbers["dimension"] == dimension)]
    return mine.set_index("period")


def test_months_have_value_interval_n_and_changes(sheet):
    months = blocks(sheet())[0]
    assert months[0] == ["2024-12", *(f"2025-{month:02}" for month in range(1, 13))]
    assert len(months[0]) == MONTHS
    churn = figures(None, "month", "churn_rate")
    cells = {line: months[1]["Churn rate", line] for line in ("Value", "95% interval", "n", "On period before")}
    last = churn.loc["2025-12"]
    assert cells["Value"][12].value == pytest.approx(last["value"])
    assert cells["Value"][12].number_format == '0.0%;"−"0.0%'
    assert cells["95% interval"][12].value == f"{100 * last['low']:.1f}% to {100 * last['high']:.1f}%"
    assert (cells["n"][12].value, cells["n"][12].number_format) == (last["n"], '"n="#,##0')
    assert cells["On period before"][12].value == pytest.approx(round(100 * last["change"], 1))


def test_clear_changes_carry_an_arrow_and_a_colour_and_others_none(sheet):
    months = blocks(sheet())[0]
    churn = figures(None, "month", "churn_rate").tail(MONTHS)
    for cell, direction in zip(months[1]["Churn rate", "On year before"], churn["direction_year"], strict=False):
        if cell.value is None:
            continue
        assert ("↓" in cell.number_format) == (direction == "down")
        assert ("↑" in cell.number_format) == (direction == "up")
        # Less churn is better.
        assert (cell.font.color.rgb == "FF1F5A43") == (direction == "down")


def test_states_are_marks_and_words(sheet):
    months = blocks(sheet())[0]
    few = months[1]["NPS", "n"][12]
    assert few.number_format == '"ref. n="#,##0'
    assert months[1]["NPS", "Value"][12].font.italic
    late = months[1]["Second order in 90 days", "Value"]
    assert [cell.value for cell in late[10:13]] == ["not final"] * 3
    states = figures(None, "month", "csat_top2_share").tail(MONTHS)["state"].tolist()
    words = [cell.value for cell in months[1]["CSAT (top boxes)", "Value"][:MONTHS]]
    assert [word == "not enough data" for word in words] == [state == "not_enough_data" for state in states]
    longer = blocks(sheet())[1]
    assert longer[0][-2:] == ["FY2024", "FY2025"]
    assert longer[1]["Churn rate", "Value"][len(longer[0]) - 1].number_format == '0.0%"*";"−"0.0%"*"'


def test_every_headline_kpi_stands_beside_its_definition(sheet):
    wording = load_wording("en", made_kpi().settings)
    texts = {row[0].value: [cell.value for cell in row] for row in sheet().iter_rows(max_row=24)}
    for kpi in KPIS:
        if kpi.headline:
            assert wording.definition(kpi.code) in texts[wording.name(kpi.code)]
    assert texts["Second order in 90 days"][1] == "2025-09"


def test_fiscal_years_are_named_as_the_language_does(sheet):
    heads = [cell.value for row in sheet("ja").iter_rows() for cell in row if isinstance(cell.value, str)]
    assert {"2025年度", "2025年度 第3四半期", "2025-12"} <= set(heads)
    assert "FY2025" not in heads


def test_what_was_restated_is_told_with_both_values(sheet):
    kpi = made_kpi()
    keys = ["kpi", "kind", "start", "end", "dimension", "group", "value"]
    pick = kpi.numbers["period"].eq("2025-11") & kpi.numbers["kpi"].isin(["revenue", "churn_rate"])
    rows = kpi.numbers.loc[pick & kpi.numbers["dimension"].eq("all"), keys]
    told = rows.assign(
        published_value=rows["value"] * [1.1, 1.0 + 1e-7],
        published_known_before=pd.Timestamp("2025-12-01"),
        published_basis="",
        basis="",
    )
    marked = kpi.numbers.assign(restated=pick & kpi.numbers["dimension"].eq("all"))
    found = sheet(kpi=replace(kpi, restated=told, numbers=marked))
    rows = list(found.iter_rows(values_only=True))
    start = next(place for place, row in enumerate(rows) if row[0] == "Restated since it was published: 2")
    assert rows[start + 2][:1] == ("Churn rate",)
    assert rows[start + 3][0] is None or not str(rows[start + 3][0]).startswith("Revenue")
    churn = blocks(found)[0][1]["Churn rate", "Value"]
    assert ["†" in cell.number_format for cell in churn[:MONTHS]] == [month == 11 for month in range(MONTHS)]


def test_kpis_without_a_table_are_named(sheet):
    kpi = made_kpi()
    state = kpi.numbers["state"].mask(kpi.numbers["kpi"].isin(["nps", "csat_top2_share"]), "no_table")
    rows = sheet(kpi=replace(kpi, numbers=kpi.numbers.assign(state=state))).iter_rows(values_only=True)
    texts = [row[0] for row in rows if row[0]]
    assert "No table for: NPS, CSAT (top boxes)" in texts
    assert "NPS" not in texts


def test_a_trend_is_drawn_from_the_lowest_to_the_highest():
    cells = [{"value": value} for value in (1.0, 2.0, None, 8.0)]
    assert trend_text([*cells, None]) == "▁▂·█·"
    assert trend_text([{"value": 3.0}, {"value": 3.0}]) == "▁▁"
    assert trend_text([{"value": 3.0}, None]) == ""
