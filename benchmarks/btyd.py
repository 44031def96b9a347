"""Seconds of the buy-till-you-die models on simulated customers, and how much longer the textbook way takes.

Usage: python benchmarks/btyd.py [CUSTOMERS]. The textbook way is the papers' formula in numpy over all rows, climbed by
L-BFGS with differences for a gradient, and SciPy's hypergeometric function. Seconds are of the processor, one thread;
compare ratios, as bare seconds belong to one machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

from kizuna.models import BGNBD, MBGNBD, GammaGamma, ShiftedBetaGeometric

Floats = NDArray[np.float64]
Result = TypeVar("Result")
HORIZON_WEEKS = 13.0


def timed(name: str, work: Callable[[], Result], beside: float | None = None) -> tuple[Result, float]:
    began = time.process_time()
    result = work()
    seconds = time.process_time() - began
    print(f"{name:<40} {seconds:8.2f} s" + (f" {seconds / beside:8.1f} times" if beside else ""), flush=True)
    return result, seconds


def make_customers(customers: int, model: type[BGNBD] | type[MBGNBD], daily: bool) -> tuple[Floats, Floats, Floats]:
    """Lives of up to two years, in weeks; ``daily``: purchases and ages are known by the day."""
    letters = {"r": 0.5, "alpha": 6.0, "a": 0.9, "b": 1.6}
    empty = {"standard_errors": {}, "at_boundary": [], "warnings": []}
    tree = {"model": model.__name__, "customers": 1, "params": letters, "log_likelihood": 0, **empty}
    draw = np.random.default_rng(7)
    age = draw.integers(1, 730, customers) / 7 if daily else draw.uniform(0.1, 104, customers)
    seen = model.from_json(tree).simulate(customers, age, seed=7)
    recency = np.ceil(seen.recency * 7) / 7 if daily else seen.recency
    return seen.frequency, np.minimum(recency, age), age


def textbook_fit(frequency: Floats, recency: Floats, age: Floats) -> Floats:
    """BG/NBD by Fader, Hardie & Lee (2005), equation 6, on all rows."""

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        x = frequency
        shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
        later = np.maximum(x, 1)
        gone = betaln(a + 1, b + later - 1) - betaln(a, b) - (r + x) * np.log(alpha + recency)
        return -float(np.mean(shared + np.where(x > 0, np.logaddexp(alive, gone), alive)))

    return np.exp(minimize(loss, np.zeros(4), method="L-BFGS-B").x)


def textbook_expectation(model: BGNBD, frequency: Floats, recency: Floats, age: Floats) -> Floats:
    r, alpha, a, b = model.params_.values()
    t, x = HORIZON_WEEKS, frequency
    grown = ((alpha + age) / (alpha + age + t)) ** (r + x)
    series = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + age + t))
    return model.p_alive(frequency, recency, age) * (a + b + x - 1) / (a - 1) * (1 - grown * series)


def purchases(customers: int, daily: bool) -> None:
    rows = make_customers(customers, BGNBD, daily)
    print(f"{customers:,} customers, times {'by the day' if daily else 'that never repeat'}")
    model, seconds = timed("BGNBD fit", lambda: BGNBD().fit(*rows))
    letters, _ = timed("  textbook", lambda: textbook_fit(*rows), seconds)
    mine = np.array(list(model.params_.values()))
    print(f"  largest relative difference of a letter {np.max(np.abs(letters / mine - 1)):.1e}")
    mean, seconds = timed("expected_purchases", lambda: model.expected_purchases(*rows, HORIZON_WEEKS))
    found, _ = timed("  textbook", lambda: textbook_expectation(model, *rows), seconds)
    print(f"  largest relative difference {np.max(np.abs(found / mean - 1)):.1e}")
    timed("p_alive", lambda: model.p_alive(*rows))
    timed("probability_of_no_purchase", lambda: model.probability_of_no_purchase(*rows, HORIZON_WEEKS))
    timed("next_purchase_quantile", lambda: model.next_purchase_quantile(*rows, 0.5))
    modified = make_customers(customers, MBGNBD, daily)
    timed("MBGNBD fit", lambda: MBGNBD().fit(*modified))


def values_and_contracts(customers: int) -> None:
    draw = np.random.default_rng(7)
    x = draw.integers(0, 20, customers)
    rate = draw.gamma(4.0, 1 / 15.0, customers)
    mean = np.where(x > 0, draw.gamma(6.0 * np.maximum(x, 1)) / rate / np.maximum(x, 1), 0.0)
    model, _ = timed("GammaGamma fit", lambda: GammaGamma().fit(x, mean))
    timed("expected_value", lambda: model.expected_value(x, mean))
    lost_at, watched = draw.geometric(draw.beta(0.7, 3.8, customers)), draw.integers(0, 48, customers)
    periods, churned = np.minimum(lost_at - 1, watched), lost_at <= watched
    contracts, _ = timed("ShiftedBetaGeometric fit", lambda: ShiftedBetaGeometric().fit(periods, churned))
    timed("expected_residual_lifetime", lambda: contracts.expected_residual_lifetime(periods, 0.01))


def main(customers: int) -> None:
    # Compiled code is loaded, or made, before the clock starts.
    small = make_customers(500, BGNBD, daily=True)
    BGNBD().fit(*small).expected_purchases(*small, HORIZON_WEEKS)
    purchases(customers, daily=True)
    purchases(customers, daily=False)
    values_and_contracts(customers)


if __name__ == "__main__":
    main(int([*sys.argv[1:], "1000000"][0]))
