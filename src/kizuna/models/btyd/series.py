"""Expected purchases of a live customer, by a series whose terms are all positive.

A customer with rate λ ~ Gamma(r, α) who never dropped out would make N purchases in t, negative binomial with odds
u = t / α. After each one he drops out with p ~ Beta(a, b), so the j-th is reached with probability E[(1 − p)^(j−1)], and

    E[purchases] = Σ_n P(N = n) · (E[(1 − p)^0] + … + E[(1 − p)^(n−1)])

which equals the closed form with the Gaussian hypergeometric function (Fader, Hardie & Lee 2005, equation 9), but loses no
digits where that subtracts (a near 1) or overflows (many purchases). Where u is so large that the series is long, the
same mean is taken over p instead.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Left out of the sum, as a share of it.
PRECISION = 1e-14
_BLOCK = 8
_TABLE = 4096
# Below this, exp gives nothing.
_TINY_LOG = -690.0
# Above these odds the series takes longer than the integral over p.
_LONG_ODDS = 1e4
# More is for ever.
_ENDLESS_ODDS = 1e200

Floats = NDArray[np.float64]


def live_purchases(shape: Floats, odds: Floats, chances: Floats, dropout: tuple[float, float]) -> Floats:
    """Expected purchases, (n,), of customers alive now.

    shape: r + x. odds: horizon / (alpha + T). chances: k so far without dropping out. dropout: a and b.
    """
    a, b = dropout
    steps = np.arange(_TABLE, dtype=np.float64)
    rows = np.stack([shape, np.minimum(odds, _ENDLESS_ODDS), chances])
    long = rows[1] > _LONG_ODDS
    expected = np.zeros(rows.shape[1])
    expected[~long] = _sum_series(rows[:, ~long], a, b, 1 / (steps + 1), (b + steps) / (a + b + steps))
    if long.any():
        distinct, which = np.unique(rows[:, long], axis=1, return_inverse=True)
        expected[long] = np.array([_integral(row, odds, a, b + k) for row, odds, k in distinct.T])[which]
    return expected


def _integral(shape: float, odds: float, a: float, b: float) -> float:
    """The mean of (1 − (1 + p u)^−shape) / p over p ~ Beta(a, b), by Gauss's rule in narrow panels of the log odds of p.

    Below the first panel the function is shape · u, above the last it is that of p = 1.
    """
    from scipy.special import betainc, betaln, expit, log_expit

    low, high = -40.0 - math.log(odds) - math.log1p(shape), 37.0
    nodes, weights = np.polynomial.legendre.leggauss(8)
    edges = np.linspace(low, high, 4_001)
    half = (edges[1] - edges[0]) / 2
    grid = ((edges[:-1] + half)[:, None] + half * nodes).ravel()
    log_p = log_expit(grid)
    purchases = -np.expm1(-shape * np.log1p(np.exp(log_p) * odds)) * np.exp(-log_p)
    density = np.exp(a * log_p + b * log_expit(-grid) - betaln(a, b))
    inside = half * float(purchases * density @ np.tile(weights, len(edges) - 1))
    below = shape * odds * float(betainc(a, b, expit(low)))
    # Near 1 the distance to it is what has digits.
    above = -math.expm1(-shape * math.log1p(odds)) * float(betainc(b, a, expit(-high)))
    return float(inside + below + above)


@njit(cache=True, nogil=True)
def _sum_series(rows: Floats, a: float, b: float, inverse: Floats, stay: Floats) -> Floats:
    """``inverse``: 1 / (n + 1). ``stay``: the probability to stay after j stays. Both are tables of the first n or j."""
    out = np.zeros(rows.shape[1])
    size = inverse.size
    for row in range(rows.shape[1]):
        shape, odds, chances = rows[0, row], rows[1, row], rows[2, row]
        if odds == 0:
            continue
        z = odds / (1 + odds)
        log_mass = -shape * math.log1p(odds)
        mass = math.exp(log_mass)
        reached, purchases, total = 1.0, 0.0, 0.0
        n, offset = 0, int(chances)
        while True:
            for _ in range(_BLOCK):
                ratio = z * (shape + n) * (inverse[n] if n < size else 1 / (n + 1))
                if log_mass < _TINY_LOG:
                    log_mass += math.log(ratio)
                    mass = math.exp(log_mass)
                else:
                    mass *= ratio
                purchases += reached
                place = offset + n
                reached *= stay[place] if place < size else (b + place) / (a + b + place)
                total += mass * purchases
                n += 1
            # Terms from here on shrink at least by this factor: masses by max(ratio, z), purchases grow by (n + 1) / n.
            shrink = max(z * (shape + n) / (n + 1), z) * (n + 1) / n
            if shrink < 1 and mass * purchases * shrink <= PRECISION * total * (1 - shrink):
                break
        out[row] = total
    return out
