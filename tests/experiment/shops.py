"""Experiments whose true effect is known: customers with heavy-tailed spending, both of whose lives are written down."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

AS_OF = pd.Timestamp("2026-01-05")
ACTIONS = ("A08", "A01", "A04", "A07", "A12")


@dataclass(frozen=True)
class Population:
    """Listed customers and what each does with the action and without it."""

    listed: pd.DataFrame
    kept: np.ndarray
    net_value: np.ndarray

    @property
    def effect_on_value(self):
        return float((self.net_value[:, 1] - self.net_value[:, 0]).mean())

    @property
    def effect_on_kept(self):
        return float((self.kept[:, 1] - self.kept[:, 0]).mean())

    def drawn(self, target):
        """The lists and the outcomes of one experiment in which ``target`` was drawn."""
        lists = self.listed.assign(arm=np.where(target, "target", "control"))
        column, rows = target.astype(int), np.arange(len(target))
        seen = {"kept": self.kept[rows, column], "net_value": self.net_value[rows, column]}
        return lists, lists[["customer_id", "as_of"]].assign(**seen)


def population(seed, customers=500, strength=1.0, actions=ACTIONS):
    """``strength`` 0: nobody's life depends on the action. One in 250 buys ten times as much as others."""
    draw = np.random.default_rng(seed)
    pace = np.exp(draw.normal(0, 0.8, customers)) * np.where(draw.random(customers) < 0.004, 10, 1)
    churn = 1 / (1 + np.exp(-draw.normal(0.8, 1.0, customers)))
    shift = draw.choice([-0.15, 0.0, 0.04], customers, p=[0.3, 0.6, 0.1]) * strength
    luck = draw.random(customers)
    kept = np.column_stack([luck > churn, luck > np.clip(churn + shift, 0, 1)]).astype(float)
    amount = 4800 * np.exp(draw.normal(0, 0.9, customers)) * (1 + draw.poisson(0.6 * pace))
    more = 1 + 0.1 * strength * (shift < 0)
    listed = pd.DataFrame(
        {
            "experiment": "shop",
            "as_of": AS_OF,
            "customer_id": [f"C{k:06d}" for k in range(customers)],
            "action": draw.choice(
                actions, customers, p=np.array([8, 4, 3, 3, 2])[: len(actions)] / sum([8, 4, 3, 3, 2][: len(actions)])
            ),
            "contact_allowed": True,
            "cltv": (1 - churn) * 4800 * (1 + 0.6 * pace) * 4 * np.exp(draw.normal(0, 0.3, customers)),
            "churn_probability": np.clip(churn + draw.normal(0, 0.08, customers), 0.01, 0.99),
            "market": draw.choice(["jp", "us"], customers, p=[0.8, 0.2]),
        }
    )
    return Population(listed, kept, np.column_stack([kept[:, 0] * amount, kept[:, 1] * amount * more]))
