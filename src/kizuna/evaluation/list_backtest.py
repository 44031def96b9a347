"""What lists of past weeks would have been, and what came of the customers they named, for a model and for every rule.

A week's list is the first ``capacity`` customers of a ranking whom no list has named before: so every ranking names as
many, each customer counts once, and what counts is what happened after the day on which they were named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.evaluation.list_days import WEEK_DAYS
from kizuna.evaluation.measures.metrics import NORMAL_95, churn_metrics

BY_CHANCE = "by chance"
"""The name under which a list drawn blindly stands in the tables."""
KEYS = ("fold", "day", "customer_id", "churned", "value", "silence_days")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """One way to order customers. ``probability``: whether its scores are probabilities of churn."""

    name: str
    probability: bool = False


@dataclass(frozen=True)
class Weeks:
    """Everybody who could have been listed, week by week: one row per eligible customer and list day.

    ``rows``: fold (0: the newest model), day, customer_id, churned (0/1), value (what was at stake, in money),
    silence_days, gain (what a contact would have earned, in money) where the campaign's costs are known, and one column
    of scores for each of ``rankings``, the higher the earlier; the model's comes first.
    """

    rows: pd.DataFrame
    rankings: tuple[Ranking, ...]
    capacity: int

    @property
    def keys(self) -> list[str]:
        """The columns of ``rows`` that are no scores."""
        return [*KEYS, "gain"] if "gain" in self.rows else list(KEYS)

    @property
    def lists(self) -> str:
        """How many lists there are, in words: ``12 weekly lists``; ``5 lists`` where their days are other than a week apart."""
        days = np.unique(self.rows["day"])
        weekly = len(days) > 1 and bool((np.diff(days) == WEEK_DAYS).all())
        return f"{len(days)} {'weekly ' if weekly else ''}list{'' if len(days) == 1 else 's'}"


def named_customers(weeks: Weeks) -> pd.DataFrame:
    """Who each ranking's lists named, once each: ranking, fold, day, customer_id, churned, value, silence_days, any gain.

    Sorted by ranking, day and place on the list. Customers with equal scores come in the order of their ids.
    """
    customer = pd.factorize(weeks.rows["customer_id"], sort=True)[0]
    day = weeks.rows["day"].to_numpy()
    parts = []
    for ranking in weeks.rankings:
        place = np.lexsort((customer, -weeks.rows[ranking.name].to_numpy(), day))
        known, chosen = np.zeros(customer.max(initial=-1) + 1, dtype=np.bool_), []
        for week in np.split(place, np.flatnonzero(np.diff(day[place])) + 1):
            new = week[~known[customer[week]]][: weeks.capacity]
            known[customer[new]] = True
            chosen.append(new)
        rows = weeks.rows.iloc[np.concatenate(chosen)]
        parts.append(rows.loc[:, weeks.keys].assign(ranking=ranking.name))
    return pd.concat(parts, ignore_index=True)[["ranking", *weeks.keys]]


def fitting_capacity(rows: pd.DataFrame, capacity: int) -> int:
    """``capacity``, or less where lists of that length would name more than half of all customers, and so not choose."""
    lists = max(int(rows["day"].nunique()), 1)
    return max(1, min(capacity, int(rows["customer_id"].nunique()) // (2 * lists)))


def list_table(weeks: Weeks, named: pd.DataFrame) -> pd.DataFrame:
    """What each ranking's lists came to, per fold and over all (fold −1), one row each and one for chance.

    Columns: ranking, fold, lists, named, churners_reached, precision, lift (over everybody's churn rate), churners_share
    (of all customers who churned after some list day), value_reached (of the churners named), value_share, silence_days
    (the median at first listing); and profit, where gain is known.
    """
    lines = []
    folds = sorted(weeks.rows["fold"].unique())
    for fold in (-1, *folds):
        rows = weeks.rows if fold < 0 else weeks.rows[weeks.rows["fold"] == fold]
        lost = rows[rows["churned"] > 0].drop_duplicates("customer_id")
        everybody = float(rows["churned"].mean())
        for ranking in weeks.rankings:
            mine = named[(named["ranking"] == ranking.name) & ((named["fold"] == fold) | (fold < 0))]
            reached = mine[mine["churned"] > 0]
            earned = {"profit": float(mine["gain"].sum())} if "gain" in mine else {}
            lines.append(
                {
                    "ranking": ranking.name,
                    "fold": fold,
                    "lists": rows["day"].nunique(),
                    "named": len(mine),
                    "churners_reached": float(len(reached)),
                    "precision": len(reached) / len(mine) if len(mine) else np.nan,
                    "lift": len(reached) / len(mine) / everybody if len(mine) and everybody else np.nan,
                    "churners_share": len(reached) / len(lost) if len(lost) else np.nan,
                    "value_reached": float(reached["value"].sum(min_count=1)),
                    "value_share": _share(reached["value"].sum(), lost["value"].sum()),
                    "silence_days": float(mine["silence_days"].median()) if len(mine) else np.nan,
                }
                | earned
            )
        lines.append(_by_chance(rows, lost, lines[-len(weeks.rankings)], everybody))
    return pd.DataFrame(lines)


def model_table(weeks: Weeks) -> pd.DataFrame:
    """Metrics of every ranking in every fold: fold, test_from, test_to, ranking, then the churn metrics (means over weeks).

    A ranking by money or silence alone has no log loss, Brier score or calibration error.
    """
    lines = []
    for fold, rows in weeks.rows.groupby("fold"):
        for ranking in weeks.rankings:
            parts = pd.DataFrame(
                [
                    churn_metrics(
                        week["churned"], week[ranking.name], weeks.capacity, probabilities=ranking.probability
                    )
                    for _, week in rows.groupby("day")
                ]
            )
            span = {"test_from": rows["day"].min(), "test_to": rows["day"].max(), "customers": len(rows)}
            means = {str(name): float(mean) for name, mean in parts.mean().items()}
            lines.append({"fold": fold, **span, "ranking": ranking.name, **means})
    return pd.DataFrame(lines)


def ahead(named: pd.DataFrame, model: str, other: str, what: str = "churned") -> tuple[float, float, float]:
    """How many more churners (or how much more money) one ranking reached than another, and its interval.

    ``what``: see ``gained_by``. 95 %, from resampling customers (each counts once, so the sum's variance is that of
    independent contributions).
    """
    both = named[named["ranking"].isin((model, other))]
    gained = gained_by(both, what)
    signed = (
        pd.Series(np.where(both["ranking"] == model, gained, -gained)).groupby(both["customer_id"].to_numpy()).sum()
    )
    customers, total = len(signed), float(signed.sum())
    spread = float(np.sqrt(max(float((signed**2).sum()) - total**2 / max(customers, 1), 0.0)))
    return total, total - NORMAL_95 * spread, total + NORMAL_95 * spread


def gained_by(rows: pd.DataFrame, what: str) -> Floats:
    """What each row brings when named: 1 or its value if it churned, or its gain in any case, (n,)."""
    if what == "gain":
        return rows["gain"].to_numpy(dtype=np.float64)
    churned = rows["churned"].to_numpy(dtype=np.float64)
    return np.where(churned > 0, 1.0 if what == "churned" else rows["value"].to_numpy(dtype=np.float64), 0.0)


def best_rule(table: pd.DataFrame, rules: Sequence[str], by: str = "churners_reached") -> str | None:
    """The rule that reached most over all folds; of equals the first by name."""
    overall = table[(table["fold"] < 0) & table["ranking"].isin(list(rules)) & table[by].notna()]
    best = overall.sort_values([by, "ranking"], ascending=[False, True])
    return str(best["ranking"].iloc[0]) if len(best) else None


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _by_chance(rows: pd.DataFrame, lost: pd.DataFrame, like: dict[str, object], everybody: float) -> dict[str, object]:
    """A blind list of as many customers as the model's lists named."""
    places = int(str(like["named"]))
    value = float((rows["value"] * rows["churned"]).mean()) * places
    earned = {"profit": float(rows["gain"].mean()) * places} if "gain" in rows else {}
    return like | {
        "ranking": BY_CHANCE,
        "churners_reached": places * everybody,
        "precision": everybody,
        "lift": 1.0,
        "churners_share": places * everybody / len(lost) if len(lost) else np.nan,
        "value_reached": value,
        "value_share": _share(value, lost["value"].sum()),
        "silence_days": float(rows["silence_days"].median()),
        **earned,
    }
