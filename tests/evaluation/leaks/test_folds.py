import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.leaks.folds import Permuted, Repeated, people, permuted_labels, repeated_rows, row_hashes

FOLD = [(np.arange(4), np.arange(4, 8))]


def test_repeated_rows_by_hand():
    # Learned from: 1 churned, 1 stayed, 2 churned, 3 stayed. Tested: 1, 2, 3, 9.
    values, y = np.array([1, 1, 2, 3, 1, 2, 3, 9.0]), np.array([1, 0, 1, 0, 1, 1, 1, 0.0])
    found = repeated_rows(row_hashes(pd.DataFrame({"a": values})), y, FOLD)
    # The tested 1 differs from one of its two equals, the 3 from its only one; all three matched rows churned.
    assert found == Repeated(tested=4, repeated=2, matched=3, differing=1.5, expected=0.0)
    assert not found.is_leak


@pytest.mark.parametrize(
    ("found", "is_leak"),
    [
        (Repeated(1000, 20, 20, 0.0, 8.0), True),
        (Repeated(1000, 9, 9, 0.0, 4.0), False),
        (Repeated(1000, 20, 20, 4.0, 8.0), False),
        (Repeated(1000, 20, 20, 0.0, 1.0), False),
        (Repeated(0, 0, 0, 0.0, 0.0), False),
    ],
)
def test_few_rows_or_differing_rows_are_no_doubles(found, is_leak):
    assert found.is_leak == is_leak


def test_a_hash_tells_rows_apart_and_knows_nulls():
    frame = pd.DataFrame({"a": [1.0, 1.0, np.nan, np.nan], "b": [1.0, 2.0, 3.0, 3.0]})
    hashes = row_hashes(frame)
    assert np.unique(hashes).size == 3
    assert hashes[2] == hashes[3]
    assert row_hashes(frame[[]]).tolist() == [0, 0, 0, 0]


def test_people_are_customers_and_their_doubles():
    frame = pd.DataFrame({"a": [1.0, 1.0, 2.0, 2.0, 3.0]})
    y = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    none, some = Repeated(5, 0, 0, 0.0, 0.0), Repeated(5, 2, 2, 0.0, 9.0)
    assert people(None, row_hashes(frame), y, none).tolist() == [0, 1, 2, 3, 4]
    assert people(["x", "y", "x", "z", "z"], row_hashes(frame), y, none).tolist() == [0, 1, 0, 2, 2]
    joined = people(None, row_hashes(frame), y, some)
    assert joined[0] == joined[1]
    assert np.unique(joined).size == 4
    chained = people(["x", "y", "x", "z", "z"], row_hashes(frame), y, some)
    assert np.unique(chained).size == 2


def test_permuted_labels_are_known_only_where_people_are_met_again():
    generator = np.random.default_rng(1)
    matrix = np.tile(generator.normal(size=(400, 3)), (2, 1))
    y, units = np.tile((generator.random(400) < 0.3) * 1.0, 2), np.tile(np.arange(400), 2)
    halves = [(np.arange(400), np.arange(400, 800))]
    found = permuted_labels(lambda rows: matrix[rows], y, halves, units)
    assert found.auc > 0.95
    assert 0.5 < found.limit < 0.65
    assert found.is_leak
    assert permuted_labels(lambda rows: matrix[rows], y, halves, np.arange(800)) is None
    forgotten = generator.normal(size=(800, 3))
    chance = permuted_labels(lambda rows: forgotten[rows], y, halves, units)
    assert not chance.is_leak
    assert permuted_labels(lambda rows: matrix[rows], np.ones(800), halves, units) is None


def test_chance_rarely_passes_the_limit():
    alarms = 0
    for seed in range(10):
        generator = np.random.default_rng(seed)
        matrix, y = generator.normal(size=(300, 2)), (generator.random(300) < 0.3) * 1.0
        found = permuted_labels(
            lambda rows, of=matrix: of[rows], y, [(np.arange(150), np.arange(150, 300))], np.tile(np.arange(150), 2)
        )
        alarms += found.is_leak
    assert alarms == 0


def test_an_auc_just_beyond_chance_is_not_written_as_chance():
    assert "with AUC .5694 (chance allows .5691): the same people" in Permuted(0.56936, 0.56912).text
    assert "with AUC .912 (chance allows .569): the same people" in Permuted(0.912, 0.56912).text
