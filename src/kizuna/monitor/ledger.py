"""The lists published so far, with what was carried out of them and how far the shop's rows reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.errors import ContractError
from kizuna.feedback.store import carried_out
from kizuna.labels.definition import Definition
from kizuna.labels.training_set import default_train_day
from kizuna.lists.publication import Publication, lists_before
from kizuna.lists.published import published_rows
from kizuna.monitor.outcomes import messages_of_lists
from kizuna.timeline import date_of


@dataclass(frozen=True)
class Ledger:
    """Lists, oldest first, each with the definition of its model.

    ``rows``: see ``published_rows``. ``executions``: customer_id and list_as_of of what was carried out, from outreach rows
    that name a list and from feedback; None where neither says anything. ``known_before``: rows known on this day or later
    are not looked at; a window has matured once the rows reach its end, for days without data are no proof of silence.
    """

    publications: Sequence[Publication]
    definitions: Sequence[Definition]
    rows: pd.DataFrame
    executions: pd.DataFrame | None
    known_before: int

    @property
    def headline(self) -> Definition:
        """The definition by which the effect of all lists is read: that of the newest."""
        return self.definitions[-1]


def read_ledger(store: Store, config: Config, as_of: int) -> Ledger:
    """The ledger of the lists published before ``as_of``; ContractError where the labels have no days to judge them by."""
    publications = lists_before(config.output_dir, date_of(as_of))
    definitions = [Definition(**publication.manifest["definition"]) for publication in publications]
    labels = store.tables.get("labels")
    if any(one.kind == "provided" for one in definitions) and (labels is None or labels.first_day is None):
        raise ContractError(
            "What became of the lists was asked for, but the labels have no as_of, and so no day. "
            "Fill the column as_of of table labels."
        )
    reached = [_reached(store, definition) for definition in definitions]
    known_before = min([as_of, *reached])
    said = carried_out(config.output_dir, [one.as_of.isoformat() for one in publications], date_of(as_of))
    executions = _together(messages_of_lists(store, known_before), said)
    return Ledger(publications, definitions, published_rows(publications, config), executions, known_before)


def _together(*executions: pd.DataFrame | None) -> pd.DataFrame | None:
    known = [frame for frame in executions if frame is not None]
    return pd.concat(known, ignore_index=True).drop_duplicates(ignore_index=True) if known else None


def _reached(store: Store, definition: Definition) -> int:
    """The day after the newest row that says how far the shop's rows go.

    Contracts may run on for long without a new one: there the newest row of any table counts.
    """
    reached = default_train_day(store, definition)
    if definition.kind != "cancellation":
        return reached
    return max(reached, *(info.last_day + 1 for info in store.tables.values() if info.last_day is not None))
