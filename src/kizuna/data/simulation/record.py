"""What a simulated shop was made of, as ``truth/parameters.json`` keeps it, so that it can be taken up again."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_type_hints

from kizuna.data.simulation.markets import Market
from kizuna.data.simulation.parameters import Parameters
from kizuna.errors import ConfigError

FILE = "parameters.json"


@dataclass(frozen=True)
class Record:
    """A run: what was asked for, and the ``begun_days`` that its first part had (more once it has gone on)."""

    parameters: Parameters
    customers: int
    days: int
    seed: int
    last_day: date
    begun_customers: int
    begun_days: int

    @property
    def first_day(self) -> date:
        """The calendar date of day 0."""
        return self.last_day - timedelta(days=self.days - 1)

    @property
    def customers_per_day(self) -> float:
        """How many customers come a day."""
        acquisition = self.parameters.acquisition
        return acquisition.customers_per_day or self.begun_customers / (self.begun_days + acquisition.prehistory_days)

    def longer(self, days: int) -> Record:
        """The same shop so many days later. New customers come at the pace of the first part, if none was asked for."""
        lived = self.days + days
        customers = self.customers
        if self.parameters.acquisition.customers_per_day is None:
            come = self.customers_per_day * (lived + self.parameters.acquisition.prehistory_days)
            customers = max(customers, math.ceil(come - 1e-6))
        return replace(self, customers=customers, days=lived, last_day=self.last_day + timedelta(days=days))


def write_record(record: Record, folder: Path) -> None:
    """``parameters.json`` in the folder."""
    about = {
        "customers": record.customers,
        "days": record.days,
        "seed": record.seed,
        "last_day": record.last_day.isoformat(),
        "begun": {"customers": record.begun_customers, "days": record.begun_days},
    }
    text = json.dumps(about | {"parameters": asdict(record.parameters)}, indent=1, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_record(directory: Path) -> Record:
    """The record of a shop's folder. ConfigError where there is none, or another version wrote it."""
    path = directory / "truth" / FILE
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigError(
            f"A simulated shop was asked to go on in {directory}, but there is no {path}. "
            f"Begin it with 'kizuna simulate {directory}'."
        ) from None
    except ValueError:
        raise ConfigError(
            f"{path} is no JSON any more. Begin the shop anew with 'kizuna simulate {directory}'."
        ) from None
    try:
        begun = tree["begun"]
        return Record(
            parameters=_built(Parameters, tree["parameters"]),
            customers=int(tree["customers"]),
            days=int(tree["days"]),
            seed=int(tree["seed"]),
            last_day=date.fromisoformat(tree["last_day"]),
            begun_customers=int(begun["customers"]),
            begun_days=int(begun["days"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path} was written by another version of kizuna ({error}), which may have simulated another past. "
            f"Begin the shop anew with 'kizuna simulate {directory}'."
        ) from None


def _built(kind: type[Any], tree: dict[str, Any]) -> Any:
    """A frozen tree of parameters, each section from its own; KeyError where the names differ."""
    hints = get_type_hints(kind)
    names = {item.name for item in fields(kind)}
    if names != set(tree):
        raise KeyError(", ".join(sorted(names.symmetric_difference(tree))))
    return kind(**{name: _value(hints[name], tree[name]) for name in names})


def _value(hint: Any, value: Any) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        return _built(hint, value)
    if hint == tuple[Market, ...]:
        return tuple(_built(Market, each) for each in value)
    return _tuples(value)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value
