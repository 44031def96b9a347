"""The ladder of churn models, simplest first, and how a rung is tried out of fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kizuna.errors import ConfigError, nearest
from kizuna.models.churn.rule import RULE_COLUMNS, fit_rule, rule_positions
from kizuna.models.churn.silence import SILENCE_COLUMNS, silence_positions
from kizuna.models.churn.task import MarginModel, Setting, Task, TaughtRows
from kizuna.models.churn.with_silence import WithSilence, margins_of
from kizuna.models.learners.foreign import build_estimator, fit_foreign, is_import_path
from kizuna.models.learners.linear import PENALTIES, RFM_COLUMNS, fit_linear, purchase_positions, rfm_positions, thinned
from kizuna.models.learners.splits import Split, rows_at
from kizuna.models.learners.trees import check_tree_params, default_tree_params, fit_trees, tree_counts

RUNGS = ("rule", "btyd", "rfm", "rfm_btyd", "logistic", "lightgbm")
BLENDED = ("btyd", "rfm", "rfm_btyd", "logistic", "lightgbm")

# Closer than this, two numbers are the same and the simpler model wins.
SAME_SETTING_LOG_LOSS = 0.0005

# Penalties of the regressions on recency, frequency and money, alone and told what the buy-till-you-die model says.
_RFM_PENALTIES = {"rfm": 1.0, "rfm_btyd": 0.3}

# With more cells than this, a logistic regression on all columns costs more than it is worth beside LightGBM.
_FEW_CELLS = 5_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rung:
    """One kind of model. ``fit(rows, settings)`` gives one model per setting; settings are listed simplest first.

    ``level``: where its mean probability comes from. 'likelihood': it is fitted by likelihood and says the mean of its
    training rows. 'unknown': somebody else's estimator may say anything. 'none': it learns no outcomes.
    """

    name: str
    settings: tuple[Setting, ...]
    fit: Callable[[TaughtRows, Sequence[Setting]], Sequence[MarginModel]]
    level: Literal["likelihood", "unknown", "none"] = "likelihood"


@dataclass(frozen=True, eq=False)
class Trial:
    """A rung with its best setting: mean AUC and log loss over the splits (NaN: not measurable), margins per split."""

    rung: Rung
    setting: Setting
    auc: float
    log_loss: float
    margins: tuple[Floats, ...]


def build_ladder(estimator: str, params: dict[str, Any] | None, task: Task) -> list[Rung]:
    """The rungs that ``estimator`` stands for, simplest first; ConfigError where it or its parameters are unknown.

    'auto' and 'blend' stand for several. Parameters by name of the model, as these take them, are understood by each of
    the rungs as well.
    """
    params = dict(params or {})
    if estimator in ("auto", "blend"):
        for name in params:
            if name not in RUNGS:
                raise ConfigError(
                    f"model.churn.params asks for '{name}' while the estimator is {estimator}.{nearest(name, RUNGS)} "
                    f"With {estimator}, write the parameters under the name of their model: {', '.join(RUNGS)}."
                )
        missing = {
            "rule": rule_positions(task.names) is None,
            "btyd": silence_positions(task.names) is None,
            "rfm": not rfm_positions(task.names),
            "rfm_btyd": not rfm_positions(task.names) or silence_positions(task.names) is None,
        }
        names = [name for name in (RUNGS if estimator == "auto" else BLENDED) if not missing.get(name)]
        return [rung for name in names for rung in build_ladder(name, params.get(name), task)]
    if estimator in RUNGS and params and set(params) <= set(RUNGS):
        params = dict(params.get(estimator) or {})
    if estimator == "rule":
        return [_rule(params, task)]
    if estimator == "btyd":
        return [_btyd(params, task)]
    if estimator in _RFM_PENALTIES:
        return [_rfm(estimator, params, task)]
    if estimator == "logistic":
        return [_logistic(params, task)]
    if estimator == "lightgbm":
        return [_lightgbm(params, task)]
    if is_import_path(estimator):
        return [_foreign(estimator, params, task)]
    raise ConfigError(
        f"model.churn.estimator '{estimator}' is unknown.{nearest(estimator, ('auto', *RUNGS, 'blend'))} "
        f"Known are auto, {', '.join(RUNGS)}, blend, or an import path such as sklearn.ensemble.RandomForestClassifier."
    )


def try_rungs(rungs: Sequence[Rung], X: Floats, y: Floats, splits: Sequence[Split], task: Task) -> list[Trial]:
    """Each rung at its best setting, every setting taught and tested on every split."""
    margins: list[list[list[Floats]]] = [[[] for _ in rung.settings] for rung in rungs]
    for split in splits:
        rows, test = TaughtRows(rows_at(X, split.train), y[split.train], task), rows_at(X, split.test)
        for rung, tried in zip(rungs, margins, strict=True):
            for of_setting, margin in zip(tried, margins_of(rung.fit(rows, rung.settings), test), strict=True):
                of_setting.append(margin)
    return [best_of(rung, tried, y, splits) for rung, tried in zip(rungs, margins, strict=True)]


def best_of(rung: Rung, margins: Sequence[Sequence[Floats]], y: Floats, splits: Sequence[Split]) -> Trial:
    """The rung with the setting of the lowest mean log loss over the splits, the simplest among nearly equal ones.

    margins: per setting and split, of the test rows. Without splits there is nothing to choose by, and the simplest
    setting comes back unmeasured.
    """
    if not splits:
        return Trial(rung, rung.settings[0], np.nan, np.nan, ())
    losses = [np.mean([log_loss(y[s.test], m) for s, m in zip(splits, tried, strict=True)]) for tried in margins]
    best = int(np.flatnonzero(np.array(losses) < min(losses) + SAME_SETTING_LOG_LOSS)[0])
    aucs = [area for s, m in zip(splits, margins[best], strict=True) if (area := auc(y[s.test], m)) is not None]
    mean_auc = float(np.mean(aucs)) if aucs else np.nan
    return Trial(rung, rung.settings[best], mean_auc, float(losses[best]), tuple(margins[best]))


def log_loss(y: Floats, margin: Floats) -> float:
    """Mean negative log likelihood of outcomes (0/1) under log odds."""
    return float((np.logaddexp(0, margin) - y * margin).mean())


def auc(y: Floats, margin: Floats) -> float | None:
    """Area under the ROC curve, ties shared; None where only one outcome is seen."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, margin)) if y.min() != y.max() else None


