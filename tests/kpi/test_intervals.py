"""Intervals against hand examples, textbooks and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.kpi.intervals import Estimates, difference, median_spell, net_promoters, rate, share


def arrays(*values: float) -> list[np.ndarray]:
    return [np.array([value], dtype=float) for value in values]


def test_wilson_by_a_textbook() -> None:
    # 15 of 148: .0624 to .1605 (Newcombe 1998, Statistics in Medicine 17, table I, method 3, 15/148).
    found = share(*arrays(15, 148))
    assert found.value[0] == pytest.approx(15 / 148)
    assert (found.low[0], found.high[0]) == (pytest.approx(0.0624, abs=5e-5), pytest.approx(0.1605, abs=5e-5))


def test_no_answers_give_no_value_and_all_of_them_an_interval_that_holds_the_value() -> None:
    assert np.isnan(share(*arrays(0, 0)).value[0])
    assert np.isnan(net_promoters(*arrays(0, 0, 0)).value[0])
    every = net_promoters(*arrays(1, 0, 1))
    assert (every.value[0], every.high[0]) == (1, 1)
    assert every.low[0] < 0


def test_nps_by_hand() -> None:
    # 3 promoters, 2 passives, 2 detractors of 7 (golden.md: 14.3); with ¾, 1½, ¾ added: 3.75 and 2.75 of 10.
    found = net_promoters(*arrays(3, 2, 7)).scaled(100)
    half = 1.959964 * np.sqrt((0.375 + 0.275 - 0.1**2) / 10)
    assert round(float(found.value[0]), 1) == 14.3
    assert found.low[0] == pytest.approx(100 * (0.1 - half), abs=1e-4)
    assert found.high[0] == pytest.approx(100 * (0.1 + half), abs=1e-4)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_every_interval_holds_its_value(up: int, middle: int, down: int) -> None:
    answers = up + middle + down
    for found in (share(*arrays(up, answers)), net_promoters(*arrays(up, down, answers))):
        if answers:
            assert found.low[0] <= found.value[0] <= found.high[0]


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(3)
    draws = generator.multinomial(60, [0.4, 0.35, 0.25], size=4000).astype(float)
    found = net_promoters(draws[:, 0], draws[:, 2], np.full(4000, 60.0))
    assert 0.935 < np.mean((found.low <= 0.15) & (found.high >= 0.15)) < 0.97
    before, now = generator.binomial(80, 0.3, 4000), generator.binomial(120, 0.45, 4000)
    gap = difference(share(now, np.full(4000, 120.0)), share(before, np.full(4000, 80.0)), np.zeros(4000))
    assert 0.935 < np.mean((gap.low <= 0.15) & (gap.high >= 0.15)) < 0.97


def test_a_difference_of_figures_that_move_together_is_surer() -> None:
    one, other = Estimates(*arrays(0.5, 0.4, 0.6)), Estimates(*arrays(0.45, 0.35, 0.55))
    apart, together = difference(one, other, np.array([0.0])), difference(one, other, np.array([0.9]))
    assert apart.low[0] == pytest.approx(0.05 - np.sqrt(0.02))
    assert together.low[0] == pytest.approx(0.05 - np.sqrt(0.02 - 0.018))


def test_a_rate_of_nothing_is_nothing() -> None:
    assert np.isnan(rate(*arrays(0, 3, 1)).value[0])
    assert rate(*arrays(4, 2, 0.01)).value[0] == 0.5


def test_the_median_counts_what_is_still_open() -> None:
    # Five spells: 1, 2 and 4 days; two still open after 3 and 6 days. After 4 days 1 − 1/2 of 3/5 survive.
    days = np.array([1, 2, 3, 4, 6])
    found = median_spell(days, np.array([1, 1, 0, 1, 0]), np.array([0, 0, 1, 0, 1]))
    assert (found.value, found.open) == (4, 2)
    assert found.low <= 4
    assert np.isnan(found.high)
    never = median_spell(np.array([2, 5]), np.array([1, 0]), np.array([0, 3]))
    assert np.isnan(never.value)
    assert never.open == 3
    closed = median_spell(np.array([0, 1, 9]), np.array([4, 1, 4]), np.zeros(3, dtype=int))
    assert (closed.value, closed.open) == (1, 0)
