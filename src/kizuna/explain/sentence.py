"""What a sentence about a driver is: the columns that it needs, and when it makes sense.

A sentence must never contradict the numbers: "2 orders; 5 before" is only said where 2 is fewer than 5. A rise is
stated as a plain figure, and where even that would mislead ("0 complaints") nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Values = Mapping[str, float]

# Without a usual gap to compare with, a shorter silence than this is nothing to speak of.
LONG_SILENCE_DAYS = 30


def always(found: Values) -> bool:
    """Whatever the values."""
    return True


@dataclass(frozen=True)
class Sentence:
    """One way to word one driver.

    ``needs`` maps each place of the sentence to a column, whose ``{w}`` is one window for the whole sentence; a place
    ``change`` yields the place ``…_before`` = value − change, ``times`` the place ``usual_days`` = days / times.
    ``also``: further columns of the driver that this sentence speaks for. ``near_days``: the window that is preferred,
    then those nearest to it in proportion.
    ``unsigned``: the words carry the direction, the figure only the size. ``unless``: a column that must be null,
    because a better sentence, or none, belongs to a customer who has it.
    """

    driver: str
    key: str
    needs: Mapping[str, str]
    sense: Callable[[Values], bool] = always
    also: tuple[str, ...] = ()
    near_days: int = 90
    unsigned: bool = False
    unless: str | None = None


def some(place: str) -> Callable[[Values], bool]:
    """Whether the figure, as it is shown, is at least 1."""
    return lambda found: found[place] >= 0.5


def not_negative(place: str) -> Callable[[Values], bool]:
    """Whether the figure, as it is shown, is at least 0."""
    return lambda found: found[place] > -0.5


def overdue(found: Values) -> bool:
    """Silence is a sign only once it is longer than this customer's own usual gap."""
    return found["usual_days"] >= 0.5 and found["days"] > found["usual_days"]


def fewer(found: Values) -> bool:
    """Whether the count fell, as it is shown."""
    return found["count"] > -0.5 and found["count_before"] >= found["count"] + 1


def less(found: Values) -> bool:
    """Whether the amount fell, as it is shown."""
    return found["amount"] >= 0 and found["amount_before"] >= max(1.01 * found["amount"], found["amount"] + 1)


def not_promoting(found: Values) -> bool:
    """A promoter's answer is no reason to worry, whatever the model made of it."""
    return 0 <= found["score"] < 9


def true(place: str) -> Callable[[Values], bool]:
    """Whether a flag is set."""
    return lambda found: found[place] == 1


def false(place: str) -> Callable[[Values], bool]:
    """Whether a flag is not set."""
    return lambda found: found[place] == 0


def at_least(place: str, least: float) -> Callable[[Values], bool]:
    """Whether the figure is at least ``least``."""
    return lambda found: found[place] >= least


def at_most(place: str, most: float) -> Callable[[Values], bool]:
    """Whether the figure is at most ``most``."""
    return lambda found: found[place] <= most


def longer_than_usual(found: Values) -> bool:
    """Whether our own silence is longer than our usual gap, in whole days."""
    return found["usual_days"] >= 0.5 and found["days"] >= found["usual_days"] + 1


def below_mean(found: Values) -> bool:
    """Whether the latest score is lower than the mean."""
    return 0 <= found["score"] <= found["number"] - 0.005
