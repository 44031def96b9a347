"""Shops with one fault each, and how kizuna ends on them."""

from __future__ import annotations

from dataclasses import dataclass, field

HEADER = "customer_id,occurred_at,amount\n"
SOUND = HEADER + "a,2026-10-01,1\na,2026-10-20,2\nb,2026-10-05,3\n"
MEND = "Mend them, or set data.on_bad_rows: quarantine."


@dataclass(frozen=True)
class Fault:
    """A shop with a fault: files by name, ``--set`` overrides, the exit code, and how the message begins."""

    code: int
    said: str
    files: dict[str, str | bytes] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()


FAULTS = {
    "no file": Fault(
        10,
        "Table purchases is to be read from q.csv, but there is no such file (looked at {folder}/q.csv). "
        "Mend data.tables.purchases.path; relative paths start at the config's folder.",
        {},
        ("data.tables.purchases.path=q.csv",),
    ),
    "no column": Fault(
        11,
        "Table purchases needs a column amount; found customer_id, occurred_at, amuont. Did you mean 'amuont'? "
        "Map it: data.tables.purchases.columns: {{amount: …}}.",
        {"p.csv": SOUND.replace("amount", "amuont")},
    ),
    "misspelt key": Fault(
        2, "{folder}/shop.yaml: unknown key 'data.time_zone'. Did you mean 'timezone'?", {}, ("data.time_zone=UTC",)
    ),
    "unknown zone": Fault(
        2,
        "{folder}/shop.yaml: data.timezone is no time zone. Did you mean 'Asia/Tokyo'? (found 'Asia/Tokjo').",
        {},
        ("data.timezone=Asia/Tokjo",),
    ),
    "unknown table": Fault(
        2, "{folder}/shop.yaml: data.tables has no table 'orders'. ", {}, ("data.tables.orders.path=p.csv",)
    ),
    "empty table": Fault(
        10,
        "Table purchases is empty: 0 rows. Load it, or take data.tables.purchases out of the config.",
        {"p.csv": HEADER},
    ),
    "empty file": Fault(
        10, "Table purchases cannot be read: p.csv is empty: it has not even a header. Export it again.", {"p.csv": ""}
    ),
    "only future rows": Fault(
        10,
        "Table purchases holds only future rows: all 1 are dated after ",
        {"p.csv": HEADER + "a,2999-01-01,1\n"},
    ),
    "duplicate customers": Fault(
        11,
        "Table customers must hold one row per customer; found 1 with more. "
        "Keep one row each, or name the column that dates them: valid_from.",
        {"c.csv": "customer_id\na\na\n"},
        ("data.tables.customers.path=c.csv",),
    ),
    "duplicate customer and day": Fault(
        11,
        "Table customers must hold one row per customer and valid_from; found 1 with more. Keep one row each.",
        {"c.csv": "customer_id,valid_from\na,2026-01-01\na,2026-01-01T10:00:00\na,2026-01-02\n"},
        ("data.tables.customers.path=c.csv",),
    ),
    "duplicate labels": Fault(
        11,
        "Table labels must hold one row per customer; found 1 with more. "
        "Keep one row each, or name the column that dates them: as_of.",
        {"l.csv": "customer_id,churned\na,yes\na,no\n"},
        ("data.tables.labels.path=l.csv",),
    ),
    "two currencies": Fault(
        11,
        "Money must be in one currency; table purchases holds JPY, USD. "
        "Convert the amounts, or select one currency in the query.",
        {"p.csv": HEADER.replace("\n", ",currency\n") + "a,2026-10-01,1,JPY\nb,2026-10-01,1,USD\n"},
    ),
    "another currency": Fault(
        11,
        "Money must be in one currency; table purchases holds JPY and data.currency says EUR. ",
        {"p.csv": HEADER.replace("\n", ",currency\n") + "a,2026-10-01,1,JPY\n"},
        ("data.currency=EUR",),
    ),
    "era dates": Fault(
        11,
        "purchases.occurred_at: 2 of 3 rows cannot be read as a day (ISO 8601 or YYYY/MM/DD), "
        "such as 'R8/10/1', '令和8年10月20日'. "
        f"Japanese era dates are not read; write the western year, as in 2026-11-16. {MEND}",
        {"p.csv": SOUND.replace("2026-10-01", "R8/10/1").replace("2026-10-20", "令和8年10月20日")},
    ),
    "thousands": Fault(
        11,
        f"purchases.amount: 1 of 3 rows cannot be read as a number, such as '1,234'. {MEND}",
        {"p.csv": SOUND.replace("01,1", '01,"1,234"')},
    ),
    "no id": Fault(
        11,
        f"purchases.customer_id: 2 of 3 rows are empty, such as '(empty)'. {MEND}",
        {"p.csv": SOUND.replace("a,", ",")},
    ),
    "a return denied": Fault(
        11,
        f"purchases.is_return (their amount): 1 of 2 rows have is_return false and a negative amount, such as '-1'. {MEND}",
        {"p.csv": HEADER.replace("\n", ",is_return\n") + "a,2026-10-01,-1,false\nb,2026-10-01,1,\n"},
    ),
    "cp932": Fault(
        11,
        "Table purchases cannot be read: Line 3 of p.csv is not UTF-8; it reads as Shift_JIS (cp932). "
        "Export it again as UTF-8 (in Excel: CSV UTF-8).",
        {"p.csv": (HEADER + "a,2026-10-01,1\n山,2026-10-01,1\n").encode("cp932")},
    ),
    "ragged": Fault(
        11,
        "Table purchases cannot be read: line 4 of p.csv has 2 cells and the header 3. Mend that line, or quote its cells.",
        {"p.csv": SOUND.replace("b,2026-10-05,3", "b,2026-10-05")},
    ),
    "a folder of something else": Fault(
        10,
        "Table purchases is to be read from the folder data, but it holds no .parquet file (1 other files). ",
        {"data/x.txt": "x"},
        ("data.tables.purchases.path=data",),
    ),
    "corrupt Parquet": Fault(
        11,
        "Table purchases cannot be read: ",
        {"p.parquet": b"PAR1 and nothing more PAR1"},
        ("data.tables.purchases.path=p.parquet",),
    ),
    "query that is no SQL": Fault(
        2,
        'The query of table purchases fails: syntax error at or near "selct". Its input is called source.',
        {},
        ("data.tables.purchases.query=selct * from source",),
    ),
    "query that loses a column": Fault(
        11,
        "Table purchases needs a column occurred_at; found customer_id, amount. "
        "Map it: data.tables.purchases.columns: {{occurred_at: …}}.",
        {},
        ("data.tables.purchases.query=select customer_id, amount from source",),
    ),
    "no variable": Fault(
        2,
        "data.tables.purchases.path reads the environment variable KIZUNA_NO_SUCH, which is not set. Set it and run again.",
        {},
        ("data.tables.purchases.path=${KIZUNA_NO_SUCH}",),
    ),
    "a server that is not there": Fault(
        75,
        "Table purchases: the postgresql server did not answer (OperationalError). Check its address, or try again later.",
        {},
        ("data.tables.purchases={uri: 'postgresql://user:secret@127.0.0.1:1/shop', query: select 1}",),
    ),
    "a definition without its table": Fault(
        11,
        "churn.definition cancellation needs the table subscriptions; found purchases. "
        "Add it under data.tables, or choose another definition.",
        {},
        ("churn.definition=cancellation",),
    ),
}
