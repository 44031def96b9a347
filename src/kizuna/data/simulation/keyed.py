"""Randomness without order: a draw depends only on its seed, customer, day and purpose.

So a longer run has the same past, and two worlds that differ in one contact share all their other draws. The generator is
SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators", figure 16) used as a hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_MASK = (1 << 64) - 1


class Purpose(IntEnum):
    """What a draw is for. New ones go to the end, so that the old ones keep their draws."""

    ARRIVAL = auto()
    MARKET = auto()
    LANGUAGE = auto()
    MAIL_LANGUAGE = auto()
    AGE = auto()
    BIRTHDAY = auto()
    CHANNEL = auto()
    RATE = auto()
    BUYER = auto()
    RESELLER = auto()
    FRAILTY = auto()
    FIRST_ORDER = auto()
    BEGIN_FADING = auto()
    LEAVE = auto()
    AMOUNT_LEVEL = auto()
    VISIT_LEVEL = auto()
    OPEN_LEVEL = auto()
    AUTO_OPEN = auto()
    SATISFACTION = auto()
    RESPONSE_INDEX = auto()
    HOLD_OUT = auto()
    MEMBER = auto()
    OPT_IN = auto()
    HEAVY_MAIL = auto()
    STORE = auto()
    CATEGORY = auto()
    SURVEY_DAY = auto()
    CONSENT_SMS = auto()
    CONSENT_PHONE = auto()
    CONSENT_POST = auto()
    CONSENT_LINE = auto()
    GAP = auto()
    AMOUNT = auto()
    ORDER_TIME = auto()
    ORDER_CHANNEL = auto()
    ORDER_APP = auto()
    ORDER_CATEGORY = auto()
    PRODUCT = auto()
    QUANTITY = auto()
    SECOND_LINE = auto()
    SECOND_CATEGORY = auto()
    LATE = auto()
    DELIVERY = auto()
    RETURN = auto()
    RETURN_DELAY = auto()
    COMPLAINT = auto()
    COMPLAINT_DELAY = auto()
    COMPLAINT_SPEED = auto()
    COMPLAINT_LENGTH = auto()
    COMPLAINT_ANSWER = auto()
    COMPLAINT_TIME = auto()
    COMPLAINT_TOPIC = auto()
    COMPLAINT_SEVERITY = auto()
    COMPLAINT_CHANNEL = auto()
    PRAISE = auto()
    DESK_ANSWER = auto()
    DESK_TOPIC = auto()
    DESK_CHANNEL = auto()
    COUPON_USE = auto()
    REDEEM = auto()
    REVIEW = auto()
    RATING = auto()
    REFERRAL = auto()
    ORDER_VISIT = auto()
    VISIT = auto()
    VISIT_TIME = auto()
    VISIT_CHANNEL = auto()
    INQUIRY = auto()
    THANKS = auto()
    THANKS_CHANNEL = auto()
    FOLLOW_UP = auto()
    APOLOGY = auto()
    OPT_OUT = auto()
    OPEN = auto()
    OPEN_DELAY = auto()
    CLICK = auto()
    SURVEY_ANSWER = auto()
    SURVEY_KIND = auto()
    SURVEY_SCORE = auto()
    SURVEY_DELAY = auto()
    SURVEY_TIME = auto()
    SURVEY_FOLLOW_UP = auto()
    SURVEY_FOLLOW_UP_DELAY = auto()
    SUBSCRIPTION = auto()
    SUBSCRIPTION_START = auto()
    SUBSCRIPTION_TIME = auto()
    SUBSCRIPTION_PLAN = auto()
    SUBSCRIPTION_NOTICE = auto()
    SUBSCRIPTION_CANCEL = auto()
    SUBSCRIPTION_FAILURE = auto()
    SUBSCRIPTION_RETURN = auto()
    SUBSCRIPTION_RETURN_DELAY = auto()
    KNOWN_LATE = auto()
    KNOWN_DELAY = auto()
    DIRT = auto()
    LIST_OPT_OUT = auto()
    LIST_ANSWER = auto()


@dataclass(frozen=True)
class Keys:
    """A seed and the customers' premultiplied numbers (uint64, one per customer)."""

    seed: int
    customers: NDArray[np.uint64]


def keys_of(seed: int, customers: int) -> Keys:
    """Keys of the customers 0 to ``customers`` − 1."""
    numbers = np.arange(1, customers + 1, dtype=np.uint64)
    return Keys(seed, numbers * np.uint64(_GOLDEN))


def uniform(keys: Keys, purpose: Purpose, day: int | Ints = 0, rows: Any = slice(None)) -> Floats:
    """One uniform number in (0, 1) for each customer of ``rows``; ``day`` may differ by row, and may be any ordinal."""
    stream = _mix_number(_mix_number(keys.seed & _MASK) ^ (int(purpose) * _MIX_2 & _MASK))
    numbers = keys.customers[rows]
    if isinstance(day, np.ndarray):
        shift = _mix(day.astype(np.uint64) * np.uint64(_MIX_1) + np.uint64(stream))
        return _unit(_mix(numbers + shift))
    return _unit(_mix(numbers + np.uint64(_mix_number((stream + int(day) * _MIX_1) & _MASK))))


def uniforms(keys: Keys, purposes: tuple[Purpose, ...], day: int, rows: Rows) -> dict[Purpose, Floats]:
    """The same numbers as ``uniform`` gives for each purpose, drawn at once."""
    streams = [_mix_number(_mix_number(keys.seed & _MASK) ^ (int(purpose) * _MIX_2 & _MASK)) for purpose in purposes]
    shifts = np.array([_mix_number((stream + int(day) * _MIX_1) & _MASK) for stream in streams], dtype=np.uint64)
    return dict(zip(purposes, _unit(_mix(keys.customers[rows] + shifts[:, None])), strict=True))


def _mix_number(number: int) -> int:
    number = (number + _GOLDEN) & _MASK
    number = ((number ^ (number >> 30)) * _MIX_1) & _MASK
    number = ((number ^ (number >> 27)) * _MIX_2) & _MASK
    return number ^ (number >> 31)


def _mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The same as ``_mix_number`` for a fresh array, which is overwritten."""
    numbers += np.uint64(_GOLDEN)
    for shift, factor in ((30, _MIX_1), (27, _MIX_2)):
        numbers ^= numbers >> np.uint64(shift)
        numbers *= np.uint64(factor)
    numbers ^= numbers >> np.uint64(31)
    return numbers


def _unit(numbers: NDArray[np.uint64]) -> Floats:
    numbers >>= np.uint64(11)
    return (numbers.astype(np.float64) + 0.5) * 2.0**-53
