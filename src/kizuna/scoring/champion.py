"""The models in use, and what they were trained to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kizuna.config import Config
from kizuna.errors import ModelError
from kizuna.features.plan import FeaturePlan
from kizuna.labels.definition import Definition
from kizuna.lists.publication import Publication
from kizuna.lists.witness import lost_line, made_with, refuse_replaced
from kizuna.scratch import scratch_folder
from kizuna.timeline import date_of
from kizuna.tracking.registry import ModelPair, Registry

if TYPE_CHECKING:
    from kizuna.models import ChurnClassifier, CltvRegressor
    from kizuna.models.btyd.next_purchase import NextPurchase
    from kizuna.models.churn.season_anchor import SeasonAnchor


@dataclass(frozen=True)
class LoadedModels:
    """The pinned pair, its estimators and what they were trained to predict: nothing of this comes from the config.

    ``missing``: the tables that are not there, where the pair's models without them stand in.
    """

    pair: ModelPair
    churn: ChurnClassifier
    cltv: CltvRegressor | None
    plan: FeaturePlan
    definition: Definition
    contract: dict[str, Any]
    next_purchase: NextPurchase | None = None
    season: SeasonAnchor | None = None
    missing: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """Printed names by kind, ``shop-churn v3``."""
        versions = {"churn": self.pair.churn, "cltv": self.pair.cltv}
        return {kind: f"{version.name} v{version.version}" for kind, version in versions.items() if version}


def load_models(config: Config, version: str | None = None, missing: Sequence[str] = ()) -> LoadedModels:
    """The champion pair (or a version), resolved once and checked; ModelError where there is none to use.

    ``missing``: tables that are not there and may be missing. The pair's models that were taught without them are then
    taken, where these tables stand behind any of its features.
    """
    registry = Registry(config.tracking_uri, config.name)
    try:
        pair = registry.resolve(version)
    except ModelError as error:
        raise ModelError(f"{error}{lost_line(config.output_dir, registry.versions())}") from None
    refuse_replaced(config.output_dir, pair)
    return _load(registry, pair, missing)


def _load(registry: Registry, pair: ModelPair, missing: Sequence[str]) -> LoadedModels:
    from kizuna.models.btyd.next_purchase import NextPurchase
    from kizuna.models.churn.season_anchor import SeasonAnchor
    from kizuna.models.folder import read_model

    with scratch_folder() as folder:
        churn_folder, cltv_folder = registry.load(pair, folder)
        churn = read_model(churn_folder)
        cltv = read_model(cltv_folder) if cltv_folder else None
        contract, plan = churn.contract, churn.contract["plan"]
        without = _stand_in(contract, pair, missing)
        if without:
            churn = read_model(churn_folder / without)
            cltv = read_model(cltv_folder / without) if cltv_folder else None
            plan = churn.contract["plan"]
    # Models of earlier versions were stored without one.
    dates, season = contract.get("next_purchase"), contract.get("season_anchor")
    try:
        taught, definition = FeaturePlan.from_json(plan), Definition(**contract["definition"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        asked = f"Version {pair.churn.version} of '{pair.churn.name}' was asked for, but its contract"
        raise ModelError(f"{asked} does not hold what it should ({error!r}). Train again.") from None
    return LoadedModels(
        pair=pair,
        churn=churn.estimator,
        cltv=cltv.estimator if cltv else None,
        plan=taught,
        definition=definition,
        contract=contract,
        next_purchase=NextPurchase.from_json(dates) if dates else None,
        season=SeasonAnchor.from_json(season) if season else None,
        missing=tuple(missing),
    )


def _stand_in(contract: dict[str, Any], pair: ModelPair, missing: Sequence[str]) -> str | None:
    """The folder of the models that were taught without the missing tables; None where they are not asked for."""
    stand_ins = contract["stand_ins"]
    stood_behind = {name for one in stand_ins for name in one["tables"]} & set(missing)
    unknown = [name for name in missing if name in contract["tables"] and name not in contract["may_lack"]]
    fitting = [one for one in stand_ins if set(one["tables"]) >= stood_behind]
    if unknown:
        raise ModelError(
            f"Scores without {' and '.join(missing)} were asked for, but {pair.churn.name} v{pair.churn.version} was not "
            f"taught to do without {' and '.join(unknown)}. Bring the table back, or train once with it "
            "there and on_missing: degrade."
        )
    return min(fitting, key=lambda one: len(one["tables"]))["folder"] if stood_behind else None


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


def models_of(config: Config, publication: Publication, missing: Sequence[str] = ()) -> LoadedModels | None:
    """The models that a list was made with; None where they are not in the registry any more, or need ``missing``."""
    version = publication.manifest["models"]["churn"].rpartition(" v")[2]
    registry = Registry(config.tracking_uri, config.name)
    try:
        pair = registry.resolve(version)
        return _load(registry, pair, missing) if made_with(publication, pair) else None
    except ModelError:
        return None
