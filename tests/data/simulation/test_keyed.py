import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kizuna.data.simulation.keyed import Purpose, keys_of, uniform

_GOLDEN = 0x9E3779B97F4A7C15


def mix(number):
    """SplitMix64 from the paper, one number at a time."""
    number = (number + _GOLDEN) % 2**64
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) % 2**64
    return number ^ (number >> 31)


def test_the_generator_is_splitmix64():
    # The first output of the reference implementation for seed 0.
    assert mix(0) == 0xE220A8397B1DCDAF
    stream = mix(mix(7) ^ (int(Purpose.GAP) * 0x94D049BB133111EB % 2**64))
    day = mix((stream + 30 * 0xBF58476D1CE4E5B9) % 2**64)
    expected = [((mix((customer * _GOLDEN + day) % 2**64) >> 11) + 0.5) * 2.0**-53 for customer in (1, 2, 3)]
    np.testing.assert_array_equal(uniform(keys_of(7, 3), Purpose.GAP, 30), expected)


@given(seed=st.integers(0, 2**63), day=st.integers(-1000, 10**6), count=st.integers(1, 50))
def test_a_draw_depends_on_nothing_but_its_key(seed, day, count):
    few, many = keys_of(seed, count), keys_of(seed, count + 13)
    whole = uniform(many, Purpose.VISIT, day)
    np.testing.assert_array_equal(uniform(few, Purpose.VISIT, day), whole[:count])
    rows = np.arange(count)[::-2]
    np.testing.assert_array_equal(uniform(many, Purpose.VISIT, day, rows), whole[rows])
    assert ((whole > 0) & (whole < 1)).all()


def test_days_may_differ_by_row():
    keys = keys_of(7, 4)
    mixed = uniform(keys, Purpose.GAP, np.array([3, -1, 3, 8]))
    assert len(np.unique(mixed)) == 4
    np.testing.assert_array_equal(mixed[[0, 2]], uniform(keys, Purpose.GAP, np.array([3, 3, 3, 3]))[[0, 2]])


def test_purposes_days_and_neighbours_are_unrelated():
    keys = keys_of(1, 100_000)
    draws = [uniform(keys, purpose, day) for purpose in (Purpose.LATE, Purpose.RETURN) for day in (0, 1)]
    draws.append(np.roll(draws[0], 1))
    worst = np.abs(np.corrcoef(draws) - np.eye(5)).max()
    assert worst < 4.5 / np.sqrt(100_000)
    counts = np.histogram(draws[0], bins=100, range=(0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 150
