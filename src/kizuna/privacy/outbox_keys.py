"""A customer's key in the outbox: what a destination holds is no longer known of them."""

from __future__ import annotations

import json
from typing import Any

from kizuna.delivery.outbox import entry_text
from kizuna.privacy.sought import Sought


def without_keys(content: bytes, sought: Sought) -> tuple[int, bytes]:
    """How many keys were the customer's, and the entry of the outbox without them, its own sha256 made right.

    ValueError where the bytes are no JSON. A tree that is no entry of the outbox holds no customer.
    """
    tree = json.loads(content)
    entry = tree.get("entry") if isinstance(tree, dict) else None
    if not isinstance(entry, dict):
        return 0, content
    planned = entry.get("planned")
    holders: list[dict[str, Any]] = [entry, *([planned] if isinstance(planned, dict) else [])]
    count = 0
    for holder in holders:
        held = holder.get("held")
        if isinstance(held, dict):
            kept = {key: value for key, value in held.items() if key not in sought.names}
            count += len(held) - len(kept)
            holder["held"] = kept
    return count, entry_text(entry).encode() if count else content
