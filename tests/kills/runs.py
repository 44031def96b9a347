"""Runs of the program that may be killed at any moment: warm ones, forked, and cold ones, started anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

WARM = Path(__file__).with_name("warm.py")
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
KILLED = -signal.SIGKILL
Step = tuple[object, object]


@dataclass
class Warm:
    """A process that forks a child for each command. What children say on standard error goes to ``log``."""

    process: subprocess.Popen[str]
    log: Path

    def run(self, *arguments: object, after_seconds: float | None = None) -> int:
        """The exit code; ``KILLED`` where the child was killed ``after_seconds``, and not at its end before."""
        child = self._begin(arguments)
        if after_seconds is not None:
            time.sleep(after_seconds)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return self._ended()

    def killed_at(self, step: Step, *arguments: object) -> int:
        """The same, killed at this step."""
        return self.met_at(step, lambda child: os.kill(child, signal.SIGKILL), *arguments)

    def met_at(self, step: Step, do: Callable[[int], object], *arguments: object) -> int:
        """The exit code of a run to which something is done, once, while it is at a step: event and stage of its JSON log."""
        begin = self.log.stat().st_size
        child = self._begin((*arguments, "--log-json"))
        with self.log.open() as log:
            log.seek(begin)
            for entry in _entries(log):
                if (entry["event"], entry["stage"]) == step:
                    with suppress(ProcessLookupError):
                        do(child)
                    break
        return self._ended()

    def entries(self, *arguments: object) -> list[dict[str, object]]:
        """The log of a run that comes to its end."""
        begin = self.log.stat().st_size
        code = self.run(*arguments, "--log-json")
        said = self.log.read_text()[begin:]
        assert code == 0, said
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def _begin(self, arguments: tuple[object, ...]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def _ended(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@contextmanager
def warm(folder: Path) -> Iterator[Warm]:
    """A warm process, whose children say what they say in ``folder/said.log``."""
    log = folder / "said.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, WARM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=os.environ | _ENVIRONMENT,
        )
    try:
        yield Warm(process, log)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


def cold(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """A program of its own, begun."""
    command = [sys.executable, "-m", "kizuna.cli", *(str(argument) for argument in arguments)]
    return subprocess.Popen(
        command,
        env=os.environ | _ENVIRONMENT | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(run: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a program that comes to its end, or was killed, and what it said on standard error."""
    _, said = run.communicate()
    return run.returncode, said


def _entries(log: IO[str]) -> Iterator[dict[str, object]]:
    """Lines as they are written, until the child has told its end."""
    while True:
        line = log.readline()
        if not line.endswith("\n"):
            time.sleep(0.0005)
            log.seek(log.tell() - len(line.encode()))
            continue
        if line.startswith("{"):
            entry = json.loads(line)
            yield entry
            if entry["event"] == "finished":
                return
