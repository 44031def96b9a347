"""The true effect of a list: what each listed customer does with the planned action and without it, both lived out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation.campaign import Campaign
from kizuna.data.simulation.events import DAY_SECONDS, Log, World
from kizuna.data.simulation.keyed import Bools, Floats, Rows
from kizuna.data.simulation.state import State, select
from kizuna.data.simulation.step import step


@dataclass(frozen=True)
class Standing:
    """The listed customers' state in the morning on which a list is acted on, and what they bought since its own day."""

    campaign: Campaign
    state: State
    spent: Floats
    ordered: Bools


def standing_of(campaign: Campaign, state: State, log: Log, horizon_days: int) -> Standing:
    """The standing of the customers of one list; ``log`` holds the shop's rows so far."""
    window = (campaign.as_of, campaign.day)
    spent, ordered = _purchases(log, campaign.rows, window, campaign.as_of + horizon_days)
    return Standing(campaign, select(state, campaign.rows), spent, ordered)


def effects_of(world: World, standing: Standing) -> dict[str, NDArray[Any]]:
    """One entry per listed customer: the row, and kept and value with and without the action, over the churn horizon.

    ``kept``: ordered in ``[as_of, as_of + horizon)``; ``value``: net money of the orders of that window. With the action
    means with all that this list and the recorded later ones plan for the customer; without, with none of it. The
    randomness of both lives is the same, so that they differ by the action alone.
    """
    campaign, rows = standing.campaign, standing.campaign.rows
    found: dict[str, NDArray[Any]] = {"customer": rows, "arm": campaign.arm, "action": campaign.action}
    found |= {"reachable": campaign.reachable, "done": campaign.done, "response": world.lives.response[rows]}
    for name, done in (("with_action", True), ("without_action", False)):
        kept, value = _lived(world, standing, done)
        found |= {f"kept_{name}": kept, f"value_{name}": value}
    return found


def _lived(world: World, standing: Standing, done: bool) -> tuple[Bools, Floats]:
    campaign, rows = standing.campaign, standing.campaign.rows
    alone = replace(
        world,
        lives=select(world.lives, rows),
        keys=replace(world.keys, customers=world.keys.customers[rows]),
        campaigns=tuple(each.of(rows, done=done) for each in world.campaigns if each.day >= campaign.day),
    )
    state, log = select(standing.state, np.arange(len(rows))), Log()
    end = campaign.as_of + world.parameters.truth.horizon_days
    for day in range(campaign.day, end):
        step(alone, state, day, log)
    spent, ordered = _purchases(log, np.arange(len(rows)), (campaign.as_of, end), end)
    return ordered | standing.ordered, spent + standing.spent


def _purchases(log: Log, customers: Rows, window: tuple[int, int], until: int) -> tuple[Floats, Bools]:
    """Net money of the orders placed on the days of a half-open window, less their returns before the day ``until``, and
    whether there was an order.
    """
    spent, ordered = np.zeros(len(customers)), np.zeros(len(customers), dtype=bool)
    for part in log.parts["purchases"]:
        mine = (part["order_day"] >= window[0]) & (part["order_day"] < window[1])
        mine &= part["occurred"] < until * DAY_SECONDS
        if not mine.any():
            continue
        buyers = part["customer"][mine]
        place = np.minimum(np.searchsorted(customers, buyers), len(customers) - 1)
        listed = customers[place] == buyers
        spent += np.bincount(place[listed], part["amount"][mine][listed], minlength=len(customers))
        ordered[place[listed]] = True
    return spent, ordered
