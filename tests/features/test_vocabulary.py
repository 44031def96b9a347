"""Which texts get a column: frequent ones, at most twelve, ties by name."""

from __future__ import annotations

from kizuna.features.vocabulary import MAX_LEVELS, MIN_CUSTOMERS, MIN_ROWS, choose_levels


def test_rare_levels_have_no_column() -> None:
    many = dict.fromkeys(("JP", "US", "FR"), MIN_CUSTOMERS)
    assert choose_levels({"JP": 50, "US": MIN_ROWS, "FR": MIN_ROWS - 1}, many) == ("JP", "US")
    assert choose_levels({}, {}) == ()


def test_what_a_few_customers_hold_on_many_days_has_no_column() -> None:
    rows = {"JP": 50, "his own": 50}
    assert choose_levels(rows, {"JP": MIN_CUSTOMERS, "his own": MIN_CUSTOMERS - 1}) == ("JP",)


def test_the_most_frequent_twelve_stay_and_ties_go_by_name() -> None:
    counts = {f"level{i:02}": 30 for i in range(MAX_LEVELS + 3)} | {"zz": 31}
    assert choose_levels(counts, counts) == (*(f"level{i:02}" for i in range(MAX_LEVELS - 1)), "zz")
    assert choose_levels(dict(reversed(counts.items())), counts) == choose_levels(counts, counts)
