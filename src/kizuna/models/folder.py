"""A model as a folder of plain files: JSON, LightGBM's own text, and one skops file for an estimator of somebody else's.

Nothing in it is code and nothing is pickled. ``checksums.json`` names every other file, so that a folder that was
changed or is incomplete is refused.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kizuna.errors import ModelError

if TYPE_CHECKING:
    from kizuna.models.churn.classifier import ChurnClassifier
    from kizuna.models.value.regressor import CltvRegressor

    Estimator = ChurnClassifier | CltvRegressor

FORMAT = 3
_CHECKSUMS = "checksums.json"
_MODEL = "model.json"
_CONTRACT = "contract.json"

Files = dict[str, bytes]


@dataclass(frozen=True)
class StoredModel:
    """What a folder holds: the fitted estimator, and the contract it was stored with."""

    estimator: Estimator
    contract: dict[str, Any]


def write_model(folder: Path, estimator: Estimator, contract: dict[str, Any]) -> None:
    """The folder, made where missing, with the fitted estimator and any JSON as its contract.

    The same estimator and contract give the same bytes. ModelError where something has no plain form.
    """
    files: Files = {}
    files[_CONTRACT] = _json_bytes(contract, "contract")
    files[_MODEL] = _json_bytes(_describe(estimator, files), "model")
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files[_CHECKSUMS] = _json_bytes(sums, "checksums")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in sorted(files.items()):
        (folder / name).write_bytes(content)


def read_model(folder: Path) -> StoredModel:
    """The estimator and contract of a folder; ModelError says what is missing, changed or unreadable."""
    folder = Path(folder)
    files = _checked_files(folder)
    try:
        tree, contract = dict(json.loads(files[_MODEL])), dict(json.loads(files[_CONTRACT]))
    except (ValueError, TypeError, RecursionError) as error:
        name = type(error).__name__
        raise ModelError(f"The model in {folder.name} cannot be read as JSON ({name}). Train again.") from None
    if tree.get("format") != FORMAT:
        raise ModelError(
            f"The model in {folder.name} has format {tree.get('format')!r}; this version of kizuna reads format "
            f"{FORMAT}. Train again, or install the version that wrote it."
        )
    try:
        return StoredModel(_restore(tree, files), contract)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"The model in {folder.name} does not hold what it should ({error!r}). Train again.") from None


def _checked_files(folder: Path) -> Files:
    def read(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError:
            raise ModelError(
                f"The model in {folder.name} is incomplete: {name} is missing. Fetch it again, or train again."
            ) from None

    try:
        sums = dict(json.loads(read(_CHECKSUMS)))
    except (ValueError, TypeError):
        raise ModelError(f"The model in {folder.name} has an unreadable {_CHECKSUMS}. Fetch it again.") from None
    files = {}
    for name in sorted({_MODEL, _CONTRACT} | set(sums)):
        if Path(name).name != name:
            raise ModelError(f"The model in {folder.name} names a file outside it, {name!r}. It is refused.")
        files[name] = read(name)
        if hashlib.sha256(files[name]).hexdigest() != sums.get(name):
            raise ModelError(
                f"The model in {folder.name} was changed after it was written: {name} does not have its checksum. "
                "Fetch it again, or train again."
            )
    return files


def _describe(estimator: Estimator, files: Files) -> dict[str, Any]:
    from kizuna.models.churn.classifier import ChurnClassifier

    tree: dict[str, Any] = {
        "format": FORMAT,
        "params": estimator.get_params(deep=False),
        "n_features": int(estimator.n_features_in_),
        "features": [str(name) for name in getattr(estimator, "feature_names_in_", [])],
    }
    if isinstance(estimator, ChurnClassifier):
        return tree | {
            "kind": "churn",
            "classes": estimator.classes_.tolist(),
            "classes_type": estimator.classes_.dtype.str,
            "estimator_name": estimator.estimator_name_,
            "why": estimator.why_,
            "candidates": estimator.candidates_,
            "calibration": estimator.calibration_,
            "model": _part(estimator.model_, "model", files),
        }
    return tree | {
        "kind": "cltv",
        "why": estimator.why_,
        "kept": _value_part(estimator.pair_.kept, "kept", files),
        "churned": _value_part(estimator.pair_.churned, "churned", files),
        "stage": _part(estimator.pair_.stage, "stage", files),
        "level": estimator.pair_.level.to_json(),
        "intervals": None if estimator.intervals_ is None else estimator.intervals_.to_json(),
    }


def _restore(tree: dict[str, Any], files: Files) -> Estimator:
    from kizuna.models.churn.calibration import Calibration
    from kizuna.models.churn.classifier import ChurnClassifier

    threads = int(tree["params"]["threads"])
    estimator: Estimator
    if tree["kind"] == "churn":
        estimator = ChurnClassifier(**tree["params"])
        estimator.classes_ = np.array(tree["classes"], dtype=tree["classes_type"])
        estimator.estimator_name_, estimator.why_ = str(tree["estimator_name"]), str(tree["why"])
        estimator.candidates_ = list(tree["candidates"])
        estimator.calibration_ = dict(tree["calibration"])
        estimator._calibration = Calibration.from_json(tree["calibration"])
        estimator.model_ = _model(tree["model"], files, threads)
    else:
        estimator = _restore_value(tree, files, threads)
    estimator.n_features_in_ = int(tree["n_features"])
    if tree["features"]:
        estimator.feature_names_in_ = np.array(tree["features"], dtype=object)
    return estimator


def _restore_value(tree: dict[str, Any], files: Files, threads: int) -> CltvRegressor:
    from kizuna.models.value.interval import ValueIntervals
    from kizuna.models.value.level import ValueLevel
    from kizuna.models.value.pair import ValuePair
    from kizuna.models.value.regressor import CltvRegressor

    estimator = CltvRegressor(**tree["params"])
    estimator.why_ = str(tree["why"])
    kept, churned = (_read_value_part(tree[name], files, threads) for name in ("kept", "churned"))
    stage = _model(tree["stage"], files, threads)
    estimator.pair_ = ValuePair(kept, churned, stage, ValueLevel.from_json(tree["level"]))
    estimator.intervals_ = None if tree["intervals"] is None else ValueIntervals.from_json(tree["intervals"])
    return estimator


def _value_part(model: Any, name: str, files: Files) -> dict[str, Any]:
    """One conditional value model as JSON; trees go into ``files`` under the part's name."""
    from kizuna.models.value.btyd import RhythmValue
    from kizuna.models.value.mean import MeanModel

    if isinstance(model, MeanModel):
        trees, rhythm = _value_part(model.trees, name, files), _value_part(model.rhythm, name, files)
        return {"is": "mean", "trees": trees, "regression": model.regression.to_json(), "rhythm": rhythm}
    if isinstance(model, RhythmValue):
        return {"is": "rhythm", "rhythm": model.rhythm.to_json(), "given": model.given, "level": model.level}
    share = model.share if isinstance(model.share, float) else _part(model.share, name, files)
    amount = None if model.amount is None else _part(model.amount, name, files)
    return {"is": "share_and_amount", "share": share, "amount": amount, "scale": model.scale, "level": model.level}


