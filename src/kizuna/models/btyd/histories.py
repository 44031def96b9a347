"""Purchase histories as the models read them: repeat purchases, time of the last one, age; checked, and counted once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Times that were divided (days into weeks) may disagree in their last digits.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Histories:
    """Columns of equal length (n,). ``weight``: how many customers a row stands for."""

    frequency: Floats
    recency: Floats
    age: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.frequency)


def read_histories(
    frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, weights: ArrayLike | None = None
) -> Histories:
    """The columns as checked float64, row for row as given.

    frequency: repeat purchases, whole numbers. recency: time from the first to the last purchase, 0 without a repeat.
    age: time from the first purchase to now. One unit of time for both. weights: customers per row (None: 1 each).
    ValueError where a column is no column, a number is missing, negative or no whole number, or a time is impossible.
    """
    x, last, now = read_columns({"frequency": frequency, "recency": recency, "age": age})
    check_rows("a frequency that is not a whole number", x != np.floor(x), {"frequency": x}, "Count repeat purchases.")
    check_rows(
        "a last purchase later than now",
        last > now * (1 + _ROUNDING),
        {"recency": last, "age": now},
        "Measure both from the first purchase, in one unit of time.",
    )
    check_rows(
        "no repeat purchase, but a time of the last one",
        (x == 0) & (last > 0),
        {"frequency": x, "recency": last},
        "Recency runs from the first purchase to the last, so it is 0 after a single one.",
    )
    return Histories(x, np.minimum(last, now), now, read_weights(weights, len(x)))


def read_columns(columns: dict[str, ArrayLike]) -> list[Floats]:
    """Columns of one length (n,) as float64, none missing, infinite or negative; ValueError otherwise."""
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    shapes = [array.shape for array in arrays.values()]
    if any(len(shape) != 1 for shape in shapes) or len(set(shapes)) != 1:
        raise ValueError(
            f"{_listed(list(arrays))} must be columns of one length; found shapes {_listed([str(s) for s in shapes])}. "
            "Give one number per customer in each."
        )
    for name, array in arrays.items():
        check_rows(f"no finite {name}", ~np.isfinite(array), {name: array}, "Fill the gap, or leave the customer out.")
        check_rows(f"a negative {name}", array < 0, {name: array}, "Counts and times are 0 or more.")
    return list(arrays.values())


def read_weights(weights: ArrayLike | None, rows: int) -> Floats:
    """Customers per row, (rows,); ValueError for another length or anything below 0."""
    if weights is None:
        return np.ones(rows)
    (read,) = read_columns({"weights": weights})
    if len(read) != rows:
        raise ValueError(f"{rows:,} rows and {len(read):,} weights. Give one weight per row.")
    return read


def check_rows(found: str, wrong: NDArray[np.bool_], columns: dict[str, Floats], advice: str) -> None:
    """Nothing, or a ValueError that counts the wrong rows and shows the first."""
    if wrong.any():
        row = int(np.argmax(wrong))
        shown = ", ".join(f"{name} {values[row]:.12g}" for name, values in columns.items())
        raise ValueError(
            f"{int(wrong.sum()):,} of {wrong.size:,} customers have {found} (row {row}: {shown}). {advice}"
        )


def collapse(columns: list[Floats], weight: Floats) -> tuple[list[Floats], Floats]:
    """Equal rows once, sorted, with the sum of their weights; rows of weight 0 are left out.

    The order of the rows given does not show, not even in the last bit of a weight.
    """
    kept = weight > 0
    columns, weight = [column[kept] for column in columns], weight[kept]
    order = np.lexsort([weight, *reversed(columns)])
    columns, weight = [column[order] for column in columns], weight[order]
    new = np.ones(len(weight), dtype=bool)
    new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    starts = np.flatnonzero(new)
    return [column[starts] for column in columns], np.add.reduceat(weight, starts) if starts.size else weight


def collapsed(histories: Histories) -> Histories:
    """The same customers with equal histories once."""
    columns = [histories.frequency, histories.recency, histories.age]
    (frequency, recency, age), weight = collapse(columns, histories.weight)
    return Histories(frequency, recency, age, weight)


def thinned(histories: Histories, rows: int) -> Histories:
    """About ``rows`` of the rows, evenly from first to last: enough to find out where to begin."""
    step = max(1, len(histories) // rows)
    part = slice(step // 2, None, step)
    return Histories(histories.frequency[part], histories.recency[part], histories.age[part], histories.weight[part])


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
