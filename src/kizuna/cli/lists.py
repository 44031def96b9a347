"""The commands about lists and what came of them: score, backfill, status, explain, feedback, monitor, kpi."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kizuna import journal
from kizuna.cli.deadline import end_after
from kizuna.cli.options import (
    AcceptGate,
    AsJson,
    AsOf,
    Command,
    ConfigPath,
    Overrides,
    Why,
    print_json,
    project_of,
    watched_project,
)

if TYPE_CHECKING:
    from kizuna.config import Config
    from kizuna.data.store import Store
    from kizuna.project import Project
    from kizuna.scoring.job import ScoreOptions


def score(
    config: ConfigPath,
    as_of: AsOf,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish nothing; print the difference.")] = False,
    republish: Annotated[bool, typer.Option("--republish", help="Write another revision of a published day.")] = False,
    restore: Annotated[
        int | None, typer.Option("--restore", metavar="N", help="Link revision N of the day again.")
    ] = None,
    hindsight: Annotated[bool, typer.Option("--hindsight", help="Allow a champion that knows later days.")] = False,
    accept_gate: AcceptGate = None,
    why: Why = None,
    max_seconds: Annotated[
        float | None, typer.Option(metavar="N", min=1, help="End with 75, nothing half done, when it takes longer.")
    ] = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> int:
    """Score every eligible customer and publish the day's list, at once or not at all."""
    from kizuna.scoring.gates.gate import accepted_gates
    from kizuna.scoring.job import ScoreOptions

    if restore is not None and (dry_run or republish):
        raise typer.BadParameter("--restore links a revision that is there; leave out --dry-run and --republish.")
    end_after(max_seconds)
    project = watched_project(config, overrides, unwatched=dry_run or restore is not None)
    day = project.day(as_of)
    journal.note(as_of=as_of)
    if restore is not None:
        return _restored(project, day, restore, as_json)
    options = ScoreOptions(republish, hindsight, accepted=accepted_gates(accept_gate or [], why or [], project.config))
    with journal.stage("read"):
        store = project.store
    if dry_run:
        return _tried(store, project.config, day, options, as_json)
    return _published(store, project.config, day, options, as_json)


def _restored(project: Project, day: int, revision: int, as_json: bool) -> int:
    from kizuna.delivery.states import delivery_states
    from kizuna.scoring.job import restore_day

    publication = restore_day(project.config, day, revision, lambda: project.store, journal.say)
    as_of = publication.as_of.isoformat()
    if as_json:
        told = {"as_of": as_of, "revision": publication.revision, "folder": str(publication.folder)}
        print_json(told | {"destinations": [item.to_json() for item in delivery_states(project.config)]})
    else:
        print(f"{as_of} shows revision r{publication.revision} again: {publication.folder}")
    return 0


def _tried(store: Store, config: Config, day: int, options: ScoreOptions, as_json: bool) -> int:
    from kizuna.scoring.job import dry_run_day
    from kizuna.scoring.words import dry_run_line, gate_lines

    found = dry_run_day(store, config, day, options)
    if as_json:
        print_json(found)
    else:
        print("\n".join([dry_run_line(found), *gate_lines(found)]))
    return int(found["exit_code"])


def _published(store: Store, config: Config, day: int, options: ScoreOptions, as_json: bool) -> int:
    from kizuna.delivery.states import delivery_states
    from kizuna.scoring.job import score
    from kizuna.scoring.words import score_line

    publication = score(store, config, day, options, journal.say)
    if as_json:
        keys = ("as_of", "revision", "counts", "models", "grade", "hindsight", "gates")
        told = {key: publication.manifest.get(key) for key in keys} | {"folder": str(publication.folder)}
        print_json(told | {"destinations": [item.to_json() for item in delivery_states(config)]})
        return 0
    print(score_line(publication.manifest))
    print(config.place_of(publication.as_of.isoformat()))
    return 0


