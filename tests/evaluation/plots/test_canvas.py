import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.evaluation.plots import canvas


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefg"), st.floats(0, 1), min_size=1))
def test_labels_move_apart_and_keep_their_order(heights):
    placed = canvas.spread(heights, (0.0, 1.0), room=0.05)
    assert placed.keys() == heights.keys()
    for left, right in itertools.pairwise(sorted(heights, key=lambda name: (heights[name], name))):
        assert placed[right] - placed[left] >= 0.05 - 1e-9
    assert min(placed.values()) >= -1e-9


def test_labels_with_room_stay():
    assert canvas.spread({"a": 0.2, "b": 0.8}, (0.0, 1.0), room=0.1) == {"a": 0.2, "b": 0.8}
    assert canvas.spread({}, (0.0, 1.0), room=0.1) == {}


def test_a_swarm_stays_in_its_row_and_a_lone_dot_on_the_line():
    positions = np.concatenate([np.zeros(500), np.linspace(0.5, 1, 3)])
    heights = canvas.swarm(positions, reach=1.0)
    assert np.abs(heights).max() <= 0.43
    assert heights[500:].tolist() == [0.0, 0.0, 0.0]
    assert np.unique(heights[:500]).size == 500


def test_amounts_in_few_letters():
    assert [canvas.compact(amount) for amount in (0, 950, 12_000, 1_540_000, -2e9)] == [
        "0",
        "950",
        "12k",
        "1.54M",
        "-2B",
    ]


def test_amounts_that_stand_together_have_the_same_decimals():
    assert canvas.evenly([0.826, 0.34, 0.0801]) == ["0.826", "0.340", "0.080"]
    assert canvas.evenly([0.000775, 0.0003]) == ["0.000775", "0.000300"]
    assert canvas.evenly([12_340.4, 7.0]) == ["12,340", "7"]
    assert canvas.evenly([0.0]) == ["0"]


def test_letters_the_font_lacks_are_squares():
    assert canvas.drawable("¥ 48,200 市") == "¥ 48,200 □"


def test_a_long_title_makes_the_figure_taller():
    short, above = canvas.paper(5.0, "One line", "")
    long, more = canvas.paper(5.0, "A finding " * 12, "")
    assert more - above > 0.3
    assert np.isclose(long.get_figheight() - short.get_figheight(), more - above)
