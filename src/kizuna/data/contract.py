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


COMES_WITH = {"voluntary": "ended_at", "compensation": "resolved_at"}
"""Values that have no date of their own, and the column on whose day each becomes known."""
# What fills in after its row: until its own day it is not known.
FILLS_IN_LATER = frozenset(
    {
        *("resolved_at", "first_response_at", "reopened_at", "followed_up_at", "adopted_at"),
        *("delivered_at", "refunded_at", "ended_at", "notice_at"),
        *COMES_WITH,
    }
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
            "refunded_at:time",
            "launched_at:time",
        ),
        _table(
            "complaints",
            "occurred_at!:time",
            "resolved_at:time",
            "first_response_at:time",
            "reopened_at:time",
            "severity",
            "category",
            "channel",
            "kind:code",
            "compensation:number",
        ),
        _table("engagement", "occurred_at!:time", "kind:code", "channel:code", "purpose:code"),
        _table(
            "outreach",
            "occurred_at!:time",
            "kind:code",
            "purpose:code",
            "channel:code",
            "language:code",
            "cost:number",
            "bounced:flag",
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
            "adopted_at:time",
        ),
        _table(
            "loyalty",
            "occurred_at!:time",
            "kind!:code",
            "points:number",
            "expires_at:time",
            "tier",
            "tier_rank:number",
            "points_to_next:number",
        ),
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
            "auto_renew:flag",
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
    ("complaints", "compensation"),
    ("engagement", "purpose"),
    ("outreach", "cost"),
    ("outreach", "bounced"),
    ("outreach", "action"),
    ("outreach", "arm"),
    ("surveys", "score"),
    ("surveys", "scale_min"),
    ("surveys", "scale_max"),
    ("loyalty", "points"),
    ("loyalty", "tier"),
    ("loyalty", "tier_rank"),
    ("loyalty", "points_to_next"),
    ("referrals", "rating"),
    ("subscriptions", "voluntary"),
    ("suppressions", "reason"),
    ("labels", "value"),
}
