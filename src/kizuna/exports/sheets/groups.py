"""The list by market, language and stage: how many of each are eligible, listed and to contact, and what is at stake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from kizuna.exports.figures import PLACES, has_values, places
from kizuna.exports.proof import points_text, rows_in
from kizuna.exports.sheets.blocks import set_widths, write_heading, write_sentence, write_title, write_total
from kizuna.exports.sheets.paper import Column, Paper, money_kind, open_sheet, write_table

GROUPED_BY = ("market", "language", "lifecycle_stage")
_MOST = 30
_WIDTHS = (24, 11, 11, 11, 11, 13, 12, 13, 15, 19, 18, 20)


def write_groups(paper: Paper) -> None:
    """Adds a table for each of ``GROUPED_BY`` that anything is known of, with the eligible of all groups as their total."""
    words, pack = paper.words, paper.pack
    sheet = open_sheet(paper, "groups")
    set_widths(sheet, _WIDTHS)
    row = write_title(paper, sheet, words("groups.title"), words("groups.line"), _WIDTHS)
    people = _people(paper)
    lacking = []
    for name in GROUPED_BY:
        if not people[name].notna().any():
            lacking.append(words(f"groups.by_{name}"))
            continue
        row = _block(paper, sheet, row, people, name)
    if lacking:
        names = words("fact.join").join(lacking)
        write_sentence(paper, sheet, row + 1, words("groups.lacking", names=names), _WIDTHS)
    if pack.part is None and _effects(paper):
        write_sentence(paper, sheet, row + 2, words("groups.exploratory"), _WIDTHS)


def _people(paper: Paper) -> pd.DataFrame:
    """Every eligible customer: group columns, probability, place on the list (null where not listed) and value to contact."""
    pack = paper.pack
    listed = pack.at_risk.assign(place=places(pack.at_risk)).set_index("customer_id")
    contact = listed["value_at_risk"].astype(float).where(listed["place"] == "contact", 0.0)
    people = pack.scores[["customer_id", "churn_probability", *GROUPED_BY]]
    return people.assign(
        place=people["customer_id"].map(listed["place"]),
        value=people["customer_id"].map(contact).fillna(0.0).astype(float),
    )


def _block(paper: Paper, sheet: Any, row: int, people: pd.DataFrame, name: str) -> int:
    words, pack = paper.words, paper.pack
    row = write_heading(paper, sheet, row, words(f"groups.by_{name}"))
    groups = people[name].astype(object).where(people[name].notna(), None)
    known = groups.dropna()
    sizes = people.assign(eligible=1).groupby(known, sort=True)[["value", "eligible"]].sum()
    ordered = sizes.sort_values(["value", "eligible"], ascending=False, kind="stable").index.tolist()
    parts = [(_name(paper, name, group), people[groups == group], group) for group in ordered[:_MOST]]
    rest = people[groups.isin(ordered[_MOST:])]
    if len(rest):
        parts.append((words("groups.rest", count=f"{len(ordered) - _MOST:,}"), rest, None))
    if groups.isna().any():
        parts.append((words("part.unknown"), people[groups.isna()], None))
    lines = [_line(part) for _, part, _ in parts]
    total = _line(people)
    effects = _effects(paper) if name == "market" and pack.part is None else {}
    heads = ["eligible", "listed", "listed_share", *(f"place_{place}" for place in PLACES), "probability", "value"]
    kinds = ["count", "count", "share", *("count" for _ in PLACES), "share", money_kind(paper, pd.Series([total[-1]]))]
    if not (has_values(pack.scores) or has_values(pack.at_risk)):
        heads, kinds = heads[:-1], kinds[:-1]
    columns = [Column(words(f"groups.by_{name}"), [label for label, _, _ in parts], "text", 24)]
    columns += [
        Column(words(f"groups.{head}"), [line[at] for line in lines], kind)
        for at, (head, kind) in enumerate(zip(heads, kinds, strict=True))
    ]
    values: list[Any] = [words("blocks.total"), *total[: len(heads)]]
    found = [effects.get(str(group)) for _, _, group in parts]
    if any(found):
        columns.append(
            Column(words("groups.kept"), [100 * one["estimate"] if one else None for one in found], "points")
        )
        intervals = [points_text(_named(one), "kept", words) if one else None for one in found]
        columns.append(Column(words("groups.kept_interval"), intervals, "word"))
        values += [None, None]
    row = write_table(paper, sheet, columns, row)
    return write_total(paper, sheet, row, columns, values)


def _line(part: pd.DataFrame) -> list[Any]:
    """Eligible, listed, share listed, the places of the list, mean probability, value to contact."""
    counts = part["place"].value_counts()
    listed = int(counts.sum())
    mean = float(part["churn_probability"].mean()) if len(part) else None
    share = listed / len(part) if len(part) else None
    by_place = [int(counts.get(place, 0)) for place in PLACES]
    return [len(part), listed, share, *by_place, mean, float(part["value"].sum())]


def _name(paper: Paper, by: str, group: str) -> str:
    return paper.words.code("stage", group) if by == "lifecycle_stage" else str(group)


def _effects(paper: Paper) -> dict[str, Mapping[str, Any]]:
    """What the newest quarter read says of the share kept in each market; exploratory."""
    past = paper.pack.past
    if past is None or past.groups.empty:
        return {}
    found = past.groups[(past.groups["by"] == "market") & (past.groups["outcome"] == "kept")]
    latest = found[found["period"] == found["period"].max()] if len(found) else found
    return {str(row["group"]): row for row in rows_in(latest)}


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"kept_low": row["low"], "kept_high": row["high"]}
