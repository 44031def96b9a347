"""A customer's rows in a Parquet file, found by the name of the column, whatever type it has."""

from __future__ import annotations

import io
from decimal import Decimal
from functools import reduce
from math import isfinite
from typing import Any

from kizuna.privacy.sought import Sought


def without_rows(content: bytes, sought: Sought) -> tuple[int, bytes]:
    """How many rows were the customer's, and the file without them; ValueError for bytes that are no Parquet."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        names = [name for name in file.schema_arrow.names if name in sought.headings]
        if not names:
            return 0, content
        theirs = reduce(pc.or_, (_is_theirs(file.read([name])[name], sought) for name in names))
        count = int(pc.sum(theirs).as_py() or 0)
        if not count:
            return 0, content
        kept, target = file.read().filter(pc.invert(theirs)), io.BytesIO()
        codec = file.metadata.row_group(0).column(0).compression
    except (pa.ArrowException, OSError) as error:
        raise ValueError(type(error).__name__) from None
    pq.write_table(kept, target, compression=codec)
    return count, target.getvalue()


def _is_theirs(column: Any, sought: Sought) -> Any:
    """Whether each cell is the customer; an id that a source holds as a number is spelled as loading spells it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_dictionary(column.type):
        column = column.cast(kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        texts = column.cast(pa.large_string())
        return pc.fill_null(pc.is_in(texts, value_set=pa.array(sorted(sought.names), pa.large_string())), False)
    spelled = [_spelled(value) in sought.names for value in column.to_pylist()]
    return pa.chunked_array([pa.array(spelled, pa.bool_())])


def _spelled(value: Any) -> str | None:
    if value is None or value != value:
        return None
    is_whole = isinstance(value, (int, float, Decimal)) and isfinite(value) and value == int(value)
    return str(int(value)) if is_whole else str(value)
