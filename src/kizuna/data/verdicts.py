"""What the counts of a loaded table say: findings, or why it cannot be used. The counts may be sums over parts of a shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kizuna.data.bad_rows import BadRows, bad_row_findings
from kizuna.data.contract import CONTRACTS, Finding, State
from kizuna.errors import ContractError, DataMissing, KizunaError
from kizuna.timeline import date_of

if TYPE_CHECKING:
    from kizuna.config import Config
    from kizuna.data.store import TableInfo


def table_findings(config: Config, today: int, info: TableInfo, bad: list[BadRows]) -> list[Finding]:
    """The findings that a table's own rows give.

    Errors: DataMissing for no rows, or future ones only; ContractError where no row can be read.
    """
    name, readable = info.name, info.rows + info.orphan_rows
    total = readable + info.bad_rows
    # A shop may have nobody to suppress.
    if total == 0 and name != "suppressions":
        raise DataMissing(f"Table {name} is empty: 0 rows. Load it, or take data.tables.{name} out of the config.")
    findings = bad_row_findings(name, config, total, bad)
    if total and info.bad_rows == total:
        raise ContractError(f"Table {name}: none of its {total:,} rows can be read. {findings[0].details}")
    dated_by, future = CONTRACTS[name].dated_by, info.future_rows
    if future and future == readable and dated_by in ("occurred_at", "started_at"):
        raise DataMissing(
            f"Table {name} holds only future rows: all {readable:,} are dated after {date_of(today)}. "
            "Check the clock, the zone and the mapping of its date column."
        )
    if future:
        details = f"Table {name}: {future:,} of {readable:,} rows are dated after {date_of(today)} and are ignored."
        findings.append(_finding("future_rows", "warning", name, dated_by or "", future, details))
    return findings


def orphan_findings(info: TableInfo) -> list[Finding]:
    """The finding that rows belong to nobody, if some do."""
    orphans, rows = info.orphan_rows, info.rows + info.orphan_rows
    if not orphans:
        return []
    details = (
        f"Table {info.name}: {orphans:,} of {rows:,} rows belong to customers that no other table knows; not used."
    )
    state: State = "warning" if orphans > 0.01 * rows else "recommendation"
    return [_finding("orphan_rows", state, info.name, "customer_id", orphans, details)]


def refusal(config: Config, table: str, error: KizunaError) -> Finding:
    """The finding that a table cannot be used: an error, or a warning where it is missing and may be."""
    missing = isinstance(error, DataMissing)
    if missing and table in config.data.tables and config.data.tables[table].on_missing == "degrade":
        return _finding("missing_table", "warning", table, "", 0, str(error))
    return _finding(
        "missing_table" if missing else "broken_contract", "error", table, "", 0, str(error), error.exit_code
    )


def _finding(name: str, state: State, table: str, column: str, count: int, details: str, exit_code: int = 0) -> Finding:
    return Finding(name, state, "load", table, column, count, details, (), exit_code)
