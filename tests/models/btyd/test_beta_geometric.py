"""BG/NBD and MBG/NBD: published numbers, invariances, edges, and parameters found again."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from tests.models.btyd.cdnow import SUMMARY, cdnow

from kizuna.errors import ContractError
from kizuna.models import BGNBD, MBGNBD

BOTH = pytest.mark.parametrize("model", [BGNBD, MBGNBD])
COLUMNS = ["frequency", "recency_weeks", "age_weeks"]


def columns(frame=None):
    frame = cdnow() if frame is None else frame
    return [frame[name].to_numpy() for name in COLUMNS]


def values(model):
    return np.array(list(model.params_.values()))


def lives(parameters, customers, first_chance, seed=0):
    model = (MBGNBD if first_chance else BGNBD).from_json(
        {
            "model": "MBGNBD" if first_chance else "BGNBD",
            "customers": 1.0,
            "params": dict(zip(["r", "alpha", "a", "b"], parameters, strict=True)),
            "log_likelihood": 0.0,
            "standard_errors": {},
            "at_boundary": [],
            "warnings": [],
        }
    )
    seen = model.simulate(customers, np.random.default_rng(seed).integers(1, 100, customers), seed)
    return seen.frequency, seen.recency, seen.age


def test_golden_bgnbd():
    # Fader, Hardie & Lee (2005): .243, 4.414, .793, 2.426, log-likelihood −9582.4.
    model = BGNBD().fit(*columns())
    assert values(model) == pytest.approx([0.2426, 4.4135, 0.7929, 2.4258], abs=5.1e-5)
    assert model.log_likelihood_ == pytest.approx(-9582.4, abs=0.05)
    assert model.at_boundary_ == model.warnings_ == ()
    assert model.customers_ == 2_357
    # The spreadsheet note: customer 1 (2, 30.43, 38.86) is expected to buy 1.226 times in the next 39 weeks.
    assert model.expected_purchases([2], [30.43], [38.86], 39) == pytest.approx([1.226], abs=5e-4)


def test_golden_mbgnbd():
    # Batislam, Denizel & Filiztekin (2007) for the model; numbers refitted independently.
    model = MBGNBD().fit(*columns())
    assert values(model) == pytest.approx([0.5248, 6.1830, 0.8914, 1.6140], abs=5.1e-5)
    assert model.log_likelihood_ == pytest.approx(-9582.13, abs=0.01)


def test_the_published_summary_gives_the_same():
    if not SUMMARY.exists():
        pytest.skip("the summary of lifetimes is not beside the repository; the sample was tested")
    published = pd.read_parquet(SUMMARY)
    model = BGNBD().fit(published["x"], published["t_x"], published["t"])
    assert values(model) == pytest.approx([0.2426, 4.4135, 0.7929, 2.4258], abs=5.1e-5)


@BOTH
def test_the_unit_of_time_shows_in_alpha_alone(model):
    x, last, age = columns()
    weeks, days = model().fit(x, last, age), model().fit(x, last * 7, age * 7)
    assert values(days) == pytest.approx(values(weeks) * [1, 7, 1, 1], rel=1e-7)
    asked = [0, 3], [0.0, 20.0], [30.0, 35.0]
    asked_days = [0, 3], [0.0, 140.0], [210.0, 245.0]
    assert days.p_alive(*asked_days) == pytest.approx(weeks.p_alive(*asked))
    assert days.expected_purchases(*asked_days, 70) == pytest.approx(weeks.expected_purchases(*asked, 10))
    assert days.next_purchase_quantile(*asked_days, 0.3) == pytest.approx(7 * weeks.next_purchase_quantile(*asked, 0.3))


@BOTH
def test_neither_the_order_of_rows_nor_how_they_are_counted_shows(model):
    x, last, age = columns(cdnow().head(400))
    once = model().fit(x, last, age).to_json()
    order = np.random.default_rng(0).permutation(400)
    assert model().fit(x[order], last[order], age[order]).to_json() == once
    counted = cdnow().head(400).groupby(COLUMNS, as_index=False).size()
    assert len(counted) < 400
    assert model().fit(*columns(counted), counted["size"]).to_json() == once
    twice = model().fit(np.tile(x, 2), np.tile(last, 2), np.tile(age, 2))
    assert twice.params_ == pytest.approx(once["params"], rel=1e-6)
    assert twice.log_likelihood_ == pytest.approx(2 * once["log_likelihood"])
    assert twice.standard_errors_["r"] == pytest.approx(once["standard_errors"]["r"] / np.sqrt(2), rel=1e-4)


@pytest.mark.parametrize("first_chance", [0, 1])
@pytest.mark.parametrize("truth", [(0.25, 4.5, 0.8, 2.4), (2.0, 30.0, 0.5, 4.0), (0.7, 2.0, 3.0, 5.0)])
def test_true_parameters_are_found_again(truth, first_chance):
    model = (MBGNBD if first_chance else BGNBD)().fit(*lives(truth, 20_000, first_chance))
    errors = np.array(list(model.standard_errors_.values()))
    assert np.all(np.abs(values(model) - truth) < 4 * errors)
    assert np.all(errors < 0.5 * np.array(truth))


@BOTH
def test_standard_errors_are_about_the_spread_of_refits(model):
    fitted = model().fit(*columns())
    low, high = np.array(list(fitted.bootstrap(40, seed=1).values())).T
    spread = (high - low) / (2 * 1.96)
    assert np.all(np.abs(np.log(spread / list(fitted.standard_errors_.values()))) < 0.6)
    assert np.all((low < values(fitted)) & (values(fitted) < high))
    assert fitted.bootstrap(3, seed=2) == fitted.bootstrap(3, seed=2) != fitted.bootstrap(3, seed=3)


@BOTH
def test_nobody_drops_out(model):
    draw = np.random.default_rng(3)
    age = draw.integers(50, 300, 3_000).astype(float)
    x = draw.poisson(draw.gamma(2.0, 1 / 40, 3_000) * age).astype(float)
    # The last of x purchases is where it is on average: no silence is longer than it should be.
    last = age * x / (x + 1)
    fitted = model().fit(x, last, age)
    assert fitted.at_boundary_ == ("a", "b")
    assert fitted.warnings_ == ("Nobody ever drops out: the histories fit a model without dropout as well.",)
    assert fitted.params_["r"] == pytest.approx(2.0, abs=0.2)
    assert np.isnan(fitted.standard_errors_["a"])
    assert fitted.standard_errors_["r"] < 0.1
    assert np.all(fitted.p_alive(x, last, age) > 0.99)


def test_everybody_drops_out_after_the_first_repeat_purchase():
    draw = np.random.default_rng(3)
    waited = draw.exponential(1 / draw.gamma(2.0, 1 / 40, 3_000))
    fitted = BGNBD().fit(waited < 100, np.where(waited < 100, waited, 0.0), np.full(3_000, 100.0))
    assert fitted.at_boundary_ == ("a", "b")
    assert fitted.warnings_ == ("Everybody drops out at the first chance.",)
    assert fitted.p_alive([1, 0], [50, 0], [100, 100]) == pytest.approx([0, 1], abs=1e-4)


@pytest.mark.parametrize(
    ("truth", "letters", "words"),
    [
        (
            (1.0, 9.0, 2e8, 8e8),
            ("a", "b"),
            "Customers do not differ in how likely they are to drop out after a purchase.",
        ),
        ((1.0, 9.0, 1e-9, 1e-9), ("a", "b"), "Customers drop out at the first chance or never."),
        ((1e8, 9e8, 1.0, 3.0), ("r", "alpha"), "Customers do not differ in how often they buy."),
    ],
)
def test_customers_who_do_not_differ(truth, letters, words):
    # Of the draws in which sampling happens to favour the edge, as it does in half of them.
    fits = [BGNBD().fit(*lives(truth, 1_000, 0, seed)) for seed in range(3)]
    at_edge = [fit for fit in fits if fit.at_boundary_]
    assert at_edge
    assert {fit.at_boundary_ for fit in at_edge} == {letters}
    assert {fit.warnings_ for fit in at_edge} == {(words,)}


def test_too_little_to_learn_from():
    with pytest.raises(
        ValueError, match=r"^BGNBD is fitted to at least one customer; found none\. Give histories to learn"
    ):
        BGNBD().fit([], [], [])
    with pytest.raises(ContractError) as none:
        MBGNBD().fit([0, 0, 0], [0, 0, 0], [5, 6, 7])
    assert str(none.value) == (
        "MBGNBD needs customers who came back; found 3 customers without a repeat purchase. "
        "Wait for repeat purchases, or use a longer history."
    )
    with pytest.raises(ContractError) as young:
        BGNBD().fit([0, 0], [0, 0], [0, 0])
    assert str(young.value) == (
        "BGNBD needs customers who were watched for some time after their first purchase; "
        "found 2 customers, all of age 0. Wait, or stand on a later day."
    )
    with pytest.raises(NotFittedError):
        BGNBD().p_alive([1], [1], [2])


@BOTH
def test_one_customer_is_enough_for_an_answer(model):
    fitted = model().fit([3], [20], [30])
    assert fitted.warnings_
    assert fitted.expected_purchases([3], [20], [30], 30) == pytest.approx([3.0], rel=0.01)


@BOTH
@settings(max_examples=6)
@given(rows=st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1), st.integers(1, 60)), min_size=1, max_size=8))
def test_a_handful_of_customers_always_gives_a_finite_answer(model, rows):
    x, share, age = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume(x.any())
    history = x, np.where(x > 0, share * age, 0.0), age
    fitted = model().fit(*history)
    assert np.all(np.isfinite(values(fitted)) & (values(fitted) > 0))
    assert np.all(np.isfinite(fitted.expected_purchases(*history, 90)))
    none = fitted.probability_of_no_purchase(*history, 90)
    assert np.all((none >= 0) & (none <= 1))


@BOTH
def test_the_few_who_came_back_among_many_are_found(model):
    # Every row differs, so the rows on which the starts compete hold none of the three.
    age = np.linspace(10, 50, 30_000)
    x, last = np.zeros(30_000), np.zeros(30_000)
    x[[100, 15_000, 29_000]], last[[100, 15_000, 29_000]] = [1, 2, 1], [3, 20, 30]
    fitted = model().fit(x, last, age)
    assert fitted.expected_purchases(x, last, age, 30).sum() == pytest.approx(4, rel=0.6)
    assert fitted.params_["r"] / fitted.params_["alpha"] == pytest.approx(4 / age.sum(), rel=0.5)


@BOTH
def test_survival_runs_from_one_to_the_probability_of_being_gone(model):
    fitted = model().fit(*columns())
    curve = fitted.next_purchase_survival([2, 5], [30, 10], [38, 39], [0, 4, 52, 1e12])
    assert curve.shape == (2, 4)
    assert np.all(curve <= 1)
    assert curve[:, 0] == pytest.approx([1.0, 1.0], abs=1e-15)
    assert np.all(np.diff(curve, axis=1) < 0)
    assert curve[:, 3] == pytest.approx(1 - fitted.p_alive([2, 5], [30, 10], [38, 39]), abs=1e-9)
    assert curve[:, 1].tolist() == fitted.probability_of_no_purchase([2, 5], [30, 10], [38, 39], 4).tolist()
    assert fitted.next_purchase_survival([2, 5], [30, 10], [38, 39], []).shape == (2, 0)


@BOTH
def test_it_is_an_estimator_and_plain_json(model):
    fitted = clone(model()).fit(*columns())
    assert fitted.get_params() == {}
    again = model.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False)))
    assert again.to_json() == fitted.to_json()
    asked = columns(cdnow().head(50))
    assert again.p_alive(*asked).tolist() == fitted.p_alive(*asked).tolist()
    with pytest.raises(
        ValueError, match=r"^Intervals were asked of a \w+ read from JSON, which holds no customers\. Fit it"
    ):
        again.bootstrap()
    with pytest.raises(ValueError, match=r"^1 draws were asked for\. Intervals need at least 2; 200 are usual\.$"):
        fitted.bootstrap(1)
    other = MBGNBD if model is BGNBD else BGNBD
    with pytest.raises(ValueError, match=r"^A M?BGNBD was asked for; the tree holds a M?BGNBD\. Read it as that\.$"):
        other.from_json(fitted.to_json())


@BOTH
def test_no_rows_give_no_answers_and_a_row_does_not_depend_on_others(model):
    fitted = model().fit(*columns())
    assert fitted.p_alive([], [], []).shape == (0,)
    assert fitted.expected_purchases([], [], [], 5).shape == (0,)
    assert fitted.next_purchase_quantile([], [], [], 0.5).shape == (0,)
    x, last, age = columns(cdnow().head(60))
    together = fitted.expected_purchases(x, last, age, 39)
    alone = [
        fitted.expected_purchases(x[row : row + 1], last[row : row + 1], age[row : row + 1], 39)[0] for row in range(60)
    ]
    assert together == pytest.approx(alone, rel=1e-14)


@pytest.mark.slow
@BOTH
def test_a_million_customers_take_seconds(model):
    from time import process_time

    rows = lives((0.5, 6.0, 0.9, 1.6), 1_000_000, model is MBGNBD)
    model().fit(*(column[:2_000] for column in rows))
    began = process_time()
    fitted = model().fit(*rows)
    assert process_time() - began < 10
    began = process_time()
    fitted.expected_purchases(*rows, 39)
    assert process_time() - began < 1
