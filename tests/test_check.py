"""What ``kizuna check`` says of the effect that a list can show, and when."""

from __future__ import annotations

import pandas as pd
import pytest

from kizuna.check import check_shop, print_report
from kizuna.project import Project


def shop(tmp_path, customers, **at_risk):
    """A shop whose customers all bought on 2026-01-09, the last day there is."""
    orders = pd.DataFrame(
        {"customer_id": [f"c{k}" for k in range(customers)], "occurred_at": "2026-01-09", "amount": 5.0}
    )
    first = pd.DataFrame({"customer_id": ["old"], "occurred_at": ["2025-01-01"], "amount": [1.0]})
    tree = {
        "name": "shop",
        "data": {"tables": {"purchases": {}}},
        "at_risk": at_risk,
        "output": {"dir": str(tmp_path / "out")},
    }
    return Project(tree, {"purchases": pd.concat([first, orders], ignore_index=True)})


@pytest.mark.parametrize(
    ("customers", "at_risk", "text"),
    [
        # 2.80158 * sqrt(0.25 * (1/100 + 1/25)) = 0.3132
        (
            400,
            {"size": 100, "control_share": 0.2},
            "Effect: one list of 100 to contact and about 25 left alone shows a difference in churn from 31 points on, or fewer "
            "where few leave; the first result of a list of 2026-01-10 comes on 2026-04-10.",
        ),
        # Nobody can list more than there are.
        (
            50,
            {"size": 500, "control_share": 0.5},
            "Effect: one list of 25 to contact and about 25 left alone shows a difference in churn from 40 points on, or fewer "
            "where few leave; the first result of a list of 2026-01-10 comes on 2026-04-10.",
        ),
        (
            400,
            {"size": 100, "control_share": 0},
            "Effect: a list of 100 with 0 customers left alone can show none. Set at_risk.control_share above 0, or list more "
            "customers.",
        ),
    ],
)
def test_the_smallest_effect_and_the_first_result(tmp_path, capsys, customers, at_risk, text):
    report = check_shop(shop(tmp_path, customers, **at_risk))
    assert report.effect is not None
    assert report.effect.line() == text
    print_report(report)
    assert text in capsys.readouterr().out.splitlines()


def test_unsound_tables_promise_nothing(tmp_path, capsys):
    project = Project(
        {"name": "shop", "data": {"tables": {"purchases": {}}}, "output": {"dir": str(tmp_path / "out")}},
        {"purchases": pd.DataFrame({"customer_id": ["a"], "occurred_at": ["2026-01-09"]})},
    )
    report = check_shop(project)
    assert (report.exit_code, report.effect) == (11, None)
    print_report(report)
    assert "Effect" not in capsys.readouterr().out
