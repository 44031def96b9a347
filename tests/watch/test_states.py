"""When a change of state is told: the table of what was, what came, and what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from kizuna import journal
from kizuna.config_watch import Watch
from kizuna.watch.states import NO_FAILURE, PARAGRAPHS, State, Told, next_state, states_of


def told_after(codes: list[int], after_failures: int = 1) -> list[str]:
    """What is told in the course of these exit codes."""
    state, found = Told(), []
    for code in codes:
        with journal.journal_of("score", as_json=False) as run:
            pass
        for each in states_of(run, Watch(), code):
            after = next_state(state, each, after_failures)
            found += [after.told] if after.told != state.told else []
            state = after
    return found


@pytest.mark.parametrize(
    ("codes", "after_failures", "told"),
    [
        ([0, 0, 99, 0], 1, []),
        ([0, 11, 11, 11, 0], 1, ["failing (11)", "ok"]),
        ([12, 13, 13, 0], 1, ["failing (12)", "failing (13)", "ok"]),
        ([0, 14, 130, 0], 1, []),
        ([12, 14, 12, 0], 1, ["failing (12)", "ok"]),
        ([75, 75, 0], 1, ["failing (75)", "ok"]),
        ([75, 75, 0, 75, 0], 3, []),
        ([75, 10, 75, 75, 0], 3, ["failing (75)", "ok"]),
        ([75, 11, 0], 3, ["failing (11)", "ok"]),
        ([143, 0], 3, ["failing (143)", "ok"]),
        ([137, 0], 1, ["failing (137)", "ok"]),
    ],
)
def test_one_message_for_each_change(codes: list[int], after_failures: int, told: list[str]) -> None:
    assert told_after(codes, after_failures) == told


def test_what_is_no_failure() -> None:
    gates = [{"name": "score_drift", "status": "warn"}, {"name": "list_size", "status": "fail"}]
    with journal.journal_of("score", as_json=False) as run:
        journal.note(model_age_days=61, gates=gates, lists_below_promise=2)
    assert list(states_of(run, Watch(), 0))[1:] == [
        State(
            "model_age", "old", "The champion was trained 61 days before the list's day; 60 are allowed.", NO_FAILURE
        ),
        State("drift", "warning", "Drift beyond its limit: score_drift.", NO_FAILURE),
        State(
            "quality",
            "below promise",
            "In each of the last 2 matured lists fewer left than had been promised, beyond what chance explains.",
            NO_FAILURE,
        ),
    ]
    with journal.journal_of("score", as_json=False) as run:
        journal.note(model_age_days=60, gates=[], lists_below_promise=1)
    assert [(state.subject, state.now) for state in states_of(run, Watch(), 0)] == [
        *(("score", "ok"), ("model_age", "ok"), ("drift", "ok"), ("quality", "ok")),
    ]


def test_the_runbook_has_the_paragraphs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8")
    for paragraph in [*PARAGRAPHS.values(), "0: published, or published already", NO_FAILURE]:
        assert f"## {paragraph}\n" in page
