"""The page on families of one's own: its code runs, its test passes, its proof holds, and its model asks for its file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import kizuna
from kizuna.data.simulate import simulate
from kizuna.features.extra import read_extra

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated shop with the page's family and the page's lines in its config."""
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=300, days=500, seed=5)
    (folder / "loud.py").write_text(blocks("python")[0], encoding="utf-8")
    tree = yaml.safe_load((folder / "config.yaml").read_text()) | yaml.safe_load(blocks("yaml")[0])
    # Few families and a small model: what is looked at is the file.
    tree["features"] |= {"families": ["purchases", "loud"]}
    tree["model"] = {"churn": {"estimator": "logistic"}}
    (folder / "shop.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return folder / "shop.yaml"


def test_the_test_of_the_page_passes(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    module: dict[str, Any] = {}
    exec(blocks("python")[1], module)
    tests: list[Callable[[], None]] = [value for name, value in module.items() if name.startswith("test_")]
    assert len(tests) == 1
    tests[0]()


def test_every_column_of_the_page_has_its_meaning(shop: Path) -> None:
    names = set(re.findall(r'Feature\(f?"([^"]+)"', blocks("python")[0]))
    definitions = read_extra(shop.parent / "loud.py").definitions
    assert set(definitions) == names
    assert all(set(words) == {"en", "ja"} for words in definitions.values())


def test_the_proof_of_the_page_holds(shop: Path) -> None:
    [command] = blocks("sh")
    words = command.split()
    assert words[:3] == ["kizuna", "check", "shop.yaml"]
    code, out, err = kizuna("check", shop, *words[3:])
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "Identical: no feature of 2025-07-15 reads what was not yet known."


def test_scoring_asks_for_the_file_that_the_model_was_trained_with(shop: Path) -> None:
    code, out, err = kizuna("train", shop)
    assert code == 0, err
    assert "promoted to champion" in out
    assert kizuna("score", shop, "--as-of", "2026-01-01", "--dry-run")[0] == 0
    file = shop.parent / "loud.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n# Changed since.\n", encoding="utf-8")
    assert kizuna("score", shop, "--as-of", "2026-01-01", "--dry-run")[::2] == (
        12,
        "kizuna: The model was trained with the families of loud.py, but this file has changed since. "
        "Bring the old file back, or train again.\n",
    )
    assert kizuna("score", shop, "--as-of", "2026-01-01", "--dry-run", "--set", "features={}")[::2] == (
        12,
        "kizuna: The model was trained with the families of loud.py, but this file is not under features.extra. "
        "Bring it back, or train again.\n",
    )
