"""Arrow tables from Python: of frames handed in (pandas, Arrow, Polars, Spark, any that speaks Arrow's C stream), of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from numpy.typing import NDArray

from kizuna.errors import ConfigError, ContractError

if TYPE_CHECKING:
    import pyarrow as pa


def as_arrow(name: str, frame: Any) -> pa.Table:
    """The frame as an Arrow table. A pandas column of mixed objects becomes text, as it would be in a CSV.

    Errors: ConfigError for what is no frame; ContractError for two columns of one name.
    """
    import pyarrow as pa

    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pd.DataFrame):
        return _from_pandas(name, frame)
    if hasattr(frame, "toArrow"):
        return frame.toArrow()
    if hasattr(frame, "collect") and not hasattr(frame, "__arrow_c_stream__"):
        frame = frame.collect()
    if hasattr(frame, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(frame).read_all()
    raise ConfigError(
        f"For table {name} a {type(frame).__name__} was handed in. Hand in a pandas, Arrow or Polars frame."
    )


def arrow_table(columns: Mapping[str, NDArray[Any]]) -> pa.Table:
    """Columns of numbers, of days as datetime64, and of texts as objects (None where null), as an Arrow table."""
    import pyarrow as pa

    kinds = {"O": pa.string(), "M": pa.timestamp("us")}
    return pa.table({name: pa.array(values, kinds.get(values.dtype.kind)) for name, values in columns.items()})


def numpy_columns(table: pa.Table) -> dict[str, NDArray[Any]]:
    """The columns of such a table again; days are datetime64[s]."""
    import pyarrow as pa

    out = {name: table[name].to_numpy() for name in table.column_names}
    return {
        name: values.astype("datetime64[s]") if pa.types.is_timestamp(table[name].type) else values
        for name, values in out.items()
    }


def _from_pandas(name: str, frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    names = [str(column) for column in frame.columns]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise ContractError(f"The frame for table {name} has several columns '{twice[0]}'. Keep one of them.")
    return pa.table({column: _array(frame.iloc[:, position]) for position, column in enumerate(names)})


def _array(column: pd.Series[Any]) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.Array.from_pandas(column)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array([_text(value) for value in column], pa.string())


def _text(value: Any) -> str | None:
    """One object as a CSV would hold it: a whole float as an integer, so that an id keeps its spelling."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
