"""A CSV file read by its own header and nothing guessed: every column text, the empty cell null, other rows refused."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import IO, Any

from kizuna.data.examples import without_values
from kizuna.errors import ContractError, DataMissing

CSV_NAME = re.compile(r"\.(csv|tsv|txt)(\.(gz|zst))?$", re.IGNORECASE)
_DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT_BYTES = 1_000_000
_EXPORT_AGAIN = "Export it again as UTF-8 (in Excel: CSV UTF-8)."


def select_csv(files: list[Path], literals: list[str]) -> str:
    """SQL that reads the files, matched by column name; ``literals`` are their paths as SQL texts.

    Errors: DataMissing for a file without a header; ContractError for a header that is not UTF-8 or names one column
    twice.
    """
    return " UNION ALL BY NAME ".join(_select_one(file, text) for file, text in zip(files, literals, strict=True))


def say_csv_error(error: Exception, file: str) -> str:
    """What a CSV reading error means, in words for the owner of the file."""
    text = str(error)
    found = re.search(r"on Line: (\d+)", text)
    line = f"line {int(found[1]):,}" if found else "a line"
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if counts:
        return f"{line} of {file} has {counts[2]} cells and the header {counts[1]}. Mend that line, or quote its cells."
    if "unicode" in text.lower() or "utf-8" in text.lower():
        return f"{line} of {file} is not UTF-8. {_EXPORT_AGAIN}"
    if "unterminated quote" in text:
        return f'{line} of {file} opens a quote that is not closed as "" or ". Mend that line.'
    if "state machine" in text:
        return f"{file} mixes line endings (CR LF and LF), or its quotes do not close. Export it again with one ending."
    return f"{file}: {without_values(text.splitlines()[0]).rstrip('.')}. Mend the file."


def _select_one(file: Path, literal: str) -> str:
    names, delimiter, blank_lines = _header(file)
    columns = ", ".join("'" + name.replace("'", "''") + "': 'VARCHAR'" for name in names)
    compression = {".gz": "gzip", ".zst": "zstd"}.get(file.suffix.lower(), "none")
    select = (
        f"SELECT * FROM read_csv({literal}, auto_detect = false, columns = {{{columns}}}, header = true, "
        f"delim = '{delimiter}', quote = '\"', escape = '\"', comment = '', nullstr = '', skip = {blank_lines}, "
        f"compression = '{compression}', strict_mode = true)"
    )
    # With one column an empty line would be a row.
    return f"{select} WHERE COLUMNS(*) IS NOT NULL" if len(names) == 1 else select


def _header(file: Path) -> tuple[list[str], str, int]:
    """The column names, the delimiter and the number of blank lines before them."""
    try:
        with _open(file) as stream:
            start = stream.read(_LOOKED_AT_BYTES)
    except OSError as error:
        raise ContractError(
            f"{file.name} cannot be opened: {error}. If it is not compressed, take {file.suffix} off its name."
        ) from None
    text = _decoded(start, file.name)
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    blank_lines = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    if blank_lines == len(lines):
        raise DataMissing(f"{file.name} is empty: it has not even a header. Export it again.")
    delimiter = _delimiter(lines[blank_lines])
    body = io.StringIO("\n".join(lines[blank_lines:]), newline="")
    names = [name or f"column{index}" for index, name in enumerate(next(csv.reader(body, delimiter=delimiter)))]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ContractError(f"The header of {file.name} names '{twice[0]}' more than once. Rename or drop one of them.")
    return _distinct(names), delimiter, blank_lines


def _open(file: Path) -> IO[Any]:
    if file.suffix.lower() not in (".gz", ".zst"):
        return file.open("rb")
    import pyarrow as pa

    stream: IO[Any] = pa.input_stream(str(file), compression="gzip" if file.suffix.lower() == ".gz" else "zstd")
    return stream


def _decoded(start: bytes, name: str) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ContractError(f"{name} is UTF-16, not UTF-8. {_EXPORT_AGAIN}")
    try:
        return start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > len(start) - 4 and len(start) == _LOOKED_AT_BYTES:
            return start[: error.start].decode("utf-8")  # the last letter was cut in two
        line = start[: error.start].count(b"\n") + 1
        try:
            start[: start.rfind(b"\n") + 1 or None].decode("cp932")
            guess = "; it reads as Shift_JIS (cp932)"
        except UnicodeDecodeError:
            guess = ""
        raise ContractError(f"Line {line:,} of {name} is not UTF-8{guess}. {_EXPORT_AGAIN}") from None


def _delimiter(line: str) -> str:
    unquoted = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=unquoted.count)


def _distinct(names: list[str]) -> list[str]:
    """The names, those that differ only in case numbered: the database does not tell them apart."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        key = name.lower()
        out.append(f"{name}_{seen[key]}" if key in seen else name)
        seen[key] = seen.get(key, 0) + 1
    return out
