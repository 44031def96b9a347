"""The program: its commands, its errors in words, its exit codes."""

from __future__ import annotations

import json
import signal
import sys
from typing import Annotated, Any, NoReturn

import typer

from kizuna.cli import learning, lists, shop

app = typer.Typer(
    name="kizuna",
    help="Who is about to leave, what they are worth, why, and a weekly list to act on.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# Typer brings its own copy of click, and names the base of all usage errors nowhere.
_UsageError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def main() -> NoReturn:
    """Runs the command line and ends with an exit code of the contract; never a traceback unless ``--debug``."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(debug))


def run(debug: bool) -> int:
    """Runs the command line; the exit code, errors said on standard error."""
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


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        from kizuna.version import VERSION

        print(VERSION)
    elif context.invoked_subcommand is None:
        print(context.get_help())


for _command in (*shop.COMMANDS, *learning.COMMANDS, *lists.COMMANDS, shop.demo):
    app.command()(_command)
