"""``kizuna check``: the data report, printed and written."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.data.report import check_tables, findings_frame
from kizuna.experiment.difference import visible_effect
from kizuna.features.frame import selected_rows
from kizuna.labels.definition import definition_of
from kizuna.labels.training_set import default_train_day
from kizuna.lists.push import share
from kizuna.plain import plain
from kizuna.scoring.settings import refuse_list_settings
from kizuna.timeline import date_of
from kizuna.whole_file import write_csv

if TYPE_CHECKING:
    import pandas as pd

    from kizuna.data.blocks import Block
    from kizuna.project import Project


@dataclass(frozen=True)
class ListEffect:
    """The smallest difference in churn (a share) that one list shows in 4 of 5 cases, None where it can show none; and the
    day of the first result of a list of ``as_of``. ``to_contact``, ``control``: how many customers each arm would have.
    """

    to_contact: int
    control: int
    smallest: float | None
    as_of: date
    first_result: date

    def line(self) -> str:
        """The same for a reader."""
        if self.smallest is None:
            return (
                f"Effect: a list of {self.to_contact:,} with {self.control:,} customers left alone can show none. "
                "Set at_risk.control_share above 0, or list more customers."
            )
        return (
            f"Effect: one list of {self.to_contact:,} to contact and about {self.control:,} left alone shows a difference in "
            f"churn from {100 * self.smallest:.0f} points on, or fewer where few leave; the first result of a list of "
            f"{self.as_of} comes on {self.first_result}."
        )


@dataclass(frozen=True)
class Report:
    """Findings, what was read, where it was written, and the exit code of the worst finding (0, 10 or 11).

    ``effect``: what one list can show, and when; None where the tables are not sound, or labels name no day.
    """

    findings: pd.DataFrame
    tables: list[str]
    path: Path
    exit_code: int
    effect: ListEffect | None = None

    def count(self, state: str) -> int:
        """How many findings are errors, warnings or recommendations."""
        return int((self.findings["state"] == state).sum())


def check_shop(project: Project) -> Report:
    """The report, written to ``<output.dir>/check/report.csv``; errors of the tables are found here, never raised.

    ConfigError: the playbook or the exports cannot work."""
    refuse_list_settings(project.config)
    store = project.opened
    findings = check_tables(store, project.config)
    folder = project.config.output_dir / "check"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    frame = findings_frame(findings)
    path = folder / "report.csv"
    write_csv(frame, path)
    share(folder)
    tables = []
    for info in store.tables.values():
        span = (
            f", {date_of(info.first_day)} to {date_of(info.last_day)}"
            if info.first_day is not None and info.last_day is not None
            else ""
        )
        tables.append(f"{info.name}: {info.rows:,} rows{span}")
    exit_code = max((finding.exit_code for finding in findings), default=0)
    return Report(frame, tables, path, exit_code, None if exit_code else _effect_of_list(project))


def _effect_of_list(project: Project) -> ListEffect | None:
    """What a list of the newest day could show; None where labels name no day, for then there is no result."""
    config, store, definition = project.config, project.store, definition_of(project.config)
    if definition.kind == "provided" and store.tables["labels"].first_day is None:
        return None
    day = default_train_day(store, definition)
    share = config.at_risk.control_share

    def count(block: Block) -> int:
        return len(selected_rows(block, [day], definition.eligible))

    eligible = sum(store.map(count, "eligible customers"))
    size = min(config.at_risk.size, math.floor(eligible * (1 - share)))
    control = round(size * share / (1 - share))
    # Where half of them leave, an effect is hardest to see.
    effect = visible_effect(size, control, 0.5)
    first_result = date_of(definition.window.matured_on(day))
    return ListEffect(size, control, None if math.isnan(effect) else effect, date_of(day), first_result)


def report_json(report: Report) -> dict[str, Any]:
    """The report as a JSON tree."""
    effect = None if report.effect is None else plain(asdict(report.effect))
    findings = report.findings.to_dict("records")
    return {"exit_code": report.exit_code, "findings": findings, "effect": effect, "file": str(report.path)}


def print_report(report: Report) -> None:
    """The report for a reader: the tables, then each finding with its state, place and words."""
    for line in report.tables:
        print(line)
    for row in report.findings.to_dict("records"):
        place = f"{row['table']}.{row['column']}" if row["column"] else row["table"]
        print(f"{row['state'].upper():<15} {row['name']} ({place}, {row['count']:,}): {row['details']}")
    if report.effect is not None:
        print(report.effect.line())
    counts = ", ".join(_plural(report.count(state), state) for state in ("error", "warning", "recommendation"))
    print(f"{counts}. Written to {report.path}")


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