def _read_value_part(tree: dict[str, Any], files: Files, threads: int) -> Any:
    from kizuna.models.value.btyd import RhythmValue
    from kizuna.models.value.conditional import ConditionalModel
    from kizuna.models.value.mean import MeanModel
    from kizuna.models.value.regression import ValueRegression
    from kizuna.models.value.rhythm import RhythmModel

    if tree["is"] == "mean":
        trees, rhythm = (_read_value_part(tree[name], files, threads) for name in ("trees", "rhythm"))
        return MeanModel(trees, ValueRegression.from_json(tree["regression"]), rhythm)
    if tree["is"] == "rhythm":
        return RhythmValue(RhythmModel.from_json(tree["rhythm"]), tree["given"], float(tree["level"]))
    share = tree["share"] if isinstance(tree["share"], float) else _model(tree["share"], files, threads)
    amount = None if tree["amount"] is None else _model(tree["amount"], files, threads)
    return ConditionalModel(share, amount, float(tree["scale"]), float(tree["level"]))


def _part(model: Any, name: str, files: Files) -> dict[str, Any]:
    """One fitted model as JSON; what is no JSON goes into ``files`` under the part's name."""
    from kizuna.models.churn.blend import BlendModel
    from kizuna.models.churn.rule import RuleModel
    from kizuna.models.churn.silence import SilenceModel
    from kizuna.models.churn.with_silence import WithSilence
    from kizuna.models.learners.foreign import ForeignModel, dump_estimator
    from kizuna.models.learners.linear import LinearModel
    from kizuna.models.learners.trees import TreeModel

    if isinstance(model, BlendModel):
        parts = [_part(part, f"{name}-{number}", files) for number, part in enumerate(model.parts, start=1)]
        return {"is": "blend", "parts": parts, "weights": list(model.weights)}
    if isinstance(model, WithSilence):
        inner, silence = _part(model.inner, name, files), _part(model.silence, name, files)
        where = None if model.positions is None else list(model.positions)
        return {"is": "with_btyd", "inner": inner, "btyd": silence, "positions": where}
    if isinstance(model, RuleModel):
        return {"is": "rule", **vars(model)}
    if isinstance(model, SilenceModel):
        return {"is": "btyd", **model.to_json()}
    if isinstance(model, LinearModel):
        return {"is": "linear", **model.to_json()}
    if isinstance(model, TreeModel):
        files[f"{name}.lightgbm.txt"] = model.text().encode()
        return {"is": "trees", "file": f"{name}.lightgbm.txt"}
    assert isinstance(model, ForeignModel)
    files[f"{name}.skops"] = dump_estimator(model.estimator)
    return {
        "is": "foreign",
        "file": f"{name}.skops",
        "preparation": model.preparation.to_json() if model.preparation else None,
        "usual": [None if np.isnan(value) else float(value) for value in model.usual],
        "seed": model.seed,
    }


