"""One day in memory: everybody's numbers, the list, and what is said of it. Nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.errors import ConfigError, ModelError, ResultError
from kizuna.features.context import Pauses
from kizuna.lists.history import with_model_changes
from kizuna.lists.publication import Publication, lists_before
from kizuna.lists.published import as_received, published_rows
from kizuna.lists.selection import ListPlan, Selection, list_plan, select
from kizuna.scoring.champion import LoadedModels, models_of
from kizuna.scoring.everyone import score_everyone
from kizuna.scoring.rows import Manner, low_risk_ids, said_of
from kizuna.timeline import date_of


@dataclass(frozen=True)
class Scored:
    """A day's result in memory: every eligible customer's numbers, the list, and what goes with it."""

    as_of: int
    scores: pd.DataFrame
    at_risk: pd.DataFrame
    explanations: pd.DataFrame
    selection: Selection


def score_day(
    store: Store,
    config: Config,
    models: LoadedModels,
    as_of: int,
    proven: frozenset[str] = frozenset(),
    backfill: bool = False,
) -> Scored:
    """The day's scores, list, reasons and actions, in memory; nothing is written. ``proven``: see ``Manner``.

    ``backfill``: the list is for the record, and is drawn as if those before it had been in people's hands.
    """
    earlier = lists_before(config.output_dir, date_of(as_of))
    earlier = as_received(earlier) if backfill else earlier
    selection, context = _selected(store, config, models, as_of, earlier)
    selection = _with_model_changes(store, config, models, as_of, selection, earlier)
    listed, explained = said_of(
        store, config, models, selection.listed, context, Manner(low_risk_ids(selection.scores), proven)
    )
    return Scored(as_of, selection.scores, listed, explained, selection)


def _selected(
    store: Store, config: Config, models: LoadedModels, as_of: int, earlier: Sequence[Publication]
) -> tuple[Selection, pd.DataFrame]:
    """The day's list by these models, and the context of everyone."""
    scores, context = score_everyone(store, models, as_of, Pauses(tuple(config.at_risk.pause_kinds)))
    return select(scores, context, plan_of(config, models, as_of), published_rows(earlier, config)), context


def plan_of(config: Config, models: LoadedModels, as_of: int) -> ListPlan:
    """How the list of a day is drawn."""
    plan = list_plan(config, date_of(as_of), models.contract["cltv_horizon_days"])
    return replace(plan, margin=models.contract["margin"], silent_after_days=models.definition.horizon_days)


def _with_model_changes(
    store: Store, config: Config, models: LoadedModels, as_of: int, selection: Selection, earlier: Sequence[Publication]
) -> Selection:
    """Who left the list and would still be on it by the last list's model, on today's data, left because the model changed.

    As far as that model is still in the registry and can tell of today; else the reasons stay as they were.
    """
    if not earlier or selection.removed is None or selection.removed.empty:
        return selection
    before = models_of(config, earlier[-1], store.missing)
    if before is None or before.names == models.names:
        return selection
    still = would_list(store, config, before, as_of, earlier)
    return selection if still is None else replace(selection, removed=with_model_changes(selection.removed, still))


def would_list(
    store: Store, config: Config, models: LoadedModels, as_of: int, earlier: Sequence[Publication]
) -> pd.Series[str] | None:
    """The customers whom these models would list on the day; None where they can tell nothing of it any more."""
    try:
        return _selected(store, config, models, as_of, earlier)[0].listed["customer_id"]
    except (ConfigError, ModelError, ResultError):
        return None
