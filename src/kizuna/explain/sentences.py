"""Which columns a sentence about a driver needs, and when it makes sense; its words stand in the wording files.

A sentence must never contradict the numbers: "2 orders; 5 before" is only said where 2 is fewer than 5. A rise is
stated as a plain figure, and where even that would mislead ("0 complaints") nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Values = Mapping[str, float]

# Without a usual gap to compare with, a shorter silence than this is nothing to speak of.
LONG_SILENCE_DAYS = 30


def _always(found: Values) -> bool:
    return True


@dataclass(frozen=True)
class Sentence:
    """One way to word one driver.

    ``needs`` maps each place of the sentence to a column, whose ``{w}`` is one window for the whole sentence; a place
    ``change`` yields the place ``…_before`` = value − change. ``also``: further columns of the driver that this
    sentence speaks for. ``near_days``: the window that is preferred, then those nearest to it in proportion.
    ``unsigned``: the words carry the direction, the figure only the size. ``unless``: a column that must be null,
    because a better sentence, or none, belongs to a customer who has it.
    """

    driver: str
    key: str
    needs: Mapping[str, str]
    sense: Callable[[Values], bool] = _always
    also: tuple[str, ...] = ()
    near_days: int = 90
    unsigned: bool = False
    unless: str | None = None


def _some(place: str) -> Callable[[Values], bool]:
    """Whether the figure, as it is shown, is at least 1."""
    return lambda found: found[place] >= 0.5


def _not_negative(place: str) -> Callable[[Values], bool]:
    return lambda found: found[place] > -0.5


def _overdue(found: Values) -> bool:
    """Silence is a sign only once it is longer than this customer's own usual gap."""
    return found["usual_days"] >= 0.5 and found["days"] > found["usual_days"]


def _fewer(found: Values) -> bool:
    return found["count"] > -0.5 and found["count_before"] >= found["count"] + 1


def _less(found: Values) -> bool:
    return found["amount"] >= 0 and found["amount_before"] >= max(1.01 * found["amount"], found["amount"] + 1)


def _not_promoting(found: Values) -> bool:
    """A promoter's answer is no reason to worry, whatever the model made of it."""
    return 0 <= found["score"] < 9


def _true(place: str) -> Callable[[Values], bool]:
    return lambda found: found[place] == 1


def _false(place: str) -> Callable[[Values], bool]:
    return lambda found: found[place] == 0


