"""The files of a simulated shop: nine tables, its truth, its config."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation.campaign import ARMS, action_codes
from kizuna.data.simulation.dirt import spoil
from kizuna.data.simulation.events import Log, World
from kizuna.data.simulation.kpis import kpis_of
from kizuna.data.simulation.lives import RESPONSES
from kizuna.data.simulation.parameters import Parameters
from kizuna.data.simulation.planned import LIST_FILES
from kizuna.data.simulation.record import Record, write_record
from kizuna.data.simulation.state import NEVER, State
from kizuna.data.simulation.write import EVENT_TABLES, customer_ids, customers_table, event_table

if TYPE_CHECKING:
    import pyarrow as pa

_BUYERS = ("all_year", "gift_only", "sale_only")

_EFFECTS = (
    *("done", "kept_with_action", "kept_without_action"),
    *("value_with_action", "value_without_action"),
)

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Lived:
    """What a run leaves: the world, the state after the last day, the rows, the truth by day, the effects by list day."""

    world: World
    state: State
    log: Log
    truth: dict[int, Columns]
    effects: dict[int, Columns]


def write_shop(lived: Lived, record: Record, planned: pa.Table | None, directory: Path) -> dict[str, int]:
    """Rows per table of the files written to ``directory``; ``planned``: the lists acted on so far, recorded with the truth."""
    world, days = lived.world, record.days
    truth = directory / "truth"
    truth.mkdir(parents=True, exist_ok=True)
    counts = {"customers": write_table(customers_table(world, lived.state, days), directory / "customers.parquet")}
    for name in EVENT_TABLES:
        table = event_table(world, days, name, lived.log.rows(name))
        if record.parameters.dirty:
            table = spoil(name, table, record.parameters.dirt, record.seed)
        counts[name] = write_table(table, directory / f"{name}.parquet")
    _write_truth(truth, lived, kpis_of(world, lived.state, days, lived.log))
    if planned is not None:
        write_table(planned, truth / LIST_FILES[0])
        write_table(_effects_table(lived), truth / LIST_FILES[1])
    (directory / "config.yaml").write_text(_config(record.parameters), encoding="utf-8")
    write_record(record, truth)
    return counts


def write_table(table: pa.Table, path: Path) -> int:
    """Rows written. The file holds no trace of how the columns were encoded in memory."""
    import pyarrow.parquet as pq

    pq.write_table(table, path, store_schema=False)
    return len(table)


def _write_truth(folder: Path, lived: Lived, kpis: Columns) -> None:
    import pyarrow as pa

    world, state, truth = lived.world, lived.state, lived.truth
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
    write_table(pa.table(customers).filter(pa.array(lives.acquired < last)), folder / "customers.parquet")
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
    write_table(pa.concat_tables(months), folder / "months.parquet")
    write_table(pa.table({name: pa.array(values) for name, values in kpis.items()}), folder / "kpis.parquet")


def _effects_table(lived: Lived) -> pa.Table:
    """One row per list and listed customer: what they do with the planned action, and what without."""
    import pyarrow as pa

    first = np.datetime64(lived.world.calendar.start)
    codes = action_codes(lived.world.campaigns)
    parts = [
        pa.table(
            {
                "as_of": pa.array(np.full(len(entry["customer"]), first + day)),
                "customer_id": customer_ids(entry["customer"]),
                "action": pa.array(np.array(codes)[entry["action"]]),
                "arm": pa.array(np.array(ARMS)[entry["arm"]]),
                "response_type": pa.array(np.array(RESPONSES)[entry["response"]]),
                **{name: pa.array(entry[name]) for name in _EFFECTS},
            }
        )
        for day, entry in sorted(lived.effects.items())
    ]
    return pa.concat_tables(parts)


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
