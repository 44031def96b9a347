from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from kizuna.data.simulate import world_of
from kizuna.data.simulation.events import Log, World
from kizuna.data.simulation.parameters import Acquisition, Parameters
from kizuna.data.simulation.state import State, select, state_of
from kizuna.data.simulation.step import step

DAYS = 460


@dataclass(frozen=True)
class Shop:
    """A world, and its state on the morning of ``day``; ``log`` holds the rows until then."""

    world: World
    state: State
    day: int
    log: Log

    def copy(self) -> State:
        return select(self.state, np.arange(len(self.state.orders)))


@pytest.fixture(scope="session")
def live_until() -> Callable[..., Shop]:
    """Lives a shop of some customers up to the morning of a day."""

    def live(customers: int, day: int, parameters: Parameters | None = None, seed: int = 5) -> Shop:
        world = world_of(parameters or Parameters(), customers, DAYS, seed)
        state, log = state_of(world.lives), Log()
        for each in range(-world.parameters.acquisition.prehistory_days, day):
            step(world, state, each, log)
        return Shop(world, state, day, log)

    return live


@pytest.fixture(scope="session")
def young() -> Parameters:
    """Parameters of a shop that opened forty days before day 0."""
    return replace(Parameters(), acquisition=Acquisition(prehistory_days=40))


@pytest.fixture(scope="session")
def shop(live_until: Callable[..., Shop]) -> Shop:
    """3,000 customers on the morning of day 365."""
    return live_until(3000, 365)


@pytest.fixture
def quiet(shop: Shop) -> Callable[..., tuple[World, State]]:
    """Ten customers to whom nothing has happened but a contact yesterday, with any fields of the state replaced."""

    def ten(**changed: object) -> tuple[World, State]:
        lives = select(shop.world.lives, np.arange(10))
        lives = replace(lives, response=np.arange(10) % 4)
        state = replace(state_of(lives), last_outreach=np.full(10, 99), orders=np.full(10, 2))
        world = replace(
            shop.world, lives=lives, keys=replace(shop.world.keys, customers=shop.world.keys.customers[:10])
        )
        return world, replace(state, **{name: np.asarray(value) for name, value in changed.items()})

    return ten
