from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.exports.past import make_kpi

from kizuna.exports.page.kpi_trends import MONTHS, ORDER, kpi_trends
from kizuna.kpi.catalog import KPIS
from kizuna.wording.words import load_words

WORDS = load_words("en")


def changed(code, month=-1, **values):
    """The KPIs with one figure of one month of one KPI changed."""
    kpi = make_kpi()
    numbers = kpi.numbers.copy()
    row = numbers.index[numbers["kpi"] == code][month]
    for name, value in values.items():
        numbers.loc[row, name] = value
    return replace(kpi, numbers=numbers)


def trends(build_pack, kpi, language="en"):
    return {trend.code: trend for trend in kpi_trends(build_pack(language, kpi=kpi), load_words(language)).trends}


def test_every_headline_has_its_place():
    assert sorted(ORDER) == sorted(kpi.code for kpi in KPIS if kpi.headline)


def test_thirteen_months_in_the_order_of_managers(build_pack):
    found = kpi_trends(build_pack("en", kpi=make_kpi()), WORDS)
    assert [trend.code for trend in found.trends] == [code for code in ORDER if code != "reviews_per_1000_orders"]
    assert found.months == (
        *("Dec 2024", "Jan 2025", "Feb 2025", "Mar 2025", "Apr 2025", "May 2025", "Jun 2025"),
        *("Jul 2025", "Aug 2025", "Sep 2025", "Oct 2025", "Nov 2025", "Dec 2025"),
    )
    assert all(len(trend.by_month) == MONTHS for trend in found.trends)
    assert found.notes == ("No data for: Reviews per 1,000 orders.",)
    assert [mark.split()[0] for mark in found.marks] == ["*", "ref."]
    assert found.kinds == {"final", "reference", "open", "band", "restated"}


@pytest.mark.parametrize(
    ("code", "values", "texts"),
    [
        (
            "crr_cohort",
            {"direction": "up", "change": 0.012},
            [("↑ +1.2 points on the month: better", "good")],
        ),
        ("churn_rate", {"direction": "up", "change": 0.012}, [("↑ +1.2 points on the month: worse", "bad")]),
        (
            "silent_lapse_share",
            {"direction": "down", "change": -0.02},
            [("↓ −2.0 points on the month: clear", "even")],
        ),
        ("nps", {"direction": "not_clear", "change": -3.21}, [("−3.2 on the month, not clear", "even")]),
        (
            "complaints_per_100_orders",
            {"direction": "not_clear", "change": -0.012},
            [("−0.01 on the month, not clear", "even")],
        ),
        ("revenue", {"direction": "not_clear", "change": 0.0}, [("±¥0 on the month, not clear", "even")]),
        ("cltv_formula", {"direction": "up", "change": 1200.0}, [("↑ +¥1,200 on the month: better", "good")]),
    ],
)
def test_changes_have_an_arrow_only_where_they_are_clear(build_pack, code, values, texts):
    kpi = changed(code, **values, change_year=np.nan, direction_year="")
    assert [(change.text, change.tone) for change in trends(build_pack, kpi)[code].changes] == texts


def test_changes_on_the_year_in_japanese(build_pack):
    kpi = changed("churn_rate", direction="", change=np.nan, direction_year="down", change_year=-0.024)
    found = trends(build_pack, kpi, "ja")["churn_rate"]
    assert [change.text for change in found.changes] == ["前年同月比 ↓ −2.4ポイント(改善)"]
    assert (found.name, found.month) == ("顧客離反率", "2025/12")


def test_a_first_month_has_nothing_to_compare_with(build_pack):
    found = trends(build_pack, make_kpi(months=1))
    assert [change.text for change in found["nps"].changes] == ["No earlier month to compare with"]


def test_the_figure_is_the_newest_that_can_be_compared(build_pack):
    found = trends(build_pack, make_kpi())["f2_rate_90d"]
    assert found.month == "Sep 2025"
    assert found.by_month[-3:] == ("–", "–", "–")


def test_a_month_that_runs_is_open_and_not_the_figure(build_pack):
    kpi = changed("revenue", state="censored", finished=False, direction="", change=np.nan, value=4_000_000.0)
    kpi.numbers.loc[kpi.numbers.index[kpi.numbers["kpi"] == "revenue"][-1], "direction_year"] = ""
    found = trends(build_pack, kpi)["revenue"]
    assert found.month == "Nov 2025"
    assert found.line.dots[-1].kind == "open"
    assert found.line.dashed
    assert found.by_month[-1] == "¥4.00 M*"


def test_few_answers_are_for_reference_only(build_pack):
    found = trends(build_pack, changed("nps", state="reference"))["nps"]
    assert found.mark == " (for reference only)"
    assert [dot.kind for dot in found.line.dots].count("reference") >= 2
    assert found.by_month[-1].endswith(" ref.")


def test_what_was_restated_is_marked_and_told(build_pack):
    kpi = changed("crr_cohort", restated=True, published_value=0.9, value=0.85)
    found = kpi_trends(build_pack("en", kpi=kpi), WORDS)
    assert found.restated[0] == "Retention rate (cohort), Dec 2025: 90.0%, now 85.0%"
    assert len(found.restated) == 2
    assert [dot.restated for dot in found.trends[0].line.dots].count(True) == 2
    assert "Dec 2025: 85.0% (restated since publication)" in found.trends[0].text


def test_a_difference_beyond_the_digits_shown_is_seen(build_pack):
    kpi = changed("nps", restated=True, published_value=14.031, value=14.029)
    assert kpi_trends(build_pack("en", kpi=kpi), WORDS).restated[0] == "NPS, Dec 2025: 14.031, now 14.029"


def test_what_has_too_few_is_named(build_pack):
    kpi = make_kpi()
    numbers = kpi.numbers.copy()
    mine = numbers["kpi"] == "csat_top2_share"
    numbers.loc[mine, "state"] = "not_enough_data"
    numbers.loc[mine, "value"] = np.nan
    found = kpi_trends(build_pack("en", kpi=replace(kpi, numbers=numbers)), WORDS)
    assert found.notes[1] == "Not enough data for: CSAT (top boxes)."


def test_no_kpis_have_no_place(build_pack):
    assert kpi_trends(build_pack("en"), WORDS) is None
    kpi = make_kpi()
    assert kpi_trends(build_pack("en", kpi=replace(kpi, numbers=kpi.numbers.head(0))), WORDS) is None


def test_groups_and_quarters_are_not_drawn(build_pack):
    kpi = make_kpi()
    other = kpi.numbers.assign(dimension="market", group="jp", value=-1.0)
    both = replace(kpi, numbers=pd.concat([kpi.numbers, other], ignore_index=True))
    assert kpi_trends(build_pack("en", kpi=both), WORDS) == kpi_trends(build_pack("en", kpi=kpi), WORDS)
