"""Paper, pens and lettering for the plots: one restrained style, set on every object and never globally."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kizuna.evaluation.measures.metrics import FloatArray

INK, QUIET, FAINT, RULE = "#1b2733", "#66727f", "#aab3bc", "#e8ecf0"
MODEL, MIDDLE_MODEL, PALE_MODEL = "#14508c", "#7f9fc0", "#c9d9ea"
OTHERS = ("#56636f", "#96752f", "#4f8a78", "#8a6580", "#8b9298")
LOW_TO_HIGH = ("#1f66ad", "#8fb0d0", "#cfc6c2", "#dc9274", "#bf4a26")

FONT = "DejaVu Sans"
WIDTH_INCHES = 10.0
LETTER_INCHES = 0.083
TITLE_LETTERS, TITLE_LINE_INCHES = 68, 0.31

# Keeps a number and its unit on one line.
NBSP = "\u00a0"

GOLDEN_RATIO = 0.618033988749895

Box = tuple[float, float, float, float]


def paper(height_inches: float, title: str, subtitle: str) -> tuple[Figure, float]:
    """A white figure, 10 inches wide, its finding and a quieter second line at the top left, and the inches they take.

    `height_inches` is that of a title of one line; a longer one makes the figure taller.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = textwrap.wrap(title, TITLE_LETTERS) or [""]
    tall = height_inches + TITLE_LINE_INCHES * (len(lines) - 1)
    figure = Figure(figsize=(WIDTH_INCHES, tall), dpi=100, facecolor="white", edgecolor="white")
    FigureCanvasAgg(figure)
    for number, line in enumerate(lines):
        height = 1 - (0.2 + TITLE_LINE_INCHES * number) / tall
        figure.text(0.03, height, drawable(line), va="top", size=16, weight="bold", color=INK, **_lettering())
    below = 0.24 + TITLE_LINE_INCHES * len(lines)
    figure.text(0.03, 1 - below / tall, drawable(subtitle), va="top", size=10.5, color=QUIET, **_lettering())
    return figure, below + 0.2


def panel(figure: Figure, inches: Box) -> Axes:
    """Axes with faint horizontal rules and no frame; `inches` are the margins left, below, right, above."""
    width, height = figure.get_size_inches()
    left, below, right, above = inches
    axes = figure.add_axes(
        (left / width, below / height, (width - left - right) / width, (height - below - above) / height)
    )
    axes.set_facecolor("white")
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis="y", color=RULE, linewidth=0.9, linestyle="-")
    axes.grid(visible=False, axis="x")
    for side, spine in axes.spines.items():
        spine.set(visible=side == "bottom", color=FAINT, linewidth=1.0)
    axes.tick_params(length=0, pad=6, labelsize=10.5, labelcolor=QUIET, labelfontfamily=FONT)
    return axes


def named_rows(figure: Figure, names: Sequence[str], above: float) -> Axes:
    """A panel with one row per name, the first on top, the names written beside it."""
    widest = max((len(name) for name in names), default=0)
    axes = panel(figure, (0.45 + LETTER_INCHES * widest, 0.75, 0.4, above + 0.2))
    axes.set(ylim=(len(names) - 0.4, -0.6), yticks=[])
    for place, name in enumerate(names):
        _beside(axes, place, name)
    return axes


def write(axes: Axes, x: float, y: float, words: str, *, color: str = QUIET, **place: Any) -> None:
    """Words at a data point, taken literally: no mathematics between dollar signs."""
    style = {"size": 10.5, "va": "center", **_lettering(), **place}
    axes.text(x, y, drawable(words), color=color, clip_on=False, **style)


def name_axis(axes: Axes, words: str) -> None:
    """The words under the panel, at its left edge."""
    axes.set_xlabel(drawable(words), loc="left", labelpad=9, size=10.5, color=QUIET, **_lettering())


def percent(axes: Axes, which: str) -> None:
    """Shares between 0 and 1 shown as whole percentages on the axis, x or y."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(lambda share, _: f"{share * 100:.0f}{NBSP}%")


def amounts(axes: Axes, which: str) -> None:
    """Amounts shown in few letters on the axis, x or y."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(lambda amount, _: compact(amount))


