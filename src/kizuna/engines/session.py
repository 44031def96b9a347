"""The Spark session that the engine works in, and what Spark says when it cannot do what it is asked."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kizuna.errors import ConfigError, ContractError, KizunaError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

    from kizuna.config import Config

# What the driver's Java process holds at a time.
_PIECE_BYTES = 64_000_000


def open_session(config: Config) -> SparkSession:
    """A session of our own over the running Spark, or over one that is started with ``engine.settings``.

    Settings of a session that is there are left alone. ConfigError where PySpark or Java is not installed.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise ConfigError(
            "engine.kind is spark, but PySpark is not installed. Install it: pip install 'kizuna[spark]'."
        ) from None
    settings = config.engine.settings
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if not submitted and settings.get("spark.master", "local").startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(f"kizuna {config.name}")
    shown = str(sys.stderr.isatty()).lower()
    for key, value in ({"spark.ui.showConsoleProgress": shown} | settings).items():
        builder = builder.config(key, value)
    try:
        with knowing_pandas():
            session = builder.getOrCreate().newSession()
    except PySparkException as error:
        if "JAVA" in str(error.getCondition()):
            raise ConfigError(
                "engine.kind is spark, but Java did not start. Install Java 17 or newer, or name it in JAVA_HOME."
            ) from None
        raise ConfigError(f"Spark did not start: {reason(error)} Mend engine.settings.") from None
    own = {
        "spark.sql.session.timeZone": config.data.timezone,
        # A time without an offset is local already, here as in the local engine.
        "spark.sql.timestampType": "TIMESTAMP_NTZ",
        "spark.sql.caseSensitive": "true",
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    }
    for key, value in (settings | own).items():
        if key.startswith("spark.sql.") and session.conf.isModifiable(key):
            session.conf.set(key, value)
    return session


@contextmanager
def knowing_pandas() -> Iterator[None]:
    """Within this, PySpark does not warn of pandas 3, which it knows in part: only Arrow functions are used here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


@contextmanager
def said(what: str) -> Iterator[None]:
    """Within this, what fails on an executor is said in one line: ContractError for rows that a query cannot convert."""
    from pyspark import errors

    try:
        yield
    except (errors.NumberFormatException, errors.DateTimeException, errors.ArithmeticException) as error:
        raise ContractError(
            f"A query meets rows that it cannot convert: {reason(error)} Mend them, or use try_cast in the query."
        ) from error
    except errors.PythonException as error:
        last = str(error).strip().splitlines()[-1]
        raise KizunaError(f"An executor failed ({what}): {last}. Run again with --debug and report it.") from error
    except errors.PySparkException as error:
        raise KizunaError(f"Spark failed ({what}): {reason(error)}") from error


def rows_of(persisted: DataFrame, what: str, binary: str) -> Iterator[Row]:
    """``block`` and a binary column of a frame kept on the executors: computed there at once, brought here piece by piece."""
    from pyspark.sql.functions import length, sum

    with said(what):
        size = persisted.select(sum(length(binary))).collect()[0][0] or 0
        rows = persisted.select("block", binary)
        if size <= _PIECE_BYTES:
            yield from rows.collect()
        else:
            yield from rows.coalesce(-(-size // _PIECE_BYTES)).toLocalIterator()


def reason(error: Exception) -> str:
    """What Spark says is wrong, in one sentence, without its class names, states and plans."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return re.sub(r"\s*SQLSTATE:.*$", "", re.sub(r"^\[[\w.]+\]\s*", "", first))[:300].rstrip(".!") + "."
