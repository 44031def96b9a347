"""Rows that cannot be read: found by the contract's rules, named with examples, and refused or set aside. Never lost."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kizuna.config import Config
from kizuna.data.cleaning import ERA_PATTERN, KIND_WORDS, clean_sql, present_sql
from kizuna.data.contract import OPTIONAL_VALUES, Field, Finding
from kizuna.data.sources import literal, quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_EXAMPLES = 3
_EXAMPLE_LETTERS = 40


@dataclass(frozen=True)
class Rule:
    """What makes a row bad: an SQL ``condition`` over raw columns, and the column (ours and ``theirs``) to blame."""

    field: Field
    theirs: str
    condition: str
    fault: str


def rules_of(table: str, columns: dict[Field, str], types: dict[str, str], timezone: str) -> list[Rule]:
    """The rules of one table: what is there must be readable, what is required must be there."""
    clean = {item: clean_sql(item.kind, theirs, types[theirs], timezone) for item, theirs in columns.items()}
    rules = []
    for item, theirs in columns.items():
        if item.kind in ("text", "code"):
            continue
        unreadable = f"({clean[item]}) IS NULL"
        if not item.required or (table, item.name) in OPTIONAL_VALUES:
            unreadable = f"{present_sql(theirs, types[theirs])} AND {unreadable}"
        rules.append(Rule(item, theirs, unreadable, f"cannot be read as {KIND_WORDS[item.kind]}"))
    by_name = {item.name: item for item in columns}
    if table == "purchases" and "is_return" in by_name:
        amount, flag = by_name["amount"], clean[by_name["is_return"]]
        condition = f"({flag}) = false AND ({clean[amount]}) < 0"
        rules.append(
            Rule(by_name["is_return"], columns[amount], condition, "have is_return false and a negative amount")
        )
    return rules


def bad_row_findings(
    connection: DuckDBPyConnection, config: Config, raw: str, total: int, rules: list[Rule]
) -> list[Finding]:
    """One finding for each rule that rows break: an error, or a warning where they are quarantined."""
    table = raw.removeprefix("raw_")
    quarantined = config.data.on_bad_rows == "quarantine"
    counted = ", ".join(f"count(*) FILTER (WHERE {rule.condition})" for rule in rules)
    counts = connection.execute(f"SELECT {counted} FROM {raw}").fetchall()[0]
    findings = []
    for rule, count in zip(rules, counts, strict=True):
        if not count:
            continue
        examples = _examples(connection, raw, rule)
        fault = "are empty" if set(examples) == {"(empty)"} else rule.fault
        column = f"{table}.{rule.field.name}"
        theirs = f" (their {rule.theirs})" if rule.theirs != rule.field.name else ""
        details = (
            f"{column}{theirs}: {count:,} of {total:,} rows {fault}, such as {', '.join(map(repr, examples))}."
            f"{_hint(connection, raw, rule)}"
        )
        details += (
            " They were set aside in quarantine." if quarantined else " Mend them, or set data.on_bad_rows: quarantine."
        )
        state, code = ("warning", 0) if quarantined else ("error", 11)
        findings.append(
            Finding("bad_rows", state, "load", table, rule.field.name, int(count), details, examples, code)  # type: ignore[arg-type]
        )
    return findings


def quarantine_file(config: Config, table: str) -> Path:
    """Where the bad rows of a table are set aside, as they were in the source."""
    return config.output_dir / "check" / "quarantine" / f"{table}.parquet"


def set_aside(connection: DuckDBPyConnection, target: Path, bad_rows: str | None) -> None:
    """Writes the rows of an SQL query to the quarantine file, all or nothing; without any, an old file goes."""
    if bad_rows is None:
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = target.with_suffix(f".{os.getpid()}.tmp")
    connection.execute(f"COPY ({bad_rows}) TO {literal(str(unfinished))} (FORMAT parquet)")
    unfinished.replace(target)


def _examples(connection: DuckDBPyConnection, raw: str, rule: Rule) -> tuple[str, ...]:
    rows = connection.execute(
        f"SELECT DISTINCT CAST({quote(rule.theirs)} AS VARCHAR) AS example FROM {raw} WHERE {rule.condition} "
        f"ORDER BY 1 NULLS FIRST LIMIT {_EXAMPLES}"
    ).fetchall()
    return tuple(_shown(row[0]) for row in rows)


def _shown(value: str | None) -> str:
    if value is None or not value.strip():
        return "(empty)"
    return value if len(value) <= _EXAMPLE_LETTERS else value[:_EXAMPLE_LETTERS] + "…"


def _hint(connection: DuckDBPyConnection, raw: str, rule: Rule) -> str:
    """What the values look like, where that helps to mend them."""
    if rule.field.kind != "time":
        return ""
    text = f"CAST({quote(rule.theirs)} AS VARCHAR)"
    eras, epochs, others = connection.execute(
        f"SELECT count(*) FILTER (WHERE regexp_matches({text}, {literal(ERA_PATTERN)})), "
        f"count(*) FILTER (WHERE regexp_full_match({text}, '\\d{{10}}|\\d{{13}}|\\d{{16}}')), "
        f"count(*) FILTER (WHERE regexp_matches({text}, '^\\s*\\d{{1,2}}[-/.]\\d{{1,2}}[-/.]\\d{{4}}')) "
        f"FROM {raw} WHERE {rule.condition}"
    ).fetchall()[0]
    hint = ""
    if eras:
        hint += " Japanese era dates are not read; write the western year, as in 2026-11-16."
    if epochs:
        hint += " Seconds since 1970 are not read; convert them in the query, as in to_timestamp(1763251200)."
    if others:
        hint += " Day and month are not told apart; write the year first, as in 2026-11-16."
    return hint
