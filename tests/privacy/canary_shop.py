"""A simulated shop in which one customer carries marks that are easy to find again, in every table and every text column."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml

from kizuna.data.simulate import simulate

ID = "kanarie-7f3a91"
NAME, MAIL, PHONE = "山田カナリア", "canary@example.com", "090-1234-5678"
TEXTS = (NAME, MAIL, PHONE)
DAY, NEXT = "2025-12-22", "2025-12-29"
_FREE = {
    "purchases": ["category", "product_id", "channel", "note"],
    "complaints": ["category", "channel", "text"],
    "engagement": ["channel"],
    "outreach": ["purpose", "channel"],
    "surveys": ["touchpoint", "comment"],
    "loyalty": ["tier"],
    "subscriptions": ["plan"],
}


def make_shop(folder: Path, uri: str | None = None) -> Path:
    """The config of the shop: every kind of export, contacts for one destination, rows that cannot be read set aside.

    ``uri``: of a PostgreSQL database that gets the list, too.
    """
    simulate(folder, customers=700, days=560, seed=3)
    tables = {path.stem: pd.read_parquet(path) for path in folder.glob("*.parquet")}
    bought = tables["purchases"]
    who = bought["customer_id"].value_counts().index[0]
    # A good customer who has fallen silent: on the list of both days, and rich enough for every table.
    late = (bought["customer_id"] == who) & (bought["occurred_at"] >= pd.Timestamp("2025-10-20"))
    tables["purchases"] = bought[~late].copy()
    for name, frame in tables.items():
        theirs = frame["customer_id"] == who
        if not theirs.any():
            one = frame.head(1).assign(customer_id=who)
            frame = pd.concat([frame, one], ignore_index=True)
            theirs = frame["customer_id"] == who
        frame["customer_id"] = frame["customer_id"].where(~theirs, ID)
        for number, column in enumerate(_FREE.get(name, [])):
            if column not in frame:
                frame[column] = "x"
            frame[column] = frame[column].astype(object).where(~theirs, TEXTS[number % 3])
        tables[name] = frame
    customers = tables["customers"]
    theirs = customers["customer_id"] == ID
    for column in ("consent_email", "consent_sms", "consent_phone"):
        customers[column] = customers[column].astype(object).where(~theirs, True)
    customers["name"] = pd.Series("x", index=customers.index).where(~theirs, NAME)
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    _make_bad_rows(folder, tables["purchases"])
    contacts = pd.DataFrame({"customer_id": customers["customer_id"], "mail": customers["customer_id"] + "@shop.test"})
    contacts["phone"] = "-"
    contacts.loc[contacts["customer_id"] == ID, ["mail", "phone"]] = [MAIL, PHONE]
    contacts.to_csv(folder / "contacts.csv", index=False)
    config = folder / "config.yaml"
    tree = yaml.safe_load(config.read_text())
    tree["data"]["on_bad_rows"] = "quarantine"
    tree["data"]["tables"]["purchases"] = {"path": "purchases.csv"}
    tree["data"]["tables"]["customers"]["attributes"] = ["acquisition_channel"]
    # Everybody eligible is listed, whatever the model thinks of them.
    tree["at_risk"] |= {"min_probability": 0.0, "size": 400}
    tree["exports"] = _exports(uri)
    config.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return config


def _make_bad_rows(folder: Path, purchases: pd.DataFrame) -> None:
    """The purchases as CSV, with rows of the customer's that slipped by a column, or hold texts for numbers."""
    (folder / "purchases.parquet").unlink()
    frame = purchases.drop(columns="note").astype({"occurred_at": "str", "promised_at": "str", "delivered_at": "str"})
    frame = frame.replace({"NaT": ""})
    bad = frame[frame["customer_id"] == ID].head(4).astype(object)
    bad["amount"] = [NAME, MAIL, PHONE, "1,234"]
    bad.iloc[0, list(bad.columns).index("occurred_at")] = MAIL
    bad.iloc[1, list(bad.columns).index("delivered_at")] = NAME
    pd.concat([frame, bad]).to_csv(folder / "purchases.csv", index=False)


def _exports(uri: str | None) -> list[dict[str, object]]:
    sheets: list[dict[str, object]] = [
        {"to": "workbook"},
        {"to": "report"},
        {"to": "csv", "encoding": "utf-8-sig"},
        {"to": "csv", "encoding": "cp932", "unencodable": "replace", "rows": "contact"},
    ]
    crm = {
        "to": "destination",
        "name": "crm",
        "columns": {"mail": "contacts.mail", "phone": "contacts.phone", "risk": "churn_probability"},
        "key": "mail",
        "contacts": {"path": "contacts.csv"},
    }
    plain = {"to": "destination", "name": "calls", "columns": {"who": "customer_id", "what": "action_text"}}
    database = [{"to": "database", "uri": uri, "table": "at_risk", "create": True}] if uri else []
    return [*sheets, crm, plain, *database]
