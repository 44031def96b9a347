"""The days of a backtest's lists, and which model makes which of them.

A list holds for a week. Inactivity and cancellation can be looked at on any day; provided labels only on their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.errors import ConfigError
from kizuna.labels.definition import Definition
from kizuna.labels.training_set import label_days
from kizuna.timeline import LabelWindow, date_of

WEEK_DAYS = 7


def list_days(window: LabelWindow, train_day: int, weeks: int) -> list[int]:
    """The newest ``weeks`` days, a week apart, newest first, whose outcome was complete on ``train_day``."""
    newest = train_day - window.matured_on(0)
    return [newest - WEEK_DAYS * week for week in range(weeks)]


def a_week_apart(days: Sequence[int]) -> list[int]:
    """Of days, newest first, the newest and each that lies a week or more before the last one taken."""
    taken: list[int] = []
    for day in days:
        if not taken or taken[-1] - day >= WEEK_DAYS:
            taken.append(day)
    return taken


def lists_of_models(days: Sequence[int], every_days: int) -> list[list[int]]:
    """Days of lists, newest first, by the model that makes them: one for the lists of every ``every_days``."""
    models: list[list[int]] = []
    for day in days:
        if models and models[-1][0] - day + WEEK_DAYS <= every_days:
            models[-1].append(day)
        else:
            models.append([day])
    return models


def days_of_models(
    store: Store, config: Config, definition: Definition, train_day: int, weeks: int | None
) -> tuple[list[list[int]], str]:
    """The days of the lists, newest first, by the model that makes them, and why there are fewer than asked for, or "".

    weeks: how many lists; None: those of ``evaluation.folds`` models. Errors: ConfigError for undated labels, those of
    ``label_days``.
    """
    every, folds = config.snapshots.every_days, config.evaluation.folds
    if definition.kind != "provided":
        per_model = max(1, every // WEEK_DAYS)
        return lists_of_models(list_days(definition.window, train_day, weeks or per_model * folds), every), ""
    labelled, dated = label_days(store, config, definition, train_day)
    if not dated:
        raise ConfigError(
            "kizuna backtest makes the lists of past days; labels without as_of belong to no day, so that no model could "
            "have been made before them. Give the table labels an as_of, or use kizuna train, whose folds are by customer."
        )
    days = a_week_apart(labelled)
    if weeks is None:
        return lists_of_models(days, every)[:folds], ""
    known = f"The labels known by {date_of(train_day)} are of {len(days)} days a week or more apart, not {weeks}."
    return lists_of_models(days[:weeks], every), known if len(days) < weeks else ""
