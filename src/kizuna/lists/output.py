"""Where lists are published, held by one run: a folder, and the object store that it copies, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kizuna import journal
from kizuna.errors import KizunaError
from kizuna.lists.lock import HeldFolder, held_folder, holder_of
from kizuna.lists.mirror import Mirror, mirror_of, open_mirror
from kizuna.lists.pull import pull
from kizuna.lists.push import push_lists, push_others
from kizuna.lists.remote_lock import HeldRemote, held_remote


@dataclass(frozen=True)
class LockedOutput:
    """An output folder, with its address if it has one, that this process alone may write, as long as ``locked`` is open."""

    folder: Path
    held: HeldFolder
    mirror: Mirror | None = None
    remote: HeldRemote | None = None

    @property
    def run(self) -> str:
        """A name that no other run has."""
        return self.held.owner.run

    def require(self) -> None:
        """LockHeld where this run has lost its lock: asked before anything is shown to readers."""
        self.held.require()
        if self.remote is not None:
            self.remote.require()

    def show(self) -> None:
        """Readers of the address see what the links show."""
        if self.mirror is not None:
            push_lists(self.mirror, self.require)


@contextmanager
def locked(output_dir: Path) -> Iterator[LockedOutput]:
    """The output folder, held by this process; LockHeld when another run has it, ConfigError when it cannot be written.

    A folder that copies an address is held there as well, brought up to date before, and sent afterwards; where the block
    fails, all but lists is sent, so that what was done is known to the next run wherever it runs.
    """
    with held_folder(output_dir) as held:
        found = mirror_of(output_dir)
        if found is None:
            yield LockedOutput(output_dir, held)
            return
        mirror, below = found
        with held_remote(mirror.remote, below) as remote:
            pull(mirror, below, holds_lock=True)
            output = LockedOutput(output_dir, held, mirror, remote)
            try:
                yield output
            except Exception:
                _send_what_was_done(output, mirror, below)
                raise
            output.require()
            if not below:
                output.show()
            push_others(mirror, below)


def fetch_output(address: str | None, folder: Path) -> None:
    """The folder copies the address from now on, and is up to date, unless a run on this machine is at work in it.

    Nothing is done where there is no address.
    """
    if address is None:
        return
    mirror = open_mirror(address, folder)
    pull(mirror, is_busy=lambda: holder_of(folder) is not None)


def _send_what_was_done(output: LockedOutput, mirror: Mirror, below: str) -> None:
    """Sends all but lists; that it fails as well is said, for the block's own error counts."""
    try:
        output.require()
        push_others(mirror, below)
    except KizunaError as error:
        journal.warn(f"what this run noted was not sent: {error}")
