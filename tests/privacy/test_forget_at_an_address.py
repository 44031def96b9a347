"""A customer forgotten on one machine is gone from the object store, and from what another machine then reads of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kizuna.config import Config
from kizuna.config_file import parse_config
from kizuna.data.forgotten import read_forgotten
from kizuna.lists.output import fetch_output
from kizuna.lists.publication import published
from kizuna.lists.remote import open_remote
from kizuna.privacy.forget import forget
from published import publish_list
from servers import object_store

WHO = "kanarie-7"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with object_store(tmp_path_factory.mktemp("store")) as address:
        yield address


def machine(folder: Path) -> Config:
    """The config as it stands on one machine, with its own private copy."""
    tree = {"name": "shop", "data": {"tables": {}}, "tracking": {"uri": f"sqlite:///{folder}/mlflow.db"}}
    folder.mkdir(mode=0o700)
    config = parse_config(tree | {"output": {"dir": "s3://shop/forget", "mirror": str(folder / "copy")}})
    fetch_output(config.output.address, config.output_dir)
    return config


def test_the_store_and_every_machine_lose_the_customer(server: Any, tmp_path: Path) -> None:
    one, other = machine(tmp_path / "one"), machine(tmp_path / "other")
    rows = [(name, 0.5, "target", "true") for name in (WHO, f"{WHO}7")]
    publish_list(one.output_dir, "2026-01-05", rows)
    fetch_output(other.output.address, other.output_dir)
    before = published(other.output_dir, date(2026, 1, 5))
    assert before is not None
    assert len(pd.read_csv(before.file("at_risk.csv"))) == 2
    proof = forget(one, WHO, datetime(2026, 2, 1, tzinfo=UTC))
    assert (proof.exit_code, proof.rows, proof.remaining) == (0, 2, 0)
    remote = open_remote("s3://shop/forget")
    for name in remote.listed(""):
        assert f"{WHO},".encode() not in remote.read(name), name
    fetch_output(other.output.address, other.output_dir)
    after = published(other.output_dir, date(2026, 1, 5))
    assert after is not None
    after.require_whole()
    assert pd.read_csv(after.file("at_risk.csv"))["customer_id"].tolist() == [f"{WHO}7"]
    assert WHO in read_forgotten(other.output_dir)
