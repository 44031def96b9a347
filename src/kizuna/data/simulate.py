"""A realistic shop with a known truth, written as nine tables, a config, and the truth itself. No real person.

A shop goes on as it would have gone on: its days are lived again from the first, with the lists that it acted on, so that
nothing but the past decides the future.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from kizuna.data.simulation.calendar import calendar_of
from kizuna.data.simulation.effects import effects_of, standing_of
from kizuna.data.simulation.events import Log, World
from kizuna.data.simulation.files import Lived, write_shop
from kizuna.data.simulation.keyed import keys_of
from kizuna.data.simulation.kpis import months_of
from kizuna.data.simulation.lives import lives_of
from kizuna.data.simulation.parameters import Parameters
from kizuna.data.simulation.planned import LIST_FILES, campaigns_of, recorded_lists, with_list
from kizuna.data.simulation.record import Record, read_record
from kizuna.data.simulation.state import state_of
from kizuna.data.simulation.step import step
from kizuna.data.simulation.subscriptions import contracts_of
from kizuna.data.simulation.switches import effective
from kizuna.data.simulation.truth import truth_of
from kizuna.data.simulation.write import EVENT_TABLES, known_rows
from kizuna.errors import ConfigError

LAST_DAY = date(2025, 12, 31)
_MIN_DAYS = 30
# A contract may begin in hindsight: whether its customer stays is settled two weeks after the first order.
_CHECKED = tuple(name for name in EVENT_TABLES if name != "subscriptions")


def asked_of_shop(
    directory: Path, numbers: dict[str, int | None], go_on: bool = False, actions: Path | None = None
) -> dict[str, int]:
    """Rows per table of a shop begun or, with ``go_on``, continued. ``numbers``: customers, days and seed, None where unasked.

    ConfigError where what is asked belongs to the other of the two.
    """
    asked = {name: value for name, value in numbers.items() if value is not None}
    if not go_on:
        if actions is not None:
            raise ConfigError("--actions carries out a list while a shop goes on. Add --continue, or leave it out.")
        return simulate(directory, asked.get("customers", 2000), asked.get("days", 730), asked.get("seed", 7))
    fixed = [f"--{name}" for name in asked if name != "days"]
    if fixed:
        raise ConfigError(f"A shop goes on as it began, so {' and '.join(fixed)} cannot be asked for with --continue.")
    return continue_shop(directory, asked.get("days", 7), actions)


def simulate(
    directory: Path,
    customers: int,
    days: int,
    seed: int = 7,
    *,
    parameters: Parameters | None = None,
    last_day: date = LAST_DAY,
) -> dict[str, int]:
    """Rows per table written to ``directory``: ``<table>.parquet`` × 9, ``config.yaml`` and ``truth/``.

    ``days`` are counted back from ``last_day``. The same arguments give the same bytes. The past does not depend on how
    long a run goes on: with the same first day, the same ``acquisition.customers_per_day`` and no fewer customers, a longer
    run begins with the rows of the shorter one. ConfigError where the arguments cannot be meant.
    """
    check_request(directory, customers, days)
    record = Record(parameters or Parameters(), customers, days, seed, last_day, customers, days)
    world = world_of(record.parameters, customers, days, seed, last_day)
    for name in LIST_FILES:
        (directory / "truth" / name).unlink(missing_ok=True)
    return write_shop(live(world, days), record, None, directory)


def continue_shop(directory: Path, days: int, actions: Path | None = None) -> dict[str, int]:
    """Rows per table after so many more days of the shop in ``directory``, whose files are replaced by longer ones.

    ``actions``: an ``at_risk.csv``, whose planned actions are carried out on the first of these days. Without it the
    files are those of a run that was longer from the start, and 7 days twice are 14 at once. Beside the truth then lie
    ``actions.parquet``, what was planned and done, and ``effects.parquet``, what each listed customer does with the
    action and without it. ConfigError where there is no such shop, its files are not those of its record, or the list
    is not of these days, or has been acted on.
    """
    if days < 1:
        raise ConfigError(f"A shop was asked to go on for {days} days. Ask for at least 1.")
    before = read_record(directory)
    after, planned = before.longer(days), recorded_lists(directory)
    if actions is not None:
        planned = with_list(planned, actions, before.last_day + timedelta(days=1), before.customers)
    lists = campaigns_of(planned, before.first_day)
    pace = replace(before.parameters.acquisition, customers_per_day=before.customers_per_day)
    world = world_of(
        replace(before.parameters, acquisition=pace), after.customers, after.days, after.seed, after.last_day
    )
    lived = live(replace(world, campaigns=lists), after.days)
    _require_same_past(directory, lived, before)
    with tempfile.TemporaryDirectory(prefix=".continued-", dir=directory) as folder:
        counts = write_shop(lived, after, planned, Path(folder))
        for path in sorted(Path(folder).rglob("*.*")):
            shutil.move(path, directory / path.relative_to(folder))
    return counts


def check_request(directory: Path, customers: int, days: int) -> None:
    """Nothing, or ConfigError where no shop can be simulated."""
    if customers < 1:
        raise ConfigError(f"A shop of {customers} customers was asked for. Ask for at least 1.")
    if days < _MIN_DAYS:
        raise ConfigError(f"A shop of {days} days was asked for, and it needs {_MIN_DAYS}. Ask for more days.")
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"The shop would be written to {directory}, which is a file. Name a folder.")


def world_of(parameters: Parameters, customers: int, days: int, seed: int, last_day: date = LAST_DAY) -> World:
    """Everything that a run stands on."""
    parameters = effective(parameters)
    keys = keys_of(seed, customers)
    per_day = parameters.acquisition.customers_per_day or customers / (days + parameters.acquisition.prehistory_days)
    calendar = calendar_of(parameters, last_day - timedelta(days=days - 1), days)
    return World(parameters, keys, lives_of(parameters, keys, per_day), calendar)


def truth_days(world: World, days: int) -> list[int]:
    """The mornings that the truth is told for: month starts, and the two newest whose churn window has ended.

    The newest is kizuna's own newest matured snapshot. None lies within the first days of too little history, unless
    there is nothing else.
    """
    truth = world.parameters.truth
    wanted = {start for _, start, _ in months_of(world, days)} | {days}
    wanted |= {days - truth.horizon_days, days - 1 - truth.horizon_days}
    return sorted(day for day in wanted if day >= truth.min_history_days) or [days]


def live(world: World, days: int) -> Lived:
    """A run from the shop's beginning to the end of the last day, with the truth of each of ``truth_days``."""
    state, log = state_of(world.lives), Log()
    wanted = truth_days(world, days)
    listed = {campaign.day: campaign for campaign in world.campaigns}
    truth, effects = {}, {}
    for day in range(-world.parameters.acquisition.prehistory_days, days):
        if day in wanted:
            truth[day] = truth_of(world, state, day)
        if day in listed:
            standing = standing_of(listed[day], state, log, world.parameters.truth.horizon_days)
            effects[listed[day].as_of] = effects_of(world, standing)
        step(world, state, day, log)
    truth[days] = truth_of(world, state, days)
    log.parts["subscriptions"] = [contracts_of(world, state)]
    return Lived(world, state, log, truth, effects)


def _require_same_past(directory: Path, lived: Lived, before: Record) -> None:
    """Nothing, or ConfigError where a table of the folder is not the one that its record gives."""
    import pyarrow.parquet as pq

    expected = {"customers": int((lived.world.lives.acquired < before.days).sum())}
    for name in _CHECKED:
        expected[name] = len(known_rows(lived.world, before.days, name, lived.log.rows(name))[0])
    for name, count in expected.items():
        path = directory / f"{name}.parquet"
        found = pq.read_metadata(path).num_rows if path.is_file() else 0
        if found != count and not before.parameters.dirty:
            raise ConfigError(
                f"{path} holds {found:,} rows, and the shop that truth/parameters.json describes has {count:,}: the file was "
                f"changed, or another version of kizuna wrote it. Begin anew with 'kizuna simulate {directory}'."
            )
