"""Lists of past weeks: who is named, once each, and what it came to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.evaluation.list_backtest import (
    BY_CHANCE,
    Ranking,
    Weeks,
    ahead,
    best_rule,
    fitting_capacity,
    list_table,
    model_table,
    named_customers,
)
from kizuna.evaluation.measures.profit import contact_gain
from kizuna.evaluation.plots.backtest import backtest_figure

RANKINGS = (Ranking("kizuna", probability=True), Ranking("rule"))


def weeks_of(rows: list[tuple[object, ...]], capacity: int = 1) -> Weeks:
    names = ["fold", "day", "customer_id", "churned", "value", "silence_days", "kizuna", "rule"]
    return Weeks(pd.DataFrame(rows, columns=names), RANKINGS, capacity)


TEN_ROWS = weeks_of(
    [
        # The older week's model is fold 1.
        (1, 100, "a", 1, 50.0, 40, 0.9, 1),
        (1, 100, "b", 0, 20.0, 90, 0.5, 9),
        (1, 100, "c", 1, 10.0, 10, 0.4, 2),
        (1, 100, "d", 0, 90.0, 5, 0.1, 3),
        (1, 107, "a", 1, 50.0, 47, 0.9, 1),
        (1, 107, "c", 1, 10.0, 17, 0.8, 2),
        (0, 114, "b", 1, 20.0, 8, 0.3, 5),
        (0, 114, "c", 1, 10.0, 24, 0.9, 4),
        (0, 114, "d", 0, 90.0, 19, 0.2, 8),
        (0, 114, "e", 0, 30.0, 3, 0.1, 1),
    ]
)


def test_each_list_names_new_customers_in_the_order_of_the_ranking() -> None:
    named = named_customers(TEN_ROWS)
    found = named.groupby("ranking")[["day", "customer_id", "churned"]].apply(lambda part: part.to_numpy().tolist())
    assert found["kizuna"] == [[100, "a", 1], [107, "c", 1], [114, "b", 1]]
    # On day 107 the rule's first is c; on day 114 d stands before the c it has named.
    assert found["rule"] == [[100, "b", 0], [107, "c", 1], [114, "d", 0]]


def test_what_the_lists_came_to() -> None:
    table = list_table(TEN_ROWS, named_customers(TEN_ROWS)).set_index(["ranking", "fold"])
    kizuna = table.loc[("kizuna", -1)]
    assert kizuna[["lists", "named", "churners_reached", "value_reached"]].tolist() == [3, 3, 3.0, 80.0]
    # Six of ten rows churned; a, b and c are the customers who ever did, and they had spent 80.
    assert kizuna["lift"] == pytest.approx(1 / 0.6)
    assert kizuna[["precision", "churners_share", "value_share", "silence_days"]].tolist() == [1.0, 1.0, 1.0, 17.0]
    rule = table.loc[("rule", -1)]
    assert rule[["churners_reached", "value_reached", "silence_days"]].tolist() == [1.0, 10.0, 19.0]
    chance = table.loc[(BY_CHANCE, -1)]
    assert chance["churners_reached"] == pytest.approx(3 * 0.6)
    assert chance["value_reached"] == pytest.approx(3 * (50 + 10 + 50 + 10 + 20 + 10) / 10)
    assert table.loc[("kizuna", 0), "named"] == 1
    assert table.loc[("kizuna", 1), "named"] == 2


def test_the_model_is_measured_week_by_week() -> None:
    table = model_table(TEN_ROWS).set_index(["ranking", "fold"])
    # Day 100: a before b, d and c before d, but c behind b; day 107 knows churners only.
    assert table.loc[("kizuna", 1), "auc"] == pytest.approx(3 / 4)
    assert np.isnan(table.loc[("rule", 0), "log_loss"])
    assert table.loc[("kizuna", 0), "customers"] == 4


def test_how_far_ahead_counts_each_customer_once() -> None:
    named = named_customers(TEN_ROWS)
    more, low, high = ahead(named, "kizuna", "rule")
    # a and b for kizuna alone, c for both.
    assert more == 2
    spread = 1.959963984540054 * np.sqrt(2 - 4 / 4)
    assert (low, high) == pytest.approx((2 - spread, 2 + spread))
    assert ahead(named, "kizuna", "rule", "value")[0] == 70.0


def test_with_known_costs_the_lists_have_a_profit() -> None:
    rows = TEN_ROWS.rows
    gain = contact_gain(rows["churned"], rows["value"], 0.2, 1.0, 2.0)
    weeks = Weeks(rows.assign(gain=gain), RANKINGS, 1)
    named = named_customers(weeks)
    table = list_table(weeks, named).set_index(["ranking", "fold"])
    # kizuna names a, c and b: a fifth of 80 is kept, three contacts of 3 are paid for. The rule catches c alone.
    assert table.loc[("kizuna", -1), "profit"] == pytest.approx(0.2 * 80 - 9)
    assert table.loc[("rule", -1), "profit"] == pytest.approx(0.2 * 10 - 9)
    assert table.loc[(BY_CHANCE, -1), "profit"] == pytest.approx(3 * (0.2 * 150 / 10 - 3))
    assert ahead(named, "kizuna", "rule", "gain")[0] == pytest.approx(14.0)
    assert best_rule(list_table(weeks, named), ["rule"], "profit") == "rule"
    words = " ".join(text.get_text() for text in backtest_figure(weeks, named, ["rule"], "JPY").texts)
    assert "contacting all would have earned JPY" in words
    assert "assumed save rate and costs" in words


def test_without_costs_no_word_of_profit() -> None:
    named = named_customers(TEN_ROWS)
    assert "profit" not in list_table(TEN_ROWS, named)
    figure = backtest_figure(TEN_ROWS, named, ["rule"], "JPY")
    words = " ".join(text.get_text() for text in figure.findobj(lambda item: hasattr(item, "get_text"))).lower()
    for word in ("profit", "earn", "saved"):
        assert word not in words


def test_the_best_rule_is_the_one_that_reached_most() -> None:
    table = pd.DataFrame({"ranking": ["b", "a", "c", "c"], "fold": [-1, -1, -1, 0], "churners_reached": [5, 5, 4, 99]})
    assert best_rule(table, ["a", "b", "c"]) == "a"
    assert best_rule(table, []) is None


def test_lists_are_shortened_where_they_would_name_more_than_half() -> None:
    assert fitting_capacity(TEN_ROWS.rows, 500) == 1
    many = pd.DataFrame({"day": [1, 2] * 50, "customer_id": range(100)})
    assert fitting_capacity(many, 500) == 25
    assert fitting_capacity(many, 20) == 20


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 8), st.integers(0, 1), st.integers(0, 3)),
        min_size=1,
        max_size=30,
        unique_by=lambda row: row[:2],
    ),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_naming_equals_a_walk_down_each_week(rows: list[tuple[int, int, int, int]], capacity: int, random) -> None:
    def made(some: list[tuple[int, int, int, int]]) -> Weeks:
        return weeks_of([(0, day, f"c{who}", lost, 1.0, 1, score, -score) for day, who, lost, score in some], capacity)

    expected, known = [], set()
    for day in sorted({row[0] for row in rows}):
        week = sorted((row for row in rows if row[0] == day), key=lambda row: (-row[3], row[1]))
        new = [row for row in week if row[1] not in known][:capacity]
        known |= {row[1] for row in new}
        expected += [(row[0], f"c{row[1]}") for row in new]
    for some in (rows, random.sample(rows, len(rows))):
        named = named_customers(made(some))
        mine = named[named["ranking"] == "kizuna"]
        assert list(zip(mine["day"], mine["customer_id"], strict=True)) == expected
