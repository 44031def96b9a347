"""Where the customers to contact are: by market and language."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kizuna.exports.figures import has_values, rows_of
from kizuna.exports.pack import ListPack
from kizuna.wording.words import Words, money_decimals, share_text

COLUMNS = ("market", "language")
BAR_WIDTH = 200.0
_MOST = 10


@dataclass(frozen=True)
class Place:
    """One market and language: names, then customers, value at risk, mean probability; and the length of its bar."""

    names: tuple[str, ...]
    figures: tuple[str, ...]
    length: float


@dataclass(frozen=True)
class Markets:
    """``columns``: which of market and language are known of anybody. ``places``: most customers first."""

    columns: tuple[str, ...]
    places: tuple[Place, ...]
    with_value: bool


def markets(pack: ListPack, words: Words) -> Markets | None:
    """The customers to contact by market and language; None where neither is known of any of them."""
    rows = rows_of(pack.at_risk, "contact")
    columns = tuple(name for name in COLUMNS if name in rows and rows[name].notna().any())
    if not columns:
        return None
    keys = rows[list(columns)].astype(object)
    keys = keys.where(keys.notna(), words("page.market.unknown"))
    groups = rows.assign(**{name: keys[name] for name in columns}).groupby(list(columns), sort=True)
    found = sorted(((names, part) for names, part in groups), key=lambda item: (-len(item[1]), item[0]))
    with_value, largest = has_values(rows), max(len(part) for _, part in found)
    parts = [(tuple(str(name) for name in names), part) for names, part in found[:_MOST]]
    if len(found) > _MOST:
        rest = pd.concat([part for _, part in found[_MOST:]])
        more = words("page.market.others", count=f"{len(found) - _MOST:,}")
        parts.append(((more, *[""] * (len(columns) - 1)), rest))
    decimals = money_decimals(float(rows["value_at_risk"].astype(float).sum()), pack.currency)

    def place(names: tuple[str, ...], part: pd.DataFrame) -> Place:
        lost = words.money(float(part["value_at_risk"].astype(float).sum()), pack.currency, decimals=decimals)
        figures = [words("unit.people", count=f"{len(part):,}"), *([lost] if with_value else [])]
        return Place(
            names=names,
            figures=(*figures, share_text(float(part["churn_probability"].mean()))),
            length=round(min(len(part) / largest, 1.0) * BAR_WIDTH, 1),
        )

    return Markets(columns, tuple(place(names, part) for names, part in parts), with_value)
