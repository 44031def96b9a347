"""The command line: each command parses, calls one function, prints."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from kizuna.project import Project

app = typer.Typer(
    name="kizuna",
    help="Who is about to leave, what they are worth, why, and a weekly list to act on.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The shop's YAML file.", show_default=False)]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the config; repeatable.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
# Typer brings its own copy of click, and names the base of all usage errors nowhere.
_UsageError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

AsOf = Annotated[str, typer.Option("--as-of", metavar="DATE", help="The day to stand on, such as 2026-01-31.")]


def main() -> NoReturn:
    """Runs the command line and ends with an exit code of the contract; never a traceback unless ``--debug``."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(_run(debug))


def _run(debug: bool) -> int:
    from kizuna.errors import KizunaError
    from kizuna.progress import shown_progress

    try:
        with shown_progress():
            result = app(standalone_mode=False)
        return result if isinstance(result, int) else 0
    except typer.Exit as ended:
        return ended.exit_code
    except _UsageError as error:
        return _fail(f"{error.format_message()} See kizuna --help.", 2)
    except (KeyboardInterrupt, typer.Abort):
        print("Stopped by the keyboard; nothing was published.", file=sys.stderr)
        return 130
    except KizunaError as error:
        if debug:
            raise
        return _fail(str(error), error.exit_code)
    except OSError as error:
        if debug:
            raise
        return _fail(f"{error.strerror or error}: {error.filename or 'no file named'}. Nothing was published.", 20)
    except Exception as error:
        if debug:
            raise
        return _fail(f"Unexpected {type(error).__name__}: {error}. Run again with --debug and report it.", 20)


