import numpy as np
import pytest

from kizuna.evaluation.measures import profit
from kizuna.evaluation.plots import money as money_plots
from kizuna.evaluation.plots.evidence import png_bytes


@pytest.fixture(scope="module")
def shop():
    generator = np.random.default_rng(1)
    p = generator.beta(2, 4, 500)
    return (generator.random(500) < p).astype(float), generator.gamma(0.7, 20_000, 500), p


def words(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda item: hasattr(item, "get_text"))).replace(
        "\u00a0", " "
    )


def title(figure):
    return " ".join(text.get_text() for text in figure.texts[:-1]).replace("\u00a0", " ")


def test_the_title_says_how_long_the_best_list_is_and_what_it_earns():
    gain = profit.contact_gain([1, 0, 1, 0], [1000, 0, 1000, 0], 0.5, 100, 100)
    figure = money_plots.profit_figure(gain, {"kizuna": [4, 3, 2, 1], "rule": [1, 2, 3, 4]}, 1, "JPY")
    assert title(figure) == "The best list names 3 and would earn 400 JPY; one of 1 would earn 300 JPY"
    figure = money_plots.profit_figure(gain, {"kizuna": [4, 3, 2, 1]}, 9)
    assert title(figure) == "The best list names 3 and would earn 400; one of 9 would earn 200"
    figure = money_plots.profit_figure(gain - 400, {"kizuna": [4, 3, 2, 1]}, 2)
    assert title(figure) == "No list would have earned more than it costs"


def test_without_economics_nothing_is_called_profit_or_saved(shop):
    y, value, p = shop
    figure = money_plots.value_reached_figure(y, value, {"kizuna": p, "recency_rule": p.round(1)}, 100, "JPY")
    assert "Of 100 named, those who left had spent" in words(figure)
    assert "longest silent" in words(figure)
    for word in ("profit", "saved", "earn"):
        assert word not in words(figure).lower()
    figure = money_plots.value_reached_figure([1, 0], [30, 5], {"kizuna": [2, 1]}, 1)
    assert "the list holds 100 % of all of it" in words(figure)
    assert title(figure) == "Of 1 named, those who left had spent 30; by chance 15"
    figure = money_plots.value_reached_figure([0, 0], [30, 5], {"kizuna": [2, 1]}, 1)
    assert title(figure) == "Nobody who left had spent anything"


def test_the_same_rows_are_the_same_bytes_in_any_order(shop):
    y, value, p = shop
    order = np.random.default_rng(2).permutation(500)
    gain = profit.contact_gain(y, value, 0.2, 300, 1500)
    first = png_bytes(money_plots.profit_figure(gain, {"kizuna": p.round(1)}, 100))
    assert first == png_bytes(money_plots.profit_figure(gain[order], {"kizuna": p.round(1)[order]}, 100))
