from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.experiment.shops import AS_OF, population

from kizuna.errors import ContractError
from kizuna.experiment.listings import first_listings
from kizuna.experiment.reading import ReadingPlan, effect_of, holm, quarter_of, read_lists, with_outcomes
from kizuna.timeline import LabelWindow

PLAN = ReadingPlan(LabelWindow(90))
MATURED = date(2026, 7, 1)


def arms(customers, seed=0):
    return np.random.default_rng(seed).random(customers) >= 0.2


@pytest.fixture(scope="module")
def shop():
    """600 listed customers, and one drawing of their arms."""
    people = population(1, 600)
    return people, *people.drawn(arms(600))


@pytest.fixture(scope="module")
def reading(shop):
    """Their quarter, matured."""
    _, lists, outcomes = shop
    return read_lists(lists, outcomes, PLAN, MATURED)[0]


def test_a_matured_quarter_has_one_headline(shop, reading):
    people, _, _ = shop
    assert (reading.experiment, reading.period, reading.state) == ("shop", "2026-Q1", "measured")
    assert reading.verdict_on == date(2026, 4, 5)
    assert reading.counts == {"target": 485, "control": 115, "no_comparison": 0, "no_outcome": 0}
    assert reading.value.low <= people.effect_on_value <= reading.value.high
    assert reading.kept.low <= people.effect_on_kept <= reading.kept.high
    assert reading.verdict == "not_clear"
    assert reading.value_winsorised.error < reading.value.error
    assert reading.executed is None
    wanted = reading.more_customers + 600
    assert wanted == pytest.approx(600 * (2.8016 * reading.value.error / reading.value.estimate) ** 2, abs=2)


def test_row_order_changes_nothing(shop, reading):
    _, lists, outcomes = shop
    first = reading
    (second,) = read_lists(lists.sample(frac=1, random_state=1), outcomes.iloc[::-1], PLAN, MATURED)
    assert (first.value.low, first.value.high) == (second.value.low, second.value.high)
    pd.testing.assert_frame_equal(first.groups, second.groups)


def test_a_large_effect_is_earned_and_the_opposite_is_lost(shop):
    _, lists, outcomes = shop
    target = (lists["arm"] == "target").to_numpy()
    for sign, verdict in ((1, "earned"), (-1, "lost")):
        moved = outcomes.assign(net_value=outcomes["net_value"] + sign * 9000 * target)
        (reading,) = read_lists(lists.drop(columns="market"), moved, PLAN, MATURED)
        assert (reading.verdict, reading.more_customers) == (verdict, None)


@pytest.mark.parametrize(
    ("today", "verdict_on", "state"),
    [
        (date(2026, 3, 31), date(2026, 6, 29), "maturing"),  # the quarter may list more until its last day
        (date(2026, 4, 1), date(2026, 4, 5), "maturing"),
        (date(2026, 4, 4), date(2026, 4, 5), "maturing"),
        (date(2026, 4, 5), date(2026, 4, 5), "measured"),
    ],
)
def test_there_is_no_verdict_before_the_quarter_has_matured(shop, today, verdict_on, state):
    _, lists, outcomes = shop
    (reading,) = read_lists(lists, outcomes, PLAN, today)
    assert (reading.verdict_on, reading.state) == (verdict_on, state)
    if state == "maturing":
        assert (reading.value, reading.kept, reading.verdict, len(reading.groups)) == (None, None, None, 0)


def test_late_rows_put_the_verdict_off_and_lists_can_be_read_one_by_one(shop):
    _, lists, outcomes = shop
    later = ReadingPlan(LabelWindow(90, gap_days=7, arrives_after_days=3), by="list")
    (reading,) = read_lists(lists, outcomes, later, date(2026, 2, 1))
    assert (reading.period, reading.verdict_on, reading.state) == ("2026-01-05", date(2026, 4, 15), "maturing")


def test_quarters_follow_the_fiscal_year():
    days = pd.Series(pd.to_datetime(["2026-01-01", "2026-03-31", "2026-04-01", "2026-12-31"]))
    assert quarter_of(days, 1).tolist() == ["2026-Q1", "2026-Q1", "2026-Q2", "2026-Q4"]
    assert quarter_of(days, 4).tolist() == ["2025-Q4", "2025-Q4", "2026-Q1", "2026-Q3"]
    assert quarter_of(days, 3).tolist() == ["2025-Q4", "2026-Q1", "2026-Q1", "2026-Q4"]


def test_actions_without_both_arms_are_counted_and_left_out(shop):
    _, lists, outcomes = shop
    alone = (lists["action"] == "A12") & (lists["arm"] == "control")
    (reading,) = read_lists(lists[~alone], outcomes, PLAN, MATURED)
    assert reading.counts["no_comparison"] == int(((lists["action"] == "A12") & ~alone).sum())
    assert "A12" not in set(reading.groups["group"])


