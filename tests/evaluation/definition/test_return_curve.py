"""The return curve against one silence at a time."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.features.oracle import past_of
from tests.features.oracle_purchases import is_return
from tests.features.shops import FIRST, LAST, random_shop
from tests.features.small import project_of, table

from kizuna.evaluation.definition.return_curve import Curve, return_curves
from kizuna.timeline import day_of

counts = hnp.arrays(np.int64, 12, elements=st.integers(0, 60))


def day(text: str) -> int:
    return day_of(date.fromisoformat(text))


def curves_of(tables: dict[str, pd.DataFrame], until: str, arrives_after_days: int = 0) -> dict[str, dict[str, Curve]]:
    sources = {name: {} for name in tables} | {"purchases": {"arrives_after_days": arrives_after_days}}
    found = return_curves(project_of(tables, data={"tables": sources}).opened, day(until))
    return {kind: {curve.segment: curve for curve in group} for kind, group in found.items()}


def lengths(counted: np.ndarray) -> list[int]:
    return [length for length, number in enumerate(counted) for _ in range(number)]


def slow_survival(ended: list[int], still_open: list[int], days: int) -> float:
    """Kaplan-Meier by its product, over every silence."""
    kept = 1.0
    for at in range(days + 1):
        risk = sum(length >= at for length in ended) + sum(length >= at for length in still_open)
        if risk:
            kept *= 1 - sum(length == at for length in ended) / risk
    return kept


def test_six_orders_of_three_customers_by_hand() -> None:
    """a: 10 days, then 5, then open for 4; b: open for 19; c twice on a day: 3, then open for 15."""
    purchases = table(
        "customer_id occurred_at amount",
        *("a 2025-01-01 5", "a 2025-01-11 5", "a 2025-01-16 5"),
        "b 2025-01-01 5",
        *("c 2025-01-02 5", "c 2025-01-02 7", "c 2025-01-05 5"),
    )
    found = curves_of({"purchases": purchases}, "2025-01-21")
    everyone = found["all"]["after any order"]
    assert lengths(everyone.ended) == [3, 5, 10]
    assert lengths(everyone.still_open) == [4, 15, 19]
    assert everyone.silences == 6
    # At risk: 6 on day 3; 4 on day 5, for one is followed for four days only; 3 on day 10.
    assert everyone.surviving[[2, 3, 5, 10, 19]] == pytest.approx([1, 5 / 6, 5 / 8, 5 / 12, 5 / 12])
    first = found["orders"]["after 1 order"]
    assert (lengths(first.ended), lengths(first.still_open)) == ([3, 10], [19])
    assert lengths(found["orders"]["after 2 orders"].ended) == [5]
    assert lengths(found["orders"]["after 3-5 orders"].still_open) == [4]
    assert found["orders"]["after 6+ orders"].silences == 0
    assert found["market"] == {}


def test_only_what_was_known_before_the_day_and_had_time_to_arrive() -> None:
    purchases = table(
        "customer_id occurred_at amount known_at",
        "a 2025-01-01 5 -",
        "a 2025-01-06 5 2025-01-21",
        "a 2025-01-08 -5 -",
        "b 2025-01-01 5 -",
        "b 2025-01-19 5 -",
        "b 2025-01-21 5 -",
    )
    everyone = curves_of({"purchases": purchases}, "2025-01-21")["all"]["after any order"]
    assert (lengths(everyone.ended), lengths(everyone.still_open)) == ([18], [1, 19])
    late = curves_of({"purchases": purchases}, "2025-01-21", arrives_after_days=3)["all"]["after any order"]
    assert (lengths(late.ended), lengths(late.still_open)) == ([], [16, 16])


def test_the_market_is_the_one_known_on_the_day_and_a_single_one_is_no_segment() -> None:
    purchases = table(
        "customer_id occurred_at amount", "a 2025-01-01 5", "a 2025-01-03 5", "b 2025-01-02 5", "c 2025-01-02 5"
    )
    customers = table("customer_id market", "a jp", "b de", "c -")
    found = curves_of({"purchases": purchases, "customers": customers}, "2025-01-05")["market"]
    assert list(found) == ["de", "jp"]
    assert (lengths(found["jp"].ended), lengths(found["jp"].still_open)) == ([2], [1])
    assert lengths(found["de"].still_open) == [2]
    moved = table(
        "customer_id market valid_from", "a jp 2025-01-01", "a de 2025-01-04", "b us 2025-01-01", "b jp 2025-01-05"
    )
    found = curves_of({"purchases": purchases, "customers": moved}, "2025-01-05")["market"]
    assert {name: curve.silences for name, curve in found.items()} == {"de": 2, "jp": 0, "us": 1}
    only = customers.assign(market="jp")
    assert curves_of({"purchases": purchases, "customers": only}, "2025-01-05")["market"] == {}


@given(counts, counts, st.integers(1, 8))
def test_equals_the_product_over_every_silence(ended: np.ndarray, still_open: np.ndarray, horizon: int) -> None:
    curve = Curve("x", ended, still_open)
    returned, silent = lengths(ended), lengths(still_open)
    longest = max([*returned, *silent], default=0)
    assert curve.followed_days == longest
    for at in range(longest + 1):
        if curve.silences:
            assert curve.surviving[at] == pytest.approx(slow_survival(returned, silent, at), abs=1e-12)
    share, low, high = curve.ends_within(horizon)
    for at in range(12):
        before = slow_survival(returned, silent, at)
        risk = sum(length > at for length in [*returned, *silent])
        if at + horizon > longest or risk < 30 or before == 0:
            assert np.isnan([share[at], low[at], high[at]]).all()
            continue
        expected = 1 - slow_survival(returned, silent, at + horizon) / before
        assert share[at] == pytest.approx(expected, abs=1e-9)
        assert -1e-12 <= low[at] <= share[at] + 1e-12
        assert share[at] - 1e-12 <= high[at] <= 1 + 1e-12
    known = ~np.isnan(curve.surviving)
    assert (np.diff(curve.surviving[known]) <= 1e-12).all()


def test_without_open_silences_it_is_the_plain_share_and_greenwood_is_the_binomial_variance() -> None:
    ended = np.zeros(101, dtype=np.int64)
    ended[10], ended[100] = 40, 60
    share, low, high = Curve("x", ended, np.zeros(101, dtype=np.int64)).ends_within(20)
    assert share[0] == pytest.approx(0.4)
    # log(-log): Greenwood's variance of log S is (1 - S) / (n S).
    width = 1.959963984540054 * np.sqrt(0.4 / (100 * 0.6)) / abs(np.log(0.6))
    assert (1 - high[0], 1 - low[0]) == pytest.approx((0.6 ** np.exp(width), 0.6 ** np.exp(-width)))
    # From day 10 on nobody of 60 returns within 20 days, and all do from day 80 on: the exact binomial bounds.
    assert (share[10], low[10], high[10]) == pytest.approx((0, 0, 1 - 0.025 ** (1 / 60)))
    assert (share[80], low[80], high[80]) == pytest.approx((1, 0.025 ** (1 / 60), 1))


def test_intervals_cover_the_truth_nineteen_times_in_twenty() -> None:
    """Geometric gaps of chance 0.02 a day, each followed for 20 to 100 days: the chance within 20 days is 1 - 0.98^20."""
    generator = np.random.default_rng(3)
    truth, covered = 1 - 0.98**20, 0
    for _ in range(400):
        gap, followed = generator.geometric(0.02, 200), generator.integers(20, 101, 200)
        ended = np.bincount(gap[gap <= followed], minlength=102)
        still_open = np.bincount(followed[gap > followed], minlength=102)
        _, low, high = Curve("x", ended, still_open).ends_within(20)
        covered += int(low[15] <= truth <= high[15])
    assert 0.92 <= covered / 400 <= 0.98


def test_a_level_is_reached_when_the_chance_stays_below_it_for_four_weeks() -> None:
    """Half of 1,000 return on day 10; a tenth of the rest on day 30, which lifts the chance once more."""
    ended = np.zeros(200, dtype=np.int64)
    still_open = ended.copy()
    ended[10], ended[30], still_open[199] = 500, 50, 450
    curve = Curve("x", ended, still_open)
    assert curve.ends_within(5)[0][[4, 5, 9, 10, 24, 25, 29, 30]] == pytest.approx([0, 0.5, 0.5, 0, 0, 0.1, 0.1, 0])
    assert curve.falls_below(5, 0.5001) == 0
    assert curve.falls_below(5, 0.5) == 10
    assert curve.falls_below(5, 0.2) == 10
    assert curve.falls_below(5, 0.05) == 30
    assert Curve("x", ended[:5], still_open[:5]).falls_below(5, 0.5) is None
    still_open[199] = 0
    assert Curve("x", ended, still_open).falls_below(15, 0.2) is None


def test_where_everybody_buys_once_a_year_the_last_crossing_counts() -> None:
    """Within 90 days of the order nobody buys; whoever has not bought by day 366 is gone."""
    ended, still_open = np.zeros(900, dtype=np.int64), np.zeros(900, dtype=np.int64)
    ended[365], ended[366], still_open[899] = 600, 200, 200
    curve = Curve("x", ended, still_open)
    assert curve.ends_within(90)[0][[0, 100, 274, 275, 364, 365, 366]] == pytest.approx([0, 0, 0, 0.6, 0.8, 0.5, 0])
    assert curve.falls_below(90, 0.5) == 366
    assert curve.falls_below(90, 0.9) == 0


def test_chance_in_a_thin_tail_is_no_return() -> None:
    ended, still_open = np.zeros(400, dtype=np.int64), np.zeros(400, dtype=np.int64)
    ended[10], ended[200], still_open[399] = 500, 6, 50
    curve = Curve("x", ended, still_open)
    assert curve.ends_within(5)[0][198] == pytest.approx(6 / 56)
    assert curve.falls_below(5, 0.1) == 10


def test_usual_gaps_and_late_ones_are_those_that_ended() -> None:
    ended = np.bincount([3, 5, 5, 90], minlength=100)
    curve = Curve("x", ended, np.bincount([99] * 50, minlength=100))
    assert [curve.length_quantile(share) for share in (0.25, 0.5, 0.75, 1)] == [3, 5, 5, 90]
    assert (curve.longer_than(4), curve.longer_than(5), curve.longer_than(90)) == (0.75, 0.25, 0)
    nothing = Curve("x", np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64))
    assert nothing.length_quantile(0.5) is None
    assert np.isnan(nothing.longer_than(1))
    assert (nothing.followed_days, nothing.silences) == (0, 0)


@pytest.mark.parametrize("case", [(1, "full"), (2, "mixed"), (3, "lean"), (7, "full")], ids=str)
@pytest.mark.parametrize("train_day", [FIRST + 520, LAST + 90])
def test_hostile_shops_equal_a_walk_over_every_customer(case: tuple[int, str], train_day: int) -> None:
    shop = random_shop(*case).only("customers", "purchases")
    ended, still_open = [], []
    for customer in {row["customer_id"] for row in shop.rows["purchases"] if row["customer_id"]}:
        past = past_of(shop, customer, train_day).rows["purchases"]
        days = sorted({row["_day"] for row in past if not is_return(row)})
        ended += [later - earlier for earlier, later in itertools.pairwise(days)]
        still_open += [train_day - 1 - days[-1]] if days else []
    (found,) = return_curves(shop.project().opened, train_day)["all"]
    assert lengths(found.ended) == sorted(ended)
    assert lengths(found.still_open) == sorted(still_open)
    assert len(still_open) > 5


def test_blocks_and_the_order_of_rows_change_nothing() -> None:
    generator = np.random.default_rng(5)
    purchases = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in generator.integers(0, 40, 300)],
            "occurred_at": [date(2025, 1, 1) + timedelta(int(n)) for n in generator.integers(0, 300, 300)],
            "amount": 5.0,
        }
    )
    whole = return_curves(project_of({"purchases": purchases}).opened, day("2025-11-01"))
    turned = project_of({"purchases": purchases[::-1]}, engine={"rows_per_block": 30}).opened
    assert len(turned.ranges()) > 5
    for kind, group in return_curves(turned, day("2025-11-01")).items():
        for mine, other in zip(group, whole[kind], strict=True):
            assert (mine.ended == other.ended).all()
            assert (mine.still_open == other.still_open).all()


def test_cdnow_as_published() -> None:
    """1,411 of the 2,357 sampled CDNOW customers did not buy again in the first 39 weeks (Fader, Hardie and Lee 2005)."""
    purchases = pd.read_csv(Path(__file__).parents[2] / "data/cdnow_sample.csv.gz", dtype={"customer_id": str})
    purchases = purchases.rename(columns={"date": "occurred_at", "amount_usd": "amount"})
    (everyone,), (first, *_), _ = return_curves(project_of({"purchases": purchases}).opened, day("1997-10-01")).values()
    assert int(first.still_open.sum()) == 1_411
    assert int(first.ended.sum()) == 2_357 - 1_411
    assert int(everyone.still_open.sum()) == 2_357
