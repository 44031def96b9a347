"""Which texts get a column: frequent ones, at most twelve, ties by name."""

from __future__ import annotations

from kizuna.features.vocabulary import MAX_LEVELS, MIN_CUSTOMERS, choose_levels


def test_rare_levels_have_no_column() -> None:
    assert choose_levels({"JP": 50, "US": MIN_CUSTOMERS, "FR": MIN_CUSTOMERS - 1}) == ("JP", "US")
    assert choose_levels({}) == ()


def test_the_most_frequent_twelve_stay_and_ties_go_by_name() -> None:
    counts = {f"level{i:02}": 30 for i in range(MAX_LEVELS + 3)} | {"zz": 31}
    assert choose_levels(counts) == (*(f"level{i:02}" for i in range(MAX_LEVELS - 1)), "zz")
    assert choose_levels(dict(reversed(counts.items()))) == choose_levels(counts)
