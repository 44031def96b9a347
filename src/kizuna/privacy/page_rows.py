"""A customer's row and dot in report.html, cut out of the page as our own template wrote it."""

from __future__ import annotations

import re

from kizuna.privacy.sought import Sought


def without_rows(content: bytes, sought: Sought) -> tuple[int, bytes]:
    """How many rows and dots were the customer's, and the page without them."""
    from markupsafe import escape

    name = re.escape(str(escape(sought.customer_id)))
    row = rf"<tr role=\"row\"[^>]*>\s*<td[^>]*>[^<]*</td>\s*<th[^>]*><bdi>{name}</bdi>.*?</tr>\n?"
    # What follows the id in a dot's label, a share and an amount, holds no colon.
    dot = rf"<(rect|circle) [^>]*><title>{name}: [^:<]*</title></\1>\n?"
    text, count = content.decode("utf-8"), 0
    for pattern in (row, dot):
        text, times = re.subn(pattern, "", text, flags=re.DOTALL)
        count += times
    return count, text.encode() if count else content
