"""A text searched in everything below a folder: raw bytes in all encodings, parts of zip files, Parquet cells, SQLite rows."""

from __future__ import annotations

import gzip
import io
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp932")


def occurrences(root: Path, *texts: str) -> list[str]:
    """Where any of the texts stands, as relative paths with the place inside; names of files count, too."""
    needles = set()
    for text in texts:
        for encoding in ENCODINGS:
            try:
                needles.add(text.encode(encoding))
            except UnicodeEncodeError:
                continue
        needles.add(text.encode("ascii", "backslashreplace"))  # as JSON writes it
    found = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if any(text in name for text in texts):
            found.append(f"{name} (its name)")
        if path.is_file() and not path.is_symlink():
            found += [f"{name}{place}" for place, data in _contents(path) if any(needle in data for needle in needles)]
    return found


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    data = path.read_bytes()
    yield "", data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            for item in book.infolist():
                yield f"!{item.filename}", book.read(item)
    elif data[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(data))
        for column in table.column_names:
            yield f"!{column}", "\n".join(str(value) for value in table[column].to_pylist()).encode()
    elif data[:2] == b"\x1f\x8b":
        yield "!gz", gzip.decompress(data)
    elif data[:16] == b"SQLite format 3\0":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in names:
                rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()
                yield f"!{name}", "\n".join(map(str, rows)).encode()
