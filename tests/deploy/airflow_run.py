"""Loads the DAG file and says in JSON what it is and how each exit code ends; run by the Python that has Airflow.

``airflow_run.py stand-in …`` puts the few names that the file imports in Airflow's place.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
import time
import types
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from typing import Any

TASKS: list[Any] = []


class Dag:
    """Keeps what it is given."""

    def __init__(self, **given: Any) -> None:
        self.__dict__ |= {"timetable": given["schedule"], "tasks": TASKS} | given

    def __enter__(self) -> Dag:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Operator:
    """Keeps what it is given."""

    log = logging.getLogger("task")

    def __init__(self, **given: Any) -> None:
        self.__dict__ |= given
        TASKS.append(self)


class Timetable:
    """Keeps what it is given."""

    def __init__(self, cron: str, *, timezone: str) -> None:
        self.summary = cron


class Failed(Exception):
    """A task that failed and may be tried again."""


class FailedForGood(Failed):
    """A task that is not tried again."""


def stand_in() -> None:
    """Puts the names in place."""
    names: dict[str, dict[str, Any]] = {
        "airflow": {},
        "airflow.sdk": {"DAG": Dag, "BaseOperator": Operator},
        "airflow.sdk.exceptions": {"AirflowException": Failed, "AirflowFailException": FailedForGood},
        "airflow.timetables": {},
        "airflow.timetables.trigger": {"CronTriggerTimetable": Timetable},
    }
    for name, members in names.items():
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(members)


def outcome(file: Any, program: Path, code: int, moment: datetime | None) -> str:
    """How a task ends whose kizuna ends with the code."""
    program.write_text(f'#!/bin/sh\necho "$* $OMP_NUM_THREADS $(umask)" >{program}.said\nexit {code}\n')
    try:
        file.dag.tasks[0].execute({"logical_date": moment})
    except file.AirflowFailException:
        return "failed"
    except file.AirflowException:
        return "again"
    return "done"


def killed(file: Any, program: Path) -> bool:
    """Whether on_kill ends a running kizuna by SIGTERM."""
    program.write_text(
        f"#!/bin/sh\ntrap 'touch {program}.term; exit 143' TERM\ntouch {program}.up\nwhile :; do sleep 0.05; done\n"
    )
    task = file.dag.tasks[0]

    def kill() -> None:
        while not Path(f"{program}.up").exists():
            time.sleep(0.01)
        task.on_kill()

    Timer(0, kill).start()
    try:
        task.execute({"logical_date": datetime(2026, 11, 23, tzinfo=UTC)})
    except file.AirflowFailException:
        return Path(f"{program}.term").exists()
    return False


def first_run(file: Any, kind: str) -> list[str]:
    """Logical date and moment of the first run, by Airflow's own timetable; nothing by the stand-in."""
    if kind == "stand-in":
        return []
    from airflow.timetables.base import TimeRestriction

    since = TimeRestriction(earliest=file.dag.start_date, latest=None, catchup=True)
    info = file.dag.timetable.next_dagrun_info(last_automated_data_interval=None, restriction=since)
    logical = getattr(info, "logical_date", None) or info.data_interval.start
    return [moment.astimezone(UTC).isoformat() for moment in (logical, info.run_after)]


def main(kind: str, path: str, folder: str, *codes: str) -> None:
    """Prints what the file is."""
    if kind == "stand-in":
        stand_in()
    spec = importlib.util.spec_from_file_location("kizuna_score", path)
    file: Any = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(file)  # type: ignore[union-attr]
    program = Path(folder) / "program"
    program.touch(mode=0o755)
    file.KIZUNA = str(program)
    # Monday 06:00 in Tokyo.
    moment = datetime(2026, 11, 22, 21, tzinfo=UTC)
    outcomes = {code: outcome(file, program, int(code), moment) for code in codes}
    task = file.dag.tasks[0]
    told = {
        "dag_id": file.dag.dag_id,
        "catchup": file.dag.catchup,
        "max_active_runs": file.dag.max_active_runs,
        "schedule": file.dag.timetable.summary,
        "first_run": first_run(file, kind),
        "tasks": [task.task_id for task in file.dag.tasks],
        "retries": task.retries,
        "outcomes": outcomes,
        "said": Path(f"{program}.said").read_text(),
        "without_date": outcome(file, program, 0, None),
        "killed": killed(file, program),
    }
    os.write(3, json.dumps(told).encode())


main(*sys.argv[1:])
