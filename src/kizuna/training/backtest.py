"""A backtest of the list: what past weeks' lists would have been by models of their own time, and what came of them.

Weeks are taken newest first from the last day whose outcome is known; provided labels know their own days only, which
then stand for the weeks. A model is trained on the first day of every ``snapshots.every_days`` and makes the lists of the
days until the next; nothing known on or after a model's day teaches it, and nothing known on or after a list's day is a
feature of that list.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.errors import ContractError, DataMissing
from kizuna.evaluation.baselines.history_rules import Pasts
from kizuna.evaluation.baselines.scores import churn_baselines, money_rankings, ranking_only
from kizuna.evaluation.list_backtest import (
    KEYS,
    Ranking,
    Weeks,
    ahead,
    best_rule,
    fitting_capacity,
    list_table,
    model_table,
    named_customers,
)
from kizuna.evaluation.list_days import days_of_models
from kizuna.evaluation.measures.profit import campaign_gain
from kizuna.features.families import families_of
from kizuna.features.frame import Frame, Tables, build_frame
from kizuna.features.history import History
from kizuna.features.planning import earliest_day
from kizuna.features.purchases import net_amount
from kizuna.features.rows import Rows
from kizuna.labels.definition import definition_of
from kizuna.labels.everybody import pasts_of
from kizuna.labels.level_days import level_frame
from kizuna.labels.training_set import TrainingSet
from kizuna.lists.push import share
from kizuna.models.learners.splits import Split
from kizuna.timeline import date_of
from kizuna.tracking.registry import Registry
from kizuna.training.beside_lists import training_beside_lists
from kizuna.training.churn_fitting import BesideTraining
from kizuna.training.fitting import Say, Trained, fit_models, undated_attributes
from kizuna.whole_file import written_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BY_MONEY = ("mean_spend", "rfm_logistic_value")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Backtest:
    """The lists of past weeks and what came of them.

    ``lists`` and ``models``: see evaluation.list_backtest. ``named``: who was named, once each. ``ablation``: what leaving a
    table out costs, empty unless asked for. ``folds``: one row per model: its day, its lists, its estimator.
    ``ended``: why there are not more weeks, or "".
    """

    weeks: Weeks
    named: pd.DataFrame
    lists: pd.DataFrame
    models: pd.DataFrame
    folds: pd.DataFrame
    ablation: pd.DataFrame
    ended: str

    @property
    def rules(self) -> list[str]:
        """The names of the rankings that are not kizuna's."""
        return [ranking.name for ranking in self.weeks.rankings if not ranking.name.startswith("kizuna")]


def run_backtest(
    store: Store, config: Config, train_day: int, weeks: int | None, ablate: bool, say: Say = lambda line: None
) -> Backtest:
    """The lists of the last ``weeks`` weeks whose outcome is known on ``train_day``, and what came of them.

    weeks: None makes ``evaluation.folds`` models' worth of them; of provided labels so many of their days, and whoever has
    no label of a day is not in its list. ablate: fit each model once more without each table.
    Errors: those of the training set where not even the newest list has a model; ConfigError for undated labels.
    """
    definition = definition_of(config)
    models, ended = days_of_models(store, config, definition, train_day, weeks)
    parts: list[pd.DataFrame] = []
    folds: list[dict[str, Any]] = []
    ablations: list[dict[str, Any]] = []
    for fold, mine in enumerate(models):
        try:
            training = training_beside_lists(store, config, mine[-1])
        except (ContractError, DataMissing) as error:
            if not parts:
                raise
            ended = f"No model could have existed on {date_of(mine[-1])}: {error}"
            break
        say(f"model of {date_of(mine[-1])}: {len(training.y):,} rows; lists until {date_of(mine[0])}")
        pasts = pasts_of(store, training.frame.plan)
        undated = undated_attributes(store, training)
        levels = level_frame(store, config, training)
        beside = BesideTraining(undated=undated, first_day=earliest_day(store), pasts=pasts, levels=levels)
        trained = fit_models(config, training, beside, say)
        frame = _frame(store, config, trained.training, mine, train_day)
        parts.append(_scored(config, trained, frame, pasts).assign(fold=fold))
        folds.append(_fold(fold, mine, trained))
        if ablate:
            ablations += [line | {"fold": fold} for line in _ablated(config, trained, frame)]
    rows = pd.concat(parts, ignore_index=True)
    weeks_seen = Weeks(
        rows, _rankings(rows, ranking_only(definition.kind)), fitting_capacity(rows, config.evaluation.capacity)
    )
    named = named_customers(weeks_seen)
    return Backtest(
        weeks_seen,
        named,
        list_table(weeks_seen, named),
        model_table(weeks_seen),
        pd.DataFrame(folds),
        pd.DataFrame(ablations),
        ended,
    )


