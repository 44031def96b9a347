"""The task: what a rung of the ladder is told of the data, the machine and the rows that teach it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kizuna.models.churn.silence import SilenceModel, fit_silence, silence_positions

Floats = NDArray[np.float64]
Setting = dict[str, Any]


class MarginModel(Protocol):
    """A fitted model of log odds."""

    def margin(self, X: Floats) -> Floats:
        """Log odds before calibration, (n,)."""

    def contributions(self, X: Floats) -> Floats:
        """Additive parts of the margin, (n, features + 1), the bias last."""


@dataclass(frozen=True)
class Task:
    """What a rung has to know of the training data and the machine."""

    names: tuple[str, ...]
    rows: int
    rarer: int
    horizon_days: float
    seed: int
    threads: int


@dataclass(frozen=True, eq=False)
class TaughtRows:
    """The rows of one fit, X (n, features) with gaps as NaN and y (n,) 0/1; what several rungs need of them, once."""

    X: Floats
    y: Floats
    task: Task

    @cached_property
    def silence(self) -> SilenceModel | None:
        """The buy-till-you-die model fitted to these rows; None where its columns are missing."""
        positions = silence_positions(self.task.names)
        return None if positions is None else fit_silence(self.X, self.y, positions, self.task.horizon_days)

    @cached_property
    def silence_margin(self) -> Floats | None:
        """What that model says of these rows, (n,) log odds."""
        return None if self.silence is None else self.silence.margin(self.X)
