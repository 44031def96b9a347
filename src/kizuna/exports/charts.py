"""The geometry of the report's two charts, in drawing units; the template draws them and escapes every text."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.exports.figures import RECIPES, has_values, outcome_text, places
from kizuna.exports.pack import ListPack
from kizuna.wording.words import Words, money_decimals, share_text

WIDTH, HEIGHT = 460.0, 330.0
LEFT, RIGHT, TOP, BOTTOM = 68.0, 448.0, 14.0, 282.0

# Dots of customers who are not listed are put on a grid of this many units, so that a page stays small in a large shop.
_GRID = 2.0
# Fewer than that many dots share a grid point: how dark it is.
_SHADES = (2, 5, 20)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Dot:
    """One listed customer."""

    x: float
    y: float
    place: str
    label: str


@dataclass(frozen=True)
class Bar:
    """One bar: its label above it, its length, and the figures behind its end."""

    name: str
    y: float
    length: float
    figures: str
    main: bool


@dataclass(frozen=True)
class Scatter:
    """Risk against value. ``crowd``: one path of points per shade for the not listed; ``edge``: where the list ends."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    crowd: tuple[str, ...]
    dots: tuple[Dot, ...]
    edge: str


@dataclass(frozen=True)
class Histogram:
    """Customers by risk where no value is known: x, width, and the tops of all and of the listed per bin."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    bins: tuple[tuple[float, float, float, float], ...]


def scatter(pack: ListPack, words: Words) -> Scatter | None:
    """Every eligible customer by churn probability and by what would be lost; None where no value is known."""
    scores = pack.scores
    if scores.empty or not has_values(scores):
        return None
    lost = _value_at_stake(scores)
    finite = lost[np.isfinite(lost)]
    high = float(finite.max())
    if high <= 0:
        return None
    low = max(float(np.quantile(finite[finite > 0], 0.01)), high / 10_000)
    rows = _decades(low, high)
    bottom, top = math.log(min(low, rows[0])), math.log(max(high, rows[-1]))

    def x(share: NDArray[np.float64]) -> NDArray[np.float64]:
        return LEFT + share * (RIGHT - LEFT)

    def y(value: NDArray[np.float64]) -> NDArray[np.float64]:
        depth = (np.log(np.clip(np.nan_to_num(value), math.exp(bottom), None)) - bottom) / max(top - bottom, 1e-9)
        return BOTTOM - np.clip(depth, 0, 1) * (BOTTOM - TOP)

    y_rows = y(np.array(rows)).round(1).tolist()
    listed = pack.at_risk.sort_values("list_rank", kind="stable")
    crowd = ~scores["customer_id"].isin(listed["customer_id"]).to_numpy(dtype=bool)
    risk = scores["churn_probability"].to_numpy(dtype=np.float64)
    decimals = money_decimals(high, pack.currency)
    labels = [
        words(
            "report.dot",
            id=name,
            share=share_text(share),
            value=words.money(value, pack.currency, decimals=decimals),
        )
        for name, share, value in listed[["customer_id", "churn_probability", "value_at_risk"]].to_numpy(dtype=object)
    ]
    at_x, at_y = x(listed["churn_probability"].to_numpy(dtype=np.float64)), y(_value_at_stake(listed))
    dots = [Dot(round(a, 1), round(b, 1), p, t) for a, b, p, t in zip(at_x, at_y, places(listed), labels, strict=True)]
    return Scatter(
        x_ticks=_share_ticks(),
        y_ticks=tuple(Tick(at, _amount(value, pack.currency, words)) for value, at in zip(rows, y_rows, strict=True)),
        crowd=_crowd(x(risk[crowd]), y(lost[crowd])),
        # Important customers last, so that they lie on top.
        dots=tuple(reversed(dots)),
        edge=_edge(listed, pack.rank_by, (bottom, top)),
    )


def histogram(pack: ListPack) -> Histogram | None:
    """Eligible customers in twenty bins of probability, and how many of each are listed; None for nobody."""
    if pack.scores.empty:
        return None
    edges = np.linspace(0, 1, 21)
    counts = np.histogram(pack.scores["churn_probability"].astype(float), edges)[0]
    listed = np.histogram(pack.at_risk["churn_probability"].astype(float), edges)[0]
    step = _round_step(float(counts.max()))
    top = step * math.ceil(counts.max() / step)

    def y(count: float) -> float:
        return float(round(BOTTOM - count / top * (BOTTOM - TOP), 1))

    width = (RIGHT - LEFT) / 20
    bins = tuple((round(LEFT + i * width + 1, 1), round(width - 2, 1), y(counts[i]), y(listed[i])) for i in range(20))
    ticks = tuple(Tick(y(k * step), f"{k * step:,.0f}") for k in range(int(top / step) + 1))
    return Histogram(_share_ticks(), ticks, bins)


def bars(pack: ListPack, words: Words) -> tuple[Bar, ...]:
    """How many of the named churned, by who named them; () where there is no answer check."""
    answer = pack.answer
    if answer is None or not answer.capacity:
        return ()
    names = sorted(answer.churned, key=lambda name: (RECIPES.index(name) if name in RECIPES else len(RECIPES), name))
    gap = min(62.0, (HEIGHT - 10) / max(len(names), 1))
    return tuple(
        Bar(
            name=words.code("recipe", name),
            y=round(14 + k * gap, 1),
            length=round(max(answer.churned[name] / answer.capacity, 0.005) * (WIDTH - 120), 1),
            figures=words(
                "report.count_share",
                count=f"{answer.churned[name]:,.0f}",
                share=share_text(answer.churned[name] / answer.capacity),
                outcome=outcome_text(pack, words),
            ),
            main=name == "kizuna",
        )
        for k, name in enumerate(names)
    )


def _value_at_stake(frame: pd.DataFrame) -> NDArray[np.float64]:
    kept, left = frame["value_if_kept"].astype(float), frame["value_if_churned"].astype(float)
    return np.asarray(kept - left.fillna(0.0), dtype=np.float64)


def _crowd(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[str, ...]:
    """One path per shade; a point drawn with a round cap is a dot, and one path of thousands stays light."""
    columns = np.round((x - LEFT) / _GRID).astype(int)
    rows = np.round((y - TOP) / _GRID).astype(int)
    cells, counts = np.unique(np.column_stack([columns, rows]), axis=0, return_counts=True)
    shade = np.searchsorted(_SHADES, counts, side="right")
    paths = []
    for level in range(len(_SHADES) + 1):
        points = cells[shade == level]
        paths.append("".join(f"M{LEFT + a * _GRID:.0f} {TOP + b * _GRID:.0f}h0" for a, b in points))
    return tuple(paths)


def _edge(listed: pd.DataFrame, rank_by: str, span: tuple[float, float]) -> str:
    """The curve of equal value at risk through the last listed customer; "" for another ranking."""
    worth = listed["value_at_risk"].astype(float).dropna()
    if rank_by != "value_at_risk" or worth.empty or worth.min() <= 0:
        return ""
    bottom, top = span
    points = []
    for step in range(1, 101):
        depth = (math.log(worth.min() / (step / 100)) - bottom) / max(top - bottom, 1e-9)
        if 0 <= depth <= 1:
            points.append(f"{LEFT + step / 100 * (RIGHT - LEFT):.1f} {BOTTOM - depth * (BOTTOM - TOP):.1f}")
    return "M" + "L".join(points) if len(points) > 1 else ""


def _amount(value: float, currency: str | None, words: Words) -> str:
    return words.money(value, currency, compact=True, decimals=0 if value >= 1 else None)


def _share_ticks() -> tuple[Tick, ...]:
    return tuple(Tick(LEFT + k / 4 * (RIGHT - LEFT), share_text(k / 4)) for k in range(5))


def _decades(low: float, high: float) -> list[float]:
    """Round amounts between low and high: powers of ten, with threes between them while there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1.0, 3.0) if last - first <= 4 else (1.0,)
    marks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    return [mark for mark in marks if low * 0.999 <= mark <= high * 1.001] or [low, high]


def _round_step(largest: float) -> float:
    raw = max(largest / 4, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= raw)
