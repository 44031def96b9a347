import math
from datetime import date, timedelta
from itertools import pairwise

import pytest

from kizuna.exports.page.plot import Axes, Frame, Point, line, round_ticks

FRAME = Frame(width=100, height=60, left=10, right=90, top=5, bottom=45)
AXES = Axes(day_text=lambda day: f"{day:%d.%m.}", value_text=lambda value, step: f"{value:g}", joined_days=10)
FIRST = date(2026, 1, 1)


def point(days: int, value: float, **more: object) -> Point:
    return Point(FIRST + timedelta(days=days), value, f"{value}", **more)


def test_points_stand_by_their_days_and_not_by_their_number():
    drawn = line([point(0, 1.0), point(2, 2.0), point(8, 3.0)], FRAME, AXES)
    assert [dot.x for dot in drawn.dots] == [10.0, 30.0, 90.0]
    assert [dot.is_last for dot in drawn.dots] == [False, False, True]
    assert [(tick.label, tick.anchor) for tick in drawn.x_ticks] == [("01.01.", "start"), ("09.01.", "end")]


def test_a_time_without_points_breaks_the_line():
    drawn = line([point(0, 1.0), point(7, 2.0), point(28, 2.0), point(35, 1.0), point(70, 1.5)], FRAME, AXES)
    assert drawn.path.count("M") == 2
    assert drawn.path.count("L") == 2
    # The last one stands alone: a dot, and no line.
    assert len(drawn.dots) == 5


def test_what_is_not_final_hangs_on_a_dashed_line():
    drawn = line([point(0, 1.0), point(7, 2.0), point(14, 1.0, kind="open")], FRAME, AXES)
    assert (drawn.path.count("L"), drawn.dashed.count("L")) == (1, 1)
    assert drawn.dashed.startswith(drawn.path.split("L")[1].join(["M", ""]))


def test_bands_lie_where_intervals_are_known():
    known = {"low": 0.5, "high": 2.5}
    drawn = line([point(0, 1.0, **known), point(7, 2.0, **known), point(14, 1.0), point(21, 1.0, **known)], FRAME, AXES)
    assert len(drawn.bands) == 1
    assert drawn.bands[0].count("L") == 3
    assert drawn.bands[0].endswith("Z")


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.46, 0.48), (0.0, 1.0), (3.0, 3.0), (0.0, 0.0), (-40.0, 20.0), (4_700_000, 4_950_000), (1e-7, 2e-7)],
)
def test_ticks_are_few_and_round_and_everything_lies_between_the_ends(low, high):
    ticks, bottom, top = round_ticks(low, high, AXES)
    assert bottom <= low <= high <= top
    assert 2 <= len(ticks) <= 4
    assert all(bottom <= tick <= top for tick in ticks)
    step = ticks[1] - ticks[0]
    assert f"{step:.6e}"[0] in "125"
    assert low < 0 or bottom >= 0


def test_a_share_never_has_more_than_all():
    limited = Axes(AXES.day_text, AXES.value_text, 10, ceiling=1.0, least_step=0.01)
    ticks, bottom, top = round_ticks(0.97, 0.999, limited)
    assert top == 1.0
    assert min(later - tick for tick, later in pairwise(ticks)) >= 0.01 - 1e-9
    assert bottom >= 0


def test_long_lines_have_dots_only_where_they_say_something():
    points = [point(7 * week, math.sin(week)) for week in range(52)]
    points[20] = point(140, 0.5, kind="reference")
    points[30] = point(210, 0.5, restated=True)
    drawn = line(points, FRAME, AXES)
    assert [(dot.kind, dot.restated, dot.is_last) for dot in drawn.dots] == [
        ("reference", False, False),
        ("final", True, False),
        ("final", False, True),
    ]


def test_marked_days_lie_within():
    marked = Axes(AXES.day_text, AXES.value_text, 10, marked=(FIRST, FIRST + timedelta(days=7), date(2027, 1, 1)))
    assert line([point(0, 1.0), point(7, 2.0), point(14, 1.0)], FRAME, marked).marks == (50.0,)


def test_one_point_stands_in_the_middle_and_none_is_an_error():
    drawn = line([point(0, 5.0)], FRAME, AXES)
    assert [dot.x for dot in drawn.dots] == [50.0]
    assert (drawn.path, len(drawn.x_ticks)) == ("", 1)
    with pytest.raises(ValueError, match="at least one point"):
        line([], FRAME, AXES)
