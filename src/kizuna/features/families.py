"""The list of families. A new one is a file with ``TABLE`` and ``features(h, settings)``, and an entry here.

Families of the user's own files (``features.extra``) join the list when a config names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kizuna.config import Config
from kizuna.errors import ConfigError, ModelError, nearest
from kizuna.features import (
    complaints,
    contact_habits,
    deliveries,
    engagement,
    first_order,
    loyalty,
    outreach,
    products,
    profile,
    purchases,
    referrals,
    subscriptions,
    supplied,
    surveys,
)
from kizuna.features.extra import ExtraFile, read_extra
from kizuna.features.family import Family
from kizuna.features.history import History
from kizuna.features.plan import Feature, FeaturePlan, Settings

FAMILIES = [
    Family("purchases", purchases.TABLE, purchases.features),
    Family("products", products.TABLE, products.features),
    Family("deliveries", deliveries.TABLE, deliveries.features),
    Family("first_order", first_order.TABLE, first_order.features),
    Family("complaints", complaints.TABLE, complaints.features),
    Family("engagement", engagement.TABLE, engagement.features),
    Family("outreach", outreach.TABLE, outreach.features),
    Family("contact_habits", contact_habits.TABLE, contact_habits.features),
    Family("surveys", surveys.TABLE, surveys.features),
    Family("loyalty", loyalty.TABLE, loyalty.features, loyalty.text_columns),
    Family("referrals", referrals.TABLE, referrals.features),
    Family("subscriptions", subscriptions.TABLE, subscriptions.features),
    Family("profile", profile.TABLE, profile.features, profile.text_columns),
    Family("supplied", supplied.TABLE, supplied.features, supplied.text_columns),
]


def families_of(config: Config) -> list[Family]:
    """All families that a config can use: those built in, then those of the files under ``features.extra``.

    ConfigError for a file that gives none, for a name that is taken, and where ``features.families`` names no family.
    """
    families = [*FAMILIES]
    for file in _extra_files(config):
        for family in file.families:
            if any(family.name == other.name for other in families):
                raise ConfigError(
                    f"features.extra: {file.name} brings a family '{family.name}', but there is one already. "
                    "A family is called by its file's name: rename the file, or the Family."
                )
            families.append(_distinct(family, file.name, tuple(families)))
    names = [family.name for family in families]
    for name in config.features.families if isinstance(config.features.families, list) else []:
        if name not in names:
            raise ConfigError(
                f"features.families has no family '{name}'.{nearest(name, names)} Families are {', '.join(names)}."
            )
    return families


def families_for(plan: FeaturePlan, config: Config) -> list[Family]:
    """The families of a plan that may be older than the config: a model's own, from the very files it was trained on.

    ModelError where such a file is gone or differs. Files that the model does not know are not read.
    """
    paths = {path.name: path for path in map(config.resolve, config.features.extra)}
    for name, sha256 in plan.extras.items():
        asked = f"The model was trained with the families of {name}"
        if name not in paths or not paths[name].is_file():
            why = "is not there" if name in paths else "is not under features.extra"
            raise ModelError(f"{asked}, but this file {why}. Bring it back, or train again.")
        if read_extra(paths[name]).sha256 != sha256:
            raise ModelError(f"{asked}, but this file has changed since. Bring the old file back, or train again.")
    mine = [str(paths[name]) for name in paths if name in plan.extras]
    features = config.features.model_copy(update={"extra": mine, "families": "all"})
    known = families_of(config.model_copy(update={"features": features}))
    return [family for family in known if family.name in plan.families]


def with_extras(plan: FeaturePlan, config: Config) -> FeaturePlan:
    """The plan with the fingerprints of the files that its own families came from, and what their columns mean."""
    files = [file for file in _extra_files(config) if any(family.name in plan.families for family in file.families)]
    meanings = {stem: words for file in files for stem, words in file.definitions.items()}
    return replace(plan, extras={file.name: file.sha256 for file in files}, meanings=meanings)


def _extra_files(config: Config) -> list[ExtraFile]:
    files = [read_extra(config.resolve(path)) for path in config.features.extra]
    names = [file.name for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"features.extra names {twice[0]} twice. Files need different names, whatever their folders.")
    return files


def _distinct(family: Family, file: str, others: tuple[Family, ...]) -> Family:
    """The family, refusing to yield a column that another one yields.

    Which names there are depends on no row, so they are compared once, where the plan is made: on tables without rows.
    """

    def features(h: History, settings: Settings) -> Iterator[Feature]:
        found = list(family.features(h, settings))
        if not len(h.rows) and not len(h.events.day):
            taken = {
                feature.name: other.name
                for other in others
                if (past := h.table(other.table)) is not None
                for feature in other.features(past, settings)
            }
            for feature in found:
                if feature.name in taken:
                    raise ConfigError(
                        f"{file}: family {family.name} yields a column '{feature.name}', but family "
                        f"{taken[feature.name]} has one of that name. Give it another."
                    )
        yield from found

    return replace(family, features=features)