def _fail(message: str, code: int) -> int:
    print(f"kizuna: {message}", file=sys.stderr)
    if "--json" in sys.argv:
        print(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    return code


def _terminated(number: int, frame: object) -> NoReturn:
    raise SystemExit(143)


def _project(path: Path, overrides: list[str] | None) -> Project:
    from kizuna.project import load

    return load(path, overrides or [])


def _print_json(tree: Any) -> None:
    from kizuna.plain import plain

    print(json.dumps(plain(tree), ensure_ascii=False, indent=2))


def _say() -> Callable[[str], None]:
    """Progress lines on standard error, with the seconds since the command began."""
    began = time.monotonic()
    return lambda line: print(f"  [{time.monotonic() - began:5.1f} s] {line}", file=sys.stderr, flush=True)


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        from kizuna.version import VERSION

        print(VERSION)
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def init(directory: Annotated[Path, typer.Argument(metavar="DIR", show_default=False)]) -> None:
    """Write a commented config and a README for a new shop."""
    from kizuna.init import init_shop

    for path in init_shop(directory):
        print(path)


@app.command()
def simulate(
    directory: Annotated[Path, typer.Argument(metavar="DIR", show_default=False)],
    customers: Annotated[int | None, typer.Option(help="How many customers: 2000.")] = None,
    days: Annotated[
        int | None, typer.Option(help="How many days, the last being 2025-12-31: 730; to go on, 7.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same bytes: 7.")] = None,
    go_on: Annotated[bool, typer.Option("--continue", help="Let the shop in DIR live on.")] = False,
    actions: Annotated[Path | None, typer.Option(help="An at_risk.csv to act on, with --continue.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a realistic shop with a known truth, or let it live on with a list's actions carried out."""
    from kizuna.data.simulate import asked_of_shop

    rows = asked_of_shop(directory, {"customers": customers, "days": days, "seed": seed}, go_on, actions)
    if as_json:
        _print_json(rows)
        return
    for table, count in rows.items():
        print(f"{count:>12,}  {directory / table}.parquet")


@app.command()
def check(
    config: ConfigPath,
    prove: Annotated[bool, typer.Option("--prove", help="Rewrite the future and demand identical features.")] = False,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The day of the proof.")] = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> int:
    """Report what is wrong or thin in the tables; exits 0, 10 or 11 by the worst finding."""
    if prove:
        return _prove(_project(config, overrides), as_of, as_json)
    if as_of is not None:
        from kizuna.errors import ConfigError

        raise ConfigError("--as-of is the day of a proof. Add --prove, or leave it out.")
    from kizuna.check import check_shop, print_report

    report = check_shop(_project(config, overrides))
    if as_json:
        _print_json(
            {"exit_code": report.exit_code, "findings": report.findings.to_dict("records"), "file": str(report.path)}
        )
    else:
        print_report(report)
    return report.exit_code


def _prove(project: Project, as_of: str | None, as_json: bool) -> int:
    from kizuna.prove import proof_lines
    from kizuna.prove import prove as prove_day

    proof = prove_day(project, None if as_of is None else project.day(as_of))
    if as_json:
        _print_json(proof.to_json())
    else:
        print("\n".join(proof_lines(proof)))
    return proof.exit_code


@app.command()
def define(
    config: ConfigPath,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The day to stand on.")] = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show after how much silence a customer is gone, and propose it."""
    from kizuna.define import write

    project = _project(config, overrides)
    found = project.define(as_of)
    written = [str(path) for path in write(found, project.config.output_dir / "define")]
    if as_json:
        _print_json(found.summary | {"files": written})
        return
    for line in [*found.lines, f"Written to {', '.join(written)}"]:
        print(line)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the config, for editors."""
    from kizuna.config import config_schema

    _print_json(config_schema())


@app.command()
def features(
    config: ConfigPath,
    as_of: AsOf,
    out: Annotated[Path, typer.Option("--out", help="The Parquet file to write.")],
    overrides: Overrides = None,
) -> None:
    """Write the feature frame of one day as Parquet."""
    from kizuna.errors import ConfigError

    if not out.parent.is_dir():
        raise ConfigError(f"--out asks for {out}, but there is no folder {out.parent}. Make it first.")
    rows, columns = _project(config, overrides).write_features(as_of, out)
    print(f"{rows:,} rows, {columns} features: {out}")


@app.command()
def train(
    config: ConfigPath,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="T", help="The day training stands on.")] = None,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Leave it as challenger.")] = False,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Train churn and value on what was known before T, log them, and promote them if the gate passes."""
    from kizuna.training_words import training_lines

    result = _project(config, overrides).train(as_of, not no_promote, _say())
    if as_json:
        _print_json(result.to_json())
        return
    for line in training_lines(result, str(config)):
        print(line)


@app.command()
def backtest(
    config: ConfigPath,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="T", help="The day by which outcomes are known.")
    ] = None,
    weeks: Annotated[int | None, typer.Option(help="How many weekly lists, or days of provided labels.", min=1)] = None,
    ablate: Annotated[bool, typer.Option("--ablate", help="Also show what each table adds.")] = False,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Make the lists of past weeks as they could have been made then, and count who left."""
    from kizuna.backtest import summary
    from kizuna.words import backtest_lines

    project = _project(config, overrides)
    found, folder = project.backtest(as_of, weeks, ablate, _say())
    if as_json:
        _print_json(summary(found) | {"folder": str(folder)})
        return
    for line in backtest_lines(found, project.config.evaluation.capacity):
        print(line)
    print(folder)


@app.command()
def models(config: ConfigPath, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """List the versions, with their aliases and grades."""
    from kizuna.config_file import load_config
    from kizuna.registry import Registry
    from kizuna.words import model_lines, model_row

    loaded = load_config(config, tuple(overrides or ()))
    versions = Registry(loaded.tracking_uri, loaded.name).versions()
    rows = [model_row(version) for version in versions]
    if as_json:
        _print_json({"models": rows})
        return
    for line in model_lines(rows, loaded.name):
        print(line)


@app.command()
def promote(
    config: ConfigPath,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The churn model's version.", show_default=False)],
    overrides: Overrides = None,
) -> None:
    """Make a version champion; its value model moves with it."""
    from datetime import UTC, datetime

    from kizuna.config_file import load_config
    from kizuna.registry import Registry
    from kizuna.words import champion_lines

    loaded = load_config(config, tuple(overrides or ()))
    pair = Registry(loaded.tracking_uri, loaded.name).promote(version, datetime.now(UTC))
    print("\n".join(champion_lines(pair, loaded.name)))


@app.command()
def rollback(config: ConfigPath, overrides: Overrides = None) -> None:
    """Make the previous champion champion again."""
    from datetime import UTC, datetime

    from kizuna.config_file import load_config
    from kizuna.registry import Registry
    from kizuna.words import champion_lines

    loaded = load_config(config, tuple(overrides or ()))
    pair = Registry(loaded.tracking_uri, loaded.name).rollback(datetime.now(UTC))
    print("\n".join(champion_lines(pair, loaded.name)))


@app.command()
def score(
    config: ConfigPath,
    as_of: AsOf,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish nothing; print the difference.")] = False,
    republish: Annotated[bool, typer.Option("--republish", help="Write another revision of a published day.")] = False,
    restore: Annotated[
        int | None, typer.Option("--restore", metavar="N", help="Link revision N of the day again.")
    ] = None,
    hindsight: Annotated[bool, typer.Option("--hindsight", help="Allow a champion that knows later days.")] = False,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Score every eligible customer and publish the day's list, at once or not at all."""
    from kizuna.score_job import ScoreOptions, dry_run_day, restore_day
    from kizuna.score_job import score as score_and_publish
    from kizuna.words import dry_run_line, score_line

    project = _project(config, overrides)
    day = project.day(as_of)
    if restore is not None:
        publication = restore_day(project.config, day, restore)
        print(f"{as_of} shows revision r{publication.revision} again: {publication.folder}")
        return
    options = ScoreOptions(republish, hindsight)
    if dry_run:
        found = dry_run_day(project.store, project.config, day, options)
        if as_json:
            _print_json(found)
        else:
            print(dry_run_line(found))
        return
    publication = score_and_publish(project.store, project.config, day, options, _say())
    if as_json:
        told = {
            key: publication.manifest[key] for key in ("as_of", "revision", "counts", "models", "grade", "hindsight")
        }
        _print_json(told | {"folder": str(publication.folder)})
        return
    print(score_line(publication.manifest))
    print(project.config.output_dir / as_of)


@app.command()
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

    project = _project(config, overrides)
    pack, files = publish_kpis(lambda: project.kpi(first, last), project.config.output_dir / "kpi")
    written = [str(path) for path in files]
    if as_json:
        _print_json(to_json(pack) | {"files": written})
        return
    for line in [*screen_lines(pack, project.config.at_risk.language), "", f"Written to {', '.join(written)}"]:
        print(line)


@app.command()
def demo(
    customers: Annotated[int, typer.Option(help="How many customers.")] = 20_000,
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo lives.")] = Path("kizuna-demo"),
) -> None:
    """Simulate a shop, check, train and score it, and say where to look: about two minutes."""
    from kizuna.demo import run_demo

    run_demo(directory, customers)


if __name__ == "__main__":
    main()
