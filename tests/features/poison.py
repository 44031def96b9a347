"""Another world with the same past: everything that was not yet known on a day is rewritten, and only that."""

from __future__ import annotations

from random import Random

from tests.features.oracle import COMES_WITH, MATURING, dates_of
from tests.features.shops import CUSTOMERS, DATED_BY, Row, Shop, draw_row

VERSIONED = ("customers", "features")
_EXTREMES = {
    "amount": (1e12, -1e12, 0.1, 1e-9),
    "quantity": (1e12, 1e-9, -1e12),
    "launched_at": (18_950,),
    "category": ("poison", "cd", "defect"),
    "product_id": ("poison", "p1"),
    "severity": ("999999", "critical"),
    "compensation": (1e12, 0.3),
    "points": (1e12, -7e11, 0.3),
    "points_to_next": (1e12,),
    "tier_rank": (1e9, -3.0),
    "cost": (1e12, 0.3),
    "birth_date": (18_950,),
    "bounced": (True, False),
    "price": (1e12, 0.7),
    "score": (1e6, -1e6),
    "rating": (1e9, 0.3),
    "discount_amount": (1e9,),
    "usage": (1e15,),
    "stamps": (1e15,),
    "market": ("ZZ",),
    "language": ("zz", "ja"),
    "tier": ("poison",),
    "kind": ("nps", "complaint", "earn", "visit", "thanks", "offer", "referral", "birthday", "click", "follow_up"),
}


def poison(shop: Shop, as_of: int, seed: int) -> Shop:
    """The same shop as it could look later: rows not known before ``as_of`` are changed, dropped and added."""
    rng = Random(f"{seed}|{as_of}")
    rows = {}
    for table, columns in shop.columns.items():
        known, unknown = [], []
        for row in shop.rows[table]:
            day, known_day = dates_of(row, table, columns)
            if day < as_of and known_day < as_of:
                known.append(_mature_otherwise(rng, row, columns, as_of))
            else:
                unknown.append(row)
        earliest = min((dates_of(row, table, columns)[0] for row in known), default=as_of)
        rows[table] = known + _rewritten(rng, table, columns, unknown, (earliest, as_of))
        rng.shuffle(rows[table])
    return Shop(rows, shop.columns)


def _mature_otherwise(rng: Random, row: Row, columns: tuple[str, ...], as_of: int) -> Row:
    """Values that had not filled in by ``as_of`` fill in on another day from there on, or never."""
    out = dict(row)
    for column in MATURING:
        if column in columns and (row.get(column) is None or row[column] >= as_of):
            out[column] = rng.choice([None, as_of, as_of + rng.randint(0, 400)])
    for column, values in (("voluntary", [None, True, False]), ("compensation", [None, 1e12, -0.3])):
        comes = row.get(COMES_WITH[column])
        if column in columns and (comes is None or comes >= as_of):
            out[column] = rng.choice(values)
    return out


def _rewritten(
    rng: Random, table: str, columns: tuple[str, ...], unknown: list[Row], days: tuple[int, int]
) -> list[Row]:
    earliest, as_of = days
    if table in VERSIONED:
        return _versions(rng, table, columns, unknown, as_of)
    out = []
    for row in [*unknown, *[None] * 8]:
        if rng.random() < 0.2:
            continue
        customer = row["customer_id"] if row and rng.random() < 0.6 else rng.choice(CUSTOMERS)
        late = "known_at" in columns and rng.random() < 0.6
        day = rng.randint(max(earliest, as_of - 250), as_of) if late else as_of + rng.choice([0, 1, 50])
        out.append(_extreme(rng, table, columns, customer, day) | {"known_at": as_of + rng.choice([0, 3])})
    return out


def _versions(rng: Random, table: str, columns: tuple[str, ...], unknown: list[Row], as_of: int) -> list[Row]:
    """One row per customer and day must stay, so unknown rows are rewritten where they stand, and new ones come later."""
    out = []
    for row in unknown:
        new = _extreme(rng, table, columns, row["customer_id"], 0)
        out.append(new | {c: row.get(c) for c in (DATED_BY[table], "known_at")})
    if DATED_BY[table] in columns:
        after = max([as_of, *(row[DATED_BY[table]] or 0 for row in unknown)]) + 1
        out += [_extreme(rng, table, columns, customer, after) for customer in CUSTOMERS[::3]]
    return out


def _extreme(rng: Random, table: str, columns: tuple[str, ...], customer: str, day: int) -> Row:
    row = draw_row(rng, table, customer, day)
    for column, values in _EXTREMES.items():
        if column in columns and column in row and rng.random() < 0.7:
            row[column] = rng.choice(values)
    if row.get("is_return") is False or ("is_return" in columns and table == "purchases"):
        row["is_return"] = row["amount"] < 0
    return row
