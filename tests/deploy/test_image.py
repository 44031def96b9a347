"""The Dockerfile and what may enter its build, read instruction by instruction."""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path

from tests.deploy.codes import DEPLOY, ROOT

KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """Instruction and value, continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], re.sub(" +", " ", line.split(None, 1)[1])) for line in lines]


def values(name: str) -> list[str]:
    return [value for instruction, value in instructions() if instruction == name]


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a file out: the last rule that names it or a folder above decides."""
    out = False
    above = [path, *(str(parent) for parent in Path(path).parents)]
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        if rule and not rule.startswith("#"):
            pattern = rule.removeprefix("!").removeprefix("**/")
            names = {name.rpartition("/")[2] for name in above} if "**/" in rule else set(above)
            if any(fnmatch.fnmatchcase(name, pattern) for name in names):
                out = not rule.startswith("!")
    return out


def test_only_known_instructions_in_two_stages_of_one_image() -> None:
    assert {name for name, _ in instructions()} <= KNOWN
    assert values("FROM") == ["python:3.11-slim AS build", "python:3.11-slim"]


def test_what_runs_is_kizuna_itself_and_no_shell_before_it() -> None:
    assert json.loads(values("ENTRYPOINT")[0]) == ["kizuna"]
    assert json.loads(values("CMD")[0]) == ["--help"]


def test_the_user_is_not_root_and_nothing_follows_that_would_need_it() -> None:
    names = [name for name, _ in instructions()]
    assert values("USER") == ["10001:10001"]
    assert names[names.index("USER") :] == ["USER", "WORKDIR", "ENTRYPOINT", "CMD"]


def test_packages_are_those_of_the_constraints_and_threads_are_one() -> None:
    assert [line for line in values("RUN") if "pip install" in line and "--constraint constraints.txt" in line]
    settings = dict(word.split("=", 1) for word in values("ENV")[0].split())
    assert settings["OMP_NUM_THREADS"] == settings["OPENBLAS_NUM_THREADS"] == "1"
    # A root that is read-only: whatever is cached lies where the pod mounts an empty folder.
    assert {settings[key].split("/")[1] for key in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR", "HOME")} == {"tmp"}


def test_no_secret_is_built_in() -> None:
    text = " ".join(value for _, value in instructions()).lower()
    assert not re.search("passw|secret|token|_key|://", text)


def test_what_is_copied_is_there_and_may_enter_and_nothing_else_may() -> None:
    copied = [word for value in values("COPY") if "--from" not in value for word in value.split()[:-1]]
    for name in copied:
        assert (ROOT / name).exists()
        assert not ignored(name), name
    for name in (
        ".env",
        "shop.env",
        "models/mlflow.db",
        "data/orders.csv",
        "exports/latest/at_risk.csv",
        ".git/config",
    ):
        assert ignored(name), name
    assert ignored("deploy/kubernetes/score.yaml")
    assert ignored("src/kizuna/__pycache__/errors.cpython-311.pyc")
    assert not ignored("src/kizuna/wording/ja.yaml")
