"""The maximum of a log-likelihood, its curvature, and the edges it ran to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# A point on an edge that fits as well as the free maximum, to this much log-likelihood, is the maximum.
SAME_FIT = 0.01
# Moving one coordinate alone to an edge must not cost more than this for the edge to be tried in earnest.
WORTH_TRYING = 2.0
_STEP = 1e-4

Floats = NDArray[np.float64]
Slope = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True)
class Edge:
    """An end of one coordinate. ``letters``: the parameters that run off there; ``words``: what that means.

    ``also``: coordinates that no longer matter there, and where they are put.
    """

    coordinate: int
    at: float
    letters: tuple[str, ...]
    words: str
    also: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Surface:
    """A log-likelihood over coordinates in the box ``low`` to ``high``: ``slope`` gives the total and its gradient.

    ``customers``: the total weight, so that tolerances are per customer.
    """

    slope: Slope
    low: Floats
    high: Floats
    customers: float


@dataclass(frozen=True, eq=False)
class Maximum:
    """``covariance`` of the coordinates, 0 where one is held by an edge and NaN where the surface is flat."""

    point: Floats
    log_likelihood: float
    covariance: Floats
    edges: tuple[Edge, ...]


def find_maximum(surface: Surface, starts: Sequence[Floats], edges: Sequence[Edge], rough: Surface) -> Maximum:
    """The highest point reached from any start. ``rough``: the same surface from fewer rows, where the starts climb first."""
    # A start itself may still be best: the fewer rows can miss what is rare.
    begun = [*(climb(rough, start) for start in starts), *starts]
    best = max(begun, key=lambda point: surface.slope(point)[0])
    point, reached = _held_by_edges(surface, climb(surface, best), edges)
    free = np.ones(len(point), dtype=bool)
    for edge in reached:
        free[[edge.coordinate, *edge.also]] = False
    curvature = _curvature(surface, point, free)
    point = _sharpened(surface, point, curvature, free)
    return Maximum(point, surface.slope(point)[0], _covariance(curvature, free), tuple(reached))


def climb(surface: Surface, start: Floats, held: Floats | None = None) -> Floats:
    """The local maximum above ``start``, (coordinates,). held: NaN where free, else where the coordinate stays."""
    from scipy.optimize import Bounds, minimize

    fixed = np.full(len(start), np.nan) if held is None else held
    low = np.where(np.isnan(fixed), surface.low, fixed)
    high = np.where(np.isnan(fixed), surface.high, fixed)

    def downhill(point: Floats) -> tuple[float, Floats]:
        value, gradient = surface.slope(point)
        return -value / surface.customers, -gradient / surface.customers

    options = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-12, "gtol": 1e-7, "maxls": 40}
    found = minimize(
        downhill, np.clip(start, low, high), jac=True, method="L-BFGS-B", bounds=Bounds(low, high), options=options
    )
    return np.asarray(found.x, dtype=np.float64)


def _held_by_edges(surface: Surface, point: Floats, edges: Sequence[Edge]) -> tuple[Floats, list[Edge]]:
    """The maximum with coordinates put on the edges where that costs nothing, so that it is one point and no ridge."""
    held = np.full(len(point), np.nan)
    reached: list[Edge] = []
    free_value = surface.slope(point)[0]
    for edge in edges:
        if not np.isnan(held[edge.coordinate]):
            continue
        trial = held.copy()
        trial[[edge.coordinate, *edge.also]] = [edge.at, *edge.also.values()]
        moved = np.where(np.isnan(trial), point, trial)
        if surface.slope(moved)[0] < free_value - WORTH_TRYING:
            continue
        moved = climb(surface, moved, trial)
        if surface.slope(moved)[0] >= free_value - SAME_FIT:
            point, held = moved, trial
            reached.append(edge)
    return point, reached


def _curvature(surface: Surface, point: Floats, free: NDArray[np.bool_]) -> Floats:
    """Minus the second derivatives in the free coordinates, (free, free), from differences of the gradient."""
    rows = []
    for coordinate in np.flatnonzero(free):
        step = np.zeros(len(point))
        step[coordinate] = _STEP
        rows.append((surface.slope(point - step)[1] - surface.slope(point + step)[1])[free] / (2 * _STEP))
    matrix = np.array(rows).reshape(int(free.sum()), int(free.sum()))
    return (matrix + matrix.T) / 2


def _sharpened(surface: Surface, point: Floats, curvature: Floats, free: NDArray[np.bool_]) -> Floats:
    """The point after a few Newton steps, each taken only while the gradient shrinks inside the box."""
    if not _is_hill(curvature):
        return point
    gradient = surface.slope(point)[1][free]
    for _ in range(4):
        moved = point.copy()
        moved[free] += np.linalg.solve(curvature, gradient)
        if not np.all((moved >= surface.low) & (moved <= surface.high)):
            break
        slope = surface.slope(moved)[1][free]
        if np.abs(slope).max(initial=0.0) >= np.abs(gradient).max(initial=0.0):
            break
        point, gradient = moved, slope
    return point


def _covariance(curvature: Floats, free: NDArray[np.bool_]) -> Floats:
    covariance = np.zeros((len(free), len(free)))
    inverse = np.linalg.inv(curvature) if _is_hill(curvature) else np.full(curvature.shape, np.nan)
    covariance[np.ix_(free, free)] = inverse
    return covariance


def _is_hill(curvature: Floats) -> bool:
    return bool(np.all(np.linalg.eigvalsh(curvature) > 0)) if curvature.size else True
