"""What was published of a finished period, kept for good: ``<output.dir>/kpi/published.parquet``.

A figure is kept as it was when its period was first reported on after its end. What later runs find otherwise, because
rows came late or were mended, is told as restated, the old figure beside the new one; why, is not guessed.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kizuna.errors import ResultError
from kizuna.whole_file import written_whole

if TYPE_CHECKING:
    import pandas as pd

FILE = "published.parquet"
SCHEMA = 1
KEYS = ["kpi", "kind", "start", "end", "dimension", "group"]
COLUMNS = [*KEYS, "value", "low", "high", "n", "unit", "known_before", "basis"]
RESTATED = [*KEYS, "published_value", "value", "published_known_before", "published_basis", "basis"]
_SAME = 1e-9
_VERSION = b"kizuna.kpi.schema"


def read_published(folder: Path) -> pd.DataFrame:
    """``COLUMNS`` of what was published so far; no rows where nothing was. ResultError where the file cannot be read."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / FILE
    if not path.exists():
        none: dict[str, list[object]] = {name: [] for name in COLUMNS}
        return _typed(pd.DataFrame(none))
    try:
        table = pq.read_table(path)
        version = int((table.schema.metadata or {})[_VERSION])
        frame = None if version > SCHEMA else _typed(table.to_pandas()[COLUMNS])
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise ResultError(
            f"{path} holds the KPIs published so far, but it cannot be read: {type(error).__name__}. "
            "Put it back from a backup; to begin anew, move it away."
        ) from None
    if frame is None:
        raise ResultError(
            f"{path} was written in format {version}; this version of kizuna reads up to {SCHEMA}. Use the newer version."
        )
    return frame


def with_new(published: pd.DataFrame, numbers: pd.DataFrame, known_before: date, basis: str) -> pd.DataFrame:
    """What is published after this run: what was, and the figures of finished periods that were not there yet."""
    import pandas as pd

    final = numbers[numbers["finished"] & numbers["state"].isin(["ok", "reference"]) & numbers["value"].notna()]
    known = pd.Timestamp(known_before)
    new = _typed(final.assign(known_before=known, basis=basis)[COLUMNS])
    index = pd.MultiIndex.from_frame(published[KEYS])
    fresh = new[~pd.MultiIndex.from_frame(new[KEYS]).isin(index)]
    return _typed(pd.concat([published, fresh]).sort_values(KEYS, kind="stable", ignore_index=True))


def compared(numbers: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """``numbers`` with published_value, published_known_before, restated, in its own order."""
    import pandas as pd

    kept = published[[*KEYS, "value", "known_before"]].rename(
        columns={"value": "published_value", "known_before": "published_known_before"}
    )
    found = numbers.merge(kept, on=KEYS, how="left", validate="one_to_one")
    was, now = found["published_value"], found["value"]
    apart = (was - now).abs() > _SAME * pd.concat([was.abs(), now.abs()], axis=1).max(axis=1)
    return found.assign(restated=(was.notna() & (now.isna() | apart)).astype("bool"))


def restated(numbers: pd.DataFrame, published: pd.DataFrame, basis: str) -> pd.DataFrame:
    """``RESTATED``: every figure of the periods reported on that was published otherwise, or is no longer there."""
    import pandas as pd

    kept = published.rename(
        columns={"value": "published_value", "known_before": "published_known_before", "basis": "published_basis"}
    )
    periods = numbers[["kind", "start", "end"]].drop_duplicates()
    kept = kept.drop(columns=["low", "high", "n", "unit"]).merge(periods, on=["kind", "start", "end"])
    found = kept.merge(numbers[[*KEYS, "value"]], on=KEYS, how="left", validate="one_to_one")
    was, now = found["published_value"], found["value"]
    apart = (was - now).abs() > _SAME * pd.concat([was.abs(), now.abs()], axis=1).max(axis=1)
    return found[now.isna() | apart].assign(basis=basis)[RESTATED].sort_values(KEYS, ignore_index=True)


def write_published(published: pd.DataFrame, folder: Path) -> None:
    """Writes the file at once or not at all; equal rows give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(published, preserve_index=False).replace_schema_metadata(
        {_VERSION: str(SCHEMA).encode()}
    )
    with written_whole(folder / FILE) as aside:
        pq.write_table(table, aside, store_schema=True)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    texts = ["kpi", "kind", "dimension", "group", "unit", "basis"]
    days = ["start", "end", "known_before"]
    kinds = dict.fromkeys(texts, "str") | dict.fromkeys(days, "datetime64[s]")
    return frame.astype(kinds | dict.fromkeys(["value", "low", "high", "n"], "float64"))
