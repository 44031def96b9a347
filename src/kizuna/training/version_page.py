"""What MLflow's page of a registered version says to people: what it predicts, from what, and what the gate found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kizuna.timeline import date_of

if TYPE_CHECKING:
    from kizuna.config import Config
    from kizuna.training.fitting import Trained


def churn_page(config: Config, trained: Trained) -> str:
    """Markdown: the gate's decision, what the churn model is, and every check with what it found."""
    training, decision = trained.training, trained.decision
    lines = [
        decision.text,
        "",
        f"Churn model of {config.name} ({trained.churn.estimator_name_}): {training.definition.kind}, "
        f"{training.definition.horizon_days} days ahead. {_taught(trained)}",
        "",
        "| check | found | in words |",
        "| --- | --- | --- |",
        *(f"| {check.name} | {check.short} | {_cell(check.text)} |" for check in decision.checks),
    ]
    return "\n".join(lines)


def value_page(config: Config, trained: Trained) -> str:
    """Markdown: what the value model is, and what its check found."""
    window = trained.training.value_window
    ahead = f", {window.horizon_days} days ahead" if window else ""
    lines = [f"Value model of {config.name}: value if kept and if churned{ahead}. {_taught(trained)}"]
    if trained.value:
        lines += ["", f"Value check: {trained.value.check.text}"]
    if trained.cltv:
        lines += ["", trained.cltv.why_]
    return "\n".join(
        [*lines, "", "It is used with the churn version of the same run, whose tag cltv_version names it."]
    )


def _taught(trained: Trained) -> str:
    training = trained.training
    known = f"before {date_of(training.train_day)}" if training.dated else "in one undated snapshot"
    return (
        f"Trained on what was known {known}: {len(training.y):,} rows, {len(training.frame.plan.columns)} features, "
        f"{len(training.days)} snapshot{'' if len(training.days) == 1 else 's'}."
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
