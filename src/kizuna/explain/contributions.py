"""What each feature adds to a customer's risk, summed by driver and as a long table.

Contributions are additive on the logit of the calibrated probability; the last column is the bias, which belongs to
no one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.errors import ModelError


class ColumnLike(Protocol):
    """A feature column as far as explaining needs it."""

    @property
    def name(self) -> str:
        """The column's name in the feature frame."""

    @property
    def driver(self) -> str:
        """The business cause that the column belongs to."""

    @property
    def unit(self) -> str:
        """What the column counts; see ``features.plan.UNITS``."""


def by_driver(
    contributions: NDArray[np.float64], columns: Sequence[ColumnLike]
) -> tuple[list[str], NDArray[np.float64]]:
    """The drivers, sorted by name, and the summed contributions (n, drivers) of their features.

    ``contributions`` is (n, features + 1), its columns in the order of ``columns``. ModelError: another number of
    columns.
    """
    _check(contributions, columns)
    names = sorted({column.driver for column in columns})
    at = {name: index for index, name in enumerate(names)}
    sums = np.zeros((len(contributions), len(names)))
    # Column after column, so that a row's sum does not depend on the rows beside it.
    for position, column in enumerate(columns):
        sums[:, at[column.driver]] += contributions[:, position]
    return names, sums


def ranked(sums: NDArray[np.float64]) -> NDArray[np.int64]:
    """The order (n, drivers) of the driver positions, the one that raises the risk most first; ties by position."""
    return np.argsort(-sums, axis=1, kind="stable")


def explanations(
    frame_rows: pd.DataFrame, contributions: NDArray[np.float64], columns: Sequence[ColumnLike]
) -> pd.DataFrame:
    """The long table: customer_id, driver, feature, value (raw), contribution, rank.

    One row per customer and feature. ``rank`` is the driver's: 1 raises the customer's risk most. Customers stand in
    the order given; then by rank, by size of the contribution, by feature name. ``frame_rows`` is aligned to
    ``contributions``.
    """
    names, sums = by_driver(contributions, columns)
    features = np.array([column.name for column in columns], dtype=object)
    driver_at = np.array([names.index(column.driver) for column in columns], dtype=np.int64)
    values = frame_rows[list(features)].to_numpy(dtype=np.float64)
    ranks = np.empty_like(sums, dtype=np.int64)
    np.put_along_axis(ranks, ranked(sums), np.arange(1, len(names) + 1, dtype=np.int64)[None, :], axis=1)
    by_name = np.argsort(np.argsort(features, kind="stable"))
    rows, width = len(frame_rows), len(columns)
    customer = np.repeat(np.arange(rows), width)
    feature = np.tile(np.arange(width), rows)
    rank = ranks[:, driver_at].ravel()
    added = contributions[:, :width].ravel()
    order = np.lexsort((by_name[feature], -np.abs(added), rank, customer))
    feature = feature[order]
    return pd.DataFrame(
        {
            "customer_id": frame_rows["customer_id"].astype("str").to_numpy()[customer[order]],
            "driver": np.array(names, dtype=object)[driver_at[feature]],
            "feature": features[feature],
            "value": values.ravel()[order],
            "contribution": added[order],
            "rank": rank[order],
        }
    ).astype({"customer_id": "str", "driver": "str", "feature": "str"})


def _check(contributions: NDArray[np.float64], columns: Sequence[ColumnLike]) -> None:
    width = contributions.shape[1] if contributions.ndim == 2 else 0
    if width != len(columns) + 1:
        raise ModelError(
            f"Contributions of {len(columns)} features and a bias were asked for; found {width} columns. "
            "The model and its feature plan do not belong together: train again."
        )
