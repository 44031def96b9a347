"""Databases that hold every day's list: which one an address means, and one day written into it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from urllib.parse import urlsplit

from kizuna import journal
from kizuna.config_exports import DatabaseExport
from kizuna.delivery.outbox import Delivery
from kizuna.delivery.sources import Shop, list_rows
from kizuna.exports.database import upsert_list
from kizuna.lists.publication import Publication


def target_of(asked: DatabaseExport) -> str:
    """A short text that changes when another server, database or table is meant; user and password play no part."""
    address = urlsplit(asked.uri)
    place = f"{address.netloc.rpartition('@')[2]} {address.path} {address.query} {asked.table}"
    return hashlib.sha256(place.encode()).hexdigest()[:16]


def write_day(publication: Publication, asked: DatabaseExport, shop: Shop, delivery: Delivery) -> Delivery:
    """The delivery after the database has the day's list; ``contact_allowed`` is false for who has since opted out.

    Rows that the database has already as they should be are not touched, so that a day written twice has one effect, also
    where a run was cut off after the database had it and before the outbox knew. Errors: DestinationFailed.
    """
    import pyarrow as pa

    with journal.stage("rows"):
        rows = list_rows(publication)
        customers = rows["customer_id"].to_pylist()
        refused = shop.refused(publication, customers, asked)
        allowed = [
            False if customer in refused else said
            for customer, said in zip(customers, rows["contact_allowed"].to_pylist(), strict=True)
        ]
        changed = sum(was is not now for was, now in zip(rows["contact_allowed"].to_pylist(), allowed, strict=True))
        place = rows.column_names.index("contact_allowed")
        rows = rows.set_column(place, "contact_allowed", pa.array(allowed, pa.bool_()))
    with journal.stage("database"):
        upsert_list(rows, publication.as_of, asked)
    return replace(delivery, state="delivered", rows=rows.num_rows, opted_out=changed, error=None)
