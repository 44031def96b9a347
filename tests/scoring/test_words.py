"""The lines of lists and dry runs: from plain values to exact text."""

from __future__ import annotations

from kizuna.scoring.words import dry_run_line, score_line


def test_a_list_and_a_dry_run_are_one_line() -> None:
    counts = {"eligible": 7191, "listed": 530, "to_contact": 358, "control": 101, "exempt": 71}
    assert score_line({"as_of": "2026-01-01", "counts": counts}) == (
        "2026-01-01: 7,191 eligible -> 530 listed (358 to contact, 101 left alone to measure, 71 service first)"
    )
    assert score_line({"as_of": "2026-01-01", "counts": counts | {"to_contact": 300}}).endswith(
        "(300 to contact, 101 left alone to measure, 71 service first, 58 may not be contacted)"
    )
    found = {"last_list": "2026-01-01", "listed": 530, "come": ["a", "b"], "go": []}
    assert dry_run_line(found) == (
        "530 would be listed; against the list of 2026-01-01 2 come and 0 go. Nothing was published."
    )
    assert "against no earlier list" in dry_run_line(found | {"last_list": None})
