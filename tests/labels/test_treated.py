import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.errors import ContractError
from kizuna.labels.treated import treated_rows
from kizuna.timeline import LabelWindow

WINDOW = LabelWindow(10, gap_days=2)


def lists(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "as_of", "arm", "contact_allowed", "control_share"])
    return frame.assign(as_of=pd.to_datetime(frame["as_of"], unit="D"))


def test_a_row_is_treated_from_its_day_to_the_end_of_its_window():
    earlier = lists(
        [
            ("a", 99, "target", True, 0.2),
            ("b", 100, "target", True, 0.2),
            ("c", 111, "target", True, 0.2),
            ("d", 112, "target", True, 0.2),
            ("e", 105, "target", False, 0.2),
            ("f", 105, "control", True, 0.2),
            ("g", 105, "exempt", True, 0.2),
            ("h", 105, "control", False, 0.2),
        ]
    )
    found = treated_rows(list("abcdefghz"), np.full(9, 100), WINDOW, earlier)
    assert found.is_treated.tolist() == [False, True, True, False, False, False, False, False, False]
    assert found.weight.tolist() == [1, 0, 0, 1, 1, 5, 1, 1, 1]


def test_the_last_share_counts_and_a_target_of_any_list_is_treated():
    earlier = lists(
        [
            ("a", 101, "control", True, 0.5),
            ("a", 105, "control", True, 0.1),
            ("b", 101, "control", True, 0.5),
            ("b", 103, "target", True, 0.5),
        ]
    )
    found = treated_rows(["a", "b", "a"], [100, 100, 80], WINDOW, earlier)
    assert found.is_treated.tolist() == [False, True, False]
    assert found.weight.tolist() == [10, 0, 1]


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.integers(90, 130)), min_size=1, max_size=12),
    listed=st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.integers(85, 150),
            st.sampled_from(["target", "control", "exempt"]),
            st.booleans(),
        ),
        max_size=12,
    ),
)
def test_it_is_what_a_search_row_by_row_finds(rows, listed):
    earlier = lists([(*row, 0.25) for row in listed])
    found = treated_rows([name for name, _ in rows], [day for _, day in rows], WINDOW, earlier)
    for (name, day), treated, weight in zip(rows, found.is_treated, found.weight, strict=True):
        arms = {arm for who, when, arm, allowed in listed if who == name and allowed and day <= when < day + 12}
        assert treated == ("target" in arms)
        assert weight == (0 if "target" in arms else 4 if "control" in arms else 1)


def test_weights_stand_for_all_who_were_listed():
    draw = np.random.default_rng(1)
    names = [f"C{k}" for k in range(20_000)]
    arm = np.where(draw.random(20_000) < 0.2, "control", "target")
    listed = draw.random(20_000) < 0.3
    earlier = lists([(names[k], 100, arm[k], True, 0.2) for k in np.flatnonzero(listed)])
    weight = treated_rows(names, np.full(20_000, 100), WINDOW, earlier).weight
    assert weight[listed].sum() == pytest.approx(listed.sum(), rel=0.03)
    assert (weight[~listed] == 1).all()


def test_lists_that_do_not_say_enough_are_refused():
    with pytest.raises(ContractError) as caught:
        treated_rows(["a"], [100], WINDOW, lists([]).drop(columns="control_share"))
    assert str(caught.value) == (
        "Training that knows of earlier lists needs their columns customer_id, as_of, arm, contact_allowed, control_share; "
        "control_share cannot be found. Set training.treated to keep, or read the lists with their manifests."
    )
    with pytest.raises(ContractError) as caught:
        treated_rows(["a"], [100], WINDOW, lists([("a", 100, "control", True, 0.0)]))
    assert str(caught.value) == (
        "Controls stand for others with weight 1 / control_share; found shares from 0 to 0. "
        "Each must be above 0 and at most 1."
    )
    assert treated_rows(["a"], [100], WINDOW, lists([])).weight.tolist() == [1]
