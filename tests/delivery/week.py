"""A shop of a few customers whose lists are published by hand, through the real publication, and delivered."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from kizuna import journal
from kizuna.config import Config
from kizuna.config_exports import DestinationExport
from kizuna.config_file import parse_config
from kizuna.data.store import Store
from kizuna.delivery.deliver import deliver
from kizuna.delivery.outbox import Delivery
from kizuna.exports.csv import write_at_risk_csv
from kizuna.exports.database import KINDS
from kizuna.exports.destinations.files import settings_of, write_wanted
from kizuna.exports.failed import failed_exports
from kizuna.exports.outgoing import ListOut
from kizuna.lists.publication import Publication, locked, publish, restore
from kizuna.project import Project
from kizuna.scoring.rows import AT_RISK_COLUMNS

FIRST, SECOND, THIRD = date(2026, 1, 5), date(2026, 1, 12), date(2026, 1, 19)
CRM = "{to: destination, name: crm, columns: {Nr: customer_id, Risk: risk_band}, clear: {Risk: none}}"
CHANGES = CRM.replace("crm,", "changes, changed_only: true,")
DROPPED = CRM.replace("crm,", "crm, drop: there,")
_TYPES = {"date": "datetime64[s]", "bigint": "Int64", "double precision": "float64", "boolean": "boolean"}


def config_of(folder: Path, *exports: str) -> Config:
    """The config of the shop, with the YAML of its exports."""
    tree: dict[str, Any] = {"name": "shop", "data": {"tables": {"customers": {}}}, "output": {"dir": "out"}}
    return parse_config(tree | {"exports": [yaml.safe_load(export) for export in exports]}, folder)


def store_of(config: Config, **consent: int | None) -> Callable[[], Store]:
    """Opens the tables: customers a to f and what they agreed to, 1 where nothing else is said."""
    answers = {name: consent.get(name, 1) for name in "abcdef"}
    frame = pd.DataFrame({"customer_id": list(answers), "consent": pd.array(list(answers.values()), dtype="Int64")})
    return lambda: Project(config, {"customers": frame}, today=THIRD).opened


def published_day(
    config: Config, as_of: date, bands: Mapping[str, str], republish: bool = False, **manifest: Any
) -> Publication:
    """A list of these customers with their risk bands, all to contact, published with its destinations' files."""
    at_risk = list_of(as_of, bands)

    def write(folder: Path) -> dict[str, int]:
        write_at_risk_csv(at_risk, folder / "at_risk.csv")
        rows = {"at_risk.csv": len(at_risk)}
        listed = ListOut(at_risk, as_of, config, store_of(config)())
        for export in config.exports:
            if isinstance(export, DestinationExport):
                rows |= write_wanted(listed, export, folder)
        told["failed_exports"] = failed_exports(rows)
        return rows

    told = {"destinations": settings_of(config)} | manifest
    with locked(config.output_dir) as output:
        return publish(output, as_of, {"made": "by hand"}, write, told, republish)


def list_of(as_of: date, bands: Mapping[str, str]) -> pd.DataFrame:
    """A list with every column, by rank."""
    size = len(bands)
    kinds = {name: kind for kind, names in KINDS.items() for name in names}
    empty = {name: pd.Series([None] * size, dtype=_TYPES.get(kinds.get(name, ""), "str")) for name in AT_RISK_COLUMNS}
    return pd.DataFrame(empty).assign(
        as_of=pd.Series([pd.Timestamp(as_of)] * size, dtype="datetime64[s]"),
        list_rank=range(1, size + 1),
        customer_id=pd.Series(list(bands), dtype="str"),
        risk_band=pd.Series(list(bands.values()), dtype="str"),
        contact_allowed=pd.array([True] * size, dtype="boolean"),
        arm=pd.Series(["target"] * size, dtype="str"),
    )


def delivered(
    config: Config, publication: Publication, lines: list[str] | None = None, **consent: int | None
) -> list[Delivery]:
    """What one run delivers of a publication, with what customers agree to by now."""
    said = [] if lines is None else lines
    with locked(config.output_dir) as output:
        return deliver(output, config, publication, store_of(config, **consent), said.append)


def restored(config: Config, as_of: date, revision: int) -> Publication:
    """An earlier revision, linked again."""
    with locked(config.output_dir) as output:
        return restore(output, as_of, revision)


def handed(config: Config, name: str) -> dict[str, list[list[str]]]:
    """The rows of each file that a destination was given, by its file's name."""
    found = {}
    for path in sorted((config.output_dir / "destinations" / name).glob("*")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.name] = list(csv.reader(file))[1:]
    return found


@contextmanager
def at_stage(event: str, stage: str, act: Callable[[], object]) -> Iterator[None]:
    """Does something when a stage of a run began, or has ended, within this."""

    def heard(_: journal.Journal, entry: journal.Entry) -> None:
        if (entry.event, entry.stage) == (event, stage):
            act()

    with journal.journal_of("score", True) as told:
        told.listeners[:] = [heard]
        yield


def interrupt() -> None:
    """Cuts a run off in the middle."""
    raise KeyboardInterrupt
