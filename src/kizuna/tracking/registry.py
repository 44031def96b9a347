"""Which registered model is in use: versions, aliases, promotion, and the files behind them.

Each shop has two registered models, ``<name>-churn`` and ``<name>-cltv``. One alias moves both: the churn model's alias
decides, its version's tag ``cltv_version`` names the partner, and the value model's alias follows for other tools.
An alias is resolved to a version once, and the version is what a run keeps. ``load`` fetches plain files, checked
against the sha256 recorded at registration, and executes nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.errors import KizunaError, ModelError, Transient
from kizuna.fingerprint import folder_sha256
from kizuna.scratch import scratch_folder
from kizuna.secret import without_secrets
from kizuna.tracking.model_files import stored_sha256
from kizuna.tracking.promotion import PROMOTED_SHA256, Promotion, alone, moment, record_promotion
from kizuna.tracking.runs import FILES, KINDS, Kind, TrainingRun, begin_run, download, found_or_none, talking
from kizuna.tracking.sqlite_file import holds_nothing
from kizuna.tracking.uri import database_of, is_readable, present_location

if TYPE_CHECKING:
    from kizuna.tracking.runs import RegisteredModel

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
_PROMOTED = "champion_since."
_TRAINED = "champion_trained_until."
_UNDATED = "undated"
_CHECKS = ("signal", "baseline", "calibration", "level", "leak", "champion", "segments", "population")
_CHOOSE = "Choose a version with 'kizuna promote', or train a new one with 'kizuna train'."


@dataclass(frozen=True)
class ModelVersion:
    """One registered version of one of the two models."""

    name: str
    version: str
    run_id: str
    created: datetime
    aliases: tuple[str, ...]
    tags: dict[str, str]

    @property
    def uri(self) -> str:
        """The address under which MLflow and its servers know it."""
        return f"models:/{self.name}/{self.version}"

    @property
    def sha256(self) -> str:
        """What is recorded of its files; "" where kizuna did not register it."""
        return self.tags.get("artifact_sha256", "")

    @property
    def refused(self) -> str:
        """The first check of the gate that failed, such as ``signal .484 (limit .500)``; "" where the gate passed it."""
        if self.tags.get("validation_status") != "refused":
            return ""
        failed = (
            f"{name} {found[5:]}" for name in _CHECKS if (found := self.tags.get(f"gate.{name}", ""))[:4] == "fail"
        )
        return next(failed, "no check is on record").strip()


@dataclass(frozen=True)
class ModelPair:
    """The churn version and its partner; ``cltv`` is None where no value could be learned."""

    churn: ModelVersion
    cltv: ModelVersion | None


@dataclass(frozen=True)
class Registry:
    """The models of one shop in one MLflow store. Every read asks the store; nothing is kept."""

    uri: str
    name: str

    @contextmanager
    def training_run(self, run_name: str, tags: dict[str, str]) -> Iterator[TrainingRun]:
        """A run that ends FINISHED with its models as challenger, or FAILED (KILLED when interrupted) without."""
        run = begin_run(self.uri, self.name, run_name, tags)
        try:
            yield run
        except BaseException as error:
            with suppress(KizunaError):
                run.end("FAILED" if isinstance(error, Exception) else "KILLED")
            raise
        if "churn" in run.versions:
            self._point(CHALLENGER, run.versions)
        run.end("FINISHED")

    def versions(self) -> list[ModelVersion]:
        """The churn model's versions, newest first; none where nothing was trained yet."""
        return self._versions("churn")

    def champion(self) -> ModelPair | None:
        """The pair in use; None where none is promoted, or where the value model of the one that is was deleted."""
        with suppress(ModelError):
            return self.resolve(CHAMPION)
        return None

    def resolve(self, wanted: str | None = None) -> ModelPair:
        """The pair of a version number or an alias (default: champion), as it is now. ModelError says what there is."""
        sought, known = wanted or CHAMPION, self.versions()
        for version in known:
            if sought == version.version or sought in version.aliases:
                return self._pair(version)
        what = f"Version {sought}" if sought.isdecimal() else f"The {sought} version"
        asked = f"{what} of '{self.name}' was asked for, but"
        if not known:
            raise ModelError(f"{asked} {self._shown} holds no model of that name. Train one with 'kizuna train'.")
        lacking = "there is no such version" if sought.isdecimal() else "no version has that alias"
        raise ModelError(f"{asked} {lacking}. Registered in {self._shown}: {_listed(known)}. {_CHOOSE}")

    def load(self, pair: ModelPair, folder: Path) -> tuple[Path, Path | None]:
        """The folders of the churn and the value model, copied below ``folder``, equal to what was registered."""
        churn = self._fetch(pair.churn, "churn", folder)
        return churn, self._fetch(pair.cltv, "cltv", folder) if pair.cltv else None

    def promote(self, wanted: str, promoted_at: datetime) -> ModelPair:
        """The pair that is champion afterwards; the one before becomes ``previous``. The files are checked first.

        Transient where another promotion came in between and won.
        """
        with alone(self.uri):
            pair, before = self.resolve(wanted), self.champion()
            with scratch_folder() as folder:
                self.load(pair, folder)
            if before is None or before.churn.version != pair.churn.version:
                if before:
                    self._point(PREVIOUS, _numbers(before))
                self._tell(pair.churn, promoted_at)
                with talking(self.uri) as client:
                    for one in (pair.cltv, pair.churn):
                        if one:
                            record_promotion(client, one.name, one.version, one.sha256, promoted_at)
            self._point(CHAMPION, _numbers(pair))
            if CHALLENGER in pair.churn.aliases:
                self._point(CHALLENGER, {})
            return self._settled(pair, promoted_at)

    def rollback(self, promoted_at: datetime) -> ModelPair:
        """The pair that is champion afterwards: the ``previous`` one. The two change places."""
        return self.promote(PREVIOUS, promoted_at)

    def promotions(self) -> list[Promotion]:
        """Which churn version became champion when, oldest first; versions deleted since are among them."""
        model = self._registered("churn")
        tags = model.tags if model else {}
        moments = sorted(key for key in tags if key.startswith(_PROMOTED))
        return [Promotion(tags[key], datetime.fromisoformat(key.removeprefix(_PROMOTED))) for key in moments]

    def trained_until(self) -> dict[str, str]:
        """The ISO day that each churn version was trained until, "" where its labels know no day.

        Of every version that is registered, and of those deleted since that were champion.
        """
        model = self._registered("churn")
        kept = {key: day for key, day in (model.tags if model else {}).items() if key.startswith(_TRAINED)}
        days = {key.removeprefix(_TRAINED): "" if day == _UNDATED else day for key, day in kept.items()}
        return days | {one.version: one.tags["train_day"] for one in self.versions() if "train_day" in one.tags}

    @property
    def _shown(self) -> str:
        return without_secrets(self.uri)

    def _tell(self, version: ModelVersion, promoted_at: datetime) -> None:
        with talking(self.uri) as client:
            client.set_registered_model_tag(version.name, f"{_PROMOTED}{moment(promoted_at)}", version.version)
            if (until := version.tags.get("train_day")) is not None:
                client.set_registered_model_tag(version.name, f"{_TRAINED}{version.version}", until or _UNDATED)

    def _settled(self, promoted: ModelPair, promoted_at: datetime) -> ModelPair:
        """The promoted pair as it is now, once both aliases and the record of promotions agree with the churn model's."""
        champion = self.resolve(CHAMPION)
        told = self.promotions()
        if told and told[-1].version != champion.churn.version:
            self._tell(champion.churn, max(promoted_at, told[-1].at + timedelta(seconds=1)))
        follows = [version.version for version in self._versions("cltv") if CHAMPION in version.aliases]
        if follows != ([champion.cltv.version] if champion.cltv else []):
            self._point(CHAMPION, _numbers(champion))
        if champion.churn.version == promoted.churn.version:
            return champion
        raise Transient(
            f"Version {promoted.churn.version} of '{promoted.churn.name}' was promoted, but another promotion at the same "
            f"moment made version {champion.churn.version} champion. Look at 'kizuna models', and promote the one you mean."
        )

    def _registered(self, kind: Kind) -> RegisteredModel | None:
        database = database_of(self.uri)
        if database and holds_nothing(database):
            return None
        with talking(self.uri) as client:
            return found_or_none(lambda: client.get_registered_model(f"{self.name}-{kind}"))

    def _versions(self, kind: Kind) -> list[ModelVersion]:
        model = self._registered(kind)
        if model is None:
            return []
        aliases: dict[str, list[str]] = {}
        for alias, version in sorted(model.aliases.items()):
            aliases.setdefault(str(version), []).append(alias)
        found: list[Any] = []
        token = None
        with talking(self.uri) as client:
            while token != "":
                page = client.search_model_versions(f"name='{model.name}'", page_token=token)
                found += page
                token = page.token or ""
        return [
            ModelVersion(
                one.name,
                str(one.version),
                one.run_id or "",
                datetime.fromtimestamp(one.creation_timestamp / 1000, UTC),
                tuple(aliases.get(str(one.version), [])),
                dict(one.tags),
            )
            for one in sorted(found, key=lambda one: -int(one.version))
        ]

    def _pair(self, churn: ModelVersion) -> ModelPair:
        partner = churn.tags.get("cltv_version")
        if partner is None:
            return ModelPair(churn, None)
        cltv = next((version for version in self._versions("cltv") if version.version == partner), None)
        if cltv is None:
            raise ModelError(
                f"Version {churn.version} of '{churn.name}' was asked for, but its partner, version {partner} of "
                f"'{self.name}-cltv', is not in {self._shown}. {_CHOOSE}"
            )
        return ModelPair(churn, cltv)

    def _point(self, alias: str, versions: dict[Kind, str]) -> None:
        # The churn model last: its alias is the one that kizuna follows.
        for kind in reversed(KINDS):
            model = self._registered(kind)
            with talking(self.uri) as client:
                if kind in versions:
                    client.set_registered_model_alias(f"{self.name}-{kind}", alias, versions[kind])
                elif model and alias in model.aliases:
                    client.delete_registered_model_alias(model.name, alias)

    def _fetch(self, version: ModelVersion, kind: Kind, folder: Path) -> Path:
        asked = f"Version {version.version} of '{version.name}' was asked for, but"
        recorded = version.sha256
        if not recorded:
            raise ModelError(f"{asked} kizuna did not register it: it has no tag artifact_sha256. {_CHOOSE}")
        with talking(self.uri) as client:
            location = client.get_model_version_download_uri(version.name, version.version)
        location = present_location(self.uri, self.name, location)
        shown = without_secrets(location)
        if not is_readable(location):
            raise ModelError(f"{asked} kizuna reads no files from {shown}. Restore the store from a backup. {_CHOOSE}")
        try:
            stored = download(self.uri, location, kind, folder)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise ModelError(
                f"{asked} its files cannot be read from {shown}: {error.strerror or error}. Restore them, or mend their "
                f"permissions. {_CHOOSE}"
            ) from None
        if stored is None:
            raise ModelError(f"{asked} its files are gone from {shown}. Restore them. {_CHOOSE}")
        whole = stored_sha256(stored)
        copied = (stored / FILES / kind).rename(folder / kind)
        checks = [
            ("registered", recorded, found := folder_sha256(copied)),
            ("promoted", version.tags.get(PROMOTED_SHA256, found), found),
            ("registered", version.tags.get("stored_sha256", whole), whole),
        ]
        for done, expected, is_now in checks:
            if expected != is_now:
                raise ModelError(
                    f"{asked} its files were changed after it was {done}: sha256 {expected[:12]}… is recorded, "
                    f"{is_now[:12]}… was found in {shown}. Restore them. {_CHOOSE}"
                )
        return copied


def _numbers(pair: ModelPair) -> dict[Kind, str]:
    numbers: dict[Kind, str] = {"churn": pair.churn.version}
    return numbers | ({"cltv": pair.cltv.version} if pair.cltv else {})


def _listed(known: list[ModelVersion]) -> str:
    words = [f"{one.version} ({', '.join(one.aliases)})" if one.aliases else one.version for one in known[:10]]
    return ", ".join(words) + (f" and {len(known) - 10} older" if len(known) > 10 else "")
