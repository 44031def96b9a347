"""Any scikit-learn estimator by its import path, stored with skops under an allow-list that lives here."""

from __future__ import annotations

import importlib
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.errors import ConfigError, ModelError, nearest
from kizuna.models.learners.preparation import Preparation, fit_preparation

# What a stored estimator may be made of beyond the types that skops itself trusts. An artefact cannot extend it.
TRUSTED_TYPES = (
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
)

_ORDERS = 5
_ROWS_AT_ONCE = 256

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ForeignModel:
    """A fitted estimator of somebody else's.

    preparation: the columns as it takes them; None where it takes gaps itself. usual: the training median of each
    column (NaN: nothing was known of it), against which contributions are measured. seed: draws the orders in which
    contributions are taken.
    """

    estimator: Any
    preparation: Preparation | None
    usual: Floats
    seed: int

    def output(self, X: Floats) -> Floats:
        """The estimator's own answer, (n,): probability of class 1 as log odds, decision function, or prediction."""
        if not len(X):
            return np.zeros(0)
        prepared = _prepare(X, self.preparation, self.usual)
        if hasattr(self.estimator, "predict_proba"):
            p = np.clip(np.asarray(self.estimator.predict_proba(prepared), dtype=np.float64)[:, 1], 1e-6, 1 - 1e-6)
            return np.asarray(np.log(p / (1 - p)))
        answer = getattr(self.estimator, "decision_function", self.estimator.predict)
        return np.asarray(answer(prepared), dtype=np.float64).reshape(len(X))

    def margin(self, X: Floats) -> Floats:
        """The same as ``output``: the name that every model of a churn probability has."""
        return self.output(X)

    def contributions(self, X: Floats) -> Floats:
        """Shapley values by sampled orders of the columns, (n, features + 1), the bias last; rows sum to the margin."""
        out = np.zeros((len(X), X.shape[1] + 1))
        out[:, -1] = self.output(self.usual[None, :])[0]
        if len(X):
            out[:, :-1] = _sampled_shapley(self.output, X, self.usual, self.seed)
        return out


def is_import_path(name: str) -> bool:
    """Whether an estimator's name is an import path, such as sklearn.ensemble.RandomForestClassifier."""
    return "." in name


def build_estimator(path: str, params: dict[str, Any], kind: str, machine: tuple[int, int]) -> Any:
    """A fresh estimator of an import path; ConfigError says what is wrong with the path or the parameters.

    kind: 'classifier' or 'regressor'. machine: seed and threads, handed on where the estimator has such parameters.
    """
    from sklearn.base import is_classifier, is_regressor

    key = "model.churn" if kind == "classifier" else "model.cltv"
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise ConfigError(
            f"{key}.estimator asks for {path}, but {module_name} cannot be imported ({error}). "
            "Install it, or correct the path."
        ) from None
    cls = getattr(module, name, None)
    if cls is None:
        known = [other for other in dir(module) if not other.startswith("_")]
        raise ConfigError(
            f"{key}.estimator asks for {path}, but {module_name} has no {name}.{nearest(name, known)} Correct the path."
        )
    try:
        estimator = cls(**params)
        settings = estimator.get_params(deep=False)
        right = is_classifier(estimator) if kind == "classifier" else is_regressor(estimator)
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{key}.estimator {path} cannot be made with the parameters {sorted(params)}: {error}. "
            f"Correct {key}.params, or name a scikit-learn {kind}."
        ) from None
    if not right:
        raise ConfigError(f"{key}.estimator asks for a {kind}; {path} is none. Name a scikit-learn {kind}.")
    given = {"random_state": machine[0], "n_jobs": machine[1]}
    if cls.__module__.startswith("sklearn.linear_model"):
        # These take the parameter without using it, and say so in a warning.
        del given["n_jobs"]
    free = {name: value for name, value in given.items() if name in settings and name not in params}
    return estimator.set_params(**free)


