"""The lists that a shop has acted on, from the file of a list to ``truth/actions.parquet`` and back to campaigns."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kizuna.data.simulation.campaign import ARMS, EXEMPT, TARGET, Campaign
from kizuna.data.simulation.dirt import TEST_ACCOUNT
from kizuna.data.simulation.outreach import CHANNELS
from kizuna.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

LIST_FILES = ("actions.parquet", "effects.parquet")
LATEST_DAYS = 7
_NEEDED = ("as_of", "customer_id", "action", "channel", "arm", "contact_allowed")
_ALLOWED = {"true": True, "false": False, "": None}


def with_list(recorded: pa.Table | None, path: Path, today: date, customers: int) -> pa.Table:
    """The recorded lists and the list of a file, which is acted on ``today``, the first day that is not written yet.

    One row per listed customer: acted_on, as_of, customer_id, action, channel, arm, contact_allowed, by customer. Errors:
    ConfigError where the file is no list of one day of the last week, has been acted on already, or names customers whom
    the shop of so many customers does not have.
    """
    import pyarrow as pa

    # The test accounts of a dirty shop order, and nobody lives behind them.
    rows = [row for row in _rows(path) if not row["customer_id"].startswith(TEST_ACCOUNT)]
    rows.sort(key=lambda row: row["customer_id"])
    list_day = _one_day(path, {row["as_of"] for row in rows})
    if recorded is not None and list_day in set(recorded["as_of"].to_pylist()):
        raise ConfigError(
            f"The list of {list_day} has been acted on already; what was done lies in truth/{LIST_FILES[0]}. "
            "Go on without --actions, or with the next list."
        )
    if not 0 <= (today - list_day).days < LATEST_DAYS:
        raise ConfigError(
            f"--actions names {path.name}, a list of {list_day}, and the shop goes on from {today}. "
            f"Give a list of that day, or of the {LATEST_DAYS - 1} days before it."
        )
    _check_rows(path, rows, customers)
    new = pa.table(
        {
            "acted_on": pa.array([today] * len(rows), pa.date32()),
            "as_of": pa.array([list_day] * len(rows), pa.date32()),
            "customer_id": pa.array([row["customer_id"] for row in rows], pa.string()),
            "action": pa.array([row["action"] for row in rows], pa.string()),
            "channel": pa.array([row["channel"] or None for row in rows], pa.string()),
            "arm": pa.array([row["arm"] for row in rows], pa.string()),
            "contact_allowed": pa.array([_ALLOWED[row["contact_allowed"]] for row in rows], pa.bool_()),
        }
    )
    return new if recorded is None else pa.concat_tables([recorded, new])


def recorded_lists(directory: Path) -> pa.Table | None:
    """All lists that the shop of a folder has acted on; None where there was none."""
    import pyarrow.parquet as pq

    path = directory / "truth" / LIST_FILES[0]
    return pq.read_table(path) if path.is_file() else None


def campaigns_of(planned: pa.Table | None, first_day: date) -> tuple[Campaign, ...]:
    """The campaigns of all recorded lists, in their order; days count from ``first_day``.

    Carried out is what is planned for target rows whose contact is allowed (unknown is not allowed), and for all that are
    exempt. Where no channel was agreed to, service comes by mail.
    """
    if planned is None or not len(planned):
        return ()
    codes = tuple(sorted(set(planned["action"].to_pylist())))
    acted = planned["acted_on"].to_pylist()
    days = sorted(set(acted))
    parts = [planned.filter([day == each for each in acted]).to_pydict() for day in days]
    return tuple(_campaign(part, day, codes, first_day) for part, day in zip(parts, days, strict=True))


def _campaign(part: dict[str, list[object]], day: date, codes: tuple[str, ...], first_day: date) -> Campaign:
    rows = np.array([int(str(name)[1:]) - 1 for name in part["customer_id"]])
    order = np.argsort(rows)
    arm = np.array([ARMS.index(str(name)) for name in part["arm"]])[order]
    allowed = np.array([value is True for value in part["contact_allowed"]])[order]
    channel = [0 if name is None else CHANNELS.index(str(name)) for name in part["channel"]]
    reachable = allowed | (arm == EXEMPT)
    as_of = part["as_of"][0]
    assert isinstance(as_of, date)
    return Campaign(
        as_of=(as_of - first_day).days,
        day=(day - first_day).days,
        rows=rows[order],
        action=np.array([codes.index(str(code)) for code in part["action"]])[order],
        channel=np.array(channel)[order],
        arm=arm,
        reachable=reachable,
        done=(allowed & (arm == TARGET)) | (arm == EXEMPT),
        codes=codes,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            rows = [] if missing else [{name: row[name] or "" for name in _NEEDED} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"--actions names {path}, which cannot be read: {why}. Give an at_risk.csv.") from None
    if missing or not rows:
        found = f"it has no column {', '.join(missing)}" if missing else "it names nobody"
        raise ConfigError(f"--actions asks for a list such as at_risk.csv; {path.name} is none: {found}.")
    return rows


def _check_rows(path: Path, rows: list[dict[str, str]], customers: int) -> None:
    names = [row["customer_id"] for row in rows]
    strangers = [name for name in names if not _is_customer(name, customers)]
    if strangers or len(set(names)) < len(names):
        raise ConfigError(
            f"--actions names {path.name}, whose customers must be the shop's, once each; {len(strangers):,} are not known "
            f"({', '.join(strangers[:3]) or 'none'}) and {len(names) - len(set(names)):,} are repeated. "
            "Give the list that was made of this shop."
        )
    for column, known in (("arm", ARMS), ("channel", ("", *CHANNELS)), ("contact_allowed", tuple(_ALLOWED))):
        wrong = next((row[column] for row in rows if row[column] not in known), None)
        if wrong is not None:
            raise ConfigError(
                f"--actions names {path.name}, whose column {column} holds '{wrong}'. "
                f"It may hold {', '.join(word for word in known if word)}."
            )


def _one_day(path: Path, days: set[str]) -> date:
    try:
        (day,) = (date.fromisoformat(text) for text in days)
    except ValueError:
        raise ConfigError(
            f"--actions names {path.name}, which must be of one day; its as_of holds {', '.join(sorted(days)[:3])}. "
            "Give the at_risk.csv of one day."
        ) from None
    return day


def _is_customer(name: str, customers: int) -> bool:
    number = name[1:]
    return (
        name[:1] == "C" and len(number) >= 6 and number.isascii() and number.isdigit() and 1 <= int(number) <= customers
    )
