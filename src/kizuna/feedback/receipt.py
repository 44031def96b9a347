"""Feedback received: a filled workbook checked against its list, and stored."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from kizuna.config import Config
from kizuna.data.examples import shown_value
from kizuna.data.forgotten import read_forgotten
from kizuna.errors import ConfigError
from kizuna.exports.sheets.lists import FEEDBACK
from kizuna.feedback.store import COLUMNS, feedback_path, store_feedback
from kizuna.feedback.workbook import Entry, Filled, code_of, day_in, read_workbook
from kizuna.lists.publication import locked, published
from kizuna.wording.words import Words, load_words


@dataclass(frozen=True)
class RowError:
    """An entry that cannot be read: where it stands, and why (``feedback_error`` in the catalogs) with its places."""

    sheet: str
    row: int
    customer_id: str
    why: str
    places: Mapping[str, str]

    def text(self, words: Words) -> str:
        """The error in a language."""
        places = dict(self.places)
        if "column" in places:
            places["column"] = words(f"feedback.{places['column']}")
        return words(f"feedback_error.{self.why}", **places)


@dataclass(frozen=True)
class Receipt:
    """What came of reading a workbook.

    ``rows``: customers it covers; ``filled``: of whom something is entered; ``done``: of whom the contact was made.
    ``changed``: whether anything stored is different now. ``errors``: what could not be read; with data.on_bad_rows fail
    nothing is stored then (``stored`` false), with quarantine all other rows are.
    """

    as_of: date
    path: Path
    rows: int
    filled: int
    done: int
    changed: bool
    stored: bool
    errors: Sequence[RowError]

    @property
    def exit_code(self) -> int:
        """11 where rows could not be read and so nothing was stored, else 0."""
        return 0 if self.stored else 11


def receive(config: Config, path: Path, today: date) -> Receipt:
    """The feedback of a filled workbook, checked and stored. ``today``: nothing can have been done later.

    Errors: ContractError for a file that is no filled workbook; ConfigError for another shop's, or a list that is not
    published; LockHeld.
    """
    book = read_workbook(path)
    if book.name != config.name:
        raise ConfigError(
            f"Feedback on the lists of '{config.name}' was asked for, but {path} belongs to '{book.name}'. "
            "Name the config of that shop."
        )
    with locked(config.output_dir) as output:
        listed, forgotten = _listed(config, book, path), read_forgotten(config.output_dir)
        # A workbook may have been handed out before one of its customers was forgotten.
        entries = [entry for entry in book.entries if entry.customer_id not in forgotten]
        book = replace(book, entries=entries)
        rows, errors = _checked(book, listed, today)
        stored = not errors or config.data.on_bad_rows == "quarantine"
        wrong = {error.customer_id for error in errors}
        covered = frozenset(entry.customer_id for entry in book.entries) & listed - wrong
        good = pd.DataFrame([row for row in rows if row["customer_id"] not in wrong], columns=COLUMNS)
        changed = stored and store_feedback(output, book.as_of, covered, good)
    return Receipt(
        as_of=book.as_of,
        path=feedback_path(config.output_dir, book.as_of.isoformat()),
        rows=len(book.entries),
        filled=len(rows),
        done=int((good["status"] == "done").sum()),
        changed=changed,
        stored=stored,
        errors=errors,
    )


def receipt_lines(receipt: Receipt, language: str) -> list[str]:
    """What came of it, in a language: the counts, then every row that could not be read."""
    words = load_words(language)
    counts = {name: f"{getattr(receipt, name):,}" for name in ("rows", "filled", "done")}
    state = "refused" if not receipt.stored else "changed" if receipt.changed else "same"
    lines = [words("feedback_read.counts", day=words.day(receipt.as_of), **counts)]
    for error in receipt.errors:
        lines.append(words("feedback_read.row", sheet=error.sheet, row=error.row, why=error.text(words)))
    return [*lines, words(f"feedback_read.{state}", path=receipt.path, errors=f"{len(receipt.errors):,}")]


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """The receipt as a JSON tree, errors in English."""
    words = load_words("en")
    return {
        "as_of": receipt.as_of.isoformat(),
        "file": str(receipt.path),
        **{name: getattr(receipt, name) for name in ("rows", "filled", "done", "stored", "changed", "exit_code")},
        "errors": [
            {
                "sheet": error.sheet,
                "row": error.row,
                "why": error.why,
                "text": error.text(words),
            }
            for error in receipt.errors
        ],
    }


def _listed(config: Config, book: Filled, path: Path) -> frozenset[str]:
    publication = published(config.output_dir, book.as_of)
    if publication is None:
        raise ConfigError(
            f"{path} is feedback on the list of {book.as_of}, but no list of that day is published in "
            f"{config.output_dir}. Look at output.dir, or publish the day again."
        )
    ids = pd.read_csv(publication.file("at_risk.csv"), dtype=str, keep_default_na=False, usecols=["customer_id"])
    return frozenset(ids["customer_id"])


def _as_listed(entries: Sequence[Entry], listed: frozenset[str]) -> Iterator[Entry]:
    """The entries with the ids of the list, where a spreadsheet program has dropped what cannot be seen in them."""
    seen = Counter(_visible(name) for name in listed)
    whole = {_visible(name): name for name in listed if seen[_visible(name)] == 1}
    for entry in entries:
        same = entry.customer_id if entry.customer_id in listed else whole.get(_visible(entry.customer_id))
        yield replace(entry, customer_id=same or entry.customer_id)


def _visible(name: str) -> str:
    return "".join(letter for letter in name if unicodedata.category(letter) != "Cc")


def _checked(book: Filled, listed: frozenset[str], today: date) -> tuple[list[dict[str, Any]], list[RowError]]:
    """The rows with something filled in, and the errors of all rows."""
    rows: list[dict[str, Any]] = []
    errors: list[RowError] = []
    seen: set[str] = set()
    for entry in _as_listed(book.entries, listed):
        if entry.customer_id not in listed:
            errors.append(_error(entry, "not_on_list", day=book.as_of.isoformat()))
        elif entry.customer_id in seen:
            errors.append(_error(entry, "twice"))
        elif not entry.is_blank:
            row, found = _row(entry, book.as_of, today)
            rows.append(row)
            errors += found
        seen.add(entry.customer_id)
    return rows, errors


def _row(entry: Entry, as_of: date, today: date) -> tuple[dict[str, Any], list[RowError]]:
    row: dict[str, Any] = {"customer_id": entry.customer_id, "as_of": as_of}
    errors = []
    for key, choices in FEEDBACK.items():
        value = entry.cells[key]
        given = value is not None and bool(str(value).strip())
        found: Any = str(value).strip() if given else None
        if given and choices:
            found = code_of(key, value)
            if found is None:
                errors.append(_error(entry, "unknown_choice", value=shown_value(str(value)), column=key))
        elif given and key == "done_on":
            found = day_in(value)
            if found is None:
                errors.append(_error(entry, "no_day", value=shown_value(str(value))))
            elif not as_of <= found <= today:
                span = {"first": as_of.isoformat(), "last": today.isoformat()}
                errors.append(_error(entry, "impossible_day", value=found.isoformat(), **span))
        row[key] = found
    return row, errors


def _error(entry: Entry, why: str, **places: str) -> RowError:
    return RowError(entry.sheet, entry.row, entry.customer_id, why, places)
