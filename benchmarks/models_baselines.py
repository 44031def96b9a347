"""Simple rules of the arena, written from the purchases alone and independent of kizuna's own code.

A state is one row per customer on one day: silent and tenure days, orders, money, repeat purchase days and their last.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WEEK_DAYS = 7.0
RFM = ("silent_days", "orders", "revenue")


@dataclass(frozen=True)
class Log:
    """Purchases as whole days. ``sold``: the rows that are no returns; ``net``: all rows, returns negative."""

    sold: pd.DataFrame
    net: pd.DataFrame


def read_log(purchases: pd.DataFrame) -> Log:
    """customer, day (since 1970), amount, order; an order is an order_id or, without it, a customer's day."""
    day = purchases["occurred_at"].to_numpy().astype("datetime64[D]").astype(np.int64)
    back = purchases["is_return"].to_numpy(dtype=bool) if "is_return" in purchases else purchases["amount"] < 0
    amount = np.where(back, -purchases["amount"].abs(), purchases["amount"])
    order = purchases["order_id"].astype("str") if "order_id" in purchases else pd.Series(day).astype("str")
    net = pd.DataFrame({"customer": purchases["customer_id"].to_numpy(), "day": day, "amount": amount})
    net["order"] = order.to_numpy()
    return Log(net[~np.asarray(back)], net)


def state_on(log: Log, day: int) -> pd.DataFrame:
    """Everybody who bought before ``day``, by customer: what the rules know of them."""
    sold, net = log.sold[log.sold["day"] < day], log.net[log.net["day"] < day]
    by = sold.groupby("customer")
    state = by["day"].agg(first="min", last="max", days="nunique")
    state["orders"] = by["order"].nunique()
    state["gross"], state["revenue"] = by["amount"].sum(), net.groupby("customer")["amount"].sum()
    year = net[net["day"] >= day - 365].groupby("customer")["amount"].sum()
    state["revenue_365d"] = year.reindex(state.index).fillna(0.0)
    state["silent_days"], state["tenure_days"] = day - state["last"], day - state["first"]
    state["x"], state["t_x"] = state["days"] - 1, (state["last"] - state["first"]) / WEEK_DAYS
    state["t"] = (day - state["first"]) / WEEK_DAYS
    return state


