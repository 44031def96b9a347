"""Every column that a plan can have can be said, in both languages, and its better side is known or said to be none."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from kizuna.explain.directions import LESS_IS_BETTER, MORE_IS_BETTER, NEITHER, better_side
from kizuna.explain.reasons import Telling, sentence_of
from kizuna.explain.sentences import SENTENCES
from kizuna.explain.wording import stem_of
from kizuna.features.plan import Column
from kizuna.wording.catalog import languages

# A column is said for at least one of these values.
VALUES = (0.0, 1.0, 2.0, 45.0, -1.0, 0.5)


def every_column() -> list[Column]:
    """One column per feature, levels and the shop's own ones among them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2]))
        stems = importlib.import_module("docs.features.columns").all_stems()
    return [
        Column(column.format(level="gold", attribute="tier", column="x"), stem.family, stem.driver, stem.unit)
        for stem in stems
        for column in stem.columns
    ]


COLUMNS = every_column()
OURS = [column for column in COLUMNS if "=" not in column.name and column.name not in ("tier", "x")]


def test_every_column_has_a_sentence_of_its_driver_that_looks_at_it():
    spoken = {(sentence.driver, stem) for sentence in SENTENCES for stem in (*sentence.needs.values(), *sentence.also)}
    named = {(column.driver, stem_of(column.name)[0]) for column in OURS if column.driver != "PROFILE"}
    assert named - spoken == set()


@pytest.mark.parametrize("language", languages())
def test_every_column_can_be_said(language):
    telling = Telling(language, currency="JPY")
    unsaid = []
    for column in COLUMNS:
        mine = [other for other in COLUMNS if other.driver == column.driver and (other in OURS or other == column)]
        # By itself, or beside the others of its driver.
        cases = [([column], value, value) for value in VALUES]
        cases += [(mine, value, rest) for value in VALUES for rest in VALUES]
        texts = set()
        for columns, value, rest in cases:
            row, added = np.full(len(columns), rest), np.zeros(len(columns))
            row[columns.index(column)], added[columns.index(column)] = value, 1.0
            texts.add(sentence_of(column.driver, row, added, columns, telling))
        texts -= {None}
        assert not any(re.search(r"[{}]|\bnan\b", text) for text in texts)
        assert language == "en" or column not in OURS or all(re.search(r"[ぁ-んァ-ヶ一-龠]", t) for t in texts)
        unsaid += [] if texts else [column.name]
    assert unsaid == []


def test_every_feature_has_a_better_side_or_none():
    assert sorted(MORE_IS_BETTER | LESS_IS_BETTER | NEITHER) == sorted({stem_of(column.name)[0] for column in OURS})
    assert not MORE_IS_BETTER & LESS_IS_BETTER
    assert not NEITHER & (MORE_IS_BETTER | LESS_IS_BETTER)
    assert [better_side(stem) for stem in ("orders_{w}d", "days_since_order", "gap_cv", "x")] == [1, -1, 0, 0]
