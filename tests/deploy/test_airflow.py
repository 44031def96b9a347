"""The DAG file, executed: by a stand-in in the fast suite, and by Airflow, in the environment that ``make test-slow`` makes."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.codes import CODES, DEPLOY, RETRIED

FILE = DEPLOY / "airflow/kizuna_score.py"


def told_by(kind: str, folder: Path) -> dict[str, Any]:
    """What the file says of itself."""
    python = sys.executable if kind == "stand-in" else f"{sys.prefix}/airflow/bin/python"
    target = folder / "told.json"
    line = [python, str(Path(__file__).with_name("airflow_run.py")), kind, str(FILE), str(folder), *map(str, CODES)]
    shell = ["/bin/sh", "-c", 'exec "$@" 3>"$TOLD"', "sh", *line]
    environment = os.environ | {"TOLD": str(target), "AIRFLOW_HOME": str(folder / "home")}
    ended = subprocess.run(shell, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(target.read_text())
    return told


@pytest.mark.parametrize("kind", ["stand-in", pytest.param("airflow", marks=pytest.mark.slow)])
def test_the_dag_is_what_it_should_be_and_every_code_ends_as_it_should(kind: str, tmp_path: Path) -> None:
    assert told_by(kind, tmp_path) == {
        "dag_id": "kizuna_score",
        "catchup": False,
        "max_active_runs": 1,
        "schedule": "0 6 * * 1",
        # Monday 2026-01-05, 06:00 in Tokyo.
        "first_run": [] if kind == "stand-in" else ["2026-01-04T21:00:00+00:00"] * 2,
        "tasks": ["score"],
        "retries": 23,
        "outcomes": {str(code): "again" if code in RETRIED else "failed" if code else "done" for code in CODES},
        "said": "score /srv/kizuna/shop.yaml --as-of 2026-11-23 1 0077\n",
        "without_date": "failed",
        "killed": True,
    }


def test_it_is_python_of_every_version_that_airflow_runs_on() -> None:
    ast.parse(FILE.read_text(), feature_version=(3, 9))


def test_it_imports_nothing_of_kizuna_which_lives_in_an_environment_of_its_own() -> None:
    tree = ast.parse(FILE.read_text())
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [name for name in named if name and name.startswith("kizuna")]
