"""Columns: what an estimator was taught on, found again by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from kizuna.errors import ModelError


def learn_columns(estimator: Any, X: Any, y: Any) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """X as float64 (gaps NaN) and y as it was given; remembers the columns on the estimator, as scikit-learn does.

    A frame of one float64 block is not copied: rows may be millions.
    """
    checked: tuple[NDArray[np.float64], NDArray[Any]] = validate_data(
        estimator, X, y, dtype=np.float64, ensure_all_finite="allow-nan"
    )
    return checked


def read_columns(estimator: Any, X: Any) -> NDArray[np.float64]:
    """X as float64 in the order of training: a frame's columns by name, whatever else it holds; an array's as they are.

    ModelError names the columns that a frame lacks.
    """
    check_is_fitted(estimator)
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and hasattr(X, "columns"):
        held = set(X.columns)
        missing = [name for name in names if name not in held]
        if missing:
            shown = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
            raise ModelError(
                f"The model asks for {len(names)} columns, and {len(missing)} of them are missing: {shown}. "
                "Build the features by the model's own plan, or train again."
            )
        X = X[list(names)]
    matrix: NDArray[np.float64] = validate_data(
        estimator, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=0
    )
    return matrix


def column_names(estimator: Any) -> list[str]:
    """The names of the training columns; empty when they had none."""
    return [str(name) for name in getattr(estimator, "feature_names_in_", [])]