def _frame(store: Store, config: Config, training: TrainingSet, days: list[int], known_by: int) -> Frame:
    """The features of the list days, with what happened after them as known on the backtest's own day."""
    definition = training.definition

    def beside(tables: Tables, rows: Rows) -> dict[str, Floats]:
        unknown = np.full(len(rows), np.nan)
        found = {"churned": definition.churned(tables, rows, known_by), "value": unknown, "silence_days": unknown}
        if "purchases" in tables:
            past = History(tables["purchases"], rows, tables)
            found |= {
                "value": config.cltv.margin * past.sum(net_amount(past), 365),
                "silence_days": past.days_since_last(),
            }
        return found

    def known(tables: Tables, rows: Rows) -> NDArray[np.bool_]:
        return definition.eligible(tables, rows) & ~np.isnan(definition.churned(tables, rows, known_by))

    chosen = known if definition.kind == "provided" else definition.eligible
    return build_frame(store, training.frame.plan, days, chosen, also=beside)


def _scored(config: Config, trained: Trained, frame: Frame, pasts: Pasts) -> pd.DataFrame:
    """The rows of the lists' days with every ranking's scores; where costs are known, with what a contact had earned."""
    features = frame.columns()
    p = trained.season.served_on(np.asarray(trained.churn.predict_proba(features))[:, 1], frame.as_of)
    scores: dict[str, Floats] = {"kizuna": p}
    if trained.cltv is not None and config.at_risk.rank_by == "value_at_risk":
        kept, lost = np.asarray(trained.cltv.conditional(features, frame.as_of)).T
        scores = {"kizuna": p * (kept - lost), "kizuna_probability": p}
    scores |= _rules(trained.training, features, pasts)
    keys = {"day": frame.as_of, "customer_id": frame.customer_ids, **frame.also}
    if not np.isnan(frame.also["value"]).any():
        gain = campaign_gain(config.economics, frame.also["churned"], frame.also["value"])
        keys |= {} if gain is None else {"gain": gain}
    return pd.DataFrame({**keys, **scores})


def _rules(training: TrainingSet, features: pd.DataFrame, pasts: Pasts) -> dict[str, Floats]:
    """Every baseline, taught on the model's own training rows."""
    both = pd.concat([training.features, features], ignore_index=True)
    taught = len(training.y)
    split = Split(np.arange(taught), np.arange(taught, len(both)))
    outcomes = np.concatenate([training.y, np.zeros(len(features))])
    as_of = np.concatenate([training.frame.as_of, np.full(len(features), training.train_day, dtype=np.int32)])
    found = churn_baselines(both, outcomes, [split], training.definition.horizon_days, as_of, pasts)
    rules = {name: scores[taught:] for name, scores in found.items()}
    return rules | money_rankings(features, rules)


def _rankings(rows: pd.DataFrame, only: tuple[str, ...]) -> tuple[Ranking, ...]:
    keys = (*KEYS, "gain")
    unlike = (*_BY_MONEY, *only, *(("kizuna",) if "kizuna_probability" in rows else ()))
    return tuple(Ranking(name, probability=name not in unlike) for name in rows.columns if name not in keys)


def _fold(fold: int, days: list[int], trained: Trained) -> dict[str, Any]:
    training = trained.training
    return {
        "fold": fold,
        "train_day": date_of(training.train_day).isoformat(),
        "lists_from": date_of(days[-1]).isoformat(),
        "lists_to": date_of(days[0]).isoformat(),
        "rows": len(training.y),
        "newest_snapshot": date_of(training.days[0]).isoformat(),
        "estimator": trained.churn.estimator_name_,
        "grade": trained.decision.grade,
    }


