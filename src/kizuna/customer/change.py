"""What changed in a customer's probability since the last list: how much by new data, how much by a new model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.explain.contributions import by_driver
from kizuna.features.context import Pauses
from kizuna.features.sample import Listed
from kizuna.lists.publication import Publication
from kizuna.lists.witness import made_with
from kizuna.scoring.champion import LoadedModels, models_of
from kizuna.scoring.everyone import score_everyone
from kizuna.scoring.rows import features_of_listed
from kizuna.timeline import day_of

_MOVES = 3
_LEAST_MOVE = 1e-6
# Below this a difference of logits is too small to divide by.
_LEAST_SECANT = 1e-3


@dataclass(frozen=True)
class Move:
    """A driver whose contribution moved most since the last list, and its feature behind it: its values then and now.

    ``points``: its part of the change by new data, as a difference of probabilities.
    """

    driver: str
    points: float
    feature: str
    before: float
    now: float


@dataclass(frozen=True)
class Change:
    """Since the list of ``since``, made by the model ``model``.

    ``was_listed``; ``before``: the probability then, None where the customer was not eligible. ``of_data``: the old model on
    today's data less ``before``; ``of_model``: today's probability less that; both None where the old model is not in the
    registry any more (``model_is_gone``), or either day has no probability. ``moves``: the largest parts of ``of_data``.
    """

    since: date
    model: str
    was_listed: bool
    before: float | None
    of_data: float | None
    of_model: float | None
    model_is_gone: bool
    moves: Sequence[Move]


def change_since(
    store: Store, config: Config, models: LoadedModels, asked: tuple[str, int, float | None], last: Publication
) -> Change:
    """The change since the ``last`` list; ``asked``: the customer, the day, and today's probability (None: not eligible)."""
    customer_id, as_of, now = asked
    before, was_listed = _published(last, customer_id)
    same = made_with(last, models.pair)
    old = models if same else models_of(config, last, store.missing)
    of_data, of_model = None, None
    if old is not None and before is not None and now is not None:
        between = now if same else probability_of(store, config, old, customer_id, as_of)
        if between is not None:
            of_data, of_model = between - before, now - between
    moves: tuple[Move, ...] = ()
    if old is not None and before is not None and of_data is not None:
        moves = _moves(store, old, customer_id, (day_of(last.as_of), as_of), (before, before + of_data))
    return Change(
        since=last.as_of,
        model=last.manifest["models"]["churn"],
        was_listed=was_listed,
        before=before,
        of_data=of_data,
        of_model=of_model,
        model_is_gone=old is None,
        moves=moves,
    )


def probability_of(store: Store, config: Config, models: LoadedModels, customer_id: str, as_of: int) -> float | None:
    """The customer's probability by these models on a day; None where he is not eligible by their definition."""
    pauses, only = Pauses(tuple(config.at_risk.pause_kinds)), Listed(frozenset({customer_id}))
    scores = score_everyone(store, models, as_of, pauses, only)[0]
    return float(scores["churn_probability"].iloc[0]) if len(scores) else None


def _published(last: Publication, customer_id: str) -> tuple[float | None, bool]:
    scores = pd.read_parquet(
        last.file("scores.parquet"),
        columns=["customer_id", "churn_probability"],
        filters=[("customer_id", "==", customer_id)],
    )
    listed = pd.read_csv(last.file("at_risk.csv"), dtype=str, keep_default_na=False, usecols=["customer_id"])
    before = float(scores["churn_probability"].iloc[0]) if len(scores) else None
    return before, bool((listed["customer_id"] == customer_id).any())


def _moves(
    store: Store, models: LoadedModels, customer_id: str, days: tuple[int, int], p: tuple[float, float]
) -> tuple[Move, ...]:
    """By the last list's model on both days, as the tables tell it now; empty where the customer was not eligible by it then.

    ``p``: its probabilities on both days. Contributions add up on the logit; in points each has its share of the change.
    """
    one = pd.Series([customer_id], dtype="str")
    eligible = Listed(frozenset({customer_id}))
    columns = models.plan.columns
    frames = []
    for day in days:
        if not len(score_everyone(store, models, day, Pauses(()), eligible)[0]):
            return ()
        frames.append(features_of_listed(store, models, day, one))
    added = [np.asarray(models.churn.contributions(frame)) for frame in frames]
    names, _ = by_driver(added[0], columns)
    then, now = (by_driver(each, columns)[1][0] for each in added)
    moved = now - then
    slope = _slope(float(moved.sum()), p)
    own = added[1][0, :-1] - added[0][0, :-1]
    found = []
    for at in np.argsort(-np.abs(moved), kind="stable")[:_MOVES]:
        if abs(moved[at]) > _LEAST_MOVE:
            mine = [place for place, column in enumerate(columns) if column.driver == names[at]]
            # What stayed the same may count for more beside what changed; what changed is the news.
            fresh = [place for place in mine if len({str(frame[columns[place].name].iloc[0]) for frame in frames}) > 1]
            most = max(fresh or mine, key=lambda place: abs(own[place]))
            before, current = (float(frame[columns[most].name].iloc[0]) for frame in frames)
            found.append(Move(names[at], float(slope * moved[at]), columns[most].name, before, current))
    return tuple(found)


def _slope(moved: float, p: tuple[float, float]) -> float:
    """Probability per logit between both days; where the logit hardly moved, that of the logistic curve half way."""
    before, now = p
    middle = (before + now) / 2
    steepest = 0.25
    secant = (now - before) / moved if abs(moved) > _LEAST_SECANT else 0.0
    return secant if 0 < secant <= steepest else middle * (1 - middle)
