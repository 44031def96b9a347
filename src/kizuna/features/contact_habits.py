"""Contact habits: what the company said at the moments that matter to a customer, an order, a birthday, an answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.features.history import Floats, History, Mask, ratio
from kizuna.features.outreach import contacts, contacts_about
from kizuna.features.plan import Feature, Settings
from kizuna.features.purchases import is_purchase, order_rows

TABLE = "outreach"
_FOLLOW_UP_WITHIN_DAYS = 14
_TOUCHPOINT_DAYS = 30
_AROUND_DAYS = 7


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of contact around the last order, on birthdays and anniversaries, and of the last dialogue."""
    purchases, customers = h.table("purchases"), h.table("customers")
    if purchases is not None:
        yield from _around_orders(h, settings, purchases)
    if h.has("kind") or h.has("purpose"):
        if customers is not None and customers.has("birth_date"):
            birth = h.rows.as_of - customers.days_since_date("birth_date")
            greeted = contacts_about(h, ("birthday",), ("birthday",))
            missed = _missed(h, birth, greeted, begun=_first_dealing(h, purchases))
            yield Feature("birthday_missed", "NO_THANKS", "flag", missed)
        if purchases is not None:
            first = purchases.first_day(is_purchase(purchases))
            thanked = contacts_about(h, ("anniversary", "thanks"), ("anniversary", "thanks"))
            yield Feature("anniversary_missed", "NO_THANKS", "flag", _missed(h, first, thanked, begun=first))
    said = list(_last_words(h))
    if said:
        since = h.rows.as_of - np.fmax.reduce(said)
        yield Feature("days_since_dialogue", "CONTACT_GAP", "days", since)


def _around_orders(h: History, settings: Settings, purchases: History) -> Iterator[Feature]:
    bought = is_purchase(purchases)
    last = purchases.last_day(bought)
    if settings.fits(365) and (h.has("kind") or h.has("purpose")):
        thanks = h.count(365, contacts_about(h, ("thanks",), ("thanks",)))
        orders = purchases.count(365, order_rows(purchases))
        yield Feature("thanks_per_order_365d", "NO_THANKS", "ratio", ratio(thanks, orders))
    if h.has("kind"):
        until = last + 1 + _FOLLOW_UP_WITHIN_DAYS
        sent = h.count_between(last + 1, until, contacts_about(h, ("follow_up",)))
        yield Feature("followed_up_after_order", "CONTACT_GAP", "flag", _flag(sent > 0, sent))
    touched = h.count_between(last - _TOUCHPOINT_DAYS, last, contacts(h))
    engagement = h.table("engagement")
    if engagement is not None:
        touched = touched + engagement.count_between(last - _TOUCHPOINT_DAYS, last)
    yield Feature("touchpoints_before_order", "CONTACT_GAP", "number", touched)


def _first_dealing(h: History, purchases: History | None) -> Floats:
    """The day of the first contact or purchase."""
    contacted = h.first_day(contacts(h))
    return contacted if purchases is None else np.fmin(contacted, purchases.first_day(is_purchase(purchases)))


def _missed(h: History, origin: Floats, greeted: Mask, begun: Floats) -> Floats:
    """Whether the last yearly day whose week before and week after are past brought nothing; NaN if it is before ``begun``."""
    day = _last_return(origin, (h.rows.as_of - _AROUND_DAYS - 1).astype(np.int64))
    day = np.where(begun <= day, day, np.nan)
    sent = h.count_between(day - _AROUND_DAYS, day + _AROUND_DAYS + 1, greeted)
    return _flag(sent == 0, sent)


def _last_return(origin: Floats, until: NDArray[np.int64]) -> Floats:
    """The latest yearly return of a day, up to ``until``; NaN before the first. 29 February is kept on the 28th."""
    out, rows = np.full(len(origin), np.nan), np.flatnonzero(~np.isnan(origin))
    if not len(rows):
        return out
    # The calendar is asked once for each day and year that there are, not for each row.
    day, until = origin[rows].astype(np.int64), until[rows]
    first, earliest = int(day.min()), int(until.min())
    days = np.arange(first, int(day.max()) + 1).astype("datetime64[D]")
    year_of = np.arange(earliest, int(until.max()) + 1).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    begun = days.astype("datetime64[Y]").astype(np.int64)[day - first]
    returns = np.stack([_kept_in(days, year) for year in range(int(year_of[0]) - 1, int(year_of[-1]) + 1)])
    year = year_of[until - earliest]
    year -= returns[year - year_of[0] + 1, day - first] > until
    out[rows] = np.where(year > begun, returns[year - year_of[0] + 1, day - first], np.nan)
    return out


def _kept_in(days: NDArray[np.datetime64], year: int) -> NDArray[np.int64]:
    """The day in a year (counted from 1970) on which each day is kept."""
    months = days.astype("datetime64[M]")
    moved = months + 12 * (year - days.astype("datetime64[Y]").astype(np.int64))
    last_of_month = (moved + 1).astype("datetime64[D]") - 1
    kept = np.minimum(moved.astype("datetime64[D]") + (days - months.astype("datetime64[D]")), last_of_month)
    return np.asarray(kept.astype(np.int64))


def _last_words(h: History) -> Iterator[Floats]:
    """From each table in which the customer speaks the last day on which this one did."""
    complaints, surveys, referrals = (h.table(name) for name in ("complaints", "surveys", "referrals"))
    if complaints is not None:
        yield complaints.last_day()
    if surveys is not None:
        yield surveys.last_day()
    if referrals is not None and referrals.has("kind"):
        yield referrals.last_day(referrals.kinds("review"))


def _flag(holds: Mask, known: Floats) -> Floats:
    return np.where(np.isnan(known), np.nan, holds)