def test_missing_outcomes_are_counted_and_a_shop_without_value_reads_who_stayed(shop):
    _, lists, outcomes = shop
    (reading,) = read_lists(lists, outcomes.iloc[10:], PLAN, MATURED)
    assert reading.counts["no_outcome"] == 10
    (reading,) = read_lists(lists, outcomes.assign(net_value=np.nan), PLAN, MATURED)
    assert (reading.value, reading.verdict, reading.state) == (None, None, "measured")
    assert reading.kept is not None
    (reading,) = read_lists(lists.head(20), outcomes, PLAN, MATURED)
    assert reading.state == "not_enough_data"
    assert read_lists(lists.head(0), outcomes, PLAN, MATURED) == []


def test_a_customer_is_read_in_the_quarter_of_the_first_listing(shop):
    _, lists, outcomes = shop
    spring = lists.assign(as_of=AS_OF + pd.Timedelta(days=91))
    both = pd.concat([lists.head(300), spring])
    known = pd.concat([outcomes, outcomes.assign(as_of=AS_OF + pd.Timedelta(days=91))])
    first, second = read_lists(both, known, PLAN, date(2027, 1, 1))
    assert [first.period, second.period] == ["2026-Q1", "2026-Q2"]
    assert [sum(reading.counts.values()) for reading in (first, second)] == [300, 300]


def test_groups_are_corrected_for_being_many(shop, reading):
    _, lists, outcomes = shop
    groups = reading.groups
    assert set(zip(groups["by"], groups["group"], strict=True)) >= {("action", "A08"), ("market", "jp")}
    assert (groups["p_holm"] >= groups["p_value"]).all()
    assert not groups["is_clear"].any()
    better = (lists["action"] == "A08") & (lists["arm"] == "target")
    moved = outcomes.assign(net_value=outcomes["net_value"] + 20_000 * better.to_numpy())
    groups = read_lists(lists, moved, PLAN, MATURED)[0].groups
    of_action = groups[(groups["by"] == "action") & (groups["outcome"] == "net_value")]
    assert of_action.loc[of_action["is_clear"], "group"].tolist() == ["A08"]


def test_holm_by_hand():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.6, 0.9])), [1.0, 1.0])


def test_an_unknown_value_on_the_lists_day_is_no_reason_to_leave_somebody_out(shop, reading):
    _, lists, outcomes = shop
    thin = lists.assign(cltv=lists["cltv"].where(lists.index % 3 > 0))
    assert read_lists(thin, outcomes, PLAN, MATURED)[0].counts["target"] == 485
    nothing = read_lists(lists.assign(cltv=None), outcomes, PLAN, MATURED)[0]
    assert nothing.value.error > reading.value.error


def test_executions_say_how_far_the_plan_was_carried_out(shop):
    _, lists, outcomes = shop
    done = lists[lists["arm"] == "target"].iloc[::2].rename(columns={"as_of": "list_as_of"})
    (reading,) = read_lists(lists, outcomes, PLAN, MATURED, done)
    assert reading.executed == {"target": pytest.approx(0.5, abs=0.01), "control": 0.0}


def test_outcomes_that_cannot_be_meant_are_refused(shop):
    _, lists, outcomes = shop
    for wrong, text in (
        (outcomes.drop(columns="kept"), "kept cannot be found and 0 are given twice."),
        (pd.concat([outcomes, outcomes.head(3)]), "no column cannot be found and 3 are given twice."),
    ):
        with pytest.raises(ContractError) as caught:
            read_lists(lists, wrong, PLAN, MATURED)
        assert str(caught.value) == (
            f"The effect of lists needs one outcome per customer and list day, with kept and net_value; {text}"
        )


@pytest.mark.slow
@pytest.mark.parametrize(("strength", "first_seed"), [(1.0, 0), (0.0, 500)])
def test_of_two_hundred_experiments_as_many_intervals_as_promised_hold_the_truth(strength, first_seed):
    """The effect of each experiment's own customers; without one, what is called clear is called so by chance."""
    held, clear = {"net_value": 0, "kept": 0}, {"net_value": 0, "kept": 0}
    for seed in range(first_seed, first_seed + 200):
        people = population(seed, 500, strength)
        rows = with_outcomes(
            first_listings(people.drawn(arms(500, 10_000 + seed))[0]), people.drawn(arms(500, 10_000 + seed))[1]
        )
        for outcome, truth in (("net_value", people.effect_on_value), ("kept", people.effect_on_kept)):
            effect = effect_of(rows, outcome)
            held[outcome] += effect.low <= truth <= effect.high
            clear[outcome] += effect.is_clear
    print(strength, held, clear)
    assert all(184 <= count <= 196 for count in held.values()), held
    if not strength:
        assert all(count <= 16 for count in clear.values()), clear
