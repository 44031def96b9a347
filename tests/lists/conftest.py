from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lists.machines import Shop
from tests.servers import object_store


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with object_store(tmp_path_factory.mktemp("store")) as address:
        yield address


@pytest.fixture
def shop(server: str, tmp_path: Path) -> Shop:
    return Shop(tmp_path, f"s3://shop/exports/{tmp_path.name}")