def _rule(params: dict[str, Any], task: Task) -> Rung:
    positions = rule_positions(task.names)
    if positions is None:
        raise ConfigError(
            f"model.churn.estimator 'rule' needs the columns {' and '.join(RULE_COLUMNS)}; found "
            f"{len(task.names)} named columns without them. Configure purchases, or choose logistic."
        )
    if params:
        raise ConfigError(f"model.churn.params: the rule takes no parameters; found {', '.join(sorted(params))}.")
    where = positions

    def fit(rows: TaughtRows, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        return [fit_rule(rows.X, where, task.horizon_days)]

    return Rung("rule", ({"horizon_days": task.horizon_days},), fit, level="none")


def _btyd(params: dict[str, Any], task: Task) -> Rung:
    if silence_positions(task.names) is None:
        raise ConfigError(
            f"model.churn.estimator 'btyd' needs the columns {', '.join(SILENCE_COLUMNS)}; found {len(task.names)} named "
            "columns without all of them. Configure purchases, or choose logistic."
        )
    if params:
        raise ConfigError(f"model.churn.params: btyd takes no parameters; found {', '.join(sorted(params))}.")

    def fit(rows: TaughtRows, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        return [rows.silence] if rows.silence else []

    return Rung("btyd", ({"horizon_days": task.horizon_days},), fit)


def _rfm(name: str, params: dict[str, Any], task: Task) -> Rung:
    told = name == "rfm_btyd"
    needed = tuple(dict.fromkeys((*RFM_COLUMNS, *(SILENCE_COLUMNS if told else ()))))
    if not set(needed) <= set(task.names):
        raise ConfigError(
            f"model.churn.estimator '{name}' needs the columns {', '.join(needed)}; found {len(task.names)} named columns "
            "without all of them. Configure purchases, or choose logistic."
        )
    if set(params) - {"C"}:
        raise ConfigError(f"model.churn.params: {name} takes C alone; found {', '.join(sorted(params))}.")
    penalties = _penalties(params) or [_RFM_PENALTIES[name]]
    columns = rfm_positions(task.names)

    def fit(rows: TaughtRows, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        return _fit_regression(rows, columns, [setting["C"] for setting in settings], told)

    return Rung(name, tuple({"C": penalty} for penalty in penalties), fit)


def _logistic(params: dict[str, Any], task: Task) -> Rung:
    for name in params:
        if name not in ("C", "columns"):
            raise ConfigError(
                f"model.churn.params asks logistic for '{name}'.{nearest(name, ('C', 'columns'))} "
                "Parameters are C (inverse strength of the penalty) and columns (recency, rfm, purchases or all)."
            )
    penalties = _penalties(params) or list(PENALTIES)
    rfm = rfm_positions(task.names)
    columns = {"recency": rfm[:1], "rfm": rfm, "purchases": purchase_positions(task.names), "all": None}
    if params.get("columns", "all") not in columns:
        known = "recency, rfm, purchases or all"
        raise ConfigError(f"model.churn.params.columns asks for {known}; found {params['columns']!r}.")
    # A set without a column of its own, or as large as the next, is no choice of its own.
    choices = [name for name in ("rfm", "purchases") if columns[name] and len(columns[name] or ()) < len(task.names)]
    if not choices or task.rows * len(task.names) <= _FEW_CELLS:
        choices.append("all")
    choices = [params["columns"]] if "columns" in params else choices
    settings = tuple({"columns": choice, "C": float(penalty)} for choice in choices for penalty in penalties)

    def fit(rows: TaughtRows, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        models: list[MarginModel] = []
        for choice in dict.fromkeys(setting["columns"] for setting in settings):
            wanted = [setting["C"] for setting in settings if setting["columns"] == choice]
            models += _fit_regression(rows, columns[choice] or None, wanted, choice != "recency")
        return models

    return Rung("logistic", settings, fit)


def _penalties(params: dict[str, Any]) -> list[float]:
    """The one penalty asked for, if any."""
    if "C" not in params:
        return []
    if not isinstance(params["C"], (int, float)) or params["C"] <= 0:
        raise ConfigError(f"model.churn.params.C asks for a number above 0; found {params['C']!r}.")
    return [float(params["C"])]


def _fit_regression(
    rows: TaughtRows, columns: list[int] | None, penalties: Sequence[float], told: bool
) -> Sequence[MarginModel]:
    """One regression per penalty on these columns (None: all), and, if told, on what the buy-till-you-die model says."""
    if not told or rows.silence is None or rows.silence_margin is None:
        return fit_linear(rows.X, rows.y, columns, penalties)
    silence, where = rows.silence, None if columns is None else tuple(columns)
    some = thinned(len(rows.y), 1 + (rows.X.shape[1] if columns is None else len(columns)))
    read = rows.X[some] if columns is None else rows.X[some][:, columns]
    wide = np.column_stack([read, rows.silence_margin[some]])
    return [WithSilence(model, silence, where) for model in fit_linear(wide, rows.y[some], None, penalties)]


def _lightgbm(params: dict[str, Any], task: Task) -> Rung:
    check_tree_params(params, "model.churn.params")
    shared = {**default_tree_params(task.rows, task.rarer), **params}
    counts = (int(params["n_estimators"]),) if "n_estimators" in params else tree_counts(task.rows)
    settings = tuple({**shared, "n_estimators": count} for count in counts)

    def fit(rows: TaughtRows, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        if rows.y.min() == rows.y.max():
            return fit_linear(rows.X, rows.y, (), [1.0] * len(settings))
        return fit_told_trees(rows, settings[0], [setting["n_estimators"] for setting in settings])

    return Rung("lightgbm", settings, fit)


def fit_told_trees(rows: TaughtRows, params: dict[str, Any], counts: Sequence[int]) -> Sequence[MarginModel]:
    """One LightGBM model per tree count, told what the buy-till-you-die model says where its columns are there."""
    machine = (rows.task.seed, rows.task.threads)
    trees = fit_trees(rows.X, rows.y, params, counts, "binary", machine, rows.silence_margin)
    silence = rows.silence
    return trees if silence is None else [WithSilence(model, silence, None) for model in trees]


def _foreign(path: str, params: dict[str, Any], task: Task) -> Rung:
    build_estimator(path, params, "classifier", (task.seed, task.threads))

    def fit(rows: TaughtRows, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        if rows.y.min() == rows.y.max():
            return fit_linear(rows.X, rows.y, (), [1.0])
        estimator = build_estimator(path, params, "classifier", (task.seed, task.threads))
        return [fit_foreign(estimator, rows.X, rows.y.astype(np.int64), task.seed)]

    return Rung(path, (params,), fit, level="unknown")