def compact(amount: float) -> str:
    """An amount in three or four letters: 950, 12k, 1.5M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= size:
            return f"{amount / size:.3g}{letter}"
    return f"{amount:.3g}"


def evenly(lengths: Sequence[float]) -> list[str]:
    """Amounts written with the same number of decimals: three figures for the largest."""
    largest = max(map(abs, lengths), default=0.0)
    places = max(2 - math.floor(math.log10(largest)), 0) if largest else 0
    return [f"{length:,.{places}f}" for length in lengths]


def spread(heights: Mapping[str, float], limits: tuple[float, float], room: float) -> dict[str, float]:
    """The heights moved apart, as little as it takes, until each is `room` above the next; order and names kept."""
    names = sorted(heights, key=lambda name: (heights[name], name))
    blocks: list[tuple[float, int]] = []
    for name in names:
        blocks.append((heights[name], 1))
        while len(blocks) > 1 and _overlap(*blocks[-2], *blocks[-1], room):
            (upper, count), (lower, others) = blocks.pop(), blocks.pop()
            blocks.append(((upper * count + lower * others) / (count + others), count + others))
    placed: list[float] = []
    for centre, count in blocks:
        placed.extend(centre + room * (place - (count - 1) / 2) for place in range(count))
    shift = max(limits[0] - placed[0], 0.0) if placed else 0.0
    return {name: height + shift for name, height in zip(names, placed, strict=True)}


def beside_diagonal(axes: Axes, drawn: FloatArray, words: str) -> tuple[float, float, str]:
    """Where the words stand by the panel's diagonal with room around them: x, y of their near end, and which end it is.

    x, y and `drawn` (points, 2), what must stay visible, are shares of the panel. The highest place with a third of an
    inch free is taken, else the one with the most room.
    """
    box, paper = axes.get_position(), axes.get_figure(root=True)
    size = np.array([box.width, box.height]) * paper.get_size_inches() if paper else np.ones(2)
    wide, tall, gap = LETTER_INCHES * (len(words) + 1), 0.2, 0.12
    best, place = -1.0, (1.0, 0.5, "right")
    for share in np.linspace(0.95, 0.05, 19):
        for side in ("left", "right"):
            # Below the diagonal the words begin at it, above it they end at it.
            away = 1 if side == "left" else -1
            x, y = share * size + np.array([away * gap, -away * (gap + tall / 2)])
            left = x if side == "left" else x - wide
            if left < 0 or left + wide > size[0] or y - tall / 2 < 0 or y + tall / 2 > size[1]:
                continue
            beyond = np.abs(drawn * size - np.array([left + wide / 2, y])) - np.array([wide / 2, tall / 2])
            room = min(float(np.hypot(*np.maximum(beyond, 0).T).min()), 1 / 3)
            if room > best:
                best, place = room, (float(x / size[0]), float(y / size[1]), side)
    return place


def swarm(positions: FloatArray, reach: float, columns: int = 160) -> FloatArray:
    """Offsets of dots around their row, within ±.42: the more dots at a position, the wider they fan out."""
    column = np.clip(((positions / reach + 1) / 2 * columns).astype(np.int64), 0, columns)
    fullness = np.bincount(column, minlength=columns + 1)
    # Multiples of the golden ratio scatter evenly: neighbours in a column come from anywhere in the rows.
    order = np.lexsort((np.arange(positions.size) * GOLDEN_RATIO % 1.0, column))
    turn = np.empty(positions.size)
    turn[order] = np.arange(positions.size) - (np.cumsum(fullness) - fullness)[column[order]]
    # 0, 1, -1, 2, -2, ... so that a thin column stays on the row's line.
    steps = np.ceil(turn / 2) * np.where(turn % 2 == 1, 1, -1)
    width = 0.84 * np.sqrt(fullness / max(int(fullness.max(initial=1)), 12))
    return np.asarray(steps * (width / np.maximum(fullness, 1))[column], dtype=np.float64)


def low_to_high(share: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Colours from blue (0) to red (1), one row of red, green, blue, opacity each."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("low_to_high", LOW_TO_HIGH)
    return np.asarray(colours(np.asarray(share, dtype=np.float64)), dtype=np.float64).reshape(-1, 4)


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(FONT)).get_charmap())


def drawable(words: str) -> str:
    """The words with a hollow square for every letter that matplotlib's own font cannot draw."""
    return "".join(letter if ord(letter) in _letters() else "□" for letter in words)


def _lettering() -> dict[str, Any]:
    return {"family": FONT, "parse_math": False}


def _beside(axes: Axes, place: int, name: str) -> None:
    style = {"ha": "right", "va": "center", "size": 10.5, "color": INK, **_lettering()}
    axes.annotate(
        drawable(name),
        (0, place),
        xycoords=("axes fraction", "data"),
        xytext=(-9, 0),
        textcoords="offset points",
        **style,
    )


def _overlap(lower: float, below: int, upper: float, above: int, room: float) -> bool:
    return upper - lower < room * (below + above) / 2
