"""Rhythm and spend: how many orders a customer will place, and what each is worth, from four columns of the frame.

Orders by MBG/NBD, fitted to how often and how lately customers have ordered so far: whether an order came in the window would
say nothing of rates where nearly everybody orders. Money an order by Gamma-Gamma (Fader & Hardie 2013). The two are taken as
independent, so that expected money is their product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.models.btyd.beta_geometric import MBGNBD
from kizuna.models.btyd.gamma_gamma import GammaGamma
from kizuna.models.btyd.histories import Histories
from kizuna.models.btyd.purchasing import Parameters, expected_purchases
from kizuna.models.btyd.series import live_purchases
from kizuna.models.churn.silence import SILENCE_COLUMNS, SilenceModel, silence_positions, untaught_silence

MONEY_COLUMN = "order_value"
RHYTHM_COLUMNS = (*SILENCE_COLUMNS, MONEY_COLUMN)

_DAYS_A_WEEK = 7.0
# Fewer rows with a repeat do not tell this shop from others.
_ENOUGH_REPEATS = 100
# An order value is an average of so many orders before it teaches how customers differ; so many customers must show it.
_ORDERS_TO_TEACH = 2
_ENOUGH_TO_TEACH = 20
_MOST_ROWS = 20_000
# Logarithms begin here: orders, and money as a share of the usual order.
_FEWEST_ORDERS = 1e-6
_SMALLEST_SHARE = 1e-3

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RhythmModel:
    """The fitted model. ``spend``: None where too few customers have ordered twice, and each keeps his own average.

    ``money``: where the order value stands; ``usual``: its median, which fills gaps. ``horizon_days``: of the money that is
    asked for. ``label_days``: of the window whose silence means churned; both begin on the row's day.
    """

    silence: SilenceModel
    money: int
    usual: float
    spend: GammaGamma | None
    horizon_days: float
    label_days: float

    def columns(self, X: Floats) -> Floats:
        """Log expected orders in the horizon, log money an order, and their sum, the log of expected money, (n, 3)."""
        orders = np.log(np.maximum(self.expected_orders(X), _FEWEST_ORDERS))
        money = np.log(np.maximum(self.order_value(X), _SMALLEST_SHARE * self.usual))
        return np.column_stack([orders, money, orders + money])

    def expected_orders(self, X: Floats) -> Floats:
        """Orders in the horizon, (n,), dropped-out customers included."""
        return self._expected(self._histories(X), self.horizon_days)

    def expected_orders_if_silent(self, X: Floats) -> Floats:
        """Orders in the horizon given none in the label window, (n,).

        Silence is one more piece of history: who was silent for the label window is who ordered last that much longer ago.
        """
        return self._expected(self._older(self._histories(X)), max(self.horizon_days - self.label_days, 0.0))

    def expected_orders_if_active(self, X: Floats) -> Floats:
        """Orders in the horizon given at least one in the label window, (n,), by total expectation.

        Who orders is alive, so that all is said of live customers, and nobody is gone too long to have an answer.
        """
        histories, later_days = self._histories(X), max(self.horizon_days - self.label_days, 0.0)
        ahead = self.label_days / _DAYS_A_WEEK / (self._parameters.alpha + histories.age)
        log_none = -(self._parameters.r + histories.frequency) * np.log1p(ahead)
        later = self._if_alive(self._older(histories), later_days)
        active = (self._if_alive(histories, self.horizon_days) - np.exp(log_none) * later) / -np.expm1(log_none)
        # Who orders within the label window orders at least once in any window that holds it.
        return np.maximum(active, 1.0 if self.horizon_days >= self.label_days else 0.0)

    def order_value(self, X: Floats) -> Floats:
        """Expected money of an order to come, (n,), at least 0."""
        value = X[:, self.money]
        value = np.where(np.isnan(value), self.usual, np.maximum(value, 0.0))
        if self.spend is None:
            return value
        return np.maximum(self.spend.expected_value(self._histories(X).frequency + 1, value), 0.0)

    @property
    def positions(self) -> tuple[int, ...]:
        """Where the columns stand that are read, in the order of ``RHYTHM_COLUMNS``."""
        return (*self.silence.positions, self.money)

    def narrowed(self) -> RhythmModel:
        """The same model for rows of those columns alone, ``X[:, positions]``."""
        silence = replace(self.silence, n_features=len(self.positions), positions=(0, 1, 2))
        return replace(self, silence=silence, money=3)

    def to_json(self) -> dict[str, Any]:
        """The model as plain JSON."""
        return {
            "silence": self.silence.to_json(),
            "money": self.money,
            "usual": self.usual,
            "spend": None if self.spend is None else self.spend.to_json(),
            "horizon_days": self.horizon_days,
            "label_days": self.label_days,
        }

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> RhythmModel:
        """The model that ``to_json`` wrote."""
        return cls(
            SilenceModel.from_json(tree["silence"]),
            int(tree["money"]),
            float(tree["usual"]),
            None if tree["spend"] is None else GammaGamma.from_json(tree["spend"]),
            float(tree["horizon_days"]),
            float(tree["label_days"]),
        )

    @property
    def _parameters(self) -> Parameters:
        return Parameters(*self.silence.parameters, first_chance=1)

    def _histories(self, X: Floats) -> Histories:
        return _histories(self.silence, X)

    def _older(self, histories: Histories) -> Histories:
        """The same customers at the end of the label window, silent until then."""
        return replace(histories, age=histories.age + self.label_days / _DAYS_A_WEEK)

    def _expected(self, histories: Histories, days: float) -> Floats:
        return expected_purchases(self._parameters, histories, np.full(len(histories), days / _DAYS_A_WEEK))

    def _if_alive(self, histories: Histories, days: float) -> Floats:
        r, alpha, a, b = self.silence.parameters
        odds = days / _DAYS_A_WEEK / (alpha + histories.age)
        return live_purchases(r + histories.frequency, odds, histories.frequency + 1, (a, b))


def missing_columns(names: Sequence[str]) -> list[str]:
    """The columns that the model reads and ``names`` lacks, in the model's order."""
    return [name for name in RHYTHM_COLUMNS if name not in set(names)]


