"""Braze, CSV import of user attributes.

Its traps: users are named by ``external_id`` or by an alias, never both in one file; a heading that differs from an
attribute's name in case alone makes a new attribute; a blank cell leaves the old value standing; HTML is taken as it is;
every value is billed; 500 MB at most.
"""

from __future__ import annotations

import re

from kizuna.config_exports import DestinationExport
from kizuna.errors import nearest
from kizuna.exports.destinations.rules import Rules, plain_day

KEY = "external_id"
_OTHER_KEYS = ("user_alias_name", "user_alias_label", "braze_id")
_STANDARD = (
    *("first_name", "last_name", "email", "phone", "country", "home_city", "language", "gender", "dob", "time_zone"),
    *("email_subscribe", "push_subscribe", "date_of_first_session", "date_of_last_session", "subscription_group_id"),
)
_TAG = re.compile(r"<\s*[A-Za-z/!?]")


def _mistakes(asked: DestinationExport) -> list[str]:
    headings = [*asked.columns, *asked.constants]
    said = []
    if asked.columns.get(KEY) is None or (asked.key or KEY) != KEY:
        said.append(f"needs the key {KEY} among its columns: braze names users by it.{nearest(KEY, headings)}")
    said += [f"has {name} beside {KEY}; braze takes one of them in a file" for name in _OTHER_KEYS if name in headings]
    for heading in headings:
        like = next((name for name in (KEY, *_STANDARD) if name == heading.casefold() and name != heading), None)
        if like:
            said.append(f"has a column {heading}, which braze would take for a new attribute; its own is {like}")
        elif asked.attributes and heading not in (KEY, *_STANDARD, *asked.attributes):
            said.append(f"has a column {heading}, which is none of its attributes.{nearest(heading, asked.attributes)}")
    if asked.blank == "empty":
        said.append("has blank: empty, but braze keeps the old value where a cell is blank. Use clear or refuse")
    if asked.date_format and not asked.date_format.startswith("%Y-%m-%d"):
        said.append(f"has date_format '{asked.date_format}', but braze reads ISO 8601 dates. Leave it out")
    return said


def _refusal(column: str, text: str) -> str | None:
    return "html" if _TAG.search(text) else None


RULES = Rules("braze", _mistakes, _refusal, plain_day, blank="clear", must_clear=True, largest_mb=500)
