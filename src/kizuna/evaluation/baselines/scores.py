"""Baselines: what a model must beat, scored out of fold on the same rows. The names are public.

churn, where the purchase columns exist:
  recency_rule   days_since_order: the longer silent, the riskier. It only ranks, and is no probability.
  rate_rule      exp(−horizon · (orders + 1/2) / (tenure_days + 90)): a Poisson stream at the customer's own rate.
  rfm_logistic   plain logistic regression on log(1 + x) of days_since_order, orders, revenue (not below 0), per split.
  bgnbd          BG/NBD's probability of no purchase in the horizon (history_rules), per split.
                 It and rate_rule are probabilities of churn only where churn is the absence of purchases.
churn, where they do not (labels and features made elsewhere):
  base_rate      the training part's share of churned, the same for everybody.
  logistic_all   plain logistic regression on all columns, gaps filled with medians, standardised, per split.
Of millions of rows, evenly spaced ones teach a regression.
value:
  mean_spend     past revenue per day (at least 30 days), times the value window.
  formula        the textbook's: average order value × orders per year × years (formula.cltv_formula).
  btyd_rule      MBG/NBD's expected orders × Gamma-Gamma's money an order (history_rules), per split.
money at risk:
  mean_spend          past revenue per day, as above: whoever spends most comes first.
  rfm_logistic_value  rfm_logistic times mean_spend.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from kizuna.evaluation.baselines.formula import FORMULA_COLUMNS, cltv_formula
from kizuna.evaluation.baselines.history_rules import Pasts, expected_money, probability_of_silence
from kizuna.models.churn.rule import expected_orders
from kizuna.models.churn.silence import SILENCE_COLUMNS
from kizuna.models.learners.linear import RFM_COLUMNS, thinned
from kizuna.models.learners.splits import Split, pooled

PURCHASE_COLUMNS = (*RFM_COLUMNS, "tenure_days")
_SPEND = ("revenue", "tenure_days")
_YEAR_DAYS = 365

Floats = NDArray[np.float64]
Days = NDArray[np.int32]


def ranking_only(definition: str) -> tuple[str, ...]:
    """The churn baselines that are no probabilities where churn is defined so (inactivity, cancellation or provided)."""
    return ("recency_rule",) if definition == "inactivity" else ("recency_rule", "rate_rule", "bgnbd")


def churn_baselines(
    X: pd.DataFrame,
    y: ArrayLike,
    splits: Sequence[Split],
    horizon_days: float = 90,
    as_of: Days | None = None,
    pasts: Pasts | None = None,
) -> dict[str, Floats]:
    """Out-of-fold scores by name, each (n,), higher is riskier, NaN where never tested.

    X: the feature frame, gaps as NaN. y: 0/1. splits: as the model's own, so that all stand on the same rows. as_of: each
    row's day; without it nobody knows which rows are one customer each, and there is no bgnbd. pasts: everybody's
    histories on a day; without them bgnbd is taught by the eligible of the newest training day, and sees too few leave.
    """
    outcome = np.asarray(y, dtype=np.float64)
    if set(PURCHASE_COLUMNS) <= set(X.columns):
        silence, orders, revenue, tenure = (_numbers(X, name) for name in PURCHASE_COLUMNS)
        rfm = np.column_stack([np.log1p(np.maximum(values, 0)) for values in (silence, orders, revenue)])
        rate = np.exp(-expected_orders(np.nan_to_num(orders), np.nan_to_num(tenure), horizon_days))
        found = {
            "recency_rule": _by_split(splits, len(X), lambda s: _never_last(silence[s.train], silence[s.test])),
            "rate_rule": _by_split(splits, len(X), lambda s: rate[s.test]),
            "rfm_logistic": _by_split(splits, len(X), lambda s: _logistic(rfm, outcome, s)),
        }
        if as_of is not None:
            histories = X.loc[:, list(SILENCE_COLUMNS)]

            def silent(s: Split) -> Floats:
                taught, usual = _taught(histories, s, as_of, pasts), float(outcome[s.train].mean())
                return probability_of_silence(taught, histories.iloc[s.test], horizon_days, usual)

            found["bgnbd"] = _by_split(splits, len(X), silent)
        return found
    everything = X.to_numpy(dtype=np.float64)
    return {
        "base_rate": _by_split(splits, len(X), lambda s: np.full(len(s.test), outcome[s.train].mean())),
        "logistic_all": _by_split(splits, len(X), lambda s: _logistic(everything, outcome, s)),
    }


def value_baselines(
    X: pd.DataFrame,
    splits: Sequence[Split],
    as_of: Days,
    horizon_days: int,
    margin: float = 1.0,
    pasts: Pasts | None = None,
) -> dict[str, Floats]:
    """Out-of-fold expected value by name, each (n,), over a window of ``horizon_days``, in money times ``margin``.

    X, splits, as_of, pasts: as for ``churn_baselines``. NaN where never tested. A baseline whose columns are missing is left out.
    """
    found: dict[str, Floats] = {}
    if set(_SPEND) <= set(X.columns):
        found["mean_spend"] = mean_spend(X, horizon_days, margin)
    if set(FORMULA_COLUMNS) <= set(X.columns):
        found["formula"] = np.nan_to_num(cltv_formula(X, horizon_days, margin).to_numpy(dtype=np.float64))
    if set(PURCHASE_COLUMNS) <= set(X.columns):
        histories = X.loc[:, [*SILENCE_COLUMNS, "revenue"]]

        def expected(s: Split) -> Floats:
            return margin * expected_money(_taught(histories, s, as_of, pasts), histories.iloc[s.test], horizon_days)

        found["btyd_rule"] = _by_split(splits, len(X), expected)
    tested = np.zeros(len(X), dtype=np.bool_)
    for split in splits:
        tested[split.test] = True
    return {name: np.where(tested, values, np.nan) for name, values in found.items()}


def mean_spend(X: pd.DataFrame, horizon_days: float, margin: float = 1.0) -> Floats:
    """Past revenue (not below 0) per day of at least 30 days, times the window and the margin, (n,). Nothing is learned."""
    revenue, tenure = _numbers(X, "revenue"), _numbers(X, "tenure_days")
    rate = np.maximum(np.nan_to_num(revenue), 0) / np.maximum(np.nan_to_num(tenure), 30)
    return rate * horizon_days * margin


def money_rankings(X: pd.DataFrame, churn_scores: Mapping[str, Floats]) -> dict[str, Floats]:
    """Rankings by money that stand beside these churn baselines, by name, each (n,); without revenue none."""
    if not set(_SPEND) <= set(X.columns):
        return {}
    spend = mean_spend(X, _YEAR_DAYS)
    risk = churn_scores.get("rfm_logistic")
    return {"mean_spend": spend} | ({} if risk is None else {"rfm_logistic_value": risk * spend})


def _taught(histories: pd.DataFrame, split: Split, as_of: Days, pasts: Pasts | None) -> pd.DataFrame:
    """Everybody as he stood on the test's first day, or, where that is not known, the eligible of the newest training day."""
    everybody = None if pasts is None else pasts(int(as_of[split.test].min()))
    return histories.iloc[_newest(as_of, split)] if everybody is None else everybody


