"""The stored feedback: one Parquet file a list, ``<output.dir>/feedback/<as_of>.parquet``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from kizuna.errors import ResultError
from kizuna.lists.publication import LockedOutput
from kizuna.whole_file import written_whole

COLUMNS = ["customer_id", "as_of", "status", "done_on", "action", "outcome", "comment"]
_DAYS = ("as_of", "done_on")


def feedback_path(output_dir: Path, as_of: str) -> Path:
    """Where the feedback on one list lies."""
    return output_dir / "feedback" / f"{as_of}.parquet"


def read_feedback(output_dir: Path, as_of: str) -> pd.DataFrame:
    """``COLUMNS`` of what is stored for a list, by customer; without rows where nothing is. ResultError: it cannot be read."""
    path = feedback_path(output_dir, as_of)
    if not path.exists():
        return _typed(pd.DataFrame(columns=COLUMNS))
    try:
        return _typed(pd.read_parquet(path))
    except (OSError, ValueError, KeyError) as error:
        # Arrow's own errors are both of the last two.
        raise ResultError(
            f"{path} holds the feedback on the list of {as_of}, but it cannot be read: {type(error).__name__}. "
            "Put it back from a backup, or move it away and read the workbooks of that list in again."
        ) from None


def store_feedback(output: LockedOutput, as_of: date, covered: frozenset[str], entries: pd.DataFrame) -> bool:
    """Whether anything changed: what a workbook says of the customers it covers takes the place of what was stored.

    ``entries``: ``COLUMNS`` of the customers with something filled in. A customer who is covered and not among them has
    nothing stored afterwards; those of other workbooks of the same list stay. Written at once or not at all.
    """
    day = as_of.isoformat()
    before = read_feedback(output.folder, day)
    kept = before[~before["customer_id"].isin(covered)]
    after = _typed(pd.concat([frame for frame in (kept, _typed(entries)) if len(frame)] or [kept]))
    path = feedback_path(output.folder, day)
    if after.equals(before) and path.is_file():
        return False
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with written_whole(path) as aside:
        _write(after, aside)
    return True


def carried_out(output_dir: Path, days: Sequence[str], before: date) -> pd.DataFrame | None:
    """customer_id and list_as_of of what people say was done before a day, for lists of these days; None without any feedback.

    What bears no day of its own counts.
    """
    stored = [said for day in days if len(said := read_feedback(output_dir, day))]
    if not stored:
        return None
    said = pd.concat(stored, ignore_index=True)
    is_later = said["done_on"] >= pd.Timestamp(before)
    done = said[(said["status"] == "done") & (said["action"] != "none").fillna(True) & ~is_later]
    return done[["customer_id", "as_of"]].rename(columns={"as_of": "list_as_of"}).reset_index(drop=True)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    types = {name: "datetime64[s]" if name in _DAYS else "str" for name in COLUMNS}
    return frame[COLUMNS].astype(types).sort_values("customer_id", kind="stable", ignore_index=True)


def _write(frame: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")
