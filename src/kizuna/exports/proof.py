"""What earlier lists have proved, in plain sentences: the effect of the newest quarter read, and the newest list measured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from kizuna.exports.figures import effect_text, outcome_text
from kizuna.exports.pack import ListPack
from kizuna.wording.words import Words, share_text

READ, RUNNING = "measured", "maturing"
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")


def rows_in(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dicts, null as None."""
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[assignment]
    return rows


def newest(frame: pd.DataFrame, by: str, state: str) -> dict[str, Any] | None:
    """The row in some state that comes last by a column; None where there is none."""
    rows = [row for row in rows_in(frame) if row["state"] == state]
    return max(rows, key=lambda row: str(row[by]), default=None)


def quarter_text(period: str, words: Words) -> str:
    """``2026-Q1`` as people say it; anything else as it is."""
    found = _QUARTER.fullmatch(period)
    if not found:
        return period
    year, number = found[1], int(found[2])
    return words("format.quarter_name", year=year, number=number, first=3 * number - 2, last=3 * number)


def proof_text(pack: ListPack, words: Words) -> str:
    """The verdict of the newest quarter that can be read; else when one comes and how large an effect one list can show."""
    past = pack.past
    if past is None or past.effects.empty:
        return effect_text(pack, words)
    read = newest(past.effects, "period", READ)
    if read is not None:
        return verdict_text(read, pack, words)
    running = newest(past.effects, "period", RUNNING)
    if running is None:
        return effect_text(pack, words)
    return words("cover.join").join((progress_text(running, words), effect_text(pack, words)))


def verdict_text(read: Mapping[str, Any], pack: ListPack, words: Words) -> str:
    """What a quarter earned per listed customer and in customers kept, and how many more it takes where that is not clear."""
    counts = {"target": f"{read['target']:,}", "control": f"{read['control']:,}"}
    parts, period = [], quarter_text(str(read["period"]), words)
    if read["value"] is not None:
        what = words(f"proof.money.{'revenue' if pack.past is None else pack.past.basis}")
        # Of two arms the sign is said by the verdict's own words.
        key = f"proof.{read['verdict']}"
        amount = words.money(abs(read["value"]) if key != "proof.not_clear" else read["value"], pack.currency)
        ends = {"interval": interval_text(read, "value", pack, words)}
        parts.append(words(key, period=period, amount=amount, what=what, **ends, **counts))
    if read["kept"] is not None:
        key = "proof.kept" if parts else "proof.kept_only"
        points = _points(read["kept"])
        parts.append(
            words(
                key,
                period=quarter_text(str(read["period"]), words),
                points=points,
                interval=points_text(read, "kept", words),
                **counts,
            )
        )
    if read["more_customers"]:
        parts.append(words("proof.more", count=f"{int(read['more_customers']):,}"))
    return words("cover.join").join(parts)


def progress_text(running: Mapping[str, Any], words: Words) -> str:
    """How far the running quarter is, and the day of its verdict."""
    counts = {arm: f"{running[arm] or 0:,}" for arm in ("target", "control")}
    return words(
        "proof.running",
        period=quarter_text(str(running["period"]), words),
        day=words.day(day_of(running["verdict_on"])),
        **counts,
    )


def realised_text(pack: ListPack, words: Words) -> str:
    """What became of those named on the newest list that has matured; "" where there is none."""
    row = None if pack.past is None else newest(pack.past.lists, "as_of", READ)
    if row is None or row["precision"] is None:
        return ""
    return words(
        "proof.realised",
        day=words.day(day_of(row["as_of"])),
        listed=f"{row['listed']:,}",
        rows=f"{row['listed_rows']:,}",
        share=share_text(row["precision"]),
        outcome=outcome_text(pack, words),
        said=share_text(row["predicted"]),
        base=share_text(row["base_rate"]),
    )


def of_whole(text: str, pack: ListPack, words: Words) -> str:
    """The same text; on a part of a list it says that it speaks of the whole shop."""
    return words("proof.whole", text=text) if text and pack.part is not None else text


def interval_text(row: Mapping[str, Any], name: str, pack: ListPack, words: Words) -> str:
    """An interval of money; a dash where there is none."""
    ends = [row[f"{name}_{end}"] for end in ("low", "high")]
    if None in ends:
        return words("none")
    low, high = (words.money(end, pack.currency) for end in ends)
    return words("proof.interval", low=low, high=high)


def points_text(row: Mapping[str, Any], name: str, words: Words) -> str:
    """An interval of shares' differences in points; a dash where there is none."""
    ends = [row[f"{name}_{end}"] for end in ("low", "high")]
    if None in ends:
        return words("none")
    low, high = (_points(end) for end in ends)
    return words("proof.interval", low=low, high=high)


def shares_text(row: Mapping[str, Any], name: str, words: Words) -> str:
    """An interval of a share; a dash where there is none."""
    ends = [row[f"{name}_{end}"] for end in ("low", "high")]
    if None in ends:
        return words("none")
    low, high = (share_text(end, 1) for end in ends)
    return words("proof.interval", low=low, high=high)


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def day_of(value: Any) -> date:
    """The day of a date, timestamp or text."""
    return pd.Timestamp(value).date()
