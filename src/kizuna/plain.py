"""Values as JSON can hold them."""

from __future__ import annotations

import math
from datetime import date
from typing import Any


def plain(value: Any) -> Any:
    """The same tree with numpy numbers as Python's, days as ISO texts and NaN as null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
