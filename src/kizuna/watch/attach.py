"""A run that is watched: its log as it happens, and when it has ended its metrics and what there is to tell.

Whatever goes wrong here is said, and changes neither what the run did nor the code that it ends with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kizuna import journal
from kizuna.config import Config
from kizuna.journal import Entry, Journal
from kizuna.watch import alerts, log
from kizuna.watch.exposition import exposed, read_exposed
from kizuna.watch.folder import metrics_path, shared_files, watch_folder
from kizuna.watch.metrics import HELPS, merged
from kizuna.whole_file import written_whole

# Readable by the collector, which runs as another user.
_FOR_ALL, _FOR_OWNER = 0o644, 0o600


def watched(config: Config) -> None:
    """The open journal is watched from here on, as the config says; without a journal, as in Python, nothing is."""
    run = journal.open_journal()
    if run is None:
        return
    folder = watch_folder(config)
    if folder is None:
        journal.warn("This run is not watched: output.dir is an address. Name a local folder in watch.dir.")
        return
    run.listeners.append(_Listener(config, folder).hear)


class _Listener:
    """What hears a run: writes its log until that fails once, and settles the rest when the run has finished."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.logs = True
        with _said("The log"), shared_files(folder):
            log.turn_over(folder, config.watch.log_megabytes, config.watch.log_files)

    def hear(self, run: Journal, entry: Entry) -> None:
        """Takes one entry."""
        if self.logs:
            self.logs = False
            with _said("The log"):
                log.append(self.folder, run, entry)
                self.logs = True
        if entry.event == "finished" and not run.notes.get("unwatched"):
            self._settle(run, int(entry.facts["exit_code"]))

    def _settle(self, run: Journal, exit_code: int) -> None:
        with _said("The metrics file"), shared_files(self.folder):
            write_metrics(run, self.config, metrics_path(self.config, self.folder), exit_code)
        with _said("The state of alerts"), shared_files(self.folder):
            alerts.settle(run, self.config, self.folder, exit_code)


@contextmanager
def _said(what: str) -> Iterator[None]:
    """What goes wrong within this is said, and goes no further."""
    try:
        yield
    except OSError as error:
        journal.warn(f"{what} cannot be written: {error.strerror or error}. The run itself goes on.")
    except Exception as error:
        journal.warn(f"{what} cannot be written: {type(error).__name__}. The run itself goes on.")


def write_metrics(run: Journal, config: Config, path: Path, exit_code: int) -> None:
    """The metrics file with this run in it, whole; OSError where it cannot be written, and then it is as it was."""
    before = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
    samples = merged(read_exposed(before), run, config.name, exit_code)
    mode = _FOR_ALL if config.watch.metrics_file else _FOR_OWNER
    with written_whole(path, mode) as aside:
        aside.write_text(exposed(samples, HELPS), encoding="utf-8")
