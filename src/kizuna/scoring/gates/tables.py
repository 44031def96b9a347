"""Gates of the tables: fresh enough, and not suddenly shorter than the last lists knew them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from kizuna.config_gates import Gates
from kizuna.data.knowable import rows_by_period
from kizuna.data.report import freshness
from kizuna.data.store import Store
from kizuna.scoring.gates.gate import Gate, Status, is_beyond_chance, since_accepted

# The last period is compared with eight before it, but for the two nearest: a table that stopped two months ago is still seen.
_PERIOD_DAYS = 28
_SKIPPED, _COMPARED = 2, 8
# A table with fewer rows in a period tells nothing by having fewer still.
_FEWEST_ROWS = 20


@dataclass(frozen=True)
class PastRows:
    """What tables held before. ``lists``: manifests of earlier lists, oldest first; ``is_recent``: the last is near enough to
    tell of growth. ``at_training``: rows by table, none of a model that was stored without them.
    """

    lists: Sequence[Mapping[str, Any]]
    is_recent: bool
    at_training: Mapping[str, int]


def freshness_gates(store: Store, as_of: int) -> list[Gate]:
    """One gate per table with a limit: value and limit are days."""
    found = {finding.table: finding for finding in freshness(store, as_of)}
    gates = []
    for name, source in store.config.data.tables.items():
        limits = [limit for limit in (source.error_after_days, source.warn_after_days) if limit is not None]
        if name not in store.tables or not limits:
            continue
        finding = found.get(name)
        limit, gate = float(limits[0]), f"freshness.{name}"
        if finding is None:
            gates.append(Gate(gate, "pass", None, limit, exit_code=10, waivable=False))
            continue
        status: Status = "fail" if finding.state == "error" else "warn"
        shown = float(limits[0] if status == "fail" else limits[-1])
        said, _, remedy = finding.details.partition(" Load it")
        gates.append(Gate(gate, status, float(finding.count), shown, said, f"Load it{remedy.rstrip('.')}", 10, False))
    return gates


def rows_gates(rows: Mapping[str, int], past: PastRows, limits: Gates, needed: str) -> list[Gate]:
    """One gate per table: its rows as a share of what the last lists knew, or before the first list training.

    ``rows``: known before the day, by table. ``needed``: the table that churn is seen in, whose emptiness nobody can accept.
    """
    gates = []
    for table, now in sorted(rows.items()):
        gate = Gate(
            f"rows.{table}", "pass", None, limits.min_rows_share, exit_code=10, waivable=now > 0 or table != needed
        )
        earlier = [
            one["rows_known"][table]
            for one in since_accepted(past.lists, gate.name)
            if table in one.get("rows_known", {})
        ][-limits.earlier_lists :]
        whence = f"the last {len(earlier)} lists knew (median {{:,.0f}})"
        if not earlier and table in past.at_training:
            earlier, whence = [past.at_training[table]], "training knew ({:,.0f})"
        usual = median(earlier) if earlier else 0
        if not usual:
            gates.append(gate)
            continue
        gate, said = replace(gate, value=now / usual), f"{now:,} rows are known, {{:.0%}} of what {{}};"
        last = earlier[-1] if past.is_recent and earlier[-1] else math.inf
        if not now or (now < limits.min_rows_share * usual and is_beyond_chance(now, usual)):
            said = said.format(now / usual, whence.format(usual))
            said += f" at least {limits.min_rows_share:.0%} are asked for (gates.min_rows_share)."
            gate = replace(gate, status="fail", said=said, remedy="Load the whole table")
        elif now > limits.max_rows_share * last and is_beyond_chance(now, last):
            said = said.format(now / last, f"the last list knew ({last:,})")
            said += f" at most {limits.max_rows_share:.0%} are allowed (gates.max_rows_share)."
            remedy = "See that no row came twice"
            gate = replace(gate, status="fail", value=now / last, limit=limits.max_rows_share, said=said, remedy=remedy)
        gates.append(gate)
    return gates


def recent_gates(store: Store, as_of: int, limits: Gates, lists: Sequence[Mapping[str, Any]]) -> list[Gate]:
    """One gate per table: its rows of the last 28 days as a share of the least of eight such periods, 84 days ago and more.

    A table that at times has few rows in a period, or none, is not judged. ``lists``: manifests of earlier lists. What was
    accepted for the last one only warns, until it passes again.
    """
    known = {one["name"] for one in (lists[-1].get("gates", []) if lists else []) if one["status"] != "pass"}
    gates = []
    for table, counts in sorted(rows_by_period(store, as_of, _PERIOD_DAYS, 1 + _SKIPPED + _COMPARED).items()):
        now, least = counts[0], min(counts[1 + _SKIPPED :])
        gate = Gate(f"recent.{table}", "pass", None, limits.min_recent_share, exit_code=10)
        if least >= _FEWEST_ROWS:
            gate = replace(gate, value=now / least)
            if now < limits.min_recent_share * least and is_beyond_chance(now, least):
                said = (
                    f"{now:,} rows are of the last {_PERIOD_DAYS} days, {now / least:.0%} of what the least of "
                    f"{_COMPARED} such periods before had ({least:,}); at least {limits.min_recent_share:.0%} are asked for "
                    "(gates.min_recent_share)."
                )
                status: Status = "warn" if gate.name in known else "fail"
                gate = replace(gate, status=status, said=said, remedy="Load what is missing")
        gates.append(gate)
    return gates
