"""The folder where executors write and the driver reads: of its own for each use, and removed afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Staged:
    """A folder by the URI that Spark writes to, and by its place in the file system that Arrow reads."""

    uri: str
    system: fs.FileSystem
    place: str

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in the order of the files' names, a batch at a time."""
        files = [item.path for item in self.system.get_file_info(fs.FileSelector(self.place))]
        for path in sorted(path for path in files if path.endswith(".parquet")):
            with self.system.open_input_file(path) as stream:
                yield from pq.ParquetFile(stream).iter_batches()


@contextmanager
def staging_folder(parent: str) -> Iterator[Staged]:
    """A folder not yet made below ``parent`` (a URI), which is removed with all that was written to it."""
    uri = f"{parent}/.staging-{uuid.uuid4().hex}"
    # Arrow calls S3 by another name than Hadoop does.
    system, place = fs.FileSystem.from_uri(uri.replace("s3a://", "s3://", 1))
    if isinstance(system, fs.LocalFileSystem):
        Path(place).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        yield Staged(uri, system, place)
    finally:
        if system.get_file_info(place).type == fs.FileType.Directory:
            system.delete_dir(place)
