import numpy as np
import pandas as pd
import pytest

from kizuna.config import Economics
from kizuna.evaluation.measures import profit
from kizuna.evaluation.measures.intervals import evaluation_rows
from kizuna.evaluation.money import MoneyRows, assess_money, money_at_stake
from kizuna.evaluation.plots.money import money_figures

CHURNED = [1, 0, 1, 0, 1, 0, 1, 1, 0, 0]
STAKE = np.array([100.0, 900, 50, 10, 0, 30, 400, 20, 5, 60])
SCORES = {
    "kizuna": np.array([9.0, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
    "kizuna_probability": np.array([0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.9, 0.1, 0.1]),
    "mean_spend": STAKE,
}
COSTS = Economics(contact_cost=1.0, offer_cost=4.0, assumed_save_rate=0.2)


def ten_rows(folds=None):
    shown = np.ones(10, dtype=bool) if folds is None else np.array(folds) == 0
    return MoneyRows(evaluation_rows(CHURNED, folds=folds), STAKE, SCORES, shown)


def test_without_costs_there_is_value_and_no_profit():
    found = assess_money(ten_rows(), 3, Economics())
    assert found.gain is None
    table = found.table.set_index("ranking")
    assert not [name for name in table if "profit" in name]
    # kizuna names 100, 900 (stayed) and 50 of the 570 that left; by spend 900, 400 and 100 are named first.
    assert table["value_caught_at_capacity"]["kizuna"] == 150
    assert table["value_share_at_capacity"]["kizuna"] == pytest.approx(150 / 570)
    assert table["value_lift_at_capacity"]["kizuna"] == pytest.approx(150 / 570 / 0.3)
    assert table["value_caught_at_capacity"]["mean_spend"] == 500
    # Five tied: three of them hold three fifths of it all.
    assert table["value_caught_at_capacity"]["kizuna_probability"] == pytest.approx(570 * 3 / 5)
    assert found.best_rule == "mean_spend"
    assert found.comparison.differences["mean_spend"]["value_caught_at_capacity"].estimate == -350
    assert list(money_figures(found)) == ["value_reached"]


def test_with_costs_the_profit_of_the_list_and_of_the_best_list():
    found = assess_money(ten_rows(), 3, COSTS)
    table = found.table.set_index("ranking")
    # A fifth of 150 is saved, and three contacts of 5 are paid for.
    assert table["profit_at_capacity"]["kizuna"] == pytest.approx(30 - 15)
    gain = profit.contact_gain(CHURNED, STAKE, 0.2, 1, 4)
    curve = profit.profit_curve(gain, SCORES["kizuna"])
    assert table.loc["kizuna", ["best_list_size", "best_profit"]].tolist() == [curve.best_count, curve.best_profit]
    assert list(money_figures(found)) == ["value_reached", "profit"]


def test_numbers_are_means_over_folds_and_pictures_show_the_newest_day():
    folds = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    found = assess_money(ten_rows(folds), 1, COSTS)
    table = found.table.set_index("ranking")
    assert table["value_caught_at_capacity"]["kizuna"] == (100 + 0) / 2
    assert table["value_share_at_capacity"]["kizuna"] == pytest.approx(50 / 285)
    assert table["best_list_size"]["kizuna"] == 1
    words = " ".join(text.get_text() for text in money_figures(found)["value_reached"].texts)
    assert "of 5 customers" in words


def test_nobody_left_with_anything():
    found = assess_money(
        MoneyRows(evaluation_rows([0, 0]), np.ones(2), {"kizuna": np.ones(2)}, np.ones(2, bool)), 1, COSTS
    )
    line = found.table.iloc[0]
    assert np.isnan([line["value_share_at_capacity"], line["value_lift_at_capacity"]]).all()
    assert [line["best_list_size"], line["best_profit"]] == [0, 0]
    assert found.best_rule is None


def test_at_stake_is_the_spend_of_the_year_before_times_the_margin():
    year = pd.DataFrame({"revenue": [500.0, 20], "revenue_365d": [200.0, np.nan]})
    np.testing.assert_array_equal(money_at_stake(year, 0.5), [100, 0])
    np.testing.assert_array_equal(money_at_stake(year[["revenue"]], 1.0), [500, 20])
    assert money_at_stake(year[[]], 1.0) is None
