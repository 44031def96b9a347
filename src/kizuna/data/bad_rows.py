"""Rows that cannot be read: found by the contract's rules, named with examples, and refused or set aside. Never lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kizuna.config import Config
from kizuna.data.cleaning import ERA_PATTERN, KIND_WORDS, clean_sql, present_sql
from kizuna.data.contract import OPTIONAL_VALUES, Field, Finding, State
from kizuna.data.examples import shown_value
from kizuna.data.sources import literal, quote
from kizuna.whole_file import written_whole

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_EXAMPLES = 3
_MEND = " Mend them, or set data.on_bad_rows: quarantine."
_HINTS = {
    "eras": " Japanese era dates are not read; write the western year, as in 2026-11-16.",
    "epochs": " Seconds since 1970 are not read; convert them in the query, as in to_timestamp(1763251200).",
    "day first": " Day and month are not told apart; write the year first, as in 2026-11-16.",
}


@dataclass(frozen=True)
class Rule:
    """What makes a row bad: an SQL ``condition`` over raw columns, and the column (ours and ``theirs``) to blame."""

    field: Field
    theirs: str
    condition: str
    fault: str


@dataclass(frozen=True)
class BadRows:
    """What one rule found: how many rows, the first few of their values in order (None: empty), hints on how to mend them."""

    column: str
    theirs: str
    fault: str
    count: int
    examples: tuple[str | None, ...]
    hints: frozenset[str]

    def __add__(self, other: BadRows) -> BadRows:
        """The same rule's finds in both parts of a table."""
        both = {*self.examples, *other.examples}
        examples = sorted(both, key=lambda value: (value is not None, (value or "").encode()))[:_EXAMPLES]
        return replace(self, count=self.count + other.count, examples=tuple(examples), hints=self.hints | other.hints)


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


def count_bad_rows(connection: DuckDBPyConnection, raw: str, rules: list[Rule]) -> list[BadRows]:
    """What each rule finds in the raw rows, in the order of the rules."""
    counted = ", ".join(f"count(*) FILTER (WHERE {rule.condition})" for rule in rules)
    counts = connection.execute(f"SELECT {counted} FROM {raw}").fetchall()[0]
    return [
        BadRows(rule.field.name, rule.theirs, rule.fault, int(count), *_looked_at(connection, raw, rule, count))
        for rule, count in zip(rules, counts, strict=True)
    ]


def bad_row_findings(table: str, config: Config, total: int, bad: list[BadRows]) -> list[Finding]:
    """One finding for each rule that some of the ``total`` rows break: an error, or a warning where they are quarantined."""
    quarantined = config.data.on_bad_rows == "quarantine"
    state: State = "warning" if quarantined else "error"
    what_to_do = " They were set aside in quarantine." if quarantined else _MEND
    findings = []
    for rule in bad:
        if not rule.count:
            continue
        examples = tuple(dict.fromkeys(shown_value(example) for example in rule.examples))
        fault = "are empty" if set(examples) == {"(empty)"} else rule.fault
        theirs = f" (their {rule.theirs})" if rule.theirs != rule.column else ""
        details = (
            f"{table}.{rule.column}{theirs}: {rule.count:,} of {total:,} rows {fault}, such as "
            f"{', '.join(map(repr, examples))}.{''.join(_HINTS[hint] for hint in _HINTS if hint in rule.hints)}{what_to_do}"
        )
        code = 0 if quarantined else 11
        findings.append(Finding("bad_rows", state, "load", table, rule.column, rule.count, details, examples, code))
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
    with written_whole(target) as aside:
        connection.execute(f"COPY ({bad_rows}) TO {literal(str(aside))} (FORMAT parquet)")


def _looked_at(
    connection: DuckDBPyConnection, raw: str, rule: Rule, count: int
) -> tuple[tuple[str | None, ...], frozenset[str]]:
    """The first few of the values that break a rule, and the names of the hints that help to mend them."""
    if not count:
        return (), frozenset()
    text = f"CAST({quote(rule.theirs)} AS VARCHAR)"
    rows = connection.execute(
        f"SELECT DISTINCT {text} AS example FROM {raw} WHERE {rule.condition} ORDER BY 1 NULLS FIRST LIMIT {_EXAMPLES}"
    ).fetchall()
    hints: list[str] = []
    if rule.field.kind == "time":
        found = connection.execute(
            f"SELECT count(*) FILTER (WHERE regexp_matches({text}, {literal(ERA_PATTERN)})), "
            f"count(*) FILTER (WHERE regexp_full_match({text}, '\\d{{10}}|\\d{{13}}|\\d{{16}}')), "
            f"count(*) FILTER (WHERE regexp_matches({text}, '^\\s*\\d{{1,2}}[-/.]\\d{{1,2}}[-/.]\\d{{4}}')) "
            f"FROM {raw} WHERE {rule.condition}"
        ).fetchall()[0]
        hints = [hint for hint, number in zip(_HINTS, found, strict=True) if number]
    return tuple(row[0] for row in rows), frozenset(hints)