SENTENCES = (
    Sentence(
        "RECENCY",
        "usual",
        {"days": "days_since_order", "usual_days": "usual_gap_days"},
        _overdue,
        also=("overdue_ratio", "gap_cv"),
    ),
    Sentence(
        "RECENCY",
        "plain",
        {"days": "days_since_order"},
        lambda found: found["days"] >= LONG_SILENCE_DAYS,
        also=("usual_gap_days", "overdue_ratio"),
        unless="usual_gap_days",
    ),
    Sentence("RECENCY", "ratio", {"ratio": "overdue_ratio"}, lambda found: found["ratio"] >= 1.05),
    Sentence("FREQ_DOWN", "fewer", {"count": "orders_{w}d", "change": "orders_change_{w}d"}, _fewer),
    Sentence("FREQ_DOWN", "recent", {"count": "orders_{w}d"}, _not_negative("count"), near_days=365),
    Sentence("FREQ_DOWN", "total", {"count": "orders"}, _some("count")),
    Sentence("SPEND_DOWN", "less", {"amount": "revenue_{w}d", "change": "revenue_change_{w}d"}, _less),
    Sentence("SPEND_DOWN", "returned", {"amount": "revenue_{w}d"}, lambda found: found["amount"] <= -1, unsigned=True),
    Sentence("SPEND_DOWN", "recent", {"amount": "revenue_{w}d"}, lambda found: found["amount"] >= 0, near_days=365),
    Sentence("SPEND_DOWN", "order", {"amount": "order_value"}, lambda found: found["amount"] > 0),
    Sentence("SPEND_DOWN", "total", {"amount": "revenue"}, lambda found: found["amount"] > 0),
    Sentence("ONE_TIME", "days", {"flag": "is_one_time", "days": "days_since_order"}, _true("flag")),
    Sentence("ONE_TIME", "plain", {"flag": "is_one_time"}, _true("flag")),
    Sentence("ENGAGE_DOWN", "fewer", {"count": "engagements_{w}d", "change": "engagements_change_{w}d"}, _fewer),
    Sentence("ENGAGE_DOWN", "silent", {"days": "days_since_engagement"}, _some("days")),
    Sentence("ENGAGE_DOWN", "recent", {"count": "engagements_{w}d"}, _not_negative("count")),
    Sentence("ENGAGE_DOWN", "visits", {"count": "visits_{w}d"}, _not_negative("count")),
    Sentence("USE_DOWN", "silent", {"days": "days_since_use"}, _some("days")),
    Sentence("USE_DOWN", "recent", {"count": "uses_{w}d"}, _not_negative("count")),
    Sentence(
        "COMPLAINT_OPEN",
        "waiting",
        {"count": "open_complaints", "days": "oldest_open_complaint_days"},
        lambda found: found["count"] >= 1 and found["days"] >= 0.5,
    ),
    Sentence("COMPLAINT_OPEN", "open", {"count": "open_complaints"}, _some("count")),
    Sentence("COMPLAINT_OPEN", "recent", {"count": "complaints_{w}d"}, _some("count")),
    Sentence("COMPLAINT_OPEN", "since", {"days": "days_since_complaint"}, _some("days")),
    Sentence("COMPLAINT_OPEN", "total", {"count": "complaints"}, _some("count")),
    Sentence("SERVICE_SLOW", "slow", {"count": "slow_complaints_{w}d"}, _some("count")),
    Sentence("SERVICE_SLOW", "resolved", {"days": "resolution_days"}, _some("days")),
    Sentence(
        "FEEDBACK_IGNORED",
        "waiting",
        {"count": "unanswered_feedback", "days": "oldest_unanswered_days"},
        lambda found: found["count"] >= 1 and found["days"] >= 0.5,
    ),
    Sentence("FEEDBACK_IGNORED", "unanswered", {"count": "unanswered_feedback"}, _some("count")),
    Sentence("FEEDBACK_IGNORED", "answers", {"count": "answers_{w}d"}, _not_negative("count"), near_days=365),
    Sentence(
        "NPS_LOW",
        "fell",
        {"score": "nps_last", "change": "nps_change"},
        lambda found: _not_promoting(found) and found["change"] <= -0.5,
    ),
    Sentence("NPS_LOW", "days", {"score": "nps_last", "days": "days_since_nps"}, _not_promoting),
    Sentence("NPS_LOW", "plain", {"score": "nps_last"}, _not_promoting, also=("is_detractor",)),
    Sentence("NPS_LOW", "detractor", {"flag": "is_detractor"}, _true("flag")),
    Sentence(
        "CSAT_DOWN", "fell", {"share": "csat_last", "change": "csat_change"}, lambda found: found["change"] <= -0.015
    ),
    Sentence("CSAT_DOWN", "plain", {"share": "csat_last"}, lambda found: found["share"] <= 0.75),
    Sentence("POINTS_EXPIRING", "plain", {"points": "points_expiring_{w}d"}, _some("points"), near_days=30),
    Sentence("LOYALTY_INACTIVE", "used", {"days": "days_since_redeem"}, _some("days")),
    Sentence("LOYALTY_INACTIVE", "earned", {"days": "days_since_earn"}, _some("days")),
    Sentence("LOYALTY_INACTIVE", "outside", {"flag": "is_member"}, _false("flag")),
    Sentence("LOYALTY_INACTIVE", "recent", {"points": "points_earned_{w}d"}, _not_negative("points")),
    Sentence(
        "DISCOUNT_DEP", "share", {"share": "discount_share_{w}d"}, lambda found: found["share"] >= 0.005, near_days=365
    ),
    Sentence("DISCOUNT_DEP", "full", {"count": "full_price_orders_{w}d"}, _not_negative("count"), near_days=365),
    Sentence("RETURN_DELIVERY", "overdue", {"count": "overdue_deliveries"}, _some("count")),
    Sentence("RETURN_DELIVERY", "late", {"count": "late_deliveries_{w}d"}, _some("count")),
    Sentence("RETURN_DELIVERY", "returns", {"count": "returns_{w}d"}, _some("count")),
    Sentence("RETURN_DELIVERY", "refunds", {"amount": "refund_amount_{w}d"}, lambda found: found["amount"] >= 1),
    Sentence("RETURN_DELIVERY", "share", {"share": "return_share"}, lambda found: found["share"] >= 0.005),
    Sentence(
        "LANG_MISMATCH",
        "share",
        {"share": "language_mismatch_share_{w}d"},
        lambda found: found["share"] >= 0.005,
        near_days=180,
    ),
    Sentence("CONTRACT", "notice", {"flag": "notice_given"}, _true("flag")),
    Sentence("CONTRACT", "left", {"days": "contract_days_left"}, _not_negative("days")),
    Sentence("CONTRACT", "ended", {"days": "days_since_contract_end"}, _some("days")),
    Sentence("CONTRACT", "running", {"days": "contract_days"}, _some("days")),
    Sentence("CONTRACT", "contracts", {"count": "contracts_ended"}, _some("count")),
    Sentence("CONTRACT", "price", {"amount": "contract_price"}, lambda found: found["amount"] > 0),
    Sentence("CONTRACT", "none", {"flag": "has_contract"}, _false("flag")),
)