def outcome_after(log: Log, day: int, horizon_days: int, customers: pd.Index) -> tuple[Floats, Floats]:
    """1 where nothing was bought in the window, and its net money; returns of orders placed before do not count."""

    def within(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[(rows["day"] >= day) & (rows["day"] < day + horizon_days)]

    sold, net = within(log.sold), within(log.net)
    earlier = log.sold.loc[log.sold["day"] < day, ["customer", "order"]].drop_duplicates()
    known = pd.MultiIndex.from_frame(net[["customer", "order"]]).isin(pd.MultiIndex.from_frame(earlier))
    net = net[~((net["amount"] < 0) & known)]
    bought = customers.isin(sold["customer"].unique())
    value = net.groupby("customer")["amount"].sum().reindex(customers).fillna(0.0)
    return (~bought).astype(np.float64), value.to_numpy(dtype=np.float64)


@dataclass(frozen=True)
class Past:
    """Snapshots that had matured by ``day``, newest first, as the rules are taught on them."""

    log: Log
    day: int
    horizon_days: int
    active_within_days: int

    def snapshots(self) -> list[int]:
        first = int(self.log.sold["day"].min()) + 90
        days = [self.day - self.horizon_days - 28 * k for k in range(24)]
        return [day for day in days if day >= first]

    def taught(self) -> tuple[pd.DataFrame, Floats]:
        states, outcomes = [], []
        for day in self.snapshots():
            state = eligible(state_on(self.log, day), self.active_within_days)
            if len(state):
                states.append(state)
                outcomes.append(outcome_after(self.log, day, self.horizon_days, state.index)[0])
        return pd.concat(states), np.concatenate(outcomes)


def eligible(state: pd.DataFrame, active_within_days: int) -> pd.DataFrame:
    return state[state["silent_days"] <= active_within_days]


def churn_rules(past: Past, customers: pd.Index) -> dict[str, Floats]:
    """Scores at the day of ``past`` by rule, in the order of ``customers``; the recency rule only ranks."""
    everybody = state_on(past.log, past.day)
    now = everybody.loc[customers]
    train, churned = past.taught()
    horizon = past.horizon_days
    rate = np.exp(-horizon * (now["orders"] + 0.5) / (now["tenure_days"] + 90))
    return {
        "recency": now["silent_days"].to_numpy(dtype=np.float64),
        "rate": rate.to_numpy(dtype=np.float64),
        "rfm": _logistic(_logs(train), churned, _logs(now)),
        "bgnbd": no_purchase(fit_bgnbd(everybody), now, horizon / WEEK_DAYS),
        "lightgbm": _lightgbm(_wide(train), churned, _wide(now)),
    }


def value_rules(past: Past, customers: pd.Index, horizon_days: int) -> dict[str, Floats]:
    """Expected net value over ``horizon_days`` by rule; ``spend_365d`` is that of the last year, scaled."""
    everybody = state_on(past.log, past.day)
    now = everybody.loc[customers]
    gross, orders = np.maximum(now["gross"], 0), now["orders"]
    rate = (orders + 0.5) / (now["tenure_days"] + 90)
    weeks = horizon_days / WEEK_DAYS
    coming = expected_purchases(fit_bgnbd(everybody), now, weeks)
    span = np.minimum(np.maximum(now["tenure_days"], 30), 365)
    rules = {
        "mean_spend": np.maximum(now["revenue"], 0) / np.maximum(now["tenure_days"], 30) * horizon_days,
        "mean_rate": gross / orders * rate * horizon_days,
        "spend_365d": np.maximum(now["revenue_365d"], 0) / span * horizon_days,
        "bgnbd_gg": coming * gamma_gamma_mean(everybody, now),
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in rules.items()}


def _logs(state: pd.DataFrame) -> Floats:
    return np.log1p(np.maximum(state[list(RFM)].to_numpy(dtype=np.float64), 0))


def _wide(state: pd.DataFrame) -> Floats:
    plain = state[[*RFM, "revenue_365d", "tenure_days", "x", "t_x"]].to_numpy(dtype=np.float64)
    return np.column_stack([plain, state["gross"] / state["orders"]])


def _logistic(train: Floats, churned: Floats, now: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression

    if churned.min() == churned.max():
        return np.full(len(now), (churned.sum() + 0.5) / (len(churned) + 1))
    centre, spread = train.mean(axis=0), train.std(axis=0)
    spread[spread == 0] = 1.0
    model = LogisticRegression(max_iter=1000).fit((train - centre) / spread, churned)
    return np.asarray(model.predict_proba((now - centre) / spread)[:, 1])


def _lightgbm(train: Floats, churned: Floats, now: Floats) -> Floats:
    import lightgbm

    if churned.min() == churned.max():
        return np.full(len(now), (churned.sum() + 0.5) / (len(churned) + 1))
    settings = {"objective": "binary", "num_leaves": 15, "learning_rate": 0.05, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(
        {**settings, "seed": 7, "deterministic": True}, lightgbm.Dataset(train, churned), num_boost_round=300
    )
    return np.asarray(booster.predict(now, num_threads=1))


def fit_bgnbd(state: pd.DataFrame) -> tuple[float, float, float, float]:
    """r, alpha, a, b by maximum likelihood, weeks (Fader, Hardie & Lee 2005)."""
    from scipy.optimize import minimize
    from scipy.special import betaln, gammaln

    cells, count = np.unique(state[["x", "t_x", "t"]].to_numpy(dtype=np.float64), axis=0, return_counts=True)
    x, t_x, t = cells.T

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(np.clip(logs, -8, 8))
        shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + t)
        gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
        likelihood = shared + np.where(x > 0, np.logaddexp(alive, gone), alive)
        return float(-(count @ likelihood) / count.sum())

    starts = [np.log([0.5, 5.0, 0.5, 2.0]), np.log([1.0, 10.0, 1.0, 5.0])]
    found = [minimize(loss, start, method="L-BFGS-B", bounds=[(-8, 8)] * 4) for start in starts]
    r, alpha, a, b = np.exp(min(found, key=lambda one: float(one.fun)).x)
    return float(r), float(alpha), float(a), float(b)


def no_purchase(model: tuple[float, float, float, float], state: pd.DataFrame, weeks: float) -> Floats:
    """The probability of buying nothing in the next weeks."""
    r, alpha, _, _ = model
    x, t = (state[name].to_numpy(dtype=np.float64) for name in ("x", "t"))
    alive = _alive(model, state)
    return np.asarray(1 - alive + alive * ((alpha + t) / (alpha + t + weeks)) ** (r + x))


def _alive(model: tuple[float, float, float, float], state: pd.DataFrame) -> Floats:
    r, alpha, a, b = model
    x, t_x, t = (state[name].to_numpy(dtype=np.float64) for name in ("x", "t_x", "t"))
    odds = (r + x) * np.log((alpha + t) / (alpha + t_x)) + np.log(a / (b + np.maximum(x, 1) - 1))
    return np.where(x > 0, 1 / (1 + np.exp(np.minimum(odds, 700))), 1.0)


def expected_purchases(model: tuple[float, float, float, float], state: pd.DataFrame, weeks: float) -> Floats:
    """Expected purchase days in the next weeks: the integral of the rate still alive, by the trapezoid rule.

    Given alive, a customer of rate Gamma(r + x, alpha + t) and quitting chance Beta(a, b + x) buys with intensity
    E[rate · exp(−rate · quitting · s)] after s weeks; the mean over the quitting chance is taken at 20 of its quantiles.
    """
    from scipy.stats import beta

    r, alpha, a, b = model
    x, t = (state[name].to_numpy(dtype=np.float64) for name in ("x", "t"))
    middle, total = (np.arange(20) + 0.5) / 20, np.zeros(len(state))
    repeats, which = np.unique(x, return_inverse=True)
    quantiles = np.array([beta.ppf(middle, a, b + repeat) for repeat in repeats])[which]
    for quits in quantiles.T:
        # ∫ E[λ exp(−λ q s)] ds = (1 − E[exp(−λ q H)]) / q
        left = ((alpha + t) / (alpha + t + quits * weeks)) ** (r + x)
        total += np.where(quits > 1e-6, (1 - left) / np.maximum(quits, 1e-6), weeks * (r + x) / (alpha + t))
    return np.asarray(_alive(model, state) * total / len(middle))


def gamma_gamma_mean(everybody: pd.DataFrame, now: pd.DataFrame) -> Floats:
    """Expected money per purchase day, (n,) (Fader & Hardie 2013), taught on who bought on two days or more."""
    from scipy.optimize import minimize
    from scipy.special import gammaln

    spend = (everybody["gross"] / everybody["days"])[(everybody["days"] > 1) & (everybody["gross"] > 0)]
    current = np.maximum(now["gross"] / now["days"], 0).to_numpy(dtype=np.float64)
    if len(spend) < 20:
        return current
    z, n = spend.to_numpy(), everybody.loc[spend.index, "days"].to_numpy(dtype=np.float64)
    scale = float(z.mean())

    def loss(logs: Floats) -> float:
        p, q, v = np.exp(logs)
        parts = (
            gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(v) - (p * n + q) * np.log(n * z / scale + v)
        )
        return float(-np.mean(parts + (p * n - 1) * np.log(z / scale) + p * n * np.log(n)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = minimize(loss, np.log([2.0, 3.0, 1.0]), method="L-BFGS-B", bounds=[(-5, 6)] * 3)
    p, q, v = np.exp(found.x)
    q, days = max(float(q), 1.05), now["days"].to_numpy(dtype=np.float64)
    return np.asarray((p * v * scale + p * days * current) / (p * days + q - 1))