def fit_rhythm(X: Floats, names: Sequence[str], windows: tuple[float, float]) -> RhythmModel | None:
    """The model, or None where one of its columns is missing.

    X: (n, features), gaps as NaN. windows: lengths of the horizon and of the label window, days. Of many rows, evenly spaced
    ones teach; where few have ordered twice, usual parameters of other shops stand for the orders.
    """
    positions = silence_positions(names)
    if positions is None or MONEY_COLUMN not in names:
        return None
    horizon_days, label_days = (float(days) for days in windows)
    silence = _taught(untaught_silence(X, positions, horizon_days), X)
    money = list(names).index(MONEY_COLUMN)
    paid, orders = X[:, money], X[:, positions[0]]
    usual = float(np.median(paid[paid > 0])) if (paid > 0).any() else 1.0
    taught = np.flatnonzero((paid > 0) & (orders >= _ORDERS_TO_TEACH))
    spend = None
    if len(taught) >= _ENOUGH_TO_TEACH:
        taught = taught[:: max(1, len(taught) // _MOST_ROWS)]
        spend = GammaGamma().fit(np.round(orders[taught]), paid[taught])
    return RhythmModel(silence, money, usual, spend, horizon_days, label_days)


def _taught(silence: SilenceModel, X: Floats) -> SilenceModel:
    """The same with the parameters that make the rows' histories likeliest."""
    some = X[:: max(1, len(X) // _MOST_ROWS)]
    rows = _histories(silence, some[~np.isnan(some[:, list(silence.positions)]).any(axis=1)])
    repeats = rows.frequency > 0
    if repeats.sum() < _ENOUGH_REPEATS:
        return silence
    found = MBGNBD().fit(rows.frequency, np.where(repeats, rows.recency, 0.0), rows.age).params_
    return replace(silence, parameters=(found["r"], found["alpha"], found["a"], found["b"]))


def _histories(silence: SilenceModel, X: Floats) -> Histories:
    """Repeat orders, and weeks from the first order to the last and to now."""
    repeats, last, now = silence.history(X)
    # Nobody is younger than a day, or the odds of an order soon have no bound.
    now = np.maximum(now, 1 / _DAYS_A_WEEK)
    return Histories(np.round(repeats), np.minimum(last, now), now, np.ones(len(X)))
