"""The training set of a shop that has lists: customers whom earlier lists treated are kept, flagged, or left to the controls.

Who is listed within a label window is known only afterwards, and says much of the outcome: the listed have stayed silent
until then. A column that told it would leak. The arm is drawn by a hash, whatever a customer does, and tells nothing
but what the lists have done; so the flag is the arm, of everybody, listed or not.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.features.plan import IS_TREATED
from kizuna.labels.training_set import TrainingSet, build_training_set, require_learnable
from kizuna.labels.treated import treated_rows
from kizuna.lists.publication import lists_before
from kizuna.lists.published import published_rows, received
from kizuna.lists.selection import arm_of
from kizuna.timeline import date_of, day_of

Floats = NDArray[np.float64]


def training_beside_lists(store: Store, config: Config, train_day: int) -> TrainingSet:
    """The training set that stands on ``train_day``, as ``training.treated`` asks; undated labels know no list.

    ``flag``: the column is_treated is 1 for the target arm where a list before ``train_day`` lies in the row's label window; 0
    at scoring. ``control_only``: listed targets of such a window are left out, and each listed control stands in 1 / control
    share copies for both arms; a fraction is drawn by seed, customer and day. Errors: those of the training set;
    ContractError where nobody is left to learn from.
    """
    training = build_training_set(store, config, train_day)
    if config.training.treated == "keep" or not training.dated:
        return training
    lists = received(published_rows(lists_before(config.output_dir, date_of(train_day)), config))
    if config.training.treated == "flag":
        return _flagged(training, lists)
    return _control_only(training, lists, config.model.seed)


def _flagged(training: TrainingSet, lists: pd.DataFrame) -> TrainingSet:
    drawn = assigned_arms(training, lists)
    # The matrix is this frame's own; a copy of it would be another training set in memory.
    training.frame.values[:, training.frame.plan.names.index(IS_TREATED.name)] = drawn == "target"
    return replace(training, beside_lists={f"{arm}_rows": int((drawn == arm).sum()) for arm in ("target", "control")})


def assigned_arms(training: TrainingSet, lists: pd.DataFrame) -> NDArray[np.object_]:
    """The arm of each row's customer in the newest list within the row's label window, listed or not; "" without a list."""
    held = lists[["as_of", "experiment", "control_share"]].drop_duplicates("as_of").sort_values("as_of")
    held = held.assign(day=[day_of(day) for day in held["as_of"]])
    ids, days, window = training.customer_ids, training.frame.as_of, training.definition.window
    arms = np.full(len(days), "", dtype=object)
    known: dict[tuple[str, str, float], str] = {}
    for day in training.days:
        within = held[(held["day"] >= day) & (held["day"] < window.end(day))]
        if within.empty:
            continue
        experiment, share = str(within["experiment"].iloc[-1]), float(within["control_share"].iloc[-1])
        for at in np.flatnonzero(days == day):
            key = (ids[at], experiment, share)
            if key not in known:
                known[key] = arm_of(*key)
            arms[at] = known[key]
    return arms


def _control_only(training: TrainingSet, lists: pd.DataFrame, seed: int) -> TrainingSet:
    treated = treated_rows(training.customer_ids, training.frame.as_of, training.definition.window, lists)
    places = np.repeat(np.arange(len(training.y)), _copies(training, treated.weight, seed))
    counts = {"left_out_rows": int(treated.is_treated.sum()), "control_rows": int((treated.weight > 1).sum())}
    chosen = replace(
        training,
        frame=training.frame.where(places),
        y=training.y[places],
        worth=training.worth[places],
        beside_lists=counts,
    )
    require_learnable(chosen)
    return chosen


def _copies(training: TrainingSet, weight: Floats, seed: int) -> NDArray[np.int64]:
    """How often each row is learned from: its weight, its fraction drawn, so that every step of training honours it."""
    whole = np.floor(weight + 1e-9).astype(np.int64)
    part = weight - whole
    drawn = np.flatnonzero(part > 1e-9)
    ids, days = training.customer_ids, training.frame.as_of
    luck = np.array([_uniform(f"{seed}|{ids[at]}|{days[at]}") for at in drawn])
    whole[drawn] += luck < part[drawn]
    return whole


def _uniform(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
