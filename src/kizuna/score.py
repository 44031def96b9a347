"""One day in memory: frame → probabilities and values → list, reasons and actions. Nothing is written here."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.at_risk import ListPlan, Selection, list_plan, select
from kizuna.config import Config
from kizuna.data.blocks import Block
from kizuna.data.frames import arrow_table, numpy_columns
from kizuna.data.report import freshness
from kizuna.data.store import Store
from kizuna.errors import DataMissing, ModelError, ResultError
from kizuna.features.context import Pauses, context_columns, context_frame
from kizuna.features.families import families_for
from kizuna.features.frame import Tables, block_values, build_frame, days_to_dates, selected_rows
from kizuna.features.history import History
from kizuna.features.plan import FeaturePlan
from kizuna.features.planning import earliest_day
from kizuna.features.rows import Rows
from kizuna.features.sample import Listed
from kizuna.labels.definition import Definition
from kizuna.labels.purchase_pasts import TABLE as PURCHASES
from kizuna.labels.purchase_pasts import purchase_pasts
from kizuna.list_history import with_model_changes
from kizuna.publish import Publication, lists_before
from kizuna.published_lists import published_rows
from kizuna.registry import ModelPair, Registry
from kizuna.timeline import date_of, day_of

if TYPE_CHECKING:
    import pyarrow as pa

    from kizuna.models import ChurnClassifier, CltvRegressor
    from kizuna.models.btyd.next_purchase import NextPurchase
    from kizuna.models.churn.season_anchor import SeasonAnchor

AT_RISK_COLUMNS = [
    *("as_of", "list_rank", "customer_id", "churn_probability", "horizon_days", "risk_band", "risk_percentile"),
    *(
        "churn_probability_prev",
        "list_status",
        "weeks_on_list",
        "lifecycle_stage",
        "market",
        "language",
        "last_purchase",
    ),
    *("days_since_purchase", "usual_gap_days", "overdue_ratio", "expected_next_purchase", "orders_365d"),
    *("revenue_365d", "currency", "cltv", "cltv_horizon_days", "cltv_formula"),
    *("value_if_kept", "value_if_churned", "value_at_risk"),
    *(f"reason_{k}{part}" for k in (1, 2, 3) for part in ("", "_text", "_strength")),
    *("facts", "action", "action_text", "channel", "call_hours", "act_by", "offer_max_cost"),
    *("contact_allowed", "suppressed_reason", "arm"),
    *("data_warning", "churn_model", "cltv_model"),
]
_SLOW = "slow_rhythm"
# Enough for medians of what customers at low risk are like.
_LOW_RISK_SAMPLE = 2000
# Share of customers whose value falls between cltv_low and cltv_high.
_COVERAGE = 0.8
# Low end, median and high end, in the order of the model.
_NEXT_PURCHASE = ("expected_next_purchase_low", "expected_next_purchase", "expected_next_purchase_high")
# Columns of the context travel beside the numbers under names of their own.
_BESIDE = "context."


@dataclass(frozen=True)
class LoadedModels:
    """The pinned pair, its estimators and what they were trained to predict: nothing of this comes from the config."""

    pair: ModelPair
    churn: ChurnClassifier
    cltv: CltvRegressor | None
    plan: FeaturePlan
    definition: Definition
    contract: dict[str, Any]
    next_purchase: NextPurchase | None = None
    season: SeasonAnchor | None = None

    @property
    def names(self) -> dict[str, str]:
        """Printed names by kind, ``shop-churn v3``."""
        versions = {"churn": self.pair.churn, "cltv": self.pair.cltv}
        return {kind: f"{version.name} v{version.version}" for kind, version in versions.items() if version}


@dataclass(frozen=True)
class Scored:
    """A day's result in memory: every eligible customer's numbers, the list, and what goes with it."""

    as_of: int
    scores: pd.DataFrame
    at_risk: pd.DataFrame
    explanations: pd.DataFrame
    selection: Selection


@dataclass(frozen=True)
class Manner:
    """How reasons are found. ``low_risk``: ids of eligible customers unlikely to leave, by whose features better ones are told
    (``low_risk_ids``). ``proven``: drivers of our own conduct that past lists have shown to act.
    """

    low_risk: pd.Series[str]
    proven: frozenset[str] = frozenset()


def load_models(config: Config, version: str | None = None) -> LoadedModels:
    """The champion pair (or a version), resolved once and checked; ModelError where there is none to use."""
    from kizuna.models.btyd.next_purchase import NextPurchase
    from kizuna.models.churn.season_anchor import SeasonAnchor
    from kizuna.models.folder import read_model

    registry = Registry(config.tracking_uri, config.name)
    pair = registry.resolve(version)
    with tempfile.TemporaryDirectory(prefix="kizuna-") as folder:
        churn_folder, cltv_folder = registry.load(pair, Path(folder))
        churn = read_model(churn_folder)
        cltv = read_model(cltv_folder) if cltv_folder else None
    contract = churn.contract
    # Models of earlier versions were stored without one.
    dates, season = contract.get("next_purchase"), contract.get("season_anchor")
    return LoadedModels(
        pair=pair,
        churn=churn.estimator,
        cltv=cltv.estimator if cltv else None,
        plan=FeaturePlan.from_json(contract["plan"]),
        definition=Definition(**contract["definition"]),
        contract=contract,
        next_purchase=NextPurchase.from_json(dates) if dates else None,
        season=SeasonAnchor.from_json(season) if season else None,
    )


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
    p = numbers["churn_probability"]
    if not np.isfinite(p).all() or (len(p) >= 100 and p.max() == p.min()):
        raise ResultError(
            f"The model gives {int((~np.isfinite(p)).sum()):,} impossible and {len(np.unique(p)):,} different "
            f"probabilities for {len(p):,} customers on {date_of(as_of)}. Nothing was published; train again."
        )
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


def features_of_listed(store: Store, models: LoadedModels, as_of: int, ids: pd.Series[str]) -> pd.DataFrame:
    """The day's features of some customers, in the order of their ids given; gaps for who is not eligible."""
    frame = build_frame(store, models.plan, [as_of], models.definition.eligible, Listed(frozenset(ids)))
    position = pd.Index(frame.customer_ids).get_indexer(pd.Index(ids.astype(object)))
    return frame.columns().reindex(position).reset_index(drop=True)


