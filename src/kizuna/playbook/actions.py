"""What a playbook is made of: actions, rules with their conditions, and calendars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kizuna.config_at_risk import STAGES as STAGES
from kizuna.config_at_risk import market_key
from kizuna.playbook.calendar import Calendar

# Service that is owed, in this order; a playbook cannot say otherwise.
OWED = {"OPEN_COMPLAINT": "A02", "UNANSWERED_FEEDBACK": "A03", "NOTICE_GIVEN": "A15"}
BANDS = ("high", "medium", "low")
ADVOCACY, INCENTIVE = "A11", "A06"


@dataclass(frozen=True)
class Action:
    """One thing to do: its text by language, how soon, and the channels that suit it, best first.

    ``is_offer``: it gives something away, so that there is a ceiling to what it may cost.
    """

    code: str
    name: str
    within_days: int
    channels: tuple[str, ...]
    text: Mapping[str, str]
    is_offer: bool = False


@dataclass(frozen=True)
class Rule:
    """An action and what must hold for it; an empty condition always holds.

    ``markets`` and ``languages`` are in lower case. ``text``: by language, in place of that of the action; empty: the
    action's. ``min_value_at_risk``: does not hold where no value is known, ``max_days_since_purchase``
    not where no purchase is.
    """

    action: str
    facts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    channel: str | None = None
    top_share: float = 1.0
    min_value_at_risk: float | None = None
    from_week: int = 1
    max_days_since_purchase: int | None = None
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Playbook:
    """Actions by code, the rules in their order, what is done where no rule fits, and calendars by market.

    ``calendars`` by market in lower case; ``default`` is for markets that have none of their own.
    """

    actions: Mapping[str, Action]
    by_fact: tuple[Rule, ...]
    by_reason: tuple[Rule, ...]
    otherwise: str
    calendars: Mapping[str, Calendar] = field(default_factory=dict)

    def calendar(self, market: str | None) -> Calendar:
        """The calendar of a market."""
        mine = None if market is None else self.calendars.get(market_key(market))
        return mine or self.calendars.get("default") or Calendar()
