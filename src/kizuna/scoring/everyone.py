"""Everybody's numbers on a day: probability, values, the next purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.data.blocks import Block
from kizuna.data.frames import arrow_table, numpy_columns
from kizuna.data.store import Store
from kizuna.errors import DataMissing, ResultError
from kizuna.features.context import Pauses, context_columns, context_frame
from kizuna.features.families import families_for
from kizuna.features.frame import Tables, block_values, days_to_dates, selected_rows
from kizuna.features.history import History
from kizuna.features.planning import earliest_day
from kizuna.features.rows import Rows
from kizuna.features.sample import Listed, narrowed
from kizuna.labels.purchase_pasts import TABLE as PURCHASES
from kizuna.labels.purchase_pasts import purchase_pasts
from kizuna.scoring.champion import LoadedModels
from kizuna.scoring.gates.gate import Accepted, refuse_failing
from kizuna.scoring.gates.results import possible_gate
from kizuna.timeline import date_of

if TYPE_CHECKING:
    import pyarrow as pa

# Share of customers whose value falls between cltv_low and cltv_high.
_COVERAGE = 0.8

# Low end, median and high end, in the order of the model.
_NEXT_PURCHASE = ("expected_next_purchase_low", "expected_next_purchase", "expected_next_purchase_high")

# Columns of the context travel beside the numbers under names of their own.
_BESIDE = "context."


def score_everyone(
    store: Store, models: LoadedModels, as_of: int, pauses: Pauses, only: Listed | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every eligible customer's numbers and context, sorted by customer id; features are let go of block by block.

    Numbers: customer_id, as_of, churn_probability, cltv, cltv_low, cltv_high, value_if_kept, value_if_churned, value_at_risk.
    The value of four customers in five falls between cltv_low and cltv_high (their mean, cltv, need not), which are null
    where no fold was possible; without a value model all value columns are. Then the days expected_next_purchase_low,
    expected_next_purchase and _high, null without a model of them. ``only``: of some customers, of whom none need be
    eligible. Errors: DataMissing before the data begins, ResultError for an empty or useless result.
    """
    with narrowed(store, only) as (few, _):
        return _score(few, models, as_of, pauses, only)


def _score(
    store: Store, models: LoadedModels, as_of: int, pauses: Pauses, only: Listed | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pyarrow as pa

    first = earliest_day(store)
    if first is not None and as_of <= first:
        raise DataMissing(
            f"Scores were asked for {date_of(as_of)}, but the data begin on {date_of(first)}. Choose a later --as-of."
        )
    families = families_for(models.plan, store.config)

    def score(block: Block) -> pa.Table:
        rows = selected_rows(block, [as_of], models.definition.eligible, only)
        features = pd.DataFrame(block_values(block.tables, rows, models.plan, families), columns=models.plan.names)
        context = context_columns(block.tables, rows, pauses)
        beside = {_BESIDE + name: values for name, values in context.items()}
        mine = {**_numbers(models, features, as_of), **_dates(models, block.tables, rows)}
        return arrow_table({"customer_id": block.ids()[rows.customer], **mine, **beside})

    nobody = score(store.block(0, 0))
    found = numpy_columns(pa.concat_tables([nobody, *store.map_tables(score, "scores")]))
    ids = found.pop("customer_id")
    if not len(ids) and only is None:
        raise ResultError(
            f"Nobody is eligible on {date_of(as_of)} by the model's definition ({models.definition.kind}, active within "
            f"{models.definition.active_within_days} days). Check that the tables reach that day."
        )
    numbers = {name: values for name, values in found.items() if not name.startswith(_BESIDE)}
    context = {name.removeprefix(_BESIDE): values for name, values in found.items() if name.startswith(_BESIDE)}
    # Numbers that are none would make a list of nonsense; its other gates look at the list.
    refuse_failing([possible_gate(numbers["churn_probability"])], Accepted())
    day = days_to_dates(np.full(len(ids), as_of, dtype=np.int32))
    scores = pd.DataFrame({"customer_id": pd.array(ids, dtype="str"), "as_of": day, **numbers})
    return scores, context_frame(ids, context)


def _numbers(models: LoadedModels, features: pd.DataFrame, as_of: int) -> dict[str, NDArray[np.float64]]:
    """Probability and values of each row of features; empty rows give empty columns."""
    unknown = np.full(len(features), np.nan)
    p = np.asarray(models.churn.predict_proba(features))[:, 1] if len(features) else unknown
    if models.season is not None:
        p = models.season.moved(p, as_of)
    numbers = {"churn_probability": p}
    kept, lost, low, high = unknown, unknown, unknown, unknown
    if models.cltv is not None and len(features):
        both = np.asarray(models.cltv.conditional(features, as_of))
        kept, lost = both.T
        if models.cltv.intervals_ is not None:
            low, high = models.cltv.intervals_.bounds(both, p, _COVERAGE).T
    return numbers | {
        "cltv": (1 - p) * kept + p * lost,
        "cltv_low": low,
        "cltv_high": high,
        "value_if_kept": kept,
        "value_if_churned": lost,
        "value_at_risk": p * (kept - lost),
    }


def _dates(models: LoadedModels, tables: Tables, rows: Rows) -> dict[str, NDArray[np.datetime64]]:
    """The day of each row's next purchase, given that there is one, and its 80 % interval; none is before ``as_of``."""
    days = np.full((len(rows), len(_NEXT_PURCHASE)), np.nan)
    if models.next_purchase is not None and len(rows):
        pasts = purchase_pasts(History(tables[PURCHASES], rows, tables))
        days = models.next_purchase.days(pasts)
    dates = days_to_dates((np.nan_to_num(days) + rows.as_of[:, None]).astype(np.int32))
    dates[np.isnan(days)] = np.datetime64("NaT")
    return dict(zip(_NEXT_PURCHASE, dates.T, strict=True))
