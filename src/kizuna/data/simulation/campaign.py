"""The lists that a shop acts on: whom each names, what was planned, and what is done of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kizuna.data.simulation.keyed import Bools, Ints, Rows

ARMS = ("target", "control", "exempt")
TARGET, CONTROL, EXEMPT = range(3)


@dataclass(frozen=True)
class Campaign:
    """One list, acted on in the morning of ``day``; one entry per listed customer, in the order of customers.

    ``as_of``: the list's own day. ``action`` is a position in ``codes``, ``channel`` one in ``outreach.CHANNELS``, ``arm``
    one in ``ARMS``. ``reachable``: may be contacted, or is owed service. ``done``: the planned action is carried out.
    """

    as_of: int
    day: int
    rows: Rows
    action: Ints
    channel: Ints
    arm: Ints
    reachable: Bools
    done: Bools
    codes: tuple[str, ...]

    def of(self, customers: Rows, *, done: bool) -> Campaign:
        """The same list for the world of these customers alone, in their positions: all that could be done, or nothing."""
        keep = np.flatnonzero(np.isin(self.rows, customers))
        return replace(
            self,
            rows=np.searchsorted(customers, self.rows[keep]),
            action=self.action[keep],
            channel=self.channel[keep],
            arm=self.arm[keep],
            reachable=self.reachable[keep],
            done=self.reachable[keep] if done else np.zeros(len(keep), dtype=bool),
        )


def action_codes(campaigns: tuple[Campaign, ...]) -> tuple[str, ...]:
    """All codes that the ``action`` of these lists points into: they share them."""
    return campaigns[0].codes if campaigns else ()