def _model(tree: dict[str, Any], files: Files, threads: int) -> Any:
    from kizuna.models.churn.blend import BlendModel
    from kizuna.models.churn.rule import RuleModel
    from kizuna.models.churn.silence import SilenceModel
    from kizuna.models.churn.with_silence import WithSilence
    from kizuna.models.learners.foreign import ForeignModel, load_estimator
    from kizuna.models.learners.linear import LinearModel
    from kizuna.models.learners.preparation import Preparation
    from kizuna.models.learners.trees import read_trees

    tree = dict(tree)
    kind = tree.pop("is")
    if kind == "blend":
        parts = tuple(_model(part, files, threads) for part in tree["parts"])
        return BlendModel(parts, tuple(float(weight) for weight in tree["weights"]))
    if kind == "with_btyd":
        where = None if tree["positions"] is None else tuple(int(position) for position in tree["positions"])
        return WithSilence(_model(tree["inner"], files, threads), _model(tree["btyd"], files, threads), where)
    if kind == "rule":
        orders, tenure = tree["positions"]
        median = (float(tree["median"][0]), float(tree["median"][1]))
        return RuleModel(int(tree["n_features"]), (orders, tenure), median, float(tree["horizon_days"]))
    if kind == "btyd":
        return SilenceModel.from_json(tree)
    if kind == "linear":
        return LinearModel.from_json(tree)
    if kind == "trees":
        return read_trees(files[tree["file"]].decode(), threads)
    if kind == "foreign":
        preparation = Preparation.from_json(tree["preparation"]) if tree["preparation"] else None
        usual = np.array([np.nan if value is None else value for value in tree["usual"]], dtype=np.float64)
        return ForeignModel(load_estimator(files[tree["file"]], tree["file"]), preparation, usual, int(tree["seed"]))
    raise ValueError(f"unknown kind of model {kind!r}")


def _json_bytes(tree: Any, what: str) -> bytes:
    try:
        return (json.dumps(tree, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The {what} must be plain JSON to be stored, and is not: {error}. "
            "Use text, finite numbers, lists and mappings."
        ) from None
