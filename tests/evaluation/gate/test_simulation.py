"""The gate over simulated shops: an exactly right model passes, a useless one does not.

A shop has three test days; four of five customers are eligible on each, and their outcomes on different days depend on
each other, as overlapping label windows do. Baselines see the truth through noise, the best of them hardly any. Log odds
with a spread of .8, 1.3 and 2.5 give a right model an AUC of about .70, .79 and .90.
"""

import dataclasses
from functools import cache

import numpy as np
import pytest
from scipy.special import expit, ndtr

from kizuna.evaluation.gate.decision import decide
from kizuna.evaluation.gate.evidence import measure
from kizuna.evaluation.measures.intervals import evaluation_rows

DAYS = 3
ON_A_DAY = 0.8
# Correlation of one customer's outcomes beyond what the probabilities say.
TOGETHER = 0.6


@cache
def centre(base_rate, spread):
    """Mean log odds at which so many churn."""
    grid, low, high = np.random.default_rng(0).normal(size=20_000), -12.0, 12.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(middle + spread * grid).mean() < base_rate else (low, middle)
    return low


def a_shop(customers, base_rate, spread, seed):
    """Rows, true log odds, and the generator that goes on."""
    generator = np.random.default_rng((seed, customers, round(base_rate * 100), round(spread * 100)))
    kind, day = generator.normal(size=(customers, 1)), generator.normal(size=(customers, DAYS))
    log_odds = centre(base_rate, spread) + spread * (0.9 * kind + np.sqrt(1 - 0.9**2) * day)
    luck, own = generator.normal(size=(customers, 1)), generator.normal(size=(customers, DAYS))
    churned = ndtr(np.sqrt(TOGETHER) * luck + np.sqrt(1 - TOGETHER) * own) < expit(log_odds)
    here = generator.random((customers, DAYS)) < ON_A_DAY
    who, when = np.nonzero(here)
    return evaluation_rows(churned[here], who, when), log_odds[here], generator


def passes(customers, base_rate, spread, seed, kind):
    """Whether the gate lets one model of one shop pass, with a champion beside it, so that calibration refuses too.

    kind: right (probabilities are the truth, baselines see it through noise), equal (one baseline is the truth as well),
    useless (probabilities are noise, baselines as for right), nothing (baselines are noise too), behind (the model sees
    the truth through more noise than its baselines, its probabilities not allowing for it).
    """
    rows, log_odds, generator = a_shop(customers, base_rate, spread, seed)

    def through(noise):
        return expit(log_odds + noise * spread * generator.normal(size=log_odds.size))

    baselines = {"close": through(0.1), "fair": through(0.4), "far": through(1.0)}
    p = expit(log_odds)
    if kind == "equal":
        baselines["truth"] = p
        baselines["nearly"] = through(0.03)
    if kind in ("useless", "nothing"):
        p = expit(np.log(base_rate / (1 - base_rate)) + 0.3 * generator.normal(size=log_odds.size))
    if kind == "nothing":
        baselines = {name: generator.random(log_odds.size) for name in baselines}
    if kind == "behind":
        p = through(1.0)
    evidence = measure(rows, p, baselines, champion=through(0.2) if kind in ("right", "equal") else p)
    return decide(dataclasses.replace(evidence, has_champion=True)).passed


def share_passed(runs, customers, base_rate, spread, kind):
    return float(np.mean([passes(customers, base_rate, spread, seed, kind) for seed in range(runs)]))


@pytest.mark.parametrize("kind", ["right", "equal"])
def test_an_exactly_right_model_passes(kind):
    assert share_passed(20, 300, 0.3, 1.3, kind) >= 0.95


@pytest.mark.parametrize("kind", ["useless", "nothing"])
def test_a_useless_model_is_refused(kind):
    assert share_passed(20, 300, 0.3, 1.3, kind) <= 0.05


# Customers, runs, base rate, spread.
SMALL = [(300, 100, base_rate, spread) for base_rate in (0.1, 0.3, 0.6) for spread in (0.8, 2.5)]
LARGE = [(1500, 40, 0.1, 1.3), (1500, 40, 0.6, 1.3), (5000, 20, 0.3, 1.3)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["right", "equal"])
@pytest.mark.parametrize(("customers", "runs", "base_rate", "spread"), SMALL + LARGE)
def test_over_many_shops_right_models_pass(customers, runs, base_rate, spread, kind):
    assert share_passed(runs, customers, base_rate, spread, kind) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize(("customers", "runs", "base_rate", "spread"), SMALL[::2] + LARGE)
def test_over_many_shops_useless_models_do_not(customers, runs, base_rate, spread):
    assert share_passed(runs, customers, base_rate, spread, "useless") <= 0.05


# Where nothing knows anything the signal's interval alone refuses, and lets one in forty through: that takes many shops.
@pytest.mark.slow
@pytest.mark.parametrize("base_rate", [0.1, 0.3, 0.6])
@pytest.mark.parametrize(("customers", "runs"), [(300, 500), (1500, 150)])
def test_where_nothing_can_be_known_nothing_passes(customers, runs, base_rate):
    assert share_passed(runs, customers, base_rate, 1.3, "nothing") <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("base_rate", [0.1, 0.3, 0.6])
def test_a_model_clearly_behind_a_rule_is_refused_where_customers_suffice(base_rate):
    assert share_passed(40, 1500, base_rate, 1.3, "behind") <= 0.05
