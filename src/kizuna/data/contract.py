"""What each input table must hold, and the words of the data report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "time", "number", "flag", "text", "code"]
State = Literal["error", "warning", "recommendation"]


@dataclass(frozen=True)
class Field:
    """One column of the contract. ``code`` is text whose case and surrounding blanks do not matter, such as a kind."""

    name: str
    kind: Kind
    required: bool = False


@dataclass(frozen=True)
class TableContract:
    """The columns of one table and the time column that dates its rows (None: the rows are undated)."""

    name: str
    fields: tuple[Field, ...]
    dated_by: str | None = "occurred_at"
    key: tuple[str, ...] = ()
    open_columns: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which the table cannot be used."""
        return tuple(field.name for field in self.fields if field.required)


@dataclass(frozen=True)
class Finding:
    """One line of the data report. ``exit_code`` (10 or 11) is set on errors only."""

    name: str
    state: State
    step: str
    table: str
    column: str
    count: int
    details: str
    examples: tuple[str, ...] = ()
    exit_code: int = 0


def _table(name: str, *columns: str, dated_by: str | None = "occurred_at", key: tuple[str, ...] = ()) -> TableContract:
    fields = [Field("customer_id", "id", required=True)]
    for column in columns:
        spec, _, kind = column.partition(":")
        fields.append(Field(spec.rstrip("!"), kind or "text", required=spec.endswith("!")))  # type: ignore[arg-type]
    fields.append(Field("known_at", "time"))
    return TableContract(name, tuple(fields), dated_by, key, open_columns=name == "features")


# What fills in after its row: until its own day it is not known. ``voluntary`` comes with the contract's end.
FILLS_IN_LATER = frozenset(
    {"resolved_at", "first_response_at", "followed_up_at", "delivered_at", "ended_at", "notice_at", "voluntary"}
)
CONSENTS = ("consent", "consent_email", "consent_sms", "consent_phone", "consent_post", "consent_line")

CONTRACTS: dict[str, TableContract] = {
    table.name: table
    for table in (
        _table(
            "customers",
            "first_seen_at:time",
            "birth_date:time",
            "market",
            "language",
            "acquisition_channel",
            *(f"{name}:flag" for name in CONSENTS),
            "valid_from:time",
            dated_by=None,
            key=("customer_id", "valid_from"),
        ),
        _table(
            "purchases",
            "occurred_at!:time",
            "amount!:number",
            "is_return:flag",
            "order_id",
            "quantity:number",
            "category",
            "product_id",
            "channel",
            "discount_amount:number",
            "currency",
            "promised_at:time",
            "delivered_at:time",
        ),
        _table(
            "complaints",
            "occurred_at!:time",
            "resolved_at:time",
            "first_response_at:time",
            "severity",
            "category",
            "channel",
            "kind:code",
        ),
        _table("engagement", "occurred_at!:time", "kind:code", "channel:code"),
        _table(
            "outreach",
            "occurred_at!:time",
            "kind:code",
            "purpose:code",
            "channel:code",
            "language:code",
            "cost:number",
            "list_as_of:time",
            "action",
            "arm:code",
        ),
        _table(
            "surveys",
            "occurred_at!:time",
            "kind!:code",
            "score!:number",
            "scale_min:number",
            "scale_max:number",
            "touchpoint",
            "followed_up_at:time",
        ),
        _table("loyalty", "occurred_at!:time", "kind!:code", "points:number", "expires_at:time", "tier"),
        _table("referrals", "occurred_at!:time", "kind:code", "rating:number"),
        _table(
            "subscriptions",
            "started_at!:time",
            "ended_at:time",
            "notice_at:time",
            "plan",
            "price:number",
            "period_days:number",
            "renews_at:time",
            "voluntary:flag",
            dated_by="started_at",
        ),
        _table("suppressions", "from:time", "until:time", "reason", dated_by="from"),
        _table("features", "as_of:time", dated_by="as_of", key=("customer_id", "as_of")),
        _table("labels", "churned!:flag", "as_of:time", "value:number", dated_by="as_of", key=("customer_id", "as_of")),
    )
}

# A suggestion or a free comment has no score; every other survey answer has one.
OPTIONAL_VALUES = {("surveys", "score")}

# What a kind may be where kizuna knows them all; engagement and outreach take any.
KINDS: dict[str, tuple[str, ...]] = {
    "complaints": ("complaint", "inquiry", "praise"),
    "surveys": ("nps", "csat", "ces", "intent", "suggestion"),
    "loyalty": ("join", "earn", "redeem", "expire", "tier"),
    "referrals": ("referral", "review", "mention"),
}

# Columns whose empty cells say something: nothing was paid, not from a list, no answer asked for.
EMPTY_BY_NATURE = {
    ("purchases", "is_return"),
    ("purchases", "discount_amount"),
    ("outreach", "cost"),
    ("outreach", "action"),
    ("outreach", "arm"),
    ("surveys", "score"),
    ("surveys", "scale_min"),
    ("surveys", "scale_max"),
    ("loyalty", "points"),
    ("loyalty", "tier"),
    ("referrals", "rating"),
    ("subscriptions", "voluntary"),
    ("suppressions", "reason"),
    ("labels", "value"),
}
