"""The days of lists, by hand."""

from __future__ import annotations

from kizuna.evaluation.list_days import a_week_apart, list_days, lists_of_models
from kizuna.timeline import LabelWindow


def test_the_newest_list_is_a_week_whose_outcome_is_known() -> None:
    assert list_days(LabelWindow(90, 7, 2), 1_000, 3) == [901, 894, 887]


def test_a_model_makes_the_lists_of_its_weeks() -> None:
    weeks = [100, 93, 86, 79, 72]
    assert lists_of_models(weeks, 28) == [[100, 93, 86, 79], [72]]
    assert lists_of_models(weeks, 30) == [[100, 93, 86, 79], [72]]
    assert lists_of_models(weeks, 3) == [[100], [93], [86], [79], [72]]
    assert lists_of_models([100, 70, 58, 39], 28) == [[100], [70, 58], [39]]
    assert lists_of_models([], 28) == []


def test_lists_of_labels_are_a_week_apart_at_least() -> None:
    assert a_week_apart([30, 29, 24, 23, 22, 10]) == [30, 23, 10]
    assert a_week_apart([]) == []
