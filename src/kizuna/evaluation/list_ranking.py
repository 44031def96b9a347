"""How the lists of the tests would have been ranked: by value at risk where it was known out of fold, else by probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kizuna.evaluation.assessment import ChurnRows, ListRanking

Floats = NDArray[np.float64]


def list_ranking(
    rows: ChurnRows, probability: Floats, conditional: Floats | None, min_probability: float | None
) -> ListRanking:
    """The order of the measured rows in the lists of their tests.

    probability: (tested,). conditional: (rows, 2), value if kept and value if churned out of fold, NaN where never tested;
    None where the list is not ranked by value. Unless every measured row has both, all lists are ranked by probability, so
    that no two tests differ. min_probability: of the list, None for the mean of each test; whoever is below comes last.
    """
    if conditional is None or not np.isfinite(conditional[rows.tested]).all():
        return ListRanking("churn_probability", probability)
    kept, lost = conditional[rows.tested].T
    at_risk = probability * (kept - lost)
    fold = rows.folds.fold_of_test_rows
    least = np.full(len(at_risk), min_probability, dtype=np.float64)
    if min_probability is None:
        least = (np.bincount(fold, weights=probability) / np.bincount(fold))[fold]
    # A mean of equals may lie above them by its last digit.
    behind = probability < least - 1e-12
    return ListRanking("value_at_risk", np.where(behind, at_risk.min() - 2 + probability, at_risk))
