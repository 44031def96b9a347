"""What was published, would be published or was published afterwards, as lines for the terminal; a backfill as JSON, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kizuna.timeline import date_of

if TYPE_CHECKING:
    from kizuna.scoring.backfill import Asked, Backfilled

_ARMS = {"to_contact": "to contact", "control": "left alone to measure", "exempt": "service first"}


def score_line(manifest: Mapping[str, Any]) -> str:
    """What a published day holds."""
    counts = manifest["counts"]
    arms = ", ".join(f"{counts[arm]:,} {word}" for arm, word in _ARMS.items())
    resting = counts["listed"] - sum(counts[arm] for arm in _ARMS)
    arms += f", {resting:,} may not be contacted" if resting else ""
    return f"{manifest['as_of']}: {counts['eligible']:,} eligible -> {counts['listed']:,} listed ({arms})"


def dry_run_line(found: Mapping[str, Any]) -> str:
    """What publishing would change."""
    since = f"the list of {found['last_list']}" if found["last_list"] else "no earlier list"
    return (
        f"{found['listed']:,} would be listed; against {since} {len(found['come']):,} come and {len(found['go']):,} go. "
        "Nothing was published."
    )


def gate_lines(found: Mapping[str, Any]) -> list[str]:
    """How many gates pass, warn and fail; those that do not pass; and what the day would end with."""
    gates = found["gates"]
    counts = {status: sum(gate["status"] == status for gate in gates) for status in ("pass", "warn", "fail")}
    lines = [f"gates: {counts['pass']} pass, {counts['warn']} warn, {counts['fail']} fail"]
    for gate in gates:
        if gate["status"] != "pass":
            accepted = f", accepted: {gate['reason']}" if gate["accepted_by"] is not None else ""
            value = "no value" if gate["value"] is None else f"{gate['value']:.3g}"
            lines.append(f"  {gate['status']} {gate['name']}: {value}, limit {gate['limit']:.3g}{accepted}")
    if found["refusal"]:
        lines.append(f"It would end with exit code {found['exit_code']}. {found['refusal']}")
    return lines


def backfill_lines(done: Sequence[Backfilled]) -> list[str]:
    """A line for each day, and how many there are of each kind."""
    count = Counter(one.state for one in done)
    told = [
        f"{count['published']} published",
        f"{count['left']} published before and left",
        f"{count['skipped']} before the first champion",
    ]
    return [*(_line(one) for one in done), f"{', '.join(told)}; nothing was delivered"]


def backfill_json(asked: Asked, done: Sequence[Backfilled]) -> dict[str, Any]:
    """The days asked for, and what became of each."""
    count = Counter(one.state for one in done)
    return {
        "from": date_of(asked.first).isoformat(),
        "to": date_of(asked.last).isoformat(),
        "every_days": asked.every_days,
        **{state: count[state] for state in ("published", "left", "skipped")},
        "days": [_row(one) for one in done],
    }


def _line(one: Backfilled) -> str:
    day = date_of(one.day).isoformat()
    if one.publication is None:
        return f"{day}  skipped    no version was champion yet"
    manifest = one.publication.manifest
    counts, model = manifest["counts"], manifest["models"]["churn"]
    listed = f"{counts['eligible']:,} eligible, {counts['listed']:,} listed" if counts else ""
    return f"{day}  {one.state:<9}  r{one.publication.revision}  {model}  {listed}".rstrip()


def _row(one: Backfilled) -> dict[str, Any]:
    found = one.publication
    row: dict[str, Any] = {"as_of": date_of(one.day).isoformat(), "state": one.state}
    if found is None:
        return row | {"revision": None, "models": None, "counts": None, "folder": None}
    told = {key: found.manifest.get(key) for key in ("models", "counts")}
    return row | {"revision": found.revision, **told, "folder": str(found.folder)}
