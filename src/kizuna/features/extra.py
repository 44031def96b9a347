"""Families from the user's own files: read, checked, and guarded so that what is wrong with one is said in its terms.

A file holds ``TABLE`` and ``features(h, settings)`` as ours do, or ``FAMILIES = [Family(...)]`` for several, and may say
what its columns mean in ``DEFINITIONS``. It stands alone: only the file itself is fingerprinted.
"""

from __future__ import annotations

import hashlib
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from kizuna.config import TABLES
from kizuna.data.events import Coded, Events
from kizuna.errors import ConfigError, KizunaError, nearest
from kizuna.features.family import Family
from kizuna.features.history import History
from kizuna.features.plan import UNITS, Feature, Settings
from kizuna.features.rows import rows_of

Result = TypeVar("Result")
_KEYS = ("customer_id", "as_of")
_PLACE = re.compile(r"\{(\w+)(?::[^{}]*)?\}")


@dataclass(frozen=True)
class ExtraFile:
    """One file: its name, the sha256 of its content, its families, and by column (or stem) the meaning by language."""

    name: str
    sha256: str
    families: tuple[Family, ...]
    definitions: Mapping[str, Mapping[str, str]]


def load_extra(paths: Sequence[Path]) -> list[Family]:
    """The families of these files, in their order. ConfigError for a file that gives none."""
    return [family for path in paths for family in read_extra(path).families]


def read_extra(path: Path) -> ExtraFile:
    """One file's families, read again only when its content changes. ConfigError for a file that gives none."""
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"features.extra names {path.name}, but there is no such file (looked at {path}). "
            "Relative paths start at the config's folder."
        ) from None
    except OSError as error:
        raise ConfigError(f"features.extra names {path.name}, which cannot be read: {error.strerror}.") from None
    return _read(path, hashlib.sha256(source).hexdigest(), source)


@lru_cache(maxsize=64)
def _read(path: Path, sha256: str, source: bytes) -> ExtraFile:
    module = ModuleType("_kizuna_extra_" + hashlib.sha256(f"{path}|{sha256}".encode()).hexdigest()[:16])
    module.__file__ = str(path)
    # Dataclasses look their module up while they are made.
    sys.modules[module.__name__] = module
    _in_their_terms(path, "cannot be imported", lambda: exec(compile(source, str(path), "exec"), module.__dict__))
    families = tuple(_guarded(family, path) for family in _families(module, path))
    return ExtraFile(path.name, sha256, families, _definitions(module, path.name))


def _families(module: ModuleType, path: Path) -> list[Family]:
    several = getattr(module, "FAMILIES", None)
    if several is None:
        missing = [name for name in ("TABLE", "features") if not hasattr(module, name)]
        if missing:
            raise ConfigError(
                f'{path.name} has no {" and no ".join(missing)}. A family is TABLE = "complaints" and a function '
                "features(h, settings) that yields Feature(name, driver, unit, values)."
            )
        several = [Family(path.stem, module.TABLE, module.features, getattr(module, "text_columns", None))]
    if not isinstance(several, (list, tuple)) or not several or not all(isinstance(f, Family) for f in several):
        raise ConfigError(f"{path.name}: FAMILIES must be a list of kizuna.features.Family; found {several!r:.100}.")
    for family in several:
        if family.table not in TABLES:
            raise ConfigError(
                f"{path.name}: TABLE is {family.table!r}, which is no table.{nearest(str(family.table), TABLES)} "
                f"Tables are {', '.join(TABLES)}."
            )
        if not callable(family.features):
            raise ConfigError(f"{path.name}: features is no function; found {family.features!r:.100}.")
    return list(several)


def _definitions(module: ModuleType, file: str) -> dict[str, dict[str, str]]:
    found = getattr(module, "DEFINITIONS", {})
    shape = 'DEFINITIONS = {"loud_complaints_{w}d": {"en": "…", "ja": "…"}}'
    if not isinstance(found, Mapping) or not all(isinstance(words, Mapping) for words in found.values()):
        raise ConfigError(f"{file}: DEFINITIONS must give each column its words by language, as in {shape}.")
    out = {str(name): {str(lang): str(text) for lang, text in words.items()} for name, words in found.items()}
    for name, words in out.items():
        allowed = {"w"} if "{w}" in name else set()
        for language, text in words.items():
            if unknown := sorted({match[1] for match in _PLACE.finditer(text)} - allowed):
                raise ConfigError(
                    f"{file}: the meaning of {name} in {language} leaves {{{unknown[0]}}} open. Only {{w}} can be filled, "
                    f"and only where the name has it, as in {shape}."
                )
    return out


# ---- guarding -------------------------------------------------------------------------------------------------------