def _newest(as_of: Days, split: Split) -> NDArray[np.intp]:
    """The rows of the newest day of the training part: one row a customer."""
    days = as_of[split.train]
    return np.asarray(split.train[days == days.max()])


def _numbers(X: pd.DataFrame, name: str) -> Floats:
    return np.asarray(X[name].to_numpy(dtype=np.float64))


def _by_split(splits: Sequence[Split], rows: int, score: Callable[[Split], Floats]) -> Floats:
    return pooled([score(split) for split in splits], splits, rows)


def _never_last(train: Floats, test: Floats) -> Floats:
    """Silent days, and for who never ordered one day more than anybody else."""
    known = np.concatenate([train, test])
    longest = np.nanmax(known) if not np.isnan(known).all() else 0.0
    return np.where(np.isnan(test), longest + 1, test)


def _logistic(columns: Floats, y: Floats, split: Split) -> Floats:
    from sklearn.linear_model import LogisticRegression

    rows = split.train[thinned(len(split.train), columns.shape[1])]
    train, test, taught = columns[rows], columns[split.test], y[rows]
    known = ~np.isnan(train).all(axis=0)
    if taught.min() == taught.max() or not known.any():
        return np.full(len(test), (taught.sum() + 0.5) / (len(taught) + 1))
    medians = np.nanmedian(train[:, known], axis=0)
    train, test = (np.where(np.isnan(part[:, known]), medians, part[:, known]) for part in (train, test))
    centre, spread = train.mean(axis=0), train.std(axis=0)
    spread[spread == 0] = 1.0
    model = LogisticRegression(max_iter=1000).fit((train - centre) / spread, taught)
    return np.asarray(model.predict_proba((test - centre) / spread)[:, 1])
