"""The weekly list by Airflow, 2.4 or newer and 3. Copy to the DAGs folder.

Change: the constants below. kizuna has its own virtual environment on the worker, as its libraries are not Airflow's.
What the config reads as ``${NAME}`` must be in the worker's environment.
"""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.timetables.trigger import CronTriggerTimetable

try:
    from airflow.sdk import DAG, BaseOperator
    from airflow.sdk.exceptions import AirflowException, AirflowFailException
except ImportError:
    from airflow import DAG
    from airflow.exceptions import AirflowException, AirflowFailException
    from airflow.models.baseoperator import BaseOperator

KIZUNA = "/opt/kizuna/bin/kizuna"
CONFIG = "/srv/kizuna/shop.yaml"
ZONE = "Asia/Tokyo"
CRON = "0 6 * * 1"
# What may pass by itself: data not there yet, another run, a destination, a server. Everything else waits for a person.
RETRIED = (10, 14, 15, 75)


class KizunaOperator(BaseOperator):
    """Scores the day of the run in the shop's zone; ends the task for good unless its exit code is one of ``RETRIED``."""

    process: subprocess.Popen[bytes] | None = None

    def execute(self, context: Any) -> None:
        """Runs kizuna; its output goes to the task's log."""
        if context.get("logical_date") is None:
            raise AirflowFailException("A logical date is needed, the day to score. Trigger the run with one.")
        # Logical dates are in UTC, in which Monday 06:00 in Tokyo is a Sunday.
        day = context["logical_date"].astimezone(ZoneInfo(ZONE)).date().isoformat()
        self.process = subprocess.Popen(
            [KIZUNA, "score", CONFIG, "--as-of", day],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            umask=0o077,
        )
        try:
            for line in self.process.stdout or ():
                self.log.info("%s", line.decode(errors="replace").rstrip())
            code = self.process.wait()
        finally:
            self.on_kill()
        if code:
            said = f"kizuna score --as-of {day} ended with {code}; docs/runbook.md says what that means."
            raise AirflowException(said) if code in RETRIED else AirflowFailException(said)

    def on_kill(self) -> None:
        """Sends SIGTERM, upon which kizuna clears up and publishes nothing more."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


with DAG(
    dag_id="kizuna_score",
    description="The weekly at-risk list",
    schedule=CronTriggerTimetable(CRON, timezone=ZONE),
    start_date=datetime(2026, 1, 5, tzinfo=ZoneInfo(ZONE)),
    catchup=False,
    max_active_runs=1,
    tags=["kizuna"],
) as dag:
    KizunaOperator(
        task_id="score",
        retries=23,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=4),
    )
