"""The commands about models: train, backtest, models, promote, rollback."""

from __future__ import annotations

from typing import Annotated

import typer

from kizuna import journal
from kizuna.cli.options import AsJson, Command, ConfigPath, Overrides, print_json, project_of, watched_project


def train(
    config: ConfigPath,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="T", help="The day training stands on.")] = None,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Leave it as challenger.")] = False,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Train churn and value on what was known before T, log them, and promote them if the gate passes."""
    from kizuna.training.words import training_lines

    result = watched_project(config, overrides).train(as_of, not no_promote, journal.say)
    if as_json:
        print_json(result.to_json())
        return
    for line in training_lines(result, str(config)):
        print(line)


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
    from kizuna.training.backtest import summary
    from kizuna.words import backtest_lines

    project = project_of(config, overrides)
    found, folder = project.backtest(as_of, weeks, ablate, journal.say)
    if as_json:
        print_json(summary(found) | {"folder": str(folder)})
        return
    for line in backtest_lines(found, project.config.evaluation.capacity):
        print(line)
    print(folder)


def models(config: ConfigPath, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """List the versions, with their aliases and grades."""
    from kizuna.config_file import load_config
    from kizuna.tracking.registry import Registry
    from kizuna.words import model_lines, model_row

    loaded = load_config(config, tuple(overrides or ()))
    versions = Registry(loaded.tracking_uri, loaded.name).versions()
    rows = [model_row(version) for version in versions]
    if as_json:
        print_json({"models": rows})
        return
    for line in model_lines(rows, loaded.name):
        print(line)


def promote(
    config: ConfigPath,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The churn model's version.", show_default=False)],
    overrides: Overrides = None,
) -> None:
    """Make a version champion; its value model moves with it."""
    from datetime import UTC, datetime

    from kizuna.config_file import load_config
    from kizuna.lists.output import fetch_output
    from kizuna.lists.push import share
    from kizuna.lists.witness import accept
    from kizuna.tracking.registry import Registry
    from kizuna.words import accepted_line, champion_lines

    loaded = load_config(config, tuple(overrides or ()))
    pair = Registry(loaded.tracking_uri, loaded.name).promote(version, datetime.now(UTC))
    fetch_output(loaded.output.address, loaded.output_dir)
    accepted = accept(loaded.output_dir, pair)
    share(loaded.output_dir)
    print("\n".join(champion_lines(pair, loaded.name)))
    if accepted:
        print(accepted_line(accepted))


def rollback(config: ConfigPath, overrides: Overrides = None) -> None:
    """Make the previous champion champion again."""
    from datetime import UTC, datetime

    from kizuna.config_file import load_config
    from kizuna.tracking.registry import Registry
    from kizuna.words import champion_lines

    loaded = load_config(config, tuple(overrides or ()))
    pair = Registry(loaded.tracking_uri, loaded.name).rollback(datetime.now(UTC))
    print("\n".join(champion_lines(pair, loaded.name)))


COMMANDS: list[Command] = [train, backtest, models, promote, rollback]
