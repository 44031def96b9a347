"""What published lists remember of the models that made them: a second witness, which the MLflow store cannot change.

A version is the one that the lists know when the sha256 of its files is the one in the manifest of the newest list that
names it. A store that was replaced, or trained anew under the same numbers, is found so, however well its own records
agree. Who means it says so by ``kizuna promote``, which is kept beside the lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kizuna.errors import ModelError
from kizuna.lists.publication import Publication, readable_lists
from kizuna.tracking.registry import ModelPair, ModelVersion
from kizuna.whole_file import text_of, written_whole

KEY = "model_files"
_ACCEPTED = ".promoted.json"


@dataclass(frozen=True)
class Contradiction:
    """A version whose files are not those that a list was made with under the same number."""

    version: ModelVersion
    list_of: date
    then_sha256: str


def model_files(pair: ModelPair) -> dict[str, dict[str, str]]:
    """What a manifest keeps of the models, by kind: name, version, run_id and artifact_sha256."""
    kinds = {"churn": pair.churn, "cltv": pair.cltv}
    return {
        kind: {"name": one.name, "version": one.version, "run_id": one.run_id, "artifact_sha256": one.sha256}
        for kind, one in kinds.items()
        if one
    }


def contradiction(output_dir: Path, pair: ModelPair) -> Contradiction | None:
    """The first of the pair that is not what the lists know, and was not accepted; None where all agree."""
    lists, accepted = readable_lists(output_dir), _accepted(output_dir)
    for one in _both(pair):
        known = _known(lists, one)
        # A version without a hash is none of kizuna's, which is said when it is loaded.
        if known and one.sha256 and known[1] != one.sha256 and one.sha256 not in accepted.get(_named(one), []):
            return Contradiction(one, *known)
    return None


def refuse_replaced(output_dir: Path, pair: ModelPair) -> None:
    """ModelError where one of the pair is not what the lists know under its number."""
    found = contradiction(output_dir, pair)
    if found:
        one = found.version
        raise ModelError(
            f"Version {one.version} of '{one.name}' was asked for, but the list of {found.list_of} was made with other "
            f"files under that number (sha256 {found.then_sha256[:12]}… then, {one.sha256[:12]}… now): the MLflow "
            "store was replaced or the version overwritten.\nRestore the store from a backup, or, where the new model is "
            f"meant, say so with 'kizuna promote CONFIG {pair.churn.version}', and run again."
        )


def accept(output_dir: Path, pair: ModelPair) -> Contradiction | None:
    """What the pair contradicted until now: its files are accepted from now on, whatever earlier lists were made with."""
    found = contradiction(output_dir, pair)
    if found:
        accepted = _accepted(output_dir)
        for one in _both(pair):
            accepted[_named(one)] = sorted({*accepted.get(_named(one), []), one.sha256})
        with written_whole(output_dir / _ACCEPTED) as aside:
            aside.write_text(json.dumps(accepted, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return found


def lost_line(output_dir: Path, known: Iterable[ModelVersion]) -> str:
    """Which model the newest list was made with, where the store does not know it any more; "" where it does."""
    last = next(reversed(readable_lists(output_dir)), None)
    made = str(last.manifest["models"]["churn"]) if last else ""
    if last is None or made in {_named(version) for version in known}:
        return ""
    return (
        f"\nThe list of {last.as_of} was made with {made}. Where that should be there, restore the store from a backup."
    )


def made_with(publication: Publication, pair: ModelPair) -> bool:
    """Whether a list was made with these files; a list of before this was recorded goes by names and numbers."""
    if not isinstance(publication.manifest.get(KEY), dict):
        return bool(publication.manifest["models"]["churn"] == _named(pair.churn))
    return _told(_recorded(publication)) == _told(model_files(pair).values())


def _told(files: Iterable[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {(one.get("name"), one.get("version"), one.get("artifact_sha256")) for one in files}


def _known(lists: Iterable[Publication], version: ModelVersion) -> tuple[date, str] | None:
    for publication in reversed(list(lists)):
        for one in _recorded(publication):
            if (one.get("name"), one.get("version")) == (version.name, version.version):
                return publication.as_of, str(one.get("artifact_sha256", ""))
    return None


def _recorded(publication: Publication) -> list[dict[str, Any]]:
    kept = publication.manifest.get(KEY)
    return [one for one in kept.values() if isinstance(one, dict)] if isinstance(kept, dict) else []


def _accepted(output_dir: Path) -> dict[str, list[str]]:
    with suppress(OSError, ValueError, TypeError, AttributeError):
        kept = json.loads(text_of(output_dir / _ACCEPTED))
        return {str(name): [str(sha256) for sha256 in found] for name, found in kept.items()}
    return {}


def _both(pair: ModelPair) -> list[ModelVersion]:
    return [one for one in (pair.churn, pair.cltv) if one]


def _named(version: ModelVersion) -> str:
    return f"{version.name} v{version.version}"