def _ablated(config: Config, trained: Trained, frame: Frame) -> list[dict[str, Any]]:
    """For each table: how the same kind of model ranks without its columns, on the same lists' days."""
    from sklearn.base import clone

    from kizuna.evaluation.measures.metrics import churn_metrics, places_of

    table_of = {family.name: family.table for family in families_of(config)}
    columns = trained.training.frame.plan.columns
    tables = sorted({table_of.get(column.family, column.family) for column in columns})
    lines = []
    for table in ("", *tables):
        kept = [column.name for column in columns if table_of.get(column.family, column.family) != table]
        if not kept:
            continue
        model = clone(trained.churn).set_params(estimator=trained.churn.estimator_name_)
        model.fit(trained.training.features[kept], trained.training.y, groups=trained.training.frame.customer)
        p = np.asarray(model.predict_proba(frame.columns()[kept]))[:, 1]
        weeks = [frame.as_of == day for day in np.unique(frame.as_of)]
        found = [
            churn_metrics(frame.also["churned"][week], p[week], places_of(config.evaluation.capacity, int(week.sum())))
            for week in weeks
        ]
        means = {str(name): float(mean) for name, mean in pd.DataFrame(found).mean().items()}
        lines.append({"left_out": table or "nothing", "columns": len(columns) - len(kept), **means})
    return lines


def summary(found: Backtest) -> dict[str, Any]:
    """What the lists came to, as plain values: kizuna's, the best rule's, and how far apart they are."""
    overall = found.lists[found.lists["fold"] < 0].set_index("ranking")
    result: dict[str, Any] = {
        "lists": int(overall["lists"].iloc[0]),
        "capacity": found.weeks.capacity,
        "rankings": overall.drop(columns="fold").to_dict("index"),
        "ended": found.ended,
    }
    for what, by in (("churned", "churners_reached"), ("value", "value_reached"), ("gain", "profit")):
        rule = best_rule(found.lists, found.rules, by) if by in found.lists else None
        if rule is not None:
            more, low, high = ahead(found.named, "kizuna", rule, what)
            result[f"ahead_{by}"] = {"of": rule, "by": more, "low": low, "high": high}
    return result


def write_backtest(config: Config, found: Backtest, figure: Figure) -> Path:
    """The tables as Parquet and the picture, in ``<output.dir>/backtest/``; the folder."""
    from kizuna.evaluation.plots.evidence import png_bytes

    folder = config.output_dir / "backtest"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, table in _tables(found).items():
        with written_whole(folder / f"{name}.parquet") as aside:
            table.to_parquet(aside, index=False)
    with written_whole(folder / "backtest.png") as aside:
        aside.write_bytes(png_bytes(figure))
    share(folder)
    return folder


def log_backtest(config: Config, found: Backtest, train_day: int, figure: Figure) -> str:
    """The same in MLflow, as a run of its own; its id. Nobody's name is in it."""
    registry = Registry(config.tracking_uri, config.name)
    tags = {"train_day": date_of(train_day).isoformat(), "shop": config.name, "kind": "backtest"}
    with registry.training_run(f"backtest {date_of(train_day)}", tags) as run:
        overall = found.lists[found.lists["fold"] < 0]
        for row in overall.to_dict("records"):
            name = str(row["ranking"]).replace(" ", "_")
            numbers = {key: float(value) for key, value in row.items() if key not in ("ranking", "fold")}
            run.log_metrics({f"backtest_{name}_{key}": value for key, value in numbers.items()})
        for name, table in _tables(found).items():
            if "customer_id" not in table:
                run.log_table(table, f"backtest/{name}")
        run.log_json(summary(found), "backtest/summary.json")
        run.log_figure(figure, "backtest/backtest.png")
    return run.run_id


def _tables(found: Backtest) -> dict[str, pd.DataFrame]:
    named = found.named.assign(day=pd.to_datetime(found.named["day"], unit="D", origin="unix"))
    tables = {"lists": found.lists, "models": found.models, "folds": found.folds, "named": named}
    return tables | ({"ablation": found.ablation} if len(found.ablation) else {})
