"""A model that is told what the buy-till-you-die model says: its column, its margin, its contributions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.models.churn import with_silence
from kizuna.models.churn.silence import SilenceModel
from kizuna.models.churn.task import Task, TaughtRows
from kizuna.models.churn.with_silence import WithSilence, _shared, margins_of
from kizuna.models.learners.linear import fit_linear
from kizuna.models.learners.trees import default_tree_params, fit_trees

SILENCE = SilenceModel(5, (1, 2, 3), (2.0, 200.0, 40.0), (0.5, 8.0, 0.9, 2.0), 91.0)
TASK = Task(("complaints", "orders", "tenure_days", "days_since_order", "visits"), 600, 200, 91.0, 7, 1)


@pytest.fixture(scope="module")
def rows() -> TaughtRows:
    """600 customers; who churns follows the model, and complaints beside it."""
    draw = np.random.default_rng(0)
    tenure = draw.integers(30, 700, 600)
    X = np.column_stack(
        [draw.poisson(1, 600), draw.poisson(3, 600) + 1, tenure, draw.integers(1, tenure), draw.normal(size=600)]
    )
    X = X.astype(float)
    X[::9, 4] = np.nan
    y = (draw.random(600) < 1 / (1 + np.exp(-SILENCE.margin(X) - 0.5 * X[:, 0]))).astype(float)
    return TaughtRows(X, y, TASK)


def trees_of(rows: TaughtRows, X: np.ndarray, more: np.ndarray | None):
    return fit_trees(X, rows.y, default_tree_params(600, 200), [20], "binary", (7, 1), more)[0]


def test_a_column_added_teaches_what_a_column_of_the_matrix_teaches(rows: TaughtRows) -> None:
    wide = np.column_stack([rows.X, SILENCE.margin(rows.X)])
    inside, beside = trees_of(rows, wide, None), trees_of(rows, rows.X, SILENCE.margin(rows.X))
    assert beside.text() == inside.text()
    assert WithSilence(beside, SILENCE, None).margin(rows.X).tolist() == inside.margin(wide).tolist()


def test_a_regression_reads_the_columns_named_and_the_column_told(rows: TaughtRows) -> None:
    told = np.column_stack([rows.X[:, [4, 1]], SILENCE.margin(rows.X)])
    (inner,) = fit_linear(told, rows.y, None, [0.3])
    model = WithSilence(inner, SILENCE, (4, 1))
    assert model.margin(rows.X).tolist() == inner.margin(told).tolist()
    parts = model.contributions(rows.X)
    assert parts.shape == (600, 6)
    assert np.abs(parts[:, 0]).max() == 0
    np.testing.assert_allclose(parts.sum(axis=1), model.margin(rows.X), atol=1e-9)
    # Of a column that is no part of the told one, its own part is left as it is.
    np.testing.assert_allclose(parts[:, 4], inner.contributions(told)[:, 0], atol=1e-12)


def test_contributions_of_trees_add_up_and_the_told_part_goes_to_its_three_columns(rows: TaughtRows) -> None:
    trees = trees_of(rows, rows.X, SILENCE.margin(rows.X))
    parts = WithSilence(trees, SILENCE, None).contributions(rows.X)
    inner = trees.contributions(np.column_stack([rows.X, SILENCE.margin(rows.X)]))
    np.testing.assert_allclose(
        parts.sum(axis=1), trees.margin(np.column_stack([rows.X, SILENCE.margin(rows.X)])), atol=1e-9
    )
    np.testing.assert_allclose(parts[:, [0, 4, 5]], inner[:, [0, 4, 6]], atol=1e-12)
    assert np.abs(inner[:, 5]).max() > 0.1


def test_rows_are_read_in_pieces(rows: TaughtRows, monkeypatch: pytest.MonkeyPatch) -> None:
    model = WithSilence(trees_of(rows, rows.X, SILENCE.margin(rows.X)), SILENCE, None)
    margin, parts = model.margin(rows.X), model.contributions(rows.X)
    monkeypatch.setattr(with_silence, "_ROWS_AT_ONCE", 77)
    assert model.margin(rows.X).tolist() == margin.tolist()
    assert model.contributions(rows.X).tolist() == parts.tolist()
    assert model.margin(rows.X[:0]).shape == (0,)
    assert model.contributions(rows.X[:0]).shape == (0, 6)


def test_models_that_share_their_trees_say_what_each_says_alone(rows: TaughtRows) -> None:
    counts = [5, 12, 12, 20]
    more = SILENCE.margin(rows.X)
    trees = fit_trees(rows.X, rows.y, default_tree_params(600, 200), counts, "binary", (7, 1), more)
    told = [WithSilence(model, SILENCE, None) for model in trees]
    plain = fit_trees(rows.X, rows.y, default_tree_params(600, 200), counts, "binary", (7, 1))
    for models in (told, plain, told[:1], [told[0], plain[0]], fit_linear(rows.X, rows.y, (0, 1), [0.1, 1.0])):
        for X in (rows.X, rows.X[:0]):
            for model, margin in zip(models, margins_of(models, X), strict=True):
                np.testing.assert_allclose(margin, model.margin(X), atol=1e-12)


def test_a_part_is_shared_by_the_moves_of_its_sign() -> None:
    part = np.array([2.0, 2.0, -3.0, 3.0, 0.0])
    moves = np.array([[1.0, 3.0, 0.0], [1.0, -9.0, 1.0], [1.0, -9.0, 1.0], [-1.0, -1.0, 0.0], [1.0, 1.0, 1.0]])
    expected = [[0.5, 1.5, 0.0], [1.0, 0.0, 1.0], [0.0, -3.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    assert _shared(part, moves).tolist() == expected


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4))
def test_shares_add_up_and_never_turn_the_sign(numbers: list[float]) -> None:
    part, moves = np.array(numbers[:1]), np.array([numbers[1:]])
    shares = _shared(part, moves)
    assert shares.sum() == pytest.approx(part[0], abs=1e-12)
    assert (shares * np.sign(part[0]) >= 0).all()


def test_without_the_three_columns_nothing_is_told(rows: TaughtRows) -> None:
    nameless = TaughtRows(rows.X, rows.y, Task((), 600, 200, 91.0, 7, 1))
    assert nameless.silence is None
    assert nameless.silence_margin is None
    assert rows.silence is rows.silence
    assert rows.silence is not None
    assert rows.silence_margin is not None
    assert rows.silence_margin.tolist() == rows.silence.margin(rows.X).tolist()
