"""Lines over days in drawing units: broken where days are missing, with bands, dots and round ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

# Room between the lowest or highest point and the frame, as a share of the span.
_AIR = 0.06
_MOST_DOTS = 30
_MOST_TICKS = 4


@dataclass(frozen=True)
class Frame:
    """The size of a drawing and where its data may lie."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True)
class Tick:
    """A mark on an axis; ``anchor`` is how its text stands to it."""

    at: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Point:
    """One figure on its day, with its interval where there is one, how sure it is, and its text.

    ``kind``: final, open (not final yet) or reference (too few to compare).
    """

    day: date
    value: float
    label: str
    low: float = math.nan
    high: float = math.nan
    kind: str = "final"
    restated: bool = False


@dataclass(frozen=True)
class Dot:
    """A point as it is drawn."""

    x: float
    y: float
    kind: str
    label: str
    restated: bool
    is_last: bool


@dataclass(frozen=True)
class Line:
    """What a template draws. ``dashed``: the parts of the line that lead to or from what is not final yet.

    ``bands``: one closed path for each stretch whose interval is known. ``marks``: where the marked days are.
    """

    frame: Frame
    path: str
    dashed: str
    bands: tuple[str, ...]
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[float, ...]


@dataclass(frozen=True)
class Axes:
    """How days and figures are written at the axes, how many days apart points still belong together, and marked days.

    ``ceiling``: the highest figure possible; ``least_step``: no two ticks are nearer than that.
    """

    day_text: Callable[[date], str]
    value_text: Callable[[float, float], str]
    joined_days: float
    ceiling: float = math.inf
    least_step: float = 0.0
    marked: tuple[date, ...] = ()


def line(points: Sequence[Point], frame: Frame, axes: Axes) -> Line:
    """The drawing of points in the order of their days. ValueError where there is none."""
    if not points:
        raise ValueError("A line needs at least one point.")
    first, last = points[0].day, points[-1].day
    span = max((last - first).days, 1)
    known = [point.value for point in points]
    ends = [end for point in points for end in (point.low, point.high) if math.isfinite(end)]
    ticks, bottom, top = round_ticks(min(known + ends), max(known + ends), axes)

    def x(day: date) -> float:
        if first == last:
            return (frame.left + frame.right) / 2
        return round(frame.left + (day - first).days / span * (frame.right - frame.left), 1)

    def y(value: float) -> float:
        return round(frame.bottom - (value - bottom) / (top - bottom) * (frame.bottom - frame.top), 1)

    stretches = _stretches(points, axes.joined_days)
    many = len(points) > _MOST_DOTS
    alone = {stretch[0].day for stretch in stretches if len(stretch) == 1}
    dots = tuple(
        Dot(x(point.day), y(point.value), point.kind, point.label, point.restated, point is points[-1])
        for point in points
        if not many or point is points[-1] or point.kind != "final" or point.restated or point.day in alone
    )
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    return Line(
        frame=frame,
        path=_course(stretches, x, y, is_open=False),
        dashed=_course(stretches, x, y, is_open=True),
        bands=tuple(band for stretch in stretches for band in _bands(stretch, x, y)),
        dots=dots,
        x_ticks=_days(points, x, axes.day_text),
        y_ticks=tuple(Tick(y(value), axes.value_text(value, step)) for value in ticks),
        marks=tuple(x(day) for day in axes.marked if first < day <= last),
    )


def round_ticks(low: float, high: float, axes: Axes) -> tuple[tuple[float, ...], float, float]:
    """Two to four round figures, and the lowest and highest that are shown: nothing lies outside."""
    size = max(abs(low), abs(high), 1e-9)
    spread = max(high - low, size * 0.02, 1.5 * axes.least_step)
    step = max(_round_up(spread / 5), axes.least_step)
    air = _AIR * spread
    bottom = max(low - air, 0.0) if low >= 0 else low - air
    top = min(high + air, max(axes.ceiling, high))
    if top - bottom < step:
        bottom, top = math.floor(bottom / step) * step, math.ceil(top / step) * step
        top = top if top > bottom else bottom + step
    places = _between(bottom, top, step)
    if len(places) > _MOST_TICKS:
        step = _round_up(1.01 * step)
        places = _between(bottom, top, step)
    return tuple(round(k * step, 12) for k in places), bottom, top


def _between(bottom: float, top: float, step: float) -> range:
    return range(math.ceil(bottom / step - 1e-9), math.floor(top / step + 1e-9) + 1)


def _round_up(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= raw * (1 - 1e-9))


def _stretches(points: Sequence[Point], joined_days: float) -> list[list[Point]]:
    found: list[list[Point]] = []
    for point in points:
        if found and (point.day - found[-1][-1].day).days <= joined_days:
            found[-1].append(point)
        else:
            found.append([point])
    return found


def _course(
    stretches: Sequence[Sequence[Point]], x: Callable[[date], float], y: Callable[[float], float], *, is_open: bool
) -> str:
    """The steps between neighbours of which one is open, or neither."""
    places: list[list[tuple[float, float]]] = []
    for stretch in stretches:
        joined = False
        for before, point in pairwise(stretch):
            if ("open" in (before.kind, point.kind)) != is_open:
                joined = False
                continue
            if not joined:
                places.append([(x(before.day), y(before.value))])
            places[-1].append((x(point.day), y(point.value)))
            joined = True
    return "".join(_path(run) for run in places)


def _bands(stretch: Sequence[Point], x: Callable[[date], float], y: Callable[[float], float]) -> list[str]:
    runs: list[list[Point]] = [[]]
    for point in stretch:
        if math.isfinite(point.low) and math.isfinite(point.high):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    paths = []
    for run in runs:
        if len(run) > 1:
            around = [(x(p.day), y(p.high)) for p in run] + [(x(p.day), y(p.low)) for p in reversed(run)]
            paths.append(_path(around) + "Z")
    return paths


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{across:.1f} {down:.1f}" for across, down in places)


def _days(points: Sequence[Point], x: Callable[[date], float], text: Callable[[date], str]) -> tuple[Tick, ...]:
    """The first and the last day, or the only one."""
    first, last = points[0].day, points[-1].day
    if first == last:
        return (Tick(x(first), text(first)),)
    return (Tick(x(first), text(first), "start"), Tick(x(last), text(last), "end"))