def backfill(
    config: ConfigPath,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day, such as 2025-04-07.")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day.")],
    every: Annotated[int, typer.Option("--every", metavar="DAYS", help="From one day to the next.", min=1)] = 7,
    accept_gate: AcceptGate = None,
    why: Why = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Publish past days in order, each by the model that was champion then; deliver nothing."""
    from kizuna.scoring.backfill import Asked
    from kizuna.scoring.backfill import backfill as backfill_days
    from kizuna.scoring.gates.gate import accepted_gates
    from kizuna.scoring.words import backfill_json, backfill_lines
    from kizuna.timeline import parse_day

    project = watched_project(config, overrides)
    accepted = accepted_gates(accept_gate or [], why or [], project.config)
    asked = Asked(parse_day(first, "--from"), parse_day(last, "--to"), every, accepted)
    with journal.stage("read"):
        store = project.store
    done = backfill_days(store, project.config, asked, journal.say)
    if as_json:
        print_json(backfill_json(asked, done))
        return
    print("\n".join(backfill_lines(done)))


def status(config: ConfigPath, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Show the last list, the models, what has matured, how fresh the tables are, and what to do next."""
    from datetime import UTC, datetime

    from kizuna.status.found import status as shop_status
    from kizuna.status.words import status_json, status_lines

    found = shop_status(project_of(config, overrides).config, datetime.now(UTC))
    if as_json:
        print_json(status_json(found, str(config)))
        return
    print("\n".join(status_lines(found, str(config))))


def explain(
    config: ConfigPath,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.", show_default=False)],
    as_of: AsOf,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show one customer: timeline, probability, reasons, action, and what changed since the last list."""
    from kizuna.customer.screen import screen_lines, to_json

    project = project_of(config, overrides)
    found = project.explain(customer, as_of)
    if as_json:
        print_json(to_json(found))
        return
    for line in screen_lines(found, project.config.at_risk.language):
        print(line)


def feedback(
    config: ConfigPath,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The filled at_risk.xlsx.", show_default=False)],
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> int:
    """Read back what was filled into a workbook; exits 11 where entries cannot be read."""
    from kizuna.feedback.receipt import receipt_json, receipt_lines, receive
    from kizuna.timeline import date_of

    project = project_of(config, overrides)
    receipt = receive(project.config, file, date_of(project.today))
    if as_json:
        print_json(receipt_json(receipt))
    else:
        print("\n".join(receipt_lines(receipt, project.config.at_risk.language)))
    return receipt.exit_code


def monitor(
    config: ConfigPath,
    as_of: AsOf,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of published lists and what is expected of the others, the effect, and drift now."""
    from kizuna.monitor.files import to_json, write_monitor
    from kizuna.monitor.noted import note_monitor
    from kizuna.monitor.screen import screen_lines

    project = watched_project(config, overrides)
    journal.note(as_of=as_of)
    pack = project.monitor(as_of)
    note_monitor(pack)
    written = [str(path) for path in write_monitor(pack, project.config.output_dir / "monitor")]
    if as_json:
        print_json(to_json(pack) | {"files": written})
        return
    for line in [*screen_lines(pack, project.config.at_risk.language), "", f"Written to {', '.join(written)}"]:
        print(line)


def kpi(
    config: ConfigPath,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day, such as 2025-04-01.")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day; nothing known later is used.")],
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show retention, churn, NPS, CSAT, value, repeats, complaints by month, quarter and fiscal year."""
    from kizuna.kpi.files import publish_kpis, to_json
    from kizuna.kpi.screen import screen_lines

    project = project_of(config, overrides)
    pack, files = publish_kpis(lambda: project.kpi(first, last), project.config.output_dir / "kpi")
    written = [str(path) for path in files]
    if as_json:
        print_json(to_json(pack) | {"files": written})
        return
    for line in [*screen_lines(pack, project.config.at_risk.language), "", f"Written to {', '.join(written)}"]:
        print(line)


COMMANDS: list[Command] = [score, backfill, status, explain, feedback, monitor, kpi]