def fit_foreign(estimator: Any, X: Floats, y: NDArray[Any], seed: int) -> ForeignModel:
    """The estimator fitted on the columns, prepared for it (see ``preparation``) where it does not take gaps.

    ConfigError where it cannot be taught on them.
    """
    from sklearn.utils import get_tags

    takes_gaps = get_tags(estimator).input_tags.allow_nan
    preparation = None if takes_gaps else fit_preparation(X, np.arange(X.shape[1], dtype=np.intp))
    empty = np.isnan(X).all(axis=0)
    usual = np.full(X.shape[1], np.nan)
    usual[~empty] = np.nanmedian(X[:, ~empty], axis=0)
    try:
        fitted = estimator.fit(_prepare(X, preparation, usual), y)
    except Exception as error:
        name, reason = type(estimator).__name__, str(error).rstrip(".")
        raise ConfigError(
            f"{name} could not be taught on {X.shape[0]:,} rows and {X.shape[1]} columns: {reason}. "
            "Change its parameters or name another estimator."
        ) from error
    return ForeignModel(fitted, preparation, usual, seed)


def _prepare(X: Floats, preparation: Preparation | None, usual: Floats) -> Floats:
    if preparation is not None:
        return preparation.apply(X)
    # Not every estimator that takes gaps takes a column of nothing else.
    return np.where(np.isnan(usual), 0.0, X) if np.isnan(usual).any() else X


def dump_estimator(estimator: Any) -> bytes:
    """The estimator as a skops file, the same bytes for the same estimator; ModelError names types not allowed."""
    import skops.io

    try:
        raw = skops.io.dumps(estimator)
    except Exception as error:
        name = type(estimator).__name__
        raise ModelError(
            f"{name} cannot be stored without pickle: skops says {error}. Name another estimator."
        ) from None
    _check_types(raw, type(estimator).__name__)
    return _without_addresses(raw)


def load_estimator(raw: bytes, name: str) -> Any:
    """The estimator of a skops file; ModelError where it cannot be read or holds types that are not allowed."""
    import skops.io

    _check_types(raw, name)
    return skops.io.loads(raw, trusted=list(TRUSTED_TYPES))


def _check_types(raw: bytes, name: str) -> None:
    import skops.io

    try:
        found = skops.io.get_untrusted_types(data=raw)
    except Exception as error:
        raise ModelError(f"{name} was asked for, but its file cannot be read ({error}). Train again.") from None
    refused = sorted(set(found) - set(TRUSTED_TYPES))
    if refused:
        raise ModelError(
            f"{name} holds {', '.join(refused[:3])}, which kizuna does not allow in a stored model. "
            "Name another estimator, or have the type added to kizuna.models.learners.foreign.TRUSTED_TYPES."
        )


def _without_addresses(raw: bytes) -> bytes:
    """The skops file with objects numbered in order instead of by memory address, and without the clock."""
    source = zipfile.ZipFile(io.BytesIO(raw))
    schema = source.read("schema.json").decode()
    numbers: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return match[1] + numbers.setdefault(match[2], str(len(numbers) + 1)) + match[3]

    schema = re.sub(r'("__id__": |"file": ")(\d+)(\.\w+"|)', number, schema)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        parts = {"schema.json": schema.encode()}
        for entry in source.namelist():
            if entry != "schema.json":
                stem, _, ending = entry.partition(".")
                parts[f"{numbers.get(stem, stem)}.{ending}"] = source.read(entry)
        for entry in sorted(parts):
            target.writestr(zipfile.ZipInfo(entry, (1980, 1, 1, 0, 0, 0)), parts[entry], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _sampled_shapley(output: Callable[[Floats], Floats], X: Floats, usual: Floats, seed: int) -> Floats:
    """Mean change of the output as columns go, one after the other, from the usual value to the row's own.

    Each drawn order is walked forwards and backwards (antithetic sampling; Castro et al. 2009, Mitchell et al. 2022),
    and every walk adds up to output(row) − output(usual).
    """
    rows, columns = X.shape
    draw = np.random.default_rng(seed)
    total = np.zeros((rows, columns))
    orders = [order for _ in range(_ORDERS) for order in _both_ways(draw.permutation(columns))]
    for order in orders:
        rank = np.argsort(order)
        own = rank[None, :] < np.arange(columns + 1)[:, None]
        for start in range(0, rows, _ROWS_AT_ONCE):
            block = X[start : start + _ROWS_AT_ONCE]
            walk = np.where(own[None], block[:, None, :], usual).reshape(-1, columns)
            steps = np.diff(output(walk).reshape(len(block), columns + 1), axis=1)
            total[start : start + len(block)] += steps[:, rank]
    return total / len(orders)


def _both_ways(order: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return order, order[::-1]
