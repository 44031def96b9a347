"""Where a shop stands, as lines for the terminal and as a JSON tree; what is to be done next stands last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kizuna.status.due import due
from kizuna.status.found import ListState, ModelState, Status, TableState
from kizuna.timeline import date_of


def status_lines(found: Status, config: str) -> list[str]:
    """The screen of ``kizuna status``; its last line says what to do."""
    steps = due(found, config)
    holder = f"held by {found.lock}" if found.lock else "no run is at work"
    return [
        f"{found.name} on {found.today}",
        *(f"problem        {line}" for problem in found.problems for line in problem.splitlines()),
        f"last list      {_last(found)}",
        f"champion       {_champion(found)}",
        f"challenger     {_challenger(found.challenger)}",
        f"lists          {_lists(found)}",
        *(_table(table, first=not place) for place, table in enumerate(found.tables)),
        f"lock           {holder}",
        f"next           {steps[0].text if steps else 'nothing is to be done'}",
    ]


def status_json(found: Status, config: str) -> dict[str, Any]:
    """The same as plain values; days and times as ISO texts, null where there is nothing to tell."""
    steps, matured = due(found, config), [one for one in found.lists if one.matured]
    waits = found.next_to_mature
    return {
        "name": found.name,
        "now": found.now.isoformat(timespec="seconds"),
        "today": found.today.isoformat(),
        "rows_until": found.reached.isoformat() if found.reached else None,
        "last_success": _success(found),
        "champion": _model(found.champion),
        "challenger": _model(found.challenger),
        "lists": {
            "published": len(found.lists),
            "backfilled": sum(one.backfill for one in found.lists),
            "running": len(found.lists) - len(matured),
            "matured": len(matured),
            "not_monitored": sum(not one.measured for one in matured),
            "next_maturity": waits.matures_on.isoformat() if waits else None,
            "next_maturity_of": waits.as_of.isoformat() if waits else None,
        },
        "tables": [_table_row(table) for table in found.tables],
        "lock": found.lock or None,
        "problems": list(found.problems),
        "due": [step.what for step in steps],
        "next": steps[0].text if steps else "nothing is to be done",
    }


def _last(found: Status) -> str:
    last = found.last
    if last is None:
        return "none is published"
    made = " by backfill" if last.backfill else ""
    return f"{last.as_of} (r{last.revision}), published{made} {_ago(found.now, last.published_at)}"


def _ago(now: datetime, then: datetime) -> str:
    minutes = (now - then).total_seconds() / 60
    spans = ((120, 1, "minutes"), (48 * 60, 60, "hours"), (float("inf"), 24 * 60, "days"))
    told = next(f"{minutes / length:.0f} {unit}" for most, length, unit in spans if minutes < most)
    return f"{told} ago ({then:%Y-%m-%d %H:%M} UTC)"


def _champion(found: Status) -> str:
    model = found.champion
    if model is None:
        return "not known" if found.problems else "none is promoted"
    since = f", in use since {model.since:%Y-%m-%d}" if model.since else ""
    refused = f"; the gate refused it: {model.refused}" if model.refused else ""
    return f"version {model.version}, grade {model.grade or '-'}, trained until {_until(model)}{since}{refused}"


def _challenger(model: ModelState | None) -> str:
    if model is None:
        return "none waits"
    state = f"refused by the gate: {model.refused}" if model.refused else "passed the gate, waits"
    return f"version {model.version}, grade {model.grade or '-'}, trained until {_until(model)}; {state}"


def _until(model: ModelState) -> str:
    return model.trained_until or "undated labels"


def _lists(found: Status) -> str:
    if not found.lists:
        return "none"
    matured = sum(one.matured for one in found.lists)
    back = sum(one.backfill for one in found.lists)
    told = f"{len(found.lists)} published{f' ({back} by backfill)' if back else ''}, {len(found.lists) - matured} running, "
    waits: ListState | None = found.next_to_mature
    following = f"; that of {waits.as_of} matures next, on {waits.matures_on}" if waits else ""
    return f"{told}{matured} matured{following}"


def _table(table: TableState, first: bool) -> str:
    head = f"{'tables' if first else '':<14} {table.newest.table:<14}"
    if table.state == "unusable":
        return f"{head} unusable: {table.newest.problem.splitlines()[0]}"
    if table.newest.last_day is None:
        return f"{head} no dated row"
    warned = f"; {table.state}" if table.state in ("late", "stale") else ""
    return f"{head} until {date_of(table.newest.last_day)}, {_age(table)}{warned}"


def _age(table: TableState) -> str:
    allowed = f", {table.allowed_days} allowed" if table.allowed_days is not None else ""
    return f"{table.age_days} day{'' if table.age_days == 1 else 's'} ago{allowed}"


def _success(found: Status) -> dict[str, Any] | None:
    last = found.last
    if last is None:
        return None
    return {
        "as_of": last.as_of.isoformat(),
        "revision": last.revision,
        "backfill": last.backfill,
        "published_at": last.published_at.isoformat(timespec="seconds"),
        "age_seconds": round((found.now - last.published_at).total_seconds()),
    }


def _model(model: ModelState | None) -> dict[str, Any] | None:
    if model is None:
        return None
    return {
        "version": model.version,
        "grade": model.grade or None,
        "trained_until": model.trained_until or None,
        "created": model.created.isoformat(timespec="seconds"),
        "champion_since": model.since.isoformat(timespec="seconds") if model.since else None,
        "refused": model.refused or None,
    }


def _table_row(table: TableState) -> dict[str, Any]:
    last = table.newest.last_day
    return {
        "table": table.newest.table,
        "state": table.state,
        "rows": table.newest.rows,
        "last_day": None if last is None else date_of(last).isoformat(),
        "age_days": table.age_days,
        "allowed_days": table.allowed_days,
        "problem": table.newest.problem or None,
    }
