"""A realistic shop with a known truth, written as nine tables, a config, and the truth itself. No real person."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation.calendar import calendar_of
from kizuna.data.simulation.dirt import spoil
from kizuna.data.simulation.events import Log, World
from kizuna.data.simulation.keyed import keys_of
from kizuna.data.simulation.kpis import kpis_of, months_of
from kizuna.data.simulation.lives import RESPONSES, lives_of
from kizuna.data.simulation.parameters import Parameters
from kizuna.data.simulation.state import NEVER, State, state_of
from kizuna.data.simulation.step import step
from kizuna.data.simulation.subscriptions import contracts_of
from kizuna.data.simulation.switches import effective
from kizuna.data.simulation.truth import truth_of
from kizuna.data.simulation.write import EVENT_TABLES, customer_ids, customers_table, event_table
from kizuna.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

LAST_DAY = date(2025, 12, 31)
_MIN_DAYS = 30
_BUYERS = ("all_year", "gift_only", "sale_only")


def simulate(
    directory: Path,
    customers: int,
    days: int,
    seed: int = 7,
    *,
    parameters: Parameters | None = None,
    last_day: date = LAST_DAY,
) -> dict[str, int]:
    """Rows per table written to ``directory``: ``<table>.parquet`` × 9, ``config.yaml`` and ``truth/``.

    ``days`` are counted back from ``last_day``. The same arguments give the same bytes. The past does not depend on how
    long a run goes on: with the same first day, the same ``acquisition.customers_per_day`` and no fewer customers, a longer
    run begins with the rows of the shorter one. ConfigError where the arguments cannot be meant.
    """
    check_request(directory, customers, days)
    parameters = parameters or Parameters()
    world = world_of(parameters, customers, days, seed, last_day)
    state, log, truth = live(world, days)
    log.parts["subscriptions"] = [contracts_of(world, state)]
    (directory / "truth").mkdir(parents=True, exist_ok=True)
    counts = {"customers": _write(customers_table(world, state, days), directory / "customers.parquet")}
    for name in EVENT_TABLES:
        table = event_table(world, days, name, log.rows(name))
        if parameters.dirty:
            table = spoil(name, table, parameters.dirt, seed)
        counts[name] = _write(table, directory / f"{name}.parquet")
    _write_truth(directory / "truth", world, state, truth, kpis_of(world, state, days, log))
    about = {"customers": customers, "days": days, "seed": seed, "last_day": last_day.isoformat()}
    text = json.dumps(about | {"parameters": asdict(parameters)}, indent=1, ensure_ascii=False)
    (directory / "truth" / "parameters.json").write_text(text + "\n", encoding="utf-8")
    (directory / "config.yaml").write_text(_config(parameters), encoding="utf-8")
    return counts


def check_request(directory: Path, customers: int, days: int) -> None:
    """Nothing, or ConfigError where no shop can be simulated."""
    if customers < 1:
        raise ConfigError(f"A shop of {customers} customers was asked for. Ask for at least 1.")
    if days < _MIN_DAYS:
        raise ConfigError(f"A shop of {days} days was asked for, and it needs {_MIN_DAYS}. Ask for more days.")
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"The shop would be written to {directory}, which is a file. Name a folder.")


def world_of(parameters: Parameters, customers: int, days: int, seed: int, last_day: date = LAST_DAY) -> World:
    """Everything that a run stands on."""
    parameters = effective(parameters)
    keys = keys_of(seed, customers)
    per_day = parameters.acquisition.customers_per_day or customers / (days + parameters.acquisition.prehistory_days)
    calendar = calendar_of(parameters, last_day - timedelta(days=days - 1), days)
    return World(parameters, keys, lives_of(parameters, keys, per_day), calendar)


def truth_days(world: World, days: int) -> list[int]:
    """The mornings that the truth is told for: month starts, and the two newest whose churn window has ended.

    The newest is kizuna's own newest matured snapshot. None lies within the first days of too little history, unless
    there is nothing else.
    """
    truth = world.parameters.truth
    wanted = {start for _, start, _ in months_of(world, days)} | {days}
    wanted |= {days - truth.horizon_days, days - 1 - truth.horizon_days}
    return sorted(day for day in wanted if day >= truth.min_history_days) or [days]


def live(world: World, days: int) -> tuple[State, Log, dict[int, dict[str, NDArray[Any]]]]:
    """The state after the last day, the rows that were left, and the truth of each of ``truth_days``."""
    state, log = state_of(world.lives), Log()
    wanted = truth_days(world, days)
    truth = {}
    for day in range(-world.parameters.acquisition.prehistory_days, days):
        if day in wanted:
            truth[day] = truth_of(world, state, day)
        step(world, state, day, log)
    truth[days] = truth_of(world, state, days)
    return state, log, truth


def _write(table: pa.Table, path: Path) -> int:
    """Rows written. The file holds no trace of how the columns were encoded in memory."""
    import pyarrow.parquet as pq

    pq.write_table(table, path, store_schema=False)
    return len(table)


def _write_truth(
    folder: Path, world: World, state: State, truth: dict[int, dict[str, NDArray[Any]]], kpis: dict[str, NDArray[Any]]
) -> None:
    import pyarrow as pa

    rows = np.arange(len(state.left))
    first = np.datetime64(world.calendar.start)

    def dates(days: NDArray[np.int64]) -> pa.Array:
        return pa.array(first + np.where(days == NEVER, 0, days).astype("timedelta64[D]"), mask=days == NEVER)

    lives = world.lives
    customers = {
        "customer_id": customer_ids(rows),
        "response_type": pa.array(np.array(RESPONSES)[lives.response]),
        "buyer": pa.array(np.array(_BUYERS)[lives.buyer]),
        "is_reseller": pa.array(lives.reseller),
        "offer_hold_out": pa.array(lives.hold_out),
        "rate_per_year": pa.array(lives.pace * 365),
        "frailty": pa.array(lives.frailty),
        "fading_at": dates(state.fading),
        "left_at": dates(state.left),
    }
    last = max(truth)
    _write(pa.table(customers).filter(pa.array(lives.acquired < last)), folder / "customers.parquet")
    months = [
        pa.table(
            {
                "as_of": pa.array(np.full(len(entry["customer"]), first + day)),
                "customer_id": customer_ids(entry["customer"]),
                **{name: pa.array(values) for name, values in entry.items() if name != "customer"},
            }
        )
        for day, entry in sorted(truth.items())
    ]
    _write(pa.concat_tables(months), folder / "months.parquet")
    _write(pa.table({name: pa.array(values) for name, values in kpis.items()}), folder / "kpis.parquet")


def _config(parameters: Parameters) -> str:
    tables = "".join(f"    {name}: {{path: {name}.parquet}}\n" for name in ("customers", *EVENT_TABLES))
    return f"""# A simulated shop: no real person. What is true of it lies in truth/.
name: shop
data:
  timezone: Asia/Tokyo
  currency: JPY
  tables:
{tables}evaluation:
  capacity: {parameters.list_size}
at_risk:
  size: {parameters.list_size}
  language: {parameters.language}
tracking:
  uri: "sqlite:///mlflow.db"
output:
  dir: exports
"""
