"""Every published list with what came of it, and the effect of all of them: frames for the screen, files and documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.experiment.conduct import Proof, conduct_proofs
from kizuna.experiment.difference import Difference
from kizuna.experiment.listings import first_listings
from kizuna.experiment.reading import GROUP_COLUMNS, Reading, ReadingPlan, read_lists, with_outcomes
from kizuna.lists.published import received
from kizuna.monitor.costs import Basis, basis_of, net_of_costs
from kizuna.monitor.drift import Drift
from kizuna.monitor.ledger import Ledger, read_ledger
from kizuna.monitor.measured import CALIBRATION_COLUMNS, LIST_COLUMNS, measured_lists
from kizuna.timeline import date_of

EFFECT_COLUMNS = [
    *("experiment", "period", "state", "verdict", "verdict_on", "target", "control", "no_comparison", "no_outcome"),
    *("value", "value_low", "value_high", "value_p", "value_control", "value_winsorised"),
    *("kept", "kept_low", "kept_high", "kept_p", "kept_control"),
    *("more_customers", "executed_target", "executed_control"),
]
_COUNTS = {
    *("revision", "listed", "target", "control", "exempt", "rows", "listed_rows"),
    *("no_comparison", "no_outcome", "more_customers"),
}
PERIOD_GROUP_COLUMNS = ["experiment", "period", *GROUP_COLUMNS]
PROOF_COLUMNS = ["driver", "action", "is_proven", "estimate", "low", "high"]


@dataclass(frozen=True)
class MonitorPack:
    """What became of the lists published before ``as_of``, as the rows known before ``known_before`` tell it.

    ``lists``: one row per list, ``LIST_COLUMNS``; state as in ``Measured``. ``bins``: the calibration of each measured list,
    ``CALIBRATION_COLUMNS``. ``effects``: one row per experiment and quarter, ``EFFECT_COLUMNS``; state and verdict as in
    ``Reading``. ``groups``: ``PERIOD_GROUP_COLUMNS``, exploratory. ``proofs``: which drivers of our own conduct may be
    reasons, ``PROOF_COLUMNS``. ``left_out``: listed rows that do not count in the effect, by reason. Shares lie in 0..1,
    money is in ``currency``; ``basis``: what the money of effects is. ``drift``: how far the day lies from the champion's
    training, None where it was not asked for.
    """

    name: str
    as_of: date
    known_before: date
    currency: str | None
    basis: Basis
    lists: pd.DataFrame
    bins: pd.DataFrame
    effects: pd.DataFrame
    groups: pd.DataFrame
    proofs: pd.DataFrame
    left_out: dict[str, int]
    drift: Drift | None = None

    @property
    def promises(self) -> pd.DataFrame:
        """The matured lists whose promise can be held against what came, oldest first."""
        return self.lists[self.lists["as_predicted"].notna()]

    @property
    def below_promise(self) -> int:
        """Of how many matured lists, up to the newest, fewer left than the promise and its interval allow, without a break."""
        promises = self.promises
        below = (promises["precision"] < promises["predicted_low"]) & ~promises["as_predicted"].astype(bool)
        return int(below[::-1].cummin().sum()) if len(below) else 0

    @property
    def proven(self) -> frozenset[str]:
        """The drivers of our own conduct that may be reasons."""
        return frozenset(self.proofs.loc[self.proofs["is_proven"].astype(bool), "driver"])


def monitor_pack(
    store: Store, config: Config, as_of: int, newest: int | None = None, backfill: bool = False
) -> MonitorPack:
    """What became of every list published before ``as_of``; frames without rows where there is none.

    ``newest``: of so many matured lists the quality is measured, of all for None; effects always count every list that
    people had in hand, and, for the documents of a ``backfill``, those made for the record as well.
    ContractError: the labels have no days, or the rows of the lists do not fit together.
    """
    ledger = read_ledger(store, config, as_of)
    measured = measured_lists(store, config.cltv.margin, ledger, newest)
    sent = ledger if backfill else replace(ledger, rows=received(ledger.rows))
    cohort, for_record = first_listings(sent.rows), len(ledger.rows) - len(sent.rows)
    readings, proofs = _effects(config, sent, [one.outcomes for one in measured]) if len(sent.rows) else ([], [])
    bins = [one.bins for one in measured if len(one.bins)]
    return MonitorPack(
        name=config.name,
        as_of=date_of(as_of),
        known_before=date_of(ledger.known_before),
        currency=config.data.currency,
        basis=basis_of(config),
        lists=_frame([one.row for one in measured], LIST_COLUMNS),
        bins=pd.concat(bins, ignore_index=True) if bins else pd.DataFrame(columns=CALIBRATION_COLUMNS),
        effects=_frame([_effect_row(reading) for reading in readings], EFFECT_COLUMNS),
        groups=_groups(readings),
        proofs=_frame([_proof_row(proof) for proof in proofs], PROOF_COLUMNS),
        left_out=cohort.left_out | ({"backfill": for_record} if for_record else {}),
    )


def _effects(config: Config, ledger: Ledger, outcomes: Sequence[pd.DataFrame]) -> tuple[list[Reading], list[Proof]]:
    seen = pd.concat(outcomes, ignore_index=True)
    seen = net_of_costs(seen, ledger.rows, ledger.executions, ledger.headline, config)
    plan = ReadingPlan(
        window=ledger.headline.window,
        worthwhile_value=config.economics.contact_cost or None,
    )
    # The market of the list's day; of lists that have not matured nobody asks it yet.
    rows = ledger.rows.merge(seen[["customer_id", "as_of", "market"]], on=["customer_id", "as_of"], how="left")
    readings = read_lists(rows, seen, plan, date_of(ledger.known_before), ledger.executions)
    judged = with_outcomes(first_listings(rows), seen)
    return readings, conduct_proofs(judged)


def _effect_row(reading: Reading) -> dict[str, Any]:
    row: dict[str, Any] = {
        "experiment": reading.experiment,
        "period": reading.period,
        "state": reading.state,
        "verdict": reading.verdict,
        "verdict_on": reading.verdict_on,
        "more_customers": reading.more_customers,
        **reading.counts,
        **_difference("value", reading.value),
        **_difference("kept", reading.kept),
    }
    if reading.value_winsorised is not None:
        row["value_winsorised"] = reading.value_winsorised.estimate
    if reading.executed is not None:
        row |= {f"executed_{arm}": share for arm, share in reading.executed.items()}
    return row


def _difference(name: str, found: Difference | None) -> dict[str, float]:
    if found is None:
        return {}
    ends = {f"{name}_low": found.low, f"{name}_high": found.high}
    return {name: found.estimate, **ends, f"{name}_p": found.p_value, f"{name}_control": found.control_mean}


def _groups(readings: Sequence[Reading]) -> pd.DataFrame:
    parts = [
        reading.groups.assign(experiment=reading.experiment, period=reading.period)
        for reading in readings
        if len(reading.groups)
    ]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PERIOD_GROUP_COLUMNS)
    return found[PERIOD_GROUP_COLUMNS]


def _proof_row(proof: Proof) -> dict[str, Any]:
    effect = None if proof.effect is None else proof.effect.estimate
    names = ("driver", "action", "is_proven", "low", "high")
    return {name: getattr(proof, name) for name in names} | {"estimate": effect}


def _frame(rows: Sequence[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """A row per dict; what one does not have is null."""
    frame = pd.DataFrame([{name: row.get(name) for name in columns} for row in rows], columns=columns)
    return frame.astype(dict.fromkeys((name for name in columns if name in _COUNTS), "Int64"))
