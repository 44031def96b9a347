"""The commands about a shop and its tables: init, simulate, check, define, schema, features, demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kizuna.cli.options import AsJson, AsOf, Command, ConfigPath, Overrides, print_json, project_of

if TYPE_CHECKING:
    from kizuna.project import Project


def init(directory: Annotated[Path, typer.Argument(metavar="DIR", show_default=False)]) -> None:
    """Write a commented config and a README for a new shop."""
    from kizuna.init import init_shop

    for path in init_shop(directory):
        print(path)


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
        print_json(rows)
        return
    for table, count in rows.items():
        print(f"{count:>12,}  {directory / table}.parquet")


def check(
    config: ConfigPath,
    prove: Annotated[bool, typer.Option("--prove", help="Rewrite the future and demand identical features.")] = False,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The day of the proof.")] = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> int:
    """Report what is wrong or thin in the tables; exits 0, 10 or 11 by the worst finding."""
    if prove:
        return _prove(project_of(config, overrides), as_of, as_json)
    if as_of is not None:
        from kizuna.errors import ConfigError

        raise ConfigError("--as-of is the day of a proof. Add --prove, or leave it out.")
    from kizuna.check import check_shop, print_report, report_json

    report = check_shop(project_of(config, overrides))
    if as_json:
        print_json(report_json(report))
    else:
        print_report(report)
    return report.exit_code


def _prove(project: Project, as_of: str | None, as_json: bool) -> int:
    from kizuna.prove import proof_lines
    from kizuna.prove import prove as prove_day

    proof = prove_day(project, None if as_of is None else project.day(as_of))
    if as_json:
        print_json(proof.to_json())
    else:
        print("\n".join(proof_lines(proof)))
    return proof.exit_code


def define(
    config: ConfigPath,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The day to stand on.")] = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show after how much silence a customer is gone, and propose it."""
    from kizuna.define import write

    project = project_of(config, overrides)
    found = project.define(as_of)
    written = [str(path) for path in write(found, project.config.output_dir / "define")]
    if as_json:
        print_json(found.summary | {"files": written})
        return
    for line in [*found.lines, f"Written to {', '.join(written)}"]:
        print(line)


def schema() -> None:
    """Print the JSON Schema of the config, for editors."""
    from kizuna.config import config_schema

    print_json(config_schema())


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
    rows, columns = project_of(config, overrides).write_features(as_of, out)
    print(f"{rows:,} rows, {columns} features: {out}")


def demo(
    customers: Annotated[int, typer.Option(help="How many customers.")] = 20_000,
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo lives.")] = Path("kizuna-demo"),
) -> None:
    """Simulate a shop, check, train and score it, and say where to look: about two minutes."""
    from kizuna.demo import run_demo

    run_demo(directory, customers)


COMMANDS: list[Command] = [init, simulate, check, define, schema, features]
