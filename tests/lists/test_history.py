"""Earlier lists: pause, status, weeks, last probability, and who has left, by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from kizuna.lists.history import earlier_lists, removed_since, standing, with_model_changes

TODAY = date(2026, 2, 2)


def history(**listed_on):
    """Rows of earlier lists; dates are January days, and the probability is that day in hundredths."""
    rows = [
        {"customer_id": customer, "as_of": f"2026-01-{day:02d}", "churn_probability": day / 100, "arm": "target"}
        for customer, days in listed_on.items()
        for day in days
    ]
    return pd.DataFrame(rows)


# Lists of 5, 12, 19 and 26 January; today is 2 February.
LISTS = {
    "always": (5, 12, 19, 26),
    "first_last_week": (26,),
    "left_and_came_back": (5, 12, 26),
    "returned": (5, 12),
    "back_after_pause": (5, 12, 19),
}


def stand(pause_days, **listed_on):
    earlier = earlier_lists(history(**listed_on), TODAY)
    customers = pd.Series([*listed_on, "never"], index=range(7, 8 + len(listed_on)))
    frame = standing(customers, earlier, TODAY, pause_days)
    assert frame.index.equals(customers.index)
    return frame.set_index(customers)


def test_status_weeks_and_last_probability():
    frame = stand(14, **LISTS)
    assert frame["list_status"].to_dict() == {
        "always": "continuing",
        "first_last_week": "continuing",
        "left_and_came_back": "continuing",
        "returned": "returned",
        "back_after_pause": "returned",
        "never": "new",
    }
    assert frame["weeks_on_list"].to_dict() == {
        "always": 5,
        "first_last_week": 2,
        "left_and_came_back": 2,
        "returned": 1,
        "back_after_pause": 1,
        "never": 1,
    }
    assert frame["churn_probability_prev"].dropna().to_dict() == {
        "always": 0.26,
        "first_last_week": 0.26,
        "left_and_came_back": 0.26,
    }


@pytest.mark.parametrize(
    ("listed_on", "paused"),
    [
        ((26,), True),  # first listed 7 days ago
        ((19, 26), False),  # first listed 14 days ago: the pause is over
        ((12, 19, 26), True),  # over on the 26th, so that list began another one
        ((5, 12, 19, 26), False),  # listed anew on the 19th, 14 days ago
        ((5,), False),
        ((), False),
    ],
)
def test_the_pause_runs_from_first_listing_and_begins_again_after_it(listed_on, paused):
    assert stand(14, someone=listed_on, other=(5, 12, 19, 26)).at["someone", "paused"] == paused


def test_no_pause():
    assert not stand(0, **LISTS)["paused"].any()


def test_later_lists_and_repeated_rows_are_not_looked_at():
    rows = pd.concat([history(a=(26,)), history(a=(26,)), history(a=(5,)).assign(as_of="2026-02-02")])
    assert earlier_lists(rows, TODAY)["as_of"].tolist() == [pd.Timestamp("2026-01-26")]
    assert earlier_lists(pd.DataFrame(), TODAY).columns.tolist() == ["customer_id", "as_of", "churn_probability"]


def test_removed_and_why():
    earlier = earlier_lists(
        history(
            gone=(26,), quiet=(26,), bought=(26,), called=(26,), better=(26,), crowded=(26,), stays=(26,), older=(19,)
        ),
        TODAY,
    )
    day = pd.Timestamp
    eligible = pd.DataFrame(
        [
            # Bought on the very day of the last list, and is less at risk since.
            ("bought", "below_min_probability", day("2026-01-26"), day("2026-01-30")),
            ("better", "below_min_probability", day("2026-01-25"), pd.NaT),
            ("crowded", "beyond_capacity", pd.NaT, day("2026-01-25")),
            ("called", "below_min_probability", pd.NaT, day("2026-01-26")),
            ("quiet", "suppressed", day("2026-01-30"), day("2026-01-30")),
            ("stays", "", day("2026-01-01"), pd.NaT),
        ],
        columns=["customer_id", "left_out", "last_purchase", "last_contact"],
    )
    removed = removed_since(eligible, pd.Series(["stays"]), earlier)
    assert removed[["customer_id", "why"]].values.tolist() == [
        ["better", "recovered"],
        ["bought", "purchased"],
        ["called", "contacted"],
        ["crowded", "beyond_capacity"],
        ["gone", "no_longer_eligible"],
        ["quiet", "suppressed"],
    ]
    assert set(removed["last_as_of"]) == {day("2026-01-26")}
    # The last list's model would name these two today.
    changed = with_model_changes(removed, pd.Series(["crowded", "gone", "stays"]))
    assert (changed["why"] == "model_changed").tolist() == [False, False, False, True, True, False]
    assert changed.loc[changed["why"] != "model_changed", "why"].tolist() == [
        *("recovered", "purchased", "contacted"),
        "suppressed",
    ]
    assert removed_since(eligible, pd.Series(["stays"]), earlier_lists(pd.DataFrame(), TODAY)) is None