def score_day(
    store: Store, config: Config, models: LoadedModels, as_of: int, proven: frozenset[str] = frozenset()
) -> Scored:
    """The day's scores, list, reasons and actions, in memory; nothing is written. ``proven``: see ``Manner``."""
    earlier = lists_before(config.output_dir, date_of(as_of))
    selection, context = _selected(store, config, models, as_of, earlier)
    selection = _with_model_changes(store, config, models, as_of, selection, earlier)
    listed, explained = said_of(
        store, config, models, selection.listed, context, Manner(low_risk_ids(selection.scores), proven)
    )
    return Scored(as_of, selection.scores, listed, explained, selection)


def said_of(
    store: Store,
    config: Config,
    models: LoadedModels,
    listed: pd.DataFrame,
    context: pd.DataFrame,
    manner: Manner,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``AT_RISK_COLUMNS`` of listed customers, with reasons and actions; and what each feature adds to their risk.

    ``listed``: rows of one day, see ``Selection``. ``context``: what was known of them.
    """
    from kizuna.explain.better import Model
    from kizuna.explain.contributions import explanations
    from kizuna.explain.reasons import Telling, reasons
    from kizuna.playbook import load_playbook, plan_actions

    as_of = day_of(listed["as_of"].iloc[0]) if len(listed) else 0
    both = features_of_listed(store, models, as_of, pd.concat([listed["customer_id"], manner.low_risk]))
    features, beside = both.iloc[: len(listed)], both.iloc[len(listed) :]
    contributions = models.churn.contributions(features)
    rows = pd.concat([listed[["customer_id"]], features], axis=1)
    columns = models.plan.columns
    language = config.at_risk.language
    telling = Telling(language, config.at_risk.reasons, config.data.currency, manner.proven)
    judge = Model(lambda frame: models.churn.predict_proba(frame)[:, 1], beside.median().to_numpy(dtype=np.float64))
    said = reasons(rows, contributions, columns, telling, judge)
    listed = pd.concat([listed, said], axis=1)
    planned = plan_actions(
        listed, context, load_playbook(config.playbook_path), language, config.economics.assumed_save_rate
    )
    listed = pd.concat([listed, planned], axis=1)
    horizon = models.contract["cltv_horizon_days"]
    listed = listed.assign(
        horizon_days=models.definition.horizon_days,
        currency=pd.Series(config.data.currency, index=listed.index, dtype="str"),
        cltv_horizon_days=pd.Series(horizon, index=listed.index, dtype="Int64"),
        data_warning=_data_warnings(listed, _data_warning(store, as_of), models.definition.horizon_days),
        churn_model=models.names["churn"],
        cltv_model=pd.Series(models.names.get("cltv"), index=listed.index, dtype="str"),
    )
    return listed[AT_RISK_COLUMNS], explanations(rows, contributions, columns)


def low_risk_ids(scores: pd.DataFrame) -> pd.Series[str]:
    """Customers of the quarter that is least likely to leave, evenly chosen by id where they are many."""
    p = scores["churn_probability"]
    safe = scores.loc[p <= p.quantile(0.25), "customer_id"]
    return safe.iloc[:: len(safe) // _LOW_RISK_SAMPLE + 1]


def refuse_list_settings(config: Config) -> None:
    """ConfigError where the playbook or the exports cannot work, long before anything is scored."""
    from kizuna.exports.destinations.settings import refuse_exports
    from kizuna.playbook import load_playbook

    load_playbook(config.playbook_path)
    refuse_exports(config, AT_RISK_COLUMNS)


def refuse_hindsight(models: LoadedModels, as_of: int) -> None:
    """ModelError where the champion was trained on data later than the day."""
    if is_hindsight(models, as_of):
        trained = date_of(models.contract["train_day"])
        raise ModelError(
            f"Scores were asked for {date_of(as_of)}, but the champion ({models.names['churn']}) was trained on data "
            f"until {trained}: it would know the future. Use kizuna backfill for past days, or --hindsight to accept it."
        )


def is_hindsight(models: LoadedModels, as_of: int) -> bool:
    """Whether the champion was trained on data later than the day."""
    train_day = models.contract["train_day"]
    return train_day is not None and as_of < train_day


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

    As far as that model is still in the registry; else the reasons stay as they were.
    """
    if not earlier or selection.removed is None or selection.removed.empty:
        return selection
    before = models_of(config, earlier[-1])
    if before is None or before.names == models.names:
        return selection
    still = _selected(store, config, before, as_of, earlier)[0].listed["customer_id"]
    return replace(selection, removed=with_model_changes(selection.removed, still))


def models_of(config: Config, publication: Publication) -> LoadedModels | None:
    """The models that a list was made with; None where they are not in the registry any more."""
    version = publication.manifest["models"]["churn"].rpartition(" v")[2]
    try:
        return load_models(config, version)
    except ModelError:
        return None


def _data_warnings(listed: pd.DataFrame, shared: str | None, horizon_days: int) -> pd.Series[str]:
    """Codes joined by ``;``: what is late or missing for all, and where the usual gap is longer than the horizon."""
    slow = (listed["usual_gap_days"] > horizon_days).tolist()
    said = [";".join(word for word in (shared, _SLOW if is_slow else None) if word) or None for is_slow in slow]
    return pd.Series(said, index=listed.index, dtype="str")


def _data_warning(store: Store, as_of: int) -> str | None:
    stale = [finding.table for finding in freshness(store, as_of)]
    missing = [finding.table for finding in store.findings if finding.name == "missing_table"]
    words = [f"stale_{name}" for name in stale] + [f"missing_{name}" for name in missing]
    return ";".join(words) or None
