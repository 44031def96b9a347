"""The states that are watched, and when a change of one is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kizuna.config_watch import Watch
from kizuna.journal import Journal

OK = "ok"
# They say nothing of the shop: the keyboard, another run at work.
_NO_STATE = (14, 130)
_GOOD = (0, 99)
_OF_TODAY = ("score", "monitor")
# May pass by itself. A weekly job is told of at once, for it does not know whether its scheduler tries again, and a
# message too many costs a glance while one too few costs a week; who lets it try often counts failures instead.
_MAY_PASS = (10, 15, 75)
PARAGRAPHS = {
    2: "2: the command or the config is wrong",
    10: "10: data missing or stale",
    11: "11: data that break the contract",
    12: "12: no usable model",
    13: "13: the result looks wrong",
    15: "15: published, but a destination failed",
    20: "20: unexpected",
    75: "75: a server did not answer",
    143: "143: ended by SIGTERM",
}
NO_FAILURE = "What is watched that is no failure"


@dataclass(frozen=True)
class State:
    """What a run says a subject is ``now``; ``words`` for people, ``paragraph`` of the runbook."""

    subject: str
    now: str
    words: str
    paragraph: str
    exit_code: int = 0
    may_pass: bool = False


@dataclass(frozen=True)
class Told:
    """What a subject is, what was last told of it, and for how many runs in a row it has not been well."""

    now: str = OK
    told: str = OK
    times: int = 0


def states_of(run: Journal, watch: Watch, exit_code: int) -> Iterator[State]:
    """The states that a run that has ended can tell of: its command's, and as far as it noted them the others."""
    if exit_code in _GOOD:
        yield State(run.command, OK, "It works again.", "0: published, or published already")
    elif exit_code not in _NO_STATE:
        paragraph = PARAGRAPHS.get(exit_code, PARAGRAPHS[20])
        words = "The run ended without a word."
        yield State(run.command, f"failing ({exit_code})", words, paragraph, exit_code, exit_code in _MAY_PASS)
    # Past days tell nothing of today.
    notes = run.notes if run.command in _OF_TODAY else {}
    if isinstance(age := notes.get("model_age_days"), int | float):
        old = age > watch.max_model_age_days
        words = (
            f"The champion was trained {age:,.0f} days before the list's day; {watch.max_model_age_days} are allowed."
        )
        yield State("model_age", "old" if old else OK, words, NO_FAILURE)
    if isinstance(gates := notes.get("gates"), list):
        warned = sorted(str(gate["name"]) for gate in gates if _is_drift(gate) and gate.get("status") != "pass")
        words = f"Drift beyond its limit: {', '.join(warned)}." if warned else "Drift is within its limits again."
        yield State("drift", "warning" if warned else OK, words, NO_FAILURE)
    if isinstance(below := notes.get("lists_below_promise"), int):
        words = (
            f"In each of the last {below} matured lists fewer left than had been promised, beyond what chance explains."
            if below >= 2
            else "The lists keep what they promise."
        )
        yield State("quality", "below promise" if below >= 2 else OK, words, NO_FAILURE)


def next_state(before: Told, state: State, after_failures: int) -> Told:
    """The subject after this run; what may pass by itself is told once it has come so often in a row."""
    if state.now == OK:
        return Told(OK, OK, 0)
    times = before.times + 1
    tell = not state.may_pass or times >= after_failures
    return Told(state.now, state.now if tell else before.told, times)


def _is_drift(gate: Any) -> bool:
    return isinstance(gate, Mapping) and "drift" in str(gate.get("name"))
