import numpy as np
import pytest

from kizuna.models.same_weeks import nearness


def test_by_hand():
    # The same weekday a year and two years before, a week and six weeks from there, yesterday, three years before.
    days = 1000 - np.array([364, 728, 371, 357, 406, 1, 1092])
    assert nearness(1000, days) == pytest.approx([1, 1, 5 / 6, 5 / 6, 0, 0, 0])
    assert nearness(1000, ()).tolist() == []


def test_nothing_jumps_from_day_to_day():
    near = np.array([nearness(as_of, [0])[0] for as_of in range(1000)])
    assert np.abs(np.diff(near)).max() == pytest.approx(1 / 42)
    assert near.sum() == pytest.approx(2 * 42)
