"""What became of the lists, as lines in a language: the effect first, then list after list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from kizuna.monitor.costs import Basis
from kizuna.monitor.outlook import drift_lines, promise_lines, promised
from kizuna.monitor.pack import MonitorPack
from kizuna.wording.words import Words, load_words, share_text

_LISTS_SHOWN = 12


def screen_lines(pack: MonitorPack, language: str) -> list[str]:
    """The effect of each quarter with its verdict or the day of it, and the realised quality of the newest lists."""
    words = load_words(language)
    lines = [words("monitor.title", name=pack.name, day=words.day(pack.known_before))]
    drift = [] if pack.drift is None else ["", *drift_lines(pack.drift, words)]
    if pack.lists.empty:
        return [*lines, words("monitor.nothing", day=words.day(pack.as_of)), *drift]
    lines += ["", words("monitor.effect")]
    for row in _rows(pack.effects):
        lines += [f"  {line}" for line in _effect(row, pack, words)]
    counted = {name: f"{count:,}" for name, count in pack.left_out.items()}
    lines.append("  " + words("monitor.left_out", **counted))
    if "backfill" in counted:
        lines.append("  " + words("backfill.left_out", count=counted["backfill"]))
    lines += ["", words("monitor.lists")]
    shown = _rows(pack.lists.tail(_LISTS_SHOWN))
    lines += [f"  {_list(row, words)}" for row in shown]
    if len(pack.lists) > len(shown):
        lines.append("  " + words("monitor.more_lists", count=f"{len(pack.lists) - len(shown):,}"))
    return [*lines, *promise_lines(pack, words), *drift, "", words("monitor.note")]


def _effect(row: Mapping[str, Any], pack: MonitorPack, words: Words) -> list[str]:
    period, target, control = str(row["period"]), f"{row['target']:,}", f"{row['control']:,}"
    if row["state"] == "maturing":
        return [
            words("monitor.maturing", period=period, day=words.day(row["verdict_on"]), target=target, control=control)
        ]
    if row["state"] == "not_enough_data":
        return [words("monitor.not_enough_data", period=period, target=target, control=control)]
    lines = []
    if row["value"] is not None:
        amounts = {name: words.money(row[f"value{end}"], pack.currency) for name, end in _ENDS}
        said = {"verdict": verdict_text(str(row["verdict"]), pack.basis, words), "basis": words(f"basis.{pack.basis}")}
        lines.append(words("monitor.value", period=period, target=target, control=control, **said, **amounts))
    if row["kept"] is not None:
        points = {name: f"{100 * row[f'kept{end}']:+.1f}" for name, end in _ENDS}
        lines.append("  " + words("monitor.kept", period=period, **points))
    if row["more_customers"] is not None:
        lines.append("  " + words("monitor.more_customers", count=f"{int(row['more_customers']):,}"))
    if row["executed_target"] is not None:
        shares = {arm: _share(row[f"executed_{arm}"], words) for arm in ("target", "control")}
        lines.append("  " + words("monitor.executed", **shares))
    mine = pack.groups[(pack.groups["experiment"] == row["experiment"]) & (pack.groups["period"] == row["period"])]
    if len(mine):
        clear = [
            f"{group['group']} ({words('monitor.outcome.' + group['outcome'])})"
            for group in _rows(mine[mine["is_clear"].astype(bool)])
        ]
        names = ", ".join(clear) or words("monitor.nobody_clear")
        lines.append("  " + words("monitor.groups", count=f"{len(mine):,}", clear=names))
    return lines


def verdict_text(verdict: str, basis: Basis, words: Words) -> str:
    """What a verdict says of the money that was counted: of profit only where costs were taken off."""
    return words(f"verdict_{'net' if basis == 'net' else 'bought'}.{verdict}")


_ENDS = (("estimate", ""), ("low", "_low"), ("high", "_high"))


def _list(row: Mapping[str, Any], words: Words) -> str:
    day, listed = words.day(row["as_of"]), f"{row['listed']:,}"
    if row["state"] == "maturing":
        on = words.day(row["matures_on"])
        if row["predicted"] is None:
            return words("monitor.list_maturing", day=day, listed=listed, on=on)
        return words("promise.list_maturing", day=day, listed=listed, on=on, **promised(row, words))
    if row["state"] == "no_control":
        return words("monitor.list_no_control", day=day, listed=listed)
    return words(
        "monitor.list_measured",
        day=day,
        listed=listed,
        rows=f"{row['listed_rows']:,}",
        precision=_share(row["precision"], words),
        low=_share(row["precision_low"], words),
        high=_share(row["precision_high"], words),
        predicted=promised(row, words, "beside")["precision"],
        base=_share(row["base_rate"], words),
        lift=words("none") if row["lift"] is None else f"{row['lift']:.2f}",
        gap=words("none") if row["level_gap"] is None else f"{100 * row['level_gap']:+.1f}",
    )


def _share(share: float | None, words: Words) -> str:
    return words("none") if share is None else share_text(share)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[assignment]
    return rows
