"""The page on exports: what it shows is accepted, and it names every key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from kizuna.config_exports import CsvExport, DatabaseExport, DestinationExport
from kizuna.config_file import parse_config
from kizuna.exports.destinations.kinds import KINDS
from kizuna.exports.destinations.settings import refuse_exports
from kizuna.scoring.rows import AT_RISK_COLUMNS

PAGE = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_accepted(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", "postgresql://user@host/shop")
    tree = {"name": "shop", "data": {"tables": {"customers": {"path": "c.csv", "attributes": ["store"]}}}}
    refuse_exports(parse_config(tree | yaml.safe_load(example)), AT_RISK_COLUMNS)


def test_every_key_and_default_is_told() -> None:
    for section in (CsvExport, DestinationExport, DatabaseExport):
        for name, field in section.model_fields.items():
            assert name == "to" or re.search(rf"^\| `{name}` \|", PAGE, re.MULTILINE), name
            if isinstance(field.default, str):
                assert f"| `{name}` | `{field.default}` |" in PAGE
    assert all(f"`{rules.name}`" in PAGE for rules in KINDS)
