"""What rankings come to in money on out-of-fold rows: value of the churners they catch, and profit where costs are known.

At stake is what a customer had spent in the year before: what a churner spends afterwards is next to nothing by
definition, and a model's own forecast of the loss could not judge that model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.config import Economics
from kizuna.evaluation.measures.comparison import Comparison, Part, compare_by
from kizuna.evaluation.measures.intervals import EvaluationRows, Statistic
from kizuna.evaluation.measures.profit import campaign_gain, profit_curve
from kizuna.evaluation.measures.weighted import caught_statistic, lift_statistic

_YEAR, _EVER = "revenue_365d", "revenue"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MoneyRows:
    """Tested rows: outcomes with their customers and folds, what was at stake, and scores by name, the model's first.

    ``shown``: the rows of the newest tested day, which the pictures draw.
    """

    rows: EvaluationRows
    at_stake: Floats
    scores: Mapping[str, Floats]
    shown: NDArray[np.bool_]


@dataclass(frozen=True)
class MoneyAssessment:
    """Every ranking in money, means over folds.

    ``comparison``: value_caught_at_capacity, value_lift_at_capacity and, with economics, profit_at_capacity, with intervals.
    ``table``: the same by ranking, with value_share_at_capacity and, with economics, best_list_size and best_profit on
    the newest tested day. ``gain``: what contacting each row would have earned, or None without economics.
    """

    rows: MoneyRows
    gain: Floats | None
    comparison: Comparison
    table: pd.DataFrame
    capacity: int

    @property
    def best_rule(self) -> str | None:
        """The ranking that is not kizuna's and caught most; of equals the first by name."""
        rules = self.table[~self.table["ranking"].str.startswith("kizuna")]
        best = rules.sort_values(["value_caught_at_capacity", "ranking"], ascending=[False, True])
        return str(best["ranking"].iloc[0]) if len(best) else None


def assess_money(rows: MoneyRows, capacity: int, economics: Economics) -> MoneyAssessment:
    """What the first ``capacity`` customers of every ranking held, and would have earned where economics are given."""
    churned = rows.rows.churned
    lost, gain = churned * rows.at_stake, campaign_gain(economics, churned, rows.at_stake)

    def statistics(part: Part, score: Floats) -> dict[str, Statistic]:
        mine, places = (part.rows, part.column(score)), part.places(capacity)
        found = {
            "value_caught_at_capacity": caught_statistic(*mine, part.amounts(lost), places),
            "value_lift_at_capacity": lift_statistic(*mine, part.amounts(lost), places),
        }
        if gain is not None:
            found["profit_at_capacity"] = caught_statistic(*mine, part.amounts(gain), places)
        return found

    comparison = compare_by(
        rows.rows, lambda part: {name: statistics(part, score) for name, score in rows.scores.items()}
    )
    total = float(np.mean(np.bincount(rows.rows.fold, weights=lost)))
    lines = []
    for name, metrics in comparison.intervals.items():
        line = {"ranking": name} | {metric: found.estimate for metric, found in metrics.items()}
        caught = line["value_caught_at_capacity"]
        line["value_share_at_capacity"] = float(caught) / total if total > 0 else float("nan")
        if gain is not None:
            curve = profit_curve(gain[rows.shown], rows.scores[name][rows.shown])
            line |= {"best_list_size": curve.best_count, "best_profit": curve.best_profit}
        lines.append(line)
    return MoneyAssessment(rows, gain, comparison, pd.DataFrame(lines), capacity)


def money_at_stake(features: pd.DataFrame, margin: float) -> Floats | None:
    """Net revenue of the year before times the margin, (n,); where a year has no column, all revenue so far.

    None without purchases.
    """
    name = _YEAR if _YEAR in features else _EVER
    if name not in features:
        return None
    return np.asarray(margin * np.nan_to_num(features[name].to_numpy(dtype=np.float64)))
