"""One message for each change of state: of a command, of the champion's age, of drift, of what the lists kept of their promise.

A message that could not be sent waits for the next run. Where nobody is to be called, states are kept all the same, so that a
webhook named later begins with what is.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kizuna import journal
from kizuna.config import Config
from kizuna.journal import Journal
from kizuna.watch.log import kept_message
from kizuna.watch.states import State, Told, next_state, states_of
from kizuna.watch.webhook import post
from kizuna.whole_file import written_whole

ALERTS = "alerts.json"
# Of messages that wait, the newest; and so many are sent at the end of one run.
_WAITING, _AT_ONCE = 50, 5
_RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True)
class Alerts:
    """``told``: by subject, what it is and what was last told of it. ``waiting``: messages not sent yet, oldest first."""

    told: dict[str, Told]
    waiting: list[dict[str, Any]]


def settle(run: Journal, config: Config, folder: Path, exit_code: int) -> None:
    """Takes a run that has ended into the states, and sends what is to be told. Nobody else may write there meanwhile."""
    path = folder / ALERTS
    kept = read_alerts(path)
    told, waiting = dict(kept.told), list(kept.waiting)
    for state in states_of(run, config.watch, exit_code):
        before = told.get(state.subject, Told())
        told[state.subject] = after = next_state(before, state, config.watch.alert_after_failures)
        if after.told != before.told and config.watch.webhook is not None:
            waiting.append(message_of(run, config.name, state, before.told))
    waiting = waiting[-_WAITING:]
    # Kept before it is sent: a run that is killed in between tells it again, under the same alert_id, and not never. Where
    # nothing can be kept it is told all the same; a full disk is what somebody should hear of.
    is_kept = _write(path, Alerts(told, waiting))
    if config.watch.webhook is not None and waiting:
        left = _sent(config.watch.webhook.get_secret_value(), waiting)
        if is_kept:
            _write(path, Alerts(told, left))


def message_of(run: Journal, shop: str, state: State, before: str) -> dict[str, Any]:
    """What a webhook is told, as JSON: ``text`` for people, the rest for programs."""
    failed = next((entry for entry in reversed(run.entries) if entry.event == "failed"), None)
    words = state.words
    if state.exit_code and failed is not None:
        words = kept_message(failed.facts).split("\n")[0]
    what_to_do = f"{_RUNBOOK}, {state.paragraph}"
    title = f"kizuna {state.subject} of {shop}: {before} -> {state.now}."
    return {
        "text": f"{title} {words} What to do: {what_to_do}. Run {run.run_id}.",
        "alert_id": uuid.uuid4().hex[:16],
        "shop": shop,
        "subject": state.subject,
        "command": run.command,
        "from": before,
        "to": state.now,
        "as_of": run.notes.get("as_of"),
        "exit_code": state.exit_code,
        "message": words,
        "what_to_do": what_to_do,
        "run_id": run.run_id,
        "at": run.entries[-1].at.isoformat(timespec="seconds"),
    }


def read_alerts(path: Path) -> Alerts:
    """What is kept; a file that is not there, or that somebody spoilt, counts as a new beginning."""
    if not path.is_file():
        return Alerts({}, [])
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        told = {
            str(name): Told(str(one["now"]), str(one["told"]), int(one["times"])) for name, one in tree["told"].items()
        }
        waiting = [dict(message) for message in tree["waiting"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        journal.warn(f"{path.name} cannot be read, so that what was told before is not known; it begins anew.")
        return Alerts({}, [])
    return Alerts(told, waiting)


def _sent(address: str, waiting: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that could not be sent, in their order: after one that fails none is tried."""
    for at, message in enumerate(waiting[:_AT_ONCE]):
        if why := post(address, message):
            journal.warn(
                f"The webhook was not told that {message['subject']} is {message['to']}: {why}. It is told later."
            )
            return waiting[at:]
    return waiting[_AT_ONCE:]


def _write(path: Path, alerts: Alerts) -> bool:
    """Whether the alerts could be kept."""
    tree = {"told": {name: asdict(told) for name, told in alerts.told.items()}, "waiting": alerts.waiting}
    try:
        with written_whole(path) as aside:
            aside.write_text(json.dumps(tree, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        journal.warn(f"{path.name} cannot be written: {error.strerror or error}. What is told now may be told again.")
        return False
    return True
