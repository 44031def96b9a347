"""Published lists as one frame: who was listed when, in which arm, with which action, drawn by which experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import pandas as pd

from kizuna.config import Config
from kizuna.lists.publication import Publication

_READ = ["as_of", "customer_id", "arm", "action", "contact_allowed", "cltv", "churn_probability"]
COLUMNS = ["experiment", "control_share", "backfill", *_READ]


def published_rows(publications: Sequence[Publication], config: Config) -> pd.DataFrame:
    """``COLUMNS`` of every row of these lists, list after list, in the order of each.

    ``contact_allowed`` is true, false or null (consent unknown). Experiment and control share are those of the list's
    manifest; of one that was published before manifests named them, the config's. ``backfill``: the list was made for the
    record, and sent to nobody.
    """
    lists = [_read(publication, config) for publication in publications]
    if not lists:
        empty = pd.DataFrame({name: [] for name in COLUMNS}, dtype="str")
        lists = [empty.assign(contact_allowed=pd.array([], dtype="boolean"), backfill=pd.array([], dtype="bool"))]
    rows = pd.concat(lists, ignore_index=True)
    rows["as_of"] = pd.to_datetime(rows["as_of"]).astype("datetime64[s]")
    for name in ("control_share", "cltv", "churn_probability"):
        rows[name] = pd.to_numeric(rows[name]).astype("float64")
    return rows[COLUMNS]


def received(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of lists that people had in hand: by those made for the record nobody was contacted, and nobody rests."""
    return rows[~rows["backfill"]] if "backfill" in rows else rows


def as_received(publications: Sequence[Publication]) -> list[Publication]:
    """The same lists as if people had had each in hand, which is how a list for the record takes those before it."""
    return [replace(one, manifest=one.manifest | {"backfill": False}) for one in publications]


def read_listed(source: Path | IO[bytes], columns: list[str] | None = None) -> pd.DataFrame:
    """The rows of an at_risk.csv as texts, but for ``contact_allowed``: true, false or null (consent unknown)."""
    rows = pd.read_csv(source, dtype=str, keep_default_na=False, usecols=columns)
    return rows.assign(contact_allowed=rows["contact_allowed"].map({"true": True, "false": False}).astype("boolean"))


def _read(publication: Publication, config: Config) -> pd.DataFrame:
    manifest = publication.manifest
    return read_listed(publication.file("at_risk.csv"), _READ).assign(
        experiment=manifest.get("experiment", config.experiment),
        control_share=manifest.get("control_share", config.at_risk.control_share),
        backfill=publication.is_for_the_record,
    )
