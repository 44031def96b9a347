"""What is to be done next in a shop, by where it stands: each step with its command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kizuna.status.found import Status

_WEEK = timedelta(days=7)
# A shop that is closed for some days has no rows of them, and its week is as good as over.
_CLOSED = timedelta(days=3)


@dataclass(frozen=True)
class Step:
    """Something to be done: what, in one word, and in a sentence with the command."""

    what: str
    text: str


def due(found: Status, config: str) -> list[Step]:
    """What is to be done, the most urgent first; empty where nothing is. ``config``: the file's path, for the commands."""
    return [
        *_to_mend(found),
        *_of_models(found, config),
        *(_of_lists(found, config) if found.champion and not found.problems else []),
        *_of_outcomes(found, config),
        *_of_age(found, config),
    ]


def _to_mend(found: Status) -> list[Step]:
    unusable = [one.newest.problem for one in found.tables if one.state == "unusable" and not one.may_be_missing]
    stale = [one for one in found.tables if one.state == "stale"]
    said = [Step("mend", line) for line in (*found.problems, *unusable)[:1]]
    said += [
        Step(
            "load",
            f"load table {one.newest.table}: its newest row is {one.age_days} days old, {one.allowed_days} are allowed",
        )
        for one in stale[:1]
    ]
    return [Step(step.what, step.text.splitlines()[0]) for step in said]


def _of_models(found: Status, config: str) -> list[Step]:
    if found.champion or found.problems:
        return []
    if found.challenger and not found.challenger.refused:
        version = found.challenger.version
        return [Step("promote", f"no model is in use; version {version} waits: kizuna promote {config} {version}")]
    return [Step("train", f"no model is in use: kizuna train {config}")]


def _of_lists(found: Status, config: str) -> list[Step]:
    if found.reached is None:
        return []
    if found.last is None:
        return [Step("score", f"no list yet: kizuna score {config} --as-of {found.reached}")]
    day = found.last.as_of + _WEEK
    if found.today < day:
        return []
    if found.reached <= day - _CLOSED - timedelta(days=1):
        return [
            Step(
                "load",
                f"the list of {day} is due, but the rows end on {found.reached - timedelta(days=1)}: load newer ones",
            )
        ]
    return [Step("score", f"score is due: kizuna score {config} --as-of {max(day, found.reached)}")]


def _of_outcomes(found: Status, config: str) -> list[Step]:
    shown = [one for one in found.lists if one.matured and not one.measured]
    if not shown:
        return []
    what = "the outcome of 1 list is" if len(shown) == 1 else f"the outcomes of {len(shown)} lists are"
    return [Step("monitor", f"{what} known: kizuna monitor {config} --as-of {found.today}")]


def _of_age(found: Status, config: str) -> list[Step]:
    """A model is trained anew once another snapshot has matured, unless one waits that was."""
    model = found.champion
    if model is None or found.reached is None or not model.trained_until:
        return []
    age_days = (found.reached - datetime.fromisoformat(model.trained_until).date()).days
    if age_days < found.retrain_after_days:
        return []
    waits = found.challenger
    if waits and not waits.refused and waits.trained_until > model.trained_until:
        return [
            Step("promote", f"version {waits.version} knows more and waits: kizuna promote {config} {waits.version}")
        ]
    return [
        Step("train", f"train is due, the champion knows nothing of the last {age_days} days: kizuna train {config}")
    ]
