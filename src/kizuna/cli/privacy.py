"""The command about one person's data: forget."""

from __future__ import annotations

from typing import Annotated

import typer

from kizuna.cli.options import AsJson, Command, ConfigPath, Overrides, print_json


def forget(
    config: ConfigPath,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Search only, and change nothing.")] = False,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> int:
    """Erase one customer from everything kizuna has written, and keep later runs from writing it again."""
    from datetime import UTC, datetime

    from kizuna.config_file import load_config
    from kizuna.privacy.forget import forget as forget_customer
    from kizuna.privacy.words import forget_lines

    proof = forget_customer(load_config(config, tuple(overrides or ())), customer, datetime.now(UTC), dry_run)
    if as_json:
        print_json(proof.to_json())
    else:
        print("\n".join(forget_lines(proof)))
    return proof.exit_code


COMMANDS: list[Command] = [forget]
