"""Klaviyo, CSV import of profiles.

Its traps: a date without a time is midnight in UTC, in Japan the day before; phone numbers are E.164, ``+81…``; no e-mail
address may come twice; 50 MB at most; only profiles that opted in belong on a list.
"""

from __future__ import annotations

import re
from datetime import date

from kizuna.config_exports import DestinationExport
from kizuna.exports.destinations.rules import Rules, midnight, plain_day

EMAIL, PHONE, EXTERNAL = "Email", "Phone Number", "External ID"
_KEYS = (EMAIL, PHONE, EXTERNAL)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")
_ONLY_NUMBERS = re.compile(r"[0-9 T:/.-]+")


def _mistakes(asked: DestinationExport) -> list[str]:
    headings = [*asked.columns, *asked.constants]
    key = asked.key or next((theirs for theirs, ours in asked.columns.items() if ours == "customer_id"), None)
    said = []
    if key not in _KEYS:
        said.append(f"needs a key that klaviyo knows profiles by ({', '.join(_KEYS)}); found {key}")
    for heading in headings:
        like = next((name for name in _KEYS if name.casefold() == heading.casefold() and name != heading), None)
        if like:
            said.append(f"has a column {heading}, which klaviyo would take for a property; its own is {like}")
    if asked.date_format and _ONLY_NUMBERS.fullmatch(plain_day(date(2026, 1, 5), "UTC", asked.date_format)):
        said.append(
            f"has date_format '{asked.date_format}', but klaviyo reads a date without offset as midnight in UTC. "
            "Leave it out, add %z, or write a text that is no date, such as '%Y年%m月%d日'"
        )
    return said


def _refusal(column: str, text: str) -> str | None:
    if column == PHONE and not _E164.fullmatch(text):
        return "not_e164"
    if column == EMAIL and not _ADDRESS.fullmatch(text):
        return "no_address"
    return None


def _day_text(day: date, timezone: str, date_format: str | None) -> str:
    return plain_day(day, timezone, date_format) if date_format else midnight(day, timezone).isoformat()


RULES = Rules(
    "klaviyo",
    _mistakes,
    _refusal,
    _day_text,
    blank="clear",
    must_clear=True,
    once=(EMAIL, PHONE),
    channels=("email", "sms"),
    largest_mb=50,
)
