"""What several tests of the registry begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from kizuna.tracking.runs import create_store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of MLflow in which nothing is registered; to be copied, for its making takes seconds."""
    database = tmp_path_factory.mktemp("empty") / "mlflow.db"
    create_store(f"sqlite:///{database}")
    return database
