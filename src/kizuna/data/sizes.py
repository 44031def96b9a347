"""What the report says about the size of a shop: how many customers, how long, how recent, how much is known of each.

The limits are those that products in the field demand; here they are warnings and recommendations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kizuna.data.contract import Finding, State
from kizuna.data.store import Store, TableInfo, added
from kizuna.timeline import date_of

if TYPE_CHECKING:
    from kizuna.config import Config

_FEW_CUSTOMERS, _ENOUGH_CUSTOMERS = 500, 1000
_REPEAT_SHARE = 0.2
_ACTIVE_SHARE = 0.5
_KNOWN_SHARE = 0.99
_SEASONS_DAYS = 365
_RECENT_DAYS = 30
_SOURCES = 2
_BY_CUSTOMER = ("purchases", "complaints", "engagement", "surveys", "loyalty", "referrals", "subscriptions")


def size_findings(store: Store, config: Config) -> Iterator[Finding]:
    """Findings about customers, history, recency and coverage."""
    if "purchases" in store.tables:
        yield from _buyers(store)
        if "customers" in store.tables:
            yield from _profiles(store)
    base = store.tables.get("purchases") or store.tables.get("subscriptions")
    if base and base.first_day is not None and base.last_day is not None:
        yield from _history(store, config, base, base.last_day - base.first_day + 1)
        yield from _recency(store, config, base, base.last_day)
        yield from _sources(store, base)
    yield from _activity(store)
    yield from _similar_ids(store)


def _buyers(store: Store) -> Iterator[Finding]:
    order = "coalesce(order_id, CAST(day AS VARCHAR))" if store.has("purchases", "order_id") else "day"
    bought = "NOT coalesce(is_return, amount < 0)" if store.has("purchases", "is_return") else "amount >= 0"
    buyers, repeat = _sums(
        store,
        "SELECT count(*), count(*) FILTER (WHERE several) FROM "
        f"(SELECT customer, min({order}) < max({order}) AS several FROM {store.relation('purchases')} "
        f"WHERE {bought} GROUP BY customer)",
    )
    if buyers < _ENOUGH_CUSTOMERS:
        few = buyers < _FEW_CUSTOMERS
        state: State = "warning" if few else "recommendation"
        details = (
            f"{buyers:,} customers bought; {_FEW_CUSTOMERS} or more make a model dependable. "
            "Simple rules may serve better until then."
            if few
            else f"{buyers:,} customers bought; with {_ENOUGH_CUSTOMERS:,} or more the model's figures become steadier."
        )
        yield _finding("few_customers", state, "purchases", "customer_id", buyers, details)
    if buyers and repeat < _REPEAT_SHARE * buyers:
        details = (
            f"{repeat:,} of {buyers:,} customers ordered twice or more; "
            f"under {_REPEAT_SHARE:.0%} the rhythm is hard to learn."
        )
        yield _finding("few_repeat_buyers", "warning", "purchases", "occurred_at", repeat, details)


def _profiles(store: Store) -> Iterator[Finding]:
    """Buyers without a profile (often ids spelled two ways), and profiles that never bought."""
    key = "ltrim(lower(trim(customer_id)), '0') AS key"
    buyers, unknown, spelled = _sums(
        store,
        f"WITH buyers AS (SELECT DISTINCT customer FROM {store.relation('purchases')}), "
        f"profiles AS (SELECT DISTINCT customer FROM {store.relation('customers')}), "
        f"keys AS (SELECT DISTINCT {key} FROM profiles JOIN customer_ids USING (customer)), "
        f"unknown AS (SELECT {key} FROM buyers ANTI JOIN profiles USING (customer) JOIN customer_ids USING (customer)) "
        "SELECT (SELECT count(*) FROM buyers), (SELECT count(*) FROM unknown), "
        "(SELECT count(*) FROM unknown SEMI JOIN keys USING (key))",
    )
    if unknown:
        state: State = "warning" if unknown > (1 - _KNOWN_SHARE) * buyers else "recommendation"
        hint = (
            f" {spelled:,} of them are there when case, blanks and leading zeros are left aside: "
            "spell ids alike in both tables."
            if spelled
            else ""
        )
        details = f"{unknown:,} of {buyers:,} customers with purchases are not in table customers.{hint}"
        yield _finding("unknown_customers", state, "customers", "customer_id", unknown, details)
    (prospects,) = _sums(
        store,
        f"SELECT count(*) FROM (SELECT DISTINCT customer FROM {store.relation('customers')} "
        f"ANTI JOIN {store.relation('purchases')} USING (customer))",
    )
    if prospects:
        details = f"{prospects:,} customers have never bought: prospects, counted here and not scored."
        yield _finding("prospects", "recommendation", "customers", "customer_id", prospects, details)


def _history(store: Store, config: Config, base: TableInfo, history: int) -> Iterator[Finding]:
    """How long the label table reaches back, against what training, testing and value need."""
    churn, earliest = config.churn, config.snapshots.min_history_days
    label = churn.gap_days + churn.horizon_days
    span = f"Table {base.name} spans {history:,} days"
    first = earliest + label
    look_back = churn.active_within_days if churn.definition == "inactivity" else earliest
    needed = max(look_back + label, first + config.snapshots.every_days)
    column = "occurred_at" if base.name == "purchases" else "started_at"
    if history < first:
        details = (
            f"{span}; the first snapshot needs {first:,} (snapshots.min_history_days {earliest} + label {label}). "
            "Training will find no matured snapshot: load more history, or shorten the horizon."
        )
        yield _finding("no_snapshot", "warning", base.name, column, history, details)
    elif history < max(2 * needed, _SEASONS_DAYS):
        state: State = "warning" if history < needed else "recommendation"
        asked = needed if state == "warning" else max(2 * needed, _SEASONS_DAYS)
        why = "look-back and label fit in once" if state == "warning" else "the model is tested on other seasons"
        details = f"{span}; from {asked:,} days on {why}."
        yield _finding("short_history", state, base.name, column, history, details)
    horizon = config.cltv.horizon_days
    if isinstance(horizon, int) and history < earliest + churn.gap_days + horizon and "purchases" in store.tables:
        details = (
            f"{span}; a value over {horizon} days needs {earliest + churn.gap_days + horizon:,} to be learned. "
            "Shorten cltv.horizon_days, or set it to auto."
        )
        yield _finding("short_value_history", "warning", base.name, column, history, details)


def _recency(store: Store, config: Config, base: TableInfo, last_day: int) -> Iterator[Finding]:
    source = config.data.tables.get(base.name)
    if source and (source.warn_after_days is not None or source.error_after_days is not None):
        return
    age = store.today - last_day
    if age > _RECENT_DAYS:
        details = (
            f"The newest row of table {base.name} is of {date_of(last_day)}, {age:,} days ago. "
            f"If it is loaded regularly, set data.tables.{base.name}.warn_after_days and error_after_days."
        )
        yield _finding("old_data", "recommendation", base.name, "", age, details)


def _activity(store: Store) -> Iterator[Finding]:
    tables = [name for name in _BY_CUSTOMER if name in store.tables]
    if not tables or not store.customers:
        return
    union = " UNION ALL ".join(f"SELECT customer FROM {store.relation(name)}" for name in tables)
    (active,) = _sums(
        store,
        f"SELECT count(*) FROM (SELECT customer FROM ({union}) GROUP BY customer HAVING count(*) >= 2)",
    )
    if active < _ACTIVE_SHARE * store.customers:
        details = (
            f"{active:,} of {store.customers:,} customers have two rows or more in {', '.join(tables)}; "
            f"from {_ACTIVE_SHARE:.0%} on there is enough to compare."
        )
        yield _finding("thin_activity", "warning", tables[0], "customer_id", active, details)


def _sources(store: Store, base: TableInfo) -> Iterator[Finding]:
    beside = [name for name in (*_BY_CUSTOMER, "outreach") if name in store.tables and name != base.name]
    if len(beside) < _SOURCES and "features" not in store.tables:
        found = f"only {beside[0]}" if beside else "no other table of events"
        details = (
            f"Beside {base.name} {found} is configured; complaints, engagement, outreach or surveys often tell earlier "
            "who is leaving."
        )
        yield _finding("few_sources", "recommendation", base.name, "", len(beside), details)


def _similar_ids(store: Store) -> Iterator[Finding]:
    (groups,) = store.select("SELECT count(*) FROM customer_ids GROUP BY lower(trim(customer_id)) HAVING count(*) > 1")
    if groups:
        details = (
            f"Customer ids that differ only in case or blanks: {len(groups):,}. "
            "They stay different customers; mend the source if they are one."
        )
        state: State = "warning" if len(groups) > (1 - _KNOWN_SHARE) * store.customers else "recommendation"
        yield _finding("similar_ids", state, "customers", "customer_id", len(groups), details)


def _sums(store: Store, select: str) -> tuple[int, ...]:
    """The counts of one row, those of all parts of the shop added up."""
    return added(*store.select(select))


def _finding(name: str, state: State, table: str, column: str, count: int, details: str) -> Finding:
    return Finding(name, state, "train", table, column, int(count), details)
