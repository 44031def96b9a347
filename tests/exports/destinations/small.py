"""A list of a few customers, with contacts, as destinations get it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from kizuna.config import Config
from kizuna.config_exports import DestinationExport
from kizuna.config_file import parse_config
from kizuna.exports.destinations.files import write_destination
from kizuna.exports.outgoing import Outgoing
from kizuna.exports.pack import ListPack
from kizuna.project import Project
from kizuna.scoring.rows import AT_RISK_COLUMNS

# Customers by name: arm and whether they may be contacted.
EVERY_KIND = {
    "007": ("target", True),
    "NA": ("target", True),
    "control": ("control", True),
    "exempt": ("exempt", True),
    "paused": ("target", False),
    "unknown": ("target", None),
}


def small_list(pack: ListPack, customers: dict[str, tuple[str, bool | None]], **columns: list[Any]) -> ListPack:
    """The pack with these customers alone, by rank; ``columns`` replace what the pack says."""
    rows = pack.at_risk.head(len(customers)).assign(
        customer_id=list(customers),
        arm=[arm for arm, _ in customers.values()],
        contact_allowed=pd.array([allowed for _, allowed in customers.values()], dtype="boolean"),
        act_by=pd.Series([pd.Timestamp(2026, 1, 5)] * len(customers), dtype="datetime64[s]"),
        risk_band="high",
        market=pd.Series(["JP" if name == "007" else None for name in customers], dtype="str"),
        **columns,
    )
    return replace(pack, at_risk=rows.reindex(columns=AT_RISK_COLUMNS))


def people(pack: ListPack) -> pd.DataFrame:
    """The listed customers with the consent that the list tells; 007 is of a market."""
    names = pack.at_risk["customer_id"].tolist()
    allowed = pack.at_risk["contact_allowed"].astype("Int64").tolist()
    everybody = {"007": None} | dict(zip(names, allowed, strict=True))
    return pd.DataFrame(
        {
            "customer_id": list(everybody),
            "market": ["JP" if name == "007" else None for name in everybody],
            "consent": pd.array(list(everybody.values()), dtype="Int64"),
        }
    )


def write(
    folder: Path,
    pack: ListPack,
    asked: str,
    *,
    consent_missing: str = "refuse",
) -> tuple[dict[str, int], list[dict[str, str]]]:
    """(rows by file, the rows of the destination's file) of the YAML of one export; contacts lie beside ``folder``."""
    config = config_of(asked, folder.parent, consent_missing)
    store = Project(config, {"customers": people(pack)}).opened
    (export,) = config.exports
    assert isinstance(export, DestinationExport)
    folder.mkdir(exist_ok=True)
    rows = write_destination(Outgoing(pack, config, store), export, folder)
    sent = f"destinations/{export.file_stem}.csv" in rows
    return rows, read(folder, export.file_stem) if sent else []


def read(folder: Path, stem: str) -> list[dict[str, str]]:
    with (folder / "destinations" / f"{stem}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def config_of(asked: str, folder: Path = Path(), consent_missing: str = "refuse") -> Config:
    tree: dict[str, Any] = {"name": "shop", "data": {"timezone": "Asia/Tokyo", "tables": {"customers": {}}}}
    tree |= {"at_risk": {"consent_missing": consent_missing}, "exports": [yaml.safe_load(asked)]}
    return parse_config(tree, folder)
