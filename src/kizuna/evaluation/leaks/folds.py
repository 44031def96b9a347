"""Whether the two sides of a fold know one another: rows that stand on both, and labels learned by heart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from kizuna.evaluation.measures.intervals import apart
from kizuna.evaluation.measures.metrics import FloatArray, IntArray, auc

REPEATED_SHARE = 0.01
SAME_PERSON_SHARE = 0.6

# Where fewer of the rows that look alike should differ, their agreement says nothing.
MIN_EXPECTED = 3.0
MAX_UNITS = 10_000
STANDARD_ERRORS = 4.0
SEED = 7

# Trees fine enough to learn single rows by heart. By least squares: a likelihood runs off to infinity on pure leaves.
DEEP_TREES = {
    "objective": "regression",
    "num_leaves": 127,
    "learning_rate": 0.2,
    "min_data_in_leaf": 1,
    "feature_pre_filter": False,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": SEED,
    "verbosity": -1,
}
TREES = 50

Fold = tuple[IntArray, IntArray]
MatrixOf = Callable[[IntArray], FloatArray]


@dataclass(frozen=True)
class Repeated:
    """Tested rows, and how many of them equal a row learned from in every feature and the outcome.

    One person entered twice has one outcome; people who only look alike differ in it now and then. `matched` rows equal
    one learned from in every feature, whatever the outcome; `differing` of them differ in it (a part of a row where it
    has several equals), where `expected` would if any two of them were two people.
    """

    tested: int
    repeated: int
    matched: int
    differing: float
    expected: float

    @property
    def is_leak(self) -> bool:
        """Whether more than a few rows stand on both sides, and most that look alike are the same."""
        if self.expected < MIN_EXPECTED:
            return False
        same = self.matched * (1.0 - self.differing / self.expected)
        return same >= REPEATED_SHARE * self.tested and same >= SAME_PERSON_SHARE * self.matched


@dataclass(frozen=True)
class Permuted:
    """AUC of labels that mean nothing, out of fold, and what chance alone may reach (four standard errors)."""

    auc: float
    limit: float

    @property
    def is_leak(self) -> bool:
        """Whether labels that cannot be known were known."""
        return self.auc > self.limit

    @property
    def text(self) -> str:
        """What was recognised, in words; an AUC just beyond what chance allows is written until the two differ."""
        found, limit = apart(self.auc, self.limit)
        return (
            f"with the labels permuted among customers, trees still rank the tested rows with AUC {found} (chance allows "
            f"{limit}): the same people stand on both sides of a fold and are recognised. Every metric is too good: "
            "remove doubles, and keep a customer's rows together"
        )


def row_hashes(features: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """One number per row, equal for rows equal in every feature."""
    if not features.shape[1]:
        return np.zeros(len(features), dtype=np.uint64)
    return np.asarray(pd.util.hash_pandas_object(features, index=False).to_numpy(), dtype=np.uint64)


def repeated_rows(hashes: npt.NDArray[np.uint64], outcome: FloatArray, folds: Sequence[Fold]) -> Repeated:
    """Rows on both sides of a fold, counted over all test parts."""
    group = np.unique(hashes, return_inverse=True)[1]
    tested = repeated = matched = 0
    differing = churned_matched = 0.0
    for train, test in folds:
        stayed, churned = (
            np.bincount(group[train[outcome[train] == value]], minlength=hashes.size)[group[test]]
            for value in (0.0, 1.0)
        )
        same = np.where(outcome[test] == 1.0, churned, stayed)
        equal = churned + stayed
        found = equal > 0
        tested, repeated, matched = tested + test.size, repeated + int((same > 0).sum()), matched + int(found.sum())
        differing += float((1.0 - same[found] / equal[found]).sum())
        churned_matched += float(outcome[test][found].sum())
    share = churned_matched / max(matched, 1)
    return Repeated(tested, repeated, matched, differing, 2.0 * share * (1.0 - share) * matched)


def permuted_labels(
    matrix_of: MatrixOf, outcome: FloatArray, folds: Sequence[Fold], units: IntArray
) -> Permuted | None:
    """How well labels permuted over whole units are ranked by trees that have only seen the other side.

    `matrix_of` gives the features, maybe null, of the rows asked for; `units` numbers the rows by person. None where no
    person stands on both sides of a fold: what the trees learn then says nothing about the test rows, and there is
    nothing to measure. Above 10,000 units an even choice of them is used.
    """
    if not any(np.isin(units[test], units[train]).any() for train, test in folds):
        return None
    count = int(units.max()) + 1
    label, kept = np.zeros(count), np.zeros(count, dtype=bool)
    np.maximum.at(label, units, outcome)
    kept[np.arange(min(count, MAX_UNITS)) * count // min(count, MAX_UNITS)] = True
    permuted = np.random.default_rng(SEED).permutation(label)[units]
    found, variances = [], []
    for train, test in folds:
        learned, tested = train[kept[units[train]]], test[kept[units[test]]]
        person = np.unique(units[tested], return_index=True)[1]
        churned = float(permuted[tested][person].sum())
        stayed = person.size - churned
        if not churned or not stayed or np.unique(permuted[learned]).size < 2:
            continue
        matrix = matrix_of(np.concatenate([learned, tested]))
        scores = _by_heart(matrix[: learned.size], permuted[learned], matrix[learned.size :])
        found.append(auc(permuted[tested], scores))
        # Variance of the AUC of a score that knows nothing: Mann & Whitney (1947).
        variances.append((churned + stayed + 1.0) / (12.0 * churned * stayed))
    if not found:
        return None
    error = float(np.sqrt(np.sum(variances))) / len(found)
    return Permuted(float(np.mean(found)), 0.5 + STANDARD_ERRORS * error)


def people(
    customers: npt.ArrayLike | None, hashes: npt.NDArray[np.uint64], outcome: FloatArray, repeated: Repeated
) -> IntArray:
    """The rows numbered by person: one customer, and, where rows are entered twice, all whose rows are equal."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = np.arange(outcome.size)
    owner = rows if customers is None else np.unique(np.asarray(customers).astype(str), return_inverse=True)[1]
    if not repeated.is_leak:
        return np.asarray(owner, dtype=np.int64)
    equal = np.unique(hashes ^ outcome.astype(np.uint64), return_inverse=True)[1]
    owners, groups = int(owner.max()) + 1, int(equal.max()) + 1
    size = owners + groups
    links = coo_array((np.ones(rows.size, dtype=np.int8), (owner, owners + equal)), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1][owner], dtype=np.int64)


def _by_heart(known: FloatArray, label: FloatArray, tested: FloatArray) -> FloatArray:
    import lightgbm

    model = lightgbm.train(DEEP_TREES, lightgbm.Dataset(known, label), num_boost_round=TREES)
    return np.asarray(model.predict(tested, num_threads=1), dtype=np.float64)
