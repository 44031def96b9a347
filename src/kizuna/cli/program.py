"""The program: its commands, its errors in words, its exit codes."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer

from kizuna.cli import learning, lists, privacy, shop
from kizuna.cli.deadline import TimeUp, remembered, stop_asked_for

app = typer.Typer(
    name="kizuna",
    help="Who is about to leave, what they are worth, why, and a weekly list to act on.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# Commands whose files hold nobody's data: a config to begin with, and a shop that does not exist.
_FOR_EVERYBODY = ("init", "simulate")
# Typer brings its own copy of click, and names the base of all usage errors nowhere.
_UsageError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def main() -> NoReturn:
    """Runs the command line and ends with an exit code of the contract; never a traceback unless ``--debug``."""
    debug, as_json_lines = (option in sys.argv for option in ("--debug", "--log-json"))
    sys.argv = [argument for argument in sys.argv if argument not in ("--debug", "--log-json")]
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(debug, as_json_lines or os.environ.get("KIZUNA_LOG") == "json"))


def run(debug: bool, as_json_lines: bool = False) -> int:
    """Runs the command line; the exit code, what happens and errors said on standard error."""
    from kizuna.journal import journal_of
    from kizuna.progress import shown_progress

    with journal_of(" ".join(sys.argv[1:2]), as_json_lines) as journal, shown_progress(), _own_umask():
        try:
            code = _ended(debug)
        except SystemExit as stopped:
            code = stopped.code if isinstance(stopped.code, int) else 20
            why = stopped.message if isinstance(stopped, TimeUp) else "ended by SIGTERM; nothing is half done"
            error = "TimeUp" if isinstance(stopped, TimeUp) else "SIGTERM"
            journal.tell("failed", message=why, exit_code=code, error=error)
        journal.tell("finished", exit_code=code)
    return code


def _ended(debug: bool) -> int:
    from kizuna.errors import KizunaError

    try:
        result = _called()
        return result if isinstance(result, int) else 0
    except typer.Exit as ended:
        return ended.exit_code
    except _UsageError as error:
        return _fail(error, f"{error.format_message()} See kizuna --help.", 2)
    except (KeyboardInterrupt, typer.Abort) as error:
        return _fail(error, "stopped by the keyboard; nothing was published.", 130)
    except KizunaError as error:
        return _fail(error, str(error), error.exit_code, debug)
    except OSError as error:
        return _fail(error, _said_of_system(error), 20, debug)
    except Exception as error:
        # The text of an error that nobody foresaw may repeat a customer's row.
        what = f"Unexpected {type(error).__name__} in {_place_of(error)}. Run again with --debug and report it."
        return _fail(error, what, 20, debug)


def _said_of_system(error: OSError) -> str:
    """What the system refused, and whether the list was published before."""
    from kizuna.journal import open_journal

    try:
        place = error.filename or os.getcwd()
    except OSError:
        return (
            "The folder that the command was begun in is gone. Go to another one, and run again. Nothing was published."
        )
    journal = open_journal()
    day = journal.notes.get("published") if journal else None
    ended = f"The list of {day} is published all the same." if day else "Nothing was published."
    named = f": {place}" if error.filename else ""
    return f"{error.strerror or error}{named}. {ended}"


def _called() -> object:
    """What the command comes back with; what a signal raised is raised, though a library made another error of it."""
    stop_asked_for()
    try:
        return app(standalone_mode=False)
    except Exception:
        if stop := stop_asked_for():
            raise stop from None
        raise


def _place_of(error: BaseException) -> str:
    """The last line of ours that an error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}kizuna{os.sep}" in frame.filename] or frames
    return f"{os.path.basename(ours[-1].filename)}, line {ours[-1].lineno}"


@contextmanager
def _own_umask() -> Iterator[None]:
    """Within this the umask may be changed; afterwards it is what it was."""
    before = os.umask(0o077)
    os.umask(before)
    try:
        yield
    finally:
        os.umask(before)


def _fail(error: BaseException, message: str, code: int, debug: bool = False) -> int:
    from kizuna.errors import KizunaError
    from kizuna.journal import fail, open_journal
    from kizuna.secret import without_secrets

    message = without_secrets(message)
    if debug:
        print(without_secrets("".join(traceback.format_exception(error))), end="", file=sys.stderr)
    fail(message, code, type(error).__name__)
    told = error.told if isinstance(error, KizunaError) else {}
    if "--json" in sys.argv:
        journal = open_journal()
        gates = {"gates": journal.notes["gates"]} if journal and "gates" in journal.notes else {}
        print(json.dumps({"error": message, "exit_code": code} | told | gates, ensure_ascii=False))
    return code


def _terminated(number: int, frame: object) -> NoReturn:
    raise remembered(SystemExit(143))


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; may stand anywhere.")] = False,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Tell what happens as JSON lines on standard error; may stand anywhere.")
    ] = False,
) -> None:
    if version:
        from kizuna.version import VERSION

        print(VERSION)
    elif context.invoked_subcommand is None:
        print(context.get_help())
    if context.invoked_subcommand not in _FOR_EVERYBODY:
        # What MLflow and other libraries write follows it as well.
        os.umask(0o077)


for _command in (*shop.COMMANDS, *learning.COMMANDS, *lists.COMMANDS, *privacy.COMMANDS, shop.demo):
    app.command()(_command)
