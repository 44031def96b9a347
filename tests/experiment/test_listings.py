import pandas as pd
import pytest

from kizuna.errors import ContractError
from kizuna.experiment.listings import executed_shares, first_listings


def lists(*rows):
    frame = pd.DataFrame([row.split() for row in rows], columns=["as_of", "customer_id", "arm", "action", "allowed"])
    frame["contact_allowed"] = frame.pop("allowed").map({"yes": True, "no": False, "unknown": None})
    return frame.assign(experiment="shop")


ROWS = (
    "2026-01-12 a target A08 yes",
    "2026-01-05 a target A01 no",
    "2026-01-19 a target A06 yes",
    "2026-01-05 b control A01 yes",
    "2026-01-12 b control A01 no",
    "2026-01-05 c exempt A02 yes",
    "2026-01-12 c target A08 yes",
    "2026-01-05 d target A08 no",
    "2026-01-05 e control A08 unknown",
)


def test_a_customer_counts_once_at_the_first_listing_while_contactable():
    cohort = first_listings(lists(*ROWS))
    assert cohort.rows[["customer_id", "action"]].to_numpy().tolist() == [
        ["b", "A01"],
        ["e", "A08"],
        ["a", "A08"],
        ["c", "A08"],
    ]
    assert cohort.rows["as_of"].dt.day.tolist() == [5, 5, 12, 12]
    assert cohort.left_out == {"exempt": 1, "not_contactable": 3, "listed_before": 1}


def test_row_order_does_not_matter():
    forward, backward = (first_listings(lists(*rows)) for rows in (ROWS, reversed(ROWS)))
    pd.testing.assert_frame_equal(forward.rows, backward.rows)


def test_each_experiment_counts_a_customer_anew():
    again = pd.concat([lists(*ROWS), lists("2026-04-06 a control A01 yes").assign(experiment="spring")])
    assert first_listings(again).rows["experiment"].tolist() == ["shop", "shop", "shop", "shop", "spring"]


def test_what_is_no_list_is_refused():
    with pytest.raises(ContractError) as caught:
        first_listings(lists(*ROWS).drop(columns=["arm", "experiment"]))
    assert str(caught.value) == (
        "The effect of lists needs the columns experiment, as_of, customer_id, arm, action, contact_allowed; "
        "experiment, arm cannot be found. Read the lists with their manifests."
    )
    with pytest.raises(ContractError) as caught:
        first_listings(lists(*ROWS, ROWS[0]))
    assert str(caught.value) == (
        "A customer stands on a list once; 1 of 10 rows repeat one. Read one revision of each day."
    )


def test_what_was_carried_out_is_counted_by_arm():
    rows = first_listings(lists(*ROWS)).rows
    done = pd.DataFrame({"customer_id": ["a", "a", "z"], "list_as_of": ["2026-01-12", "2026-01-19", "2026-01-05"]})
    assert executed_shares(rows, done) == {"target": 0.5, "control": 0.0}
