"""Without any network at all: nobody is called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kizuna
from kizuna.data.simulate import simulate

pytestmark = pytest.mark.slow
# Libraries look at import whether this machine has IPv6, by a socket that they bind and close; nobody is called by that.
_REFUSING = """
import os
import socket
import traceback


def refused(*arguments, **words):
    traceback.print_stack()
    os._exit(77)


class Deaf(socket.socket):
    def connect(self, address):
        return super().connect(address) if self.family == socket.AF_UNIX else refused()

    def connect_ex(self, address):
        return super().connect_ex(address) if self.family == socket.AF_UNIX else refused()

    def sendto(self, *arguments):
        return super().sendto(*arguments) if self.family == socket.AF_UNIX else refused()

    def listen(self, *arguments):
        return super().listen(*arguments) if self.family == socket.AF_UNIX else refused()


socket.socket = Deaf
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refused
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=300, days=420, seed=1)
    return folder


def cycle(folder: Path, before: tuple[str, ...], **environment: str) -> None:
    found = os.environ | {"PYTHONPATH": str(Path(kizuna.__file__).parents[1])} | environment
    for command in ("train", "score --as-of 2026-01-01", "score --as-of 2026-01-08"):
        name, *rest = command.split()
        words = [*before, sys.executable, "-m", "kizuna.cli", name, "config.yaml", *rest, "--set", "at_risk.size=40"]
        done = subprocess.run(words, cwd=folder, env=found, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout[-500:], done.stderr[-2000:])
    assert (folder / "exports/2026-01-08/_SUCCESS").exists()


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0,
    reason="a network of its own needs root, and unshare",
)
def test_a_week_passes_in_a_network_without_interfaces(shop: Path, tmp_path: Path) -> None:
    cycle(Path(shutil.copytree(shop, tmp_path / "shop")), ("unshare", "-n"))


def test_a_week_passes_where_whoever_calls_somebody_is_ended(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_REFUSING)
    source = Path(kizuna.__file__).parents[1]
    check = [sys.executable, "-c", "import socket; socket.socket().connect(('127.0.0.1', 9))"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    assert subprocess.run(check, env=environment, capture_output=True).returncode == 77
    cycle(Path(shutil.copytree(shop, tmp_path / "shop")), (), PYTHONPATH=f"{tmp_path}:{source}")
