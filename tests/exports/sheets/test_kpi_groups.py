from dataclasses import replace

import pandas as pd
import pytest
from tests.exports.made_kpi import made_kpi

from kizuna.exports.sheets.kpi import newest_quarter
from kizuna.kpi.standing import STAGES
from kizuna.kpi.wording import load_wording
from kizuna.wording.catalog import languages


@pytest.fixture
def rows(read_workbook):
    def read(**fields):
        book = read_workbook("en", **({"rich": True} | fields))[1]
        return list(book["KPI by group"].iter_rows(values_only=True))

    return read


def test_groups_stand_side_by_side_for_the_newest_quarter_that_has_ended(rows):
    kpi = made_kpi()
    assert newest_quarter(kpi.numbers) == "FY2025-Q3"
    found = rows()
    assert found[1][0].startswith("FY2025-Q3 (1 Oct – 31 Dec 2025), the newest quarter that has ended.")
    start = next(place for place, row in enumerate(found) if row[0] == "Market")
    heads = [head for head in found[start + 1] if head]
    assert heads == ["KPI", "Everybody", "jp", "us", "de"]
    churn = next(row for row in found[start:] if row[0] == "Churn rate")
    numbers = kpi.numbers[(kpi.numbers["kpi"] == "churn_rate") & (kpi.numbers["period"] == "FY2025-Q3")]
    expected = numbers.set_index(["dimension", "group"])["value"]
    assert churn[2:6] == pytest.approx(
        [expected["all", "all"], *(expected["market", name] for name in ("jp", "us", "de"))]
    )
    nps = next(row for row in found[start:] if row[0] == "NPS")
    assert nps[4:6] == ("not enough data", "not enough data")
    assert {row[0] for row in found} >= {"Market", "Language", "Stage at the start", "Touchpoint"}


def test_everybody_who_moved_is_in_the_table_of_stages(rows):
    kpi, found = made_kpi(), rows()
    moves = kpi.migration[(kpi.migration["kind"] == "quarter") & (kpi.migration["period"] == "FY2025-Q3")]
    totals = [row for row in found if row[0] == "Total"]
    for row, column in zip(totals, ("customers", "revenue"), strict=True):
        assert [value for value in row if value is not None][-1] == pytest.approx(moves[column].sum())


def test_many_groups_are_cut_and_counted(rows):
    kpi = made_kpi()
    mine = kpi.numbers[kpi.numbers["dimension"] == "market"]
    more = mine[mine["group"] == "de"]
    copies = [more.assign(group=f"=market {place:02}" + "x" * 40) for place in range(9)]
    texts = [cell for row in rows(kpi=replace(kpi, numbers=pd.concat([kpi.numbers, *copies]))) for cell in row]
    assert "4 smaller groups are in the files of “kizuna kpi”." in texts
    assert "=market 00xxxxxxxxxxxxx…" in texts


@pytest.mark.parametrize("language", languages())
def test_stages_stand_in_the_order_of_a_customer_s_life(language):
    assert tuple(load_wording(language, {}).tree["stage"]) == STAGES