def _guarded(family: Family, path: Path) -> Family:
    """The family with each of its columns checked, and whatever goes wrong inside said with the file and the line."""

    def features(h: History, settings: Settings) -> Iterator[Feature]:
        # A History of its own: what a file does to an array that History remembers stays in the file.
        found = _yielded(family, path, History(h.events, h.rows, h.tables), settings)
        names = [feature.name for feature in found]
        bare = [feature.name for feature in _yielded(family, path, _without_rows(h), settings)]
        if names != bare:
            name = sorted(set(names) ^ set(bare))[:1] or names[:1]
            raise ConfigError(
                f"{path.name}: which columns there are depends on the rows ('{name[0]}' comes and goes). Columns may "
                "depend on h.has(...) and on settings alone: write the values to count into the file."
            )
        yield from found

    def text_columns(h: History) -> list[str]:
        declared = family.text_columns
        return [] if declared is None else _in_their_terms(path, f"fails in {family.name}", lambda: declared(h), h)

    return replace(family, features=features, text_columns=text_columns if family.text_columns else None)


def _yielded(family: Family, path: Path, h: History, settings: Settings) -> list[Feature]:
    found = _in_their_terms(path, f"fails in {family.name}", lambda: list(family.features(h, settings)), h)
    seen: set[str] = set()
    for feature in found:
        problem = _problem(feature, len(h.rows)) or ("yielded twice" if feature.name in seen else None)
        if problem:
            name = f"column '{feature.name}' is " if isinstance(feature, Feature) else ""
            raise ConfigError(f"{path.name}, family {family.name}: {name}{problem}.")
        seen.add(feature.name)
    return found


def _problem(feature: Any, rows: int) -> str | None:
    """What is wrong with one yielded thing, as the end of a sentence; None if nothing is."""
    if not isinstance(feature, Feature):
        return (
            f"features yields {feature!r:.60}, which is no Feature. Yield Feature(name, driver, unit, values) from "
            "kizuna.features"
        )
    if not isinstance(feature.name, str) or not feature.name or feature.name in _KEYS:
        return f"not a usable name. Use a text other than {' and '.join(_KEYS)}"
    if not isinstance(feature.driver, str) or not re.fullmatch(r"[A-Z][A-Z0-9_]*", feature.driver):
        return f"given the driver {feature.driver!r}. Drivers are written like COMPLAINT_OPEN"
    if feature.unit not in UNITS:
        return f"given the unit {feature.unit!r}.{nearest(str(feature.unit), UNITS)} Units are {', '.join(UNITS)}"
    values = feature.values
    if not isinstance(values, np.ndarray) or values.dtype != np.float64:
        kind = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
        return f"{kind}, not float64. Write values.astype(np.float64), with NaN for what is unknown"
    if values.shape != (rows,):
        return (
            f"of shape {values.shape} where {(rows,)} is needed: one value for each row of h.rows. h.count, h.sum and "
            "their like give that; h.numbers and h.days have one value per event"
        )
    if np.isinf(values).any():
        return f"infinite on {int(np.isinf(values).sum()):,} of {rows:,} rows. kizuna.features.ratio gives NaN instead"
    return None


def _in_their_terms(path: Path, what: str, call: Callable[[], Result], h: History | None = None) -> Result:
    """What the call into the user's file gives; whatever it raises becomes a ConfigError that names the line."""
    try:
        return call()
    except KizunaError:
        raise
    except (Exception, SystemExit) as error:
        line = _line(error, str(path))
        place = f"{path.name}{f', line {line}' if line else ''}"
        message = str(error) or "no message"
        if type(error) is LookupError and "fills in later" in message:
            raise ConfigError(f"{place}: {message}") from error
        if isinstance(error, KeyError) and h is not None and _raised_inside_kizuna(error):
            asked = str(error.args[0])
            known = sorted({*h.events.numbers, *h.events.days, *h.events.texts})
            raise ConfigError(
                f"{place}: the table has no column '{asked}' of this kind.{nearest(asked, known)} It has "
                f'{", ".join(known)}. Ask h.has("{asked}") first.'
            ) from error
        raise ConfigError(
            f"{place} {what}: {type(error).__name__}: {message}. Mend the file; --debug shows where."
        ) from error


def _line(error: BaseException, file: str) -> int | None:
    """The line of the user's file at which it went wrong."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return lines[-1] if lines else None


def _raised_inside_kizuna(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).parent == Path(__file__).parent


def _without_rows(h: History) -> History:
    """The same tables with the same columns, but no customers, events or levels."""
    rows = rows_of(np.empty(0, np.int32), np.empty(0, np.int32), 0)
    tables = {name: _without_events(events) for name, events in h.tables.items()}
    return History(_without_events(h.events), rows, tables)


def _without_events(events: Events) -> Events:
    return replace(
        events,
        customer=events.customer[:0],
        day=events.day[:0],
        known=events.known[:0],
        starts=np.zeros(1, np.int64),
        numbers={name: values[:0] for name, values in events.numbers.items()},
        days={name: values[:0] for name, values in events.days.items()},
        texts={name: Coded(coded.codes[:0], coded.dictionary[:0]) for name, coded in events.texts.items()},
    )
