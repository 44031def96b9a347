"""A shop for the feature benchmarks: four Parquet tables of about 30 events a customer, three years, written in seconds.

Every value is a hash of its row's number, so that the same size gives the same shop on any number of threads. Rows stand
in the order of time, as a shop writes them; customers are skewed, and the busy ones are spread over all ids.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

FIRST_DAY, DAYS = date(2023, 1, 1), 1_095
NEWEST_SNAPSHOT = date(2025, 12, 1)
EVENTS_PER_CUSTOMER = {"purchases": 8, "engagement": 14, "outreach": 7, "complaints": 1}
TABLES = tuple(EVENTS_PER_CUSTOMER)
MEMORY_LIMIT = "3GB"

_ENGAGEMENT = {"visit": 0.5, "login": 0.08, "open": 0.2, "click": 0.1, "use": 0.09, "post": 0.02, "skip": 0.01}
_OUTREACH = {"newsletter": 0.6, "offer": 0.25, "thanks": 0.06, "follow_up": 0.04, "notice": 0.03, "survey": 0.02}
_COMPLAINTS = {"complaint": 0.7, "inquiry": 0.25, "praise": 0.05}


def snapshot_days(count: int) -> list[str]:
    """ISO dates 30 days apart, newest first."""
    return [(NEWEST_SNAPSHOT - timedelta(days=30 * back)).isoformat() for back in range(count)]


def event_count(customers: int) -> int:
    """Rows of all four tables."""
    return sum(customers * per for per in EVENTS_PER_CUSTOMER.values())


def make_shop(folder: Path, customers: int, threads: int = 2) -> Path:
    """The folder, with one Parquet file a table; what is there already is kept."""
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    settings = {"threads": threads, "memory_limit": MEMORY_LIMIT, "temp_directory": str(folder)}
    connection = duckdb.connect(config=settings)
    connection.execute("CREATE MACRO share(i, salt) AS CAST(hash(i, salt) >> 11 AS DOUBLE) / 9007199254740992")
    for number, (table, per) in enumerate(EVENTS_PER_CUSTOMER.items()):
        file, part = folder / f"{table}.parquet", folder / f"{table}.part"
        if not file.exists():
            connection.execute(f"COPY ({_rows_sql(table, customers, per, 100 * number)}) TO '{part}' (FORMAT parquet)")
            part.rename(file)
    connection.close()
    return folder


def _rows_sql(table: str, customers: int, per: int, salt: int) -> str:
    """Row i lies near the fraction i / rows of the three years; a customer's share of the rows falls with its rank."""
    rows, prime = customers * per, 2_654_435_761
    rank = f"CAST(floor(pow(share(i, {salt}), 1.5) * {customers}) AS BIGINT)"
    seconds = f"CAST(floor((i + share(i, {salt + 1})) * ({DAYS} * 86400.0 / {rows})) AS BIGINT)"
    return f"""
        SELECT 'C' || lpad(CAST({rank} * {prime} % {customers} AS VARCHAR), 8, '0') AS customer_id,
            TIMESTAMP '{FIRST_DAY}' + to_seconds({seconds}) AS occurred_at, {_columns_sql(table, salt)}
        FROM (SELECT range AS i FROM range({rows}))"""


def _columns_sql(table: str, salt: int) -> str:
    if table == "purchases":
        return f"""
            round(exp(3 + share(i, {salt + 2}) * 2), 2) * (CASE WHEN share(i, {salt + 3}) < 0.04 THEN -1 ELSE 1 END) AS amount,
            'category ' || CAST(floor(share(i, {salt + 4}) * 12) AS INTEGER) AS category,
            CASE WHEN share(i, {salt + 5}) < 0.2 THEN 5e0 ELSE 0e0 END AS discount_amount,
            CAST(1 + floor(pow(share(i, {salt + 6}), 3) * 5) AS INTEGER) AS quantity"""
    if table == "engagement":
        return f"{_choice_sql(_ENGAGEMENT, salt + 2)} AS kind, {_choice_sql({'web': 0.7, 'app': 0.3}, salt + 3)} AS channel"
    if table == "outreach":
        channels = {"email": 0.85, "sms": 0.1, "phone": 0.05}
        return f"{_choice_sql(_OUTREACH, salt + 2)} AS kind, {_choice_sql(channels, salt + 3)} AS channel"
    # A complaint is resolved after 0 to 40 days, mostly few; one in five never.
    took = f"to_seconds(CAST(floor(pow(share(i, {salt + 3}), 3) * 40 * 86400) AS BIGINT))"
    return f"""{_choice_sql(_COMPLAINTS, salt + 2)} AS kind,
        CASE WHEN share(i, {salt + 4}) < 0.8 THEN occurred_at + {took} END AS resolved_at"""


def _choice_sql(shares: dict[str, float], salt: int) -> str:
    """One of several texts with given shares; the last takes what is left."""
    *others, last = shares
    cases, below = "", 0.0
    for text in others:
        below += shares[text]
        cases += f" WHEN share(i, {salt}) < {below:.4f} THEN '{text}'"
    return f"CASE{cases} ELSE '{last}' END"
