"""Every language has the same words to fill in the same places, in one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kizuna.init import init_shop
from kizuna.playbook.file import load_playbook
from kizuna.wording.catalog import catalog, languages


def keys(tree: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key, item in tree.items():
        yield from keys(item, f"{path}.{key}") if isinstance(item, Mapping) else (f"{path}.{key}",)


@pytest.mark.parametrize("language", languages())
def test_a_language_has_every_word_that_english_has(language: str) -> None:
    # Currencies that a language does not name are written with their code.
    ours, english = (
        {key for key in keys(catalog(name)) if not key.startswith(".reasons.currencies.")} for name in (language, "en")
    )
    assert ours == english


def test_a_new_shop_gets_the_builtin_playbook_with_its_texts(tmp_path) -> None:
    init_shop(tmp_path / "shop")
    playbook = tmp_path / "shop" / "playbook.yaml"
    assert load_playbook(playbook) == load_playbook()
    for language in languages():
        assert catalog(language)["playbook"]["A01"] in playbook.read_text(encoding="utf-8")
