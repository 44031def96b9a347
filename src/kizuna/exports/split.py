"""A list in parts: one for each value of a column of customers, with file names that are safe on every system."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import replace

import pandas as pd

from kizuna.exports.pack import ListPack
from kizuna.wording.words import load_words

UNKNOWN = "unknown"
_LONGEST = 40


def split_pack(pack: ListPack, values: pd.Series) -> dict[str, ListPack]:
    """The packs by the end of their file names, one for each value that a listed customer has.

    ``values``: text by customer id; customers without one make a part of their own. Ranks, past lists and KPIs stay those of
    the whole shop.
    """

    def value_of(frame: pd.DataFrame) -> pd.Series:
        found = values.reindex(frame["customer_id"]).to_numpy(dtype=object)
        return pd.Series(found, index=frame.index, dtype=object).where(
            lambda text: text.notna() & (text != ""), UNKNOWN
        )

    listed, eligible = value_of(pack.at_risk), value_of(pack.scores)
    removed = None if pack.removed is None else value_of(pack.removed)
    packs, words = {}, load_words(pack.language)
    for value, ending in file_endings(sorted({*listed, *(() if removed is None else removed)})).items():
        mine = pack.scores[eligible == value].reset_index(drop=True)
        packs[ending] = replace(
            pack,
            part=words("part.unknown") if value == UNKNOWN else value,
            at_risk=pack.at_risk[listed == value].reset_index(drop=True),
            scores=mine,
            left_out={reason: int((mine["left_out"] == reason).sum()) for reason in pack.left_out},
            removed=None if removed is None else pack.removed[removed == value].reset_index(drop=True),  # type: ignore[index]
        )
    return packs


def file_endings(values: list[str]) -> dict[str, str]:
    """A different, safe end of a file name for each value: its letters and digits of any script, ``-`` and ``_``.

    Values that had to change, or that differ in case alone, get six digits of their hash.
    """
    plain = {value: _plain(value) for value in values}
    same = Counter(name.casefold() for name in plain.values())
    return {
        value: name if name == value and same[name.casefold()] == 1 else f"{name}-{_digits(value)}"
        for value, name in plain.items()
    }


def _plain(value: str) -> str:
    text = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFKC", value))[:_LONGEST]
    return text.strip("_-") or "_"


def _digits(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:6]
