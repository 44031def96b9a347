"""What one gate found, which gates may be accepted, the refusal where one fails and nobody accepted it; and what is usual."""

from __future__ import annotations

import getpass
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kizuna.config import Config
from kizuna.errors import ConfigError, DataMissing, KizunaError, ModelError, ResultError, nearest

Status = Literal["pass", "warn", "fail"]

# Gates that may be accepted: one for each table, one for each text column of the model, one of the day.
PER_TABLE = ("rows", "recent")
PER_TEXT = "levels"
OF_THE_DAY = ("feature_drift", "score_drift", "list_drift", "high_share", "mean_value", "eligible", "list_size")
# Nobody can vouch for data that are not there, for a model without its features, or for numbers that are none.
NEVER = ("freshness", "features", "probabilities")

_LONGEST_REASON = 500
# So many standard deviations of a count are no sign of anything.
_DEVIATIONS = 3
_ERRORS: dict[int, type[KizunaError]] = {10: DataMissing, 12: ModelError, 13: ResultError}


@dataclass(frozen=True)
class Gate:
    """What one gate found.

    ``value``, ``limit``: plain numbers, None where there is nothing to compare with. ``said``: the finding in a sentence, and
    ``remedy`` what to do about it. ``exit_code``: of the refusal. ``waivable``: whether it may be accepted.
    """

    name: str
    status: Status
    value: float | None = None
    limit: float | None = None
    said: str = ""
    remedy: str = ""
    exit_code: int = 13
    waivable: bool = True

    @property
    def refusal(self) -> str:
        """The gate's failure in words: what was found, what to do, and how it is accepted."""
        accept = (
            f", or accept it: --accept-gate {self.name} --why TEXT." if self.waivable else ". It cannot be accepted."
        )
        return f"Gate {self.name}: {self.said} {self.remedy}{accept}"


@dataclass(frozen=True)
class Accepted:
    """The gates that somebody lets pass, each with the reason, and who that is."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    by: str = ""


def accepted_gates(names: Sequence[str], reasons: Sequence[str], config: Config) -> Accepted:
    """What ``--accept-gate`` and ``--why`` ask for; one reason may stand for all gates.

    ConfigError for a name that no gate has or that cannot be accepted, and for a reason that is missing or empty.
    """
    if not names and not reasons:
        return Accepted()
    whys = [" ".join(_printable(reason).split()) for reason in reasons]
    for name in names:
        _refuse_name(name, config)
    if not names:
        raise ConfigError("--why says why a gate is accepted, but no gate is named. Add --accept-gate NAME.")
    if not whys or not all(whys) or len(whys) not in (1, len(names)):
        found = "an empty one" if not all(whys) else str(len(whys))
        raise ConfigError(
            f"--accept-gate needs a reason: {len(names)} accepted, {found} found. Add --why TEXT, once for all or once for each."
        )
    if long := [why for why in whys if len(why) > _LONGEST_REASON]:
        raise ConfigError(f"--why takes {_LONGEST_REASON} characters, found {len(long[0])}. Say it shorter.")
    if len(set(names)) < len(names):
        raise ConfigError("--accept-gate names a gate twice. Name each once.")
    return Accepted(dict(zip(names, whys * len(names), strict=False)), _who())


def recorded(gates: Sequence[Gate], accepted: Accepted) -> list[dict[str, Any]]:
    """The gates as a manifest holds them: name, status, value, limit, accepted_by, reason; the last two None unless accepted."""
    records = []
    for gate in gates:
        waived = gate.status == "fail" and gate.waivable and gate.name in accepted.reasons
        records.append(
            {
                "name": gate.name,
                "status": gate.status,
                "value": gate.value,
                "limit": gate.limit,
                "accepted_by": accepted.by if waived else None,
                "reason": accepted.reasons[gate.name] if waived else None,
            }
        )
    return records


def failing(gates: Sequence[Gate], accepted: Accepted) -> list[Gate]:
    """The gates that stop the day."""
    return [g for g in gates if g.status == "fail" and not (g.waivable and g.name in accepted.reasons)]


def refuse_failing(gates: Sequence[Gate], accepted: Accepted) -> None:
    """Raises the refusal of the first gate that stops the day, naming the others."""
    stopping = failing(gates, accepted)
    if not stopping:
        return
    first, *others = stopping
    more = f" Also failing: {', '.join(gate.name for gate in others)}." if others else ""
    raise _ERRORS[first.exit_code](first.refusal + more)


def since_accepted(before: Sequence[Mapping[str, Any]], name: str) -> Sequence[Mapping[str, Any]]:
    """The manifests from the last on for which the gate was accepted: what was accepted is usual from then on."""
    for index in range(len(before) - 1, -1, -1):
        if any(gate["name"] == name and gate["accepted_by"] is not None for gate in before[index].get("gates", [])):
            return before[index:]
    return before


def is_beyond_chance(count: int, usual: float) -> bool:
    """Whether a count lies further from what is usual than the chance of counting explains."""
    return abs(count - usual) > _DEVIATIONS * math.sqrt(usual)


def _refuse_name(name: str, config: Config) -> None:
    kind, _, of = name.partition(".")
    known = [*(f"{one}.{table}" for one in PER_TABLE for table in config.data.tables), *OF_THE_DAY]
    if kind in NEVER and (not of or of in config.data.tables):
        raise ConfigError(
            f"--accept-gate {name}: this gate cannot be accepted. Mend what it names; docs/gates.md says which gates can be."
        )
    table, _, column = of.partition(".")
    is_text = kind == PER_TEXT and table in config.data.tables and column
    if name not in known and not is_text:
        raise ConfigError(f"--accept-gate {name}: there is no such gate.{nearest(name, known)} See docs/gates.md.")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _who() -> str:
    try:
        return _printable(getpass.getuser())
    except (KeyError, OSError):
        return "unknown"
