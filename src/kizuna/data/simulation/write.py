"""Rows of numbers into the shop's tables: what had happened and was known by the end of the last day, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation import events
from kizuna.data.simulation.campaign import ARMS, action_codes
from kizuna.data.simulation.events import DAY_SECONDS, NO_TIME, World, waking_time
from kizuna.data.simulation.keyed import Bools, Floats, Ints, Purpose, Rows, uniform
from kizuna.data.simulation.lives import CATEGORIES, LANGUAGES
from kizuna.data.simulation.outreach import CHANNELS, PURPOSES
from kizuna.data.simulation.state import State

if TYPE_CHECKING:
    import pyarrow as pa

EVENT_TABLES = (
    "purchases",
    "complaints",
    "engagement",
    "outreach",
    "surveys",
    "loyalty",
    "referrals",
    "subscriptions",
)
_UNKNOWN_CONSENT_SHARE = 0.06
_PRODUCTS_PER_CATEGORY = 40


def event_table(world: World, days: int, name: str, rows: dict[str, NDArray[Any]]) -> pa.Table:
    """One event table in the columns of the contract, in the order of time."""
    import pyarrow as pa

    end, occurred = days * DAY_SECONDS, rows["occurred"]
    keep, late_by = known_rows(world, days, name, rows)
    order = np.lexsort((keep, rows["customer"][keep], occurred[keep]))
    keep = keep[order]
    rows = {column: values[keep] for column, values in rows.items()}
    late_by = late_by[keep]
    write = _Columns(world, end, rows)
    columns = {"customer_id": customer_ids(rows["customer"])}
    columns |= {"started_at" if name == "subscriptions" else "occurred_at": write.planned("occurred")}
    columns |= getattr(write, name)()
    columns["known_at"] = write.time(rows["occurred"] + late_by)
    return pa.table(columns)


def known_rows(world: World, days: int, name: str, rows: dict[str, NDArray[Any]]) -> tuple[Rows, Ints]:
    """The rows that had reached the warehouse by the end of the last day, and how late each row of all is, in seconds."""
    late_by = _late_seconds(world, name, rows)
    occurred = rows["occurred"]
    begun = rows.get("ended", occurred)
    known = occurred + late_by < days * DAY_SECONDS
    known &= ((begun >= 0) | (begun == NO_TIME)) & (rows.get("order_day", np.zeros(1)) >= 0)
    return np.flatnonzero(known), late_by


def customers_table(world: World, state: State, days: int) -> pa.Table:
    """The customers who have come by the last day, as the shop knows them that evening."""
    import pyarrow as pa

    lives, keys = world.lives, world.keys
    rows = np.flatnonzero(lives.acquired < days)
    seen = waking_time(lives.acquired[rows], uniform(keys, Purpose.ORDER_TIME, lives.acquired[rows], rows)) - 600
    write = _Columns(world, days * DAY_SECONDS, {})
    born = np.array(
        [
            np.datetime64(f"{world.calendar.date_of(int(day)).year - int(age):04d}-{when // 100:02d}-{when % 100:02d}")
            for day, age, when in zip(lives.acquired[rows], lives.age_years[rows], lives.birthday[rows], strict=True)
        ],
        dtype="datetime64[D]",
    )
    channels = [channel for channel, _ in world.parameters.acquisition.channel_shares]
    consents = {
        "sms": (Purpose.CONSENT_SMS, 0.35),
        "phone": (Purpose.CONSENT_PHONE, 0.40),
        "post": (Purpose.CONSENT_POST, 0.60),
        "line": (Purpose.CONSENT_LINE, 0.30),
    }
    return pa.table(
        {
            "customer_id": customer_ids(rows),
            "first_seen_at": write.time(seen),
            "birth_date": pa.array(born),
            "market": _words([market.name for market in world.parameters.markets], lives.market[rows]),
            "language": _words(LANGUAGES, lives.language[rows]),
            "acquisition_channel": _words(channels, lives.channel[rows]),
            "consent_email": pa.array(state.opted_in[rows]),
            **{
                f"consent_{name}": _consent(uniform(keys, purpose, 0, rows), share)
                for name, (purpose, share) in consents.items()
            },
        }
    )


def customer_ids(customers: NDArray[Any]) -> pa.Array:
    """Ids such as ``C004821``, for customer numbers from 0."""
    import pyarrow as pa

    numbers, places = np.unique(customers, return_inverse=True)
    return pa.array([f"C{number + 1:06d}" for number in numbers.tolist()], pa.string()).take(pa.array(places))


def _late_seconds(world: World, name: str, rows: dict[str, NDArray[Any]]) -> Ints:
    """How long each row takes to reach the warehouse; rows of one customer and moment arrive together."""
    arrival = world.parameters.arrival
    moment = rows["occurred"] * len(EVENT_TABLES) + EVENT_TABLES.index(name)
    late = np.flatnonzero(uniform(world.keys, Purpose.KNOWN_LATE, moment, rows["customer"]) < arrival.late_share)
    draws = uniform(world.keys, Purpose.KNOWN_DELAY, moment[late], rows["customer"][late])
    seconds = np.zeros(len(moment), dtype=np.int64)
    span = (arrival.late_max_days - arrival.late_min_days) * DAY_SECONDS
    seconds[late] = arrival.late_min_days * DAY_SECONDS + np.floor(draws * span).astype(np.int64)
    return seconds


class _Columns:
    """The columns of each table, made from rows of numbers; facts later than ``end`` are not yet known."""

    def __init__(self, world: World, end: int, rows: dict[str, NDArray[Any]]) -> None:
        self.world, self.end, self.rows = world, end, rows
        self.start = np.datetime64(world.calendar.start, "s")

    def purchases(self) -> dict[str, pa.Array]:
        import pyarrow as pa

        rows, count = self.rows, len(self.rows["customer"])
        product = rows["category"] * _PRODUCTS_PER_CATEGORY + rows["product"]
        ids = zip(rows["order_day"].tolist(), (rows["customer"] + 1).tolist(), strict=True)
        return {
            "order_id": pa.array([f"O{day:04d}{customer:06d}" for day, customer in ids], pa.string()),
            "amount": pa.array(rows["amount"]),
            "is_return": pa.array(rows["is_return"]),
            "quantity": pa.array(rows["quantity"]),
            "category": self.words("category", CATEGORIES),
            "product_id": _words(
                [f"P{number:03d}" for number in range(_PRODUCTS_PER_CATEGORY * len(CATEGORIES))], product
            ),
            "channel": self.words("channel", events.PURCHASE_CHANNELS),
            "discount_amount": pa.array(rows["discount"]),
            "currency": _words(["JPY"], np.zeros(count, dtype=np.int64)),
            "promised_at": self.planned("promised"),
            "delivered_at": self.fact("delivered"),
        }

    def complaints(self) -> dict[str, pa.Array]:
        import pyarrow as pa

        return {
            "kind": self.kind("complaints"),
            "category": self.words("category", events.TOPICS),
            "channel": self.words("channel", events.SUPPORT_CHANNELS),
            "severity": pa.array(self.rows["severity"]),
            "first_response_at": self.fact("first_response"),
            "resolved_at": self.fact("resolved"),
        }

    def engagement(self) -> dict[str, pa.Array]:
        return {"kind": self.kind("engagement"), "channel": self.words("channel", events.VISIT_CHANNELS)}

    def outreach(self) -> dict[str, pa.Array]:
        import pyarrow as pa

        return {
            "kind": self.kind("outreach"),
            "purpose": self.words("purpose", PURPOSES),
            "channel": self.words("channel", CHANNELS),
            "language": self.words("language", LANGUAGES),
            "cost": pa.array(self.rows["cost"]),
            "list_as_of": self.planned("list_as_of"),
            "action": _words(action_codes(self.world.campaigns), self.rows["action"]),
            "arm": _words(ARMS, self.rows["arm"]),
        }

    def surveys(self) -> dict[str, pa.Array]:
        import pyarrow as pa

        return {
            "kind": self.kind("surveys"),
            "score": pa.array(self.rows["score"], from_pandas=True),
            "scale_min": pa.array(self.rows["scale_min"]),
            "scale_max": pa.array(self.rows["scale_max"]),
            "touchpoint": self.words("touchpoint", events.TOUCHPOINTS),
            "followed_up_at": self.fact("followed_up"),
        }

    def loyalty(self) -> dict[str, pa.Array]:
        import pyarrow as pa

        return {
            "kind": self.kind("loyalty"),
            "points": pa.array(self.rows["points"]),
            "expires_at": self.planned("expires"),
        }

    def referrals(self) -> dict[str, pa.Array]:
        import pyarrow as pa

        return {"kind": self.kind("referrals"), "rating": pa.array(self.rows["rating"], from_pandas=True)}

    def subscriptions(self) -> dict[str, pa.Array]:
        import pyarrow as pa

        ended = self.rows["ended"]
        plans = [name for name, *_ in self.world.parameters.subscriptions.plans]
        return {
            "ended_at": self.fact("ended"),
            "notice_at": self.fact("notice"),
            "plan": self.words("plan", plans),
            "price": pa.array(self.rows["price"]),
            "period_days": pa.array(self.rows["period_days"]),
            "renews_at": self.planned("renews"),
            "voluntary": pa.array(self.rows["voluntary"], mask=(ended == NO_TIME) | (ended >= self.end)),
        }

    def kind(self, table: str) -> pa.Array:
        return self.words("kind", events.KINDS[table])

    def words(self, column: str, words: Any) -> pa.Array:
        return _words(words, self.rows[column])

    def fact(self, column: str) -> pa.Array:
        """A time that fills in later: null until it has come."""
        seconds = self.rows[column]
        return self.time(np.where(seconds < self.end, seconds, NO_TIME))

    def planned(self, column: str) -> pa.Array:
        """A time that is known from the row's own day, though it may lie ahead."""
        return self.time(self.rows[column])

    def time(self, seconds: Ints) -> pa.Array:
        import pyarrow as pa

        missing = seconds == NO_TIME
        moments = self.start + np.where(missing, 0, seconds).astype("timedelta64[s]")
        return pa.array(moments.astype("datetime64[us]"), mask=missing)


def _consent(draws: Floats, share: float) -> pa.Array:
    import pyarrow as pa

    unknown: Bools = draws > 1 - _UNKNOWN_CONSENT_SHARE
    return pa.array(draws < share, mask=unknown)


def _words(words: Any, numbers: NDArray[Any]) -> pa.Array:
    import pyarrow as pa

    positions = pa.array(numbers.astype(np.int16), mask=numbers < 0)
    return pa.DictionaryArray.from_arrays(positions, pa.array(list(words), pa.string()))
