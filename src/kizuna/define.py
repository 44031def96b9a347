"""``kizuna define``: what churn is here. The return curve, candidate definitions, and the one that is proposed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kizuna.config import Config
from kizuna.data.report import contract_errors
from kizuna.data.store import Store
from kizuna.define_words import contract_lines, purchase_lines
from kizuna.errors import ConfigError, DataMissing
from kizuna.evaluation.definition.contract_curve import contract_curves, renewals
from kizuna.evaluation.definition.definitions import Candidate, candidates, propose
from kizuna.evaluation.definition.return_curve import Curve, return_curves
from kizuna.labels.definition import definition_of
from kizuna.labels.training_set import default_train_day
from kizuna.lists.push import share
from kizuna.plain import plain
from kizuna.timeline import date_of
from kizuna.whole_file import write_csv, written_whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SILENT_DAYS = (0, 30, 60, 90, 180)
LEVELS = (0.5, 0.2, 0.1)
CURVE_HORIZONS_DAYS = (30, 90, 180, 365)
CONTRACT_DAYS = (30, 90, 180, 365, 730)

Curves = Mapping[str, Sequence[Curve]]


@dataclass(frozen=True)
class Defined:
    """What was found, as it stood on one day.

    ``summary``: the JSON tree, null where nothing could be measured. ``curve``: a row per segment and day.
    ``definitions``: a row per candidate; None where churn is the end of a contract. ``curves``: the segments by kind.
    """

    summary: dict[str, Any]
    curve: pd.DataFrame
    definitions: pd.DataFrame | None
    curves: Curves

    @property
    def lines(self) -> list[str]:
        """The same for a reader on a terminal."""
        return contract_lines(self.summary) if self.definitions is None else purchase_lines(self.summary)

    def figure(self) -> Figure:
        """The curve as a picture."""
        from kizuna.evaluation.plots.curves import contract_figure, return_figure

        if self.definitions is None:
            return contract_figure(self.curves)
        return return_figure(self.curves, self.summary["configured"]["horizon_days"])


def refuse_provided(config: Config) -> None:
    """ConfigError where labels are provided: there is no definition to look for."""
    if config.churn.definition == "provided":
        instead = ""
        if "purchases" in config.data.tables:
            instead = "; set churn.definition=inactivity to look at purchases"
        raise ConfigError(
            "kizuna define looks for the silence that means churn, but churn.definition is provided: table labels already "
            f"says who churned. Nothing is to be defined{instead}."
        )


def define(opened: Store, config: Config, as_of: int | None) -> Defined:
    """What churn is in this shop, from what was known before ``as_of`` (None: the day that training stands on).

    Purchases: the return curve, candidates and a proposal. Subscriptions, where the config asks for cancellation or has no
    purchases: contract survival. Errors: ConfigError for provided labels; ContractError for unsound tables; DataMissing
    before the data begin.
    """
    refuse_provided(config)
    if "purchases" not in config.data.tables and "purchases" not in opened.tables and "subscriptions" in opened.tables:
        config = config.model_copy(update={"churn": config.churn.model_copy(update={"definition": "cancellation"})})
    opened.findings.extend(found for found in contract_errors(opened, config) if found not in opened.findings)
    opened.require_sound()
    definition = definition_of(config)
    day = default_train_day(opened, definition) if as_of is None else as_of
    first = opened.first_known_day(definition.table, day)
    if first is None:
        begins = opened.tables[definition.table].first_day
        what = "nothing usable" if begins is None else f"its first row on {date_of(begins)}"
        raise DataMissing(
            f"kizuna define was asked to stand on {date_of(day)}, but table {definition.table} has {what}. "
            "Choose a later --as-of, or load older rows."
        )
    summary = {"name": config.name, "as_of": date_of(day).isoformat(), "first_day": date_of(first).isoformat()}
    if definition.kind == "cancellation":
        return _contracts(opened, summary, day)
    return _purchases(opened, config, summary, day)


def write(found: Defined, folder: Path) -> list[Path]:
    """The paths of the picture, the tables and the JSON, written to a folder: the same result, the same bytes."""
    from kizuna.evaluation.plots.evidence import png_bytes

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem = "contract_curve" if found.definitions is None else "return_curve"
    written = [folder / f"{stem}.png", folder / f"{stem}.csv"]
    with written_whole(written[0]) as aside:
        aside.write_bytes(png_bytes(found.figure()))
    write_csv(found.curve, written[1])
    if found.definitions is not None:
        written.append(folder / "definitions.csv")
        write_csv(found.definitions, written[-1])
    written.append(folder / "define.json")
    text = json.dumps(found.summary, ensure_ascii=False, indent=2)
    with written_whole(written[-1]) as aside:
        aside.write_text(text + "\n", encoding="utf-8")
    share(folder)
    return written


def _purchases(store: Store, config: Config, summary: dict[str, Any], day: int) -> Defined:
    import pandas as pd

    curves = return_curves(store, day)
    everyone = curves["all"][0]
    found = candidates(store, config, day, everyone)
    chosen, reason = propose(found, everyone)
    horizon = config.churn.horizon_days
    configured = next(candidate for candidate in found if candidate.configured)
    summary = summary | {
        "kind": "inactivity",
        "silences": everyone.silences,
        "returned": int(everyone.ended.sum()),
        "followed_days": everyone.followed_days,
        "usual_gap_days": everyone.length_quantile(0.5),
        "gap_days_middle_half": [everyone.length_quantile(0.25), everyone.length_quantile(0.75)],
        "configured": configured.to_json(),
        "proposed": None if chosen is None else chosen.to_json() | {"qualifies": not chosen.fault},
        "reason": reason,
        "segments": [_segment(kind, curve, horizon) for kind, group in curves.items() for curve in group],
        "definitions": [candidate.to_json() for candidate in found],
    }
    horizons = sorted({*CURVE_HORIZONS_DAYS, horizon})
    curve = pd.concat(
        [_days(kind, one, horizons) for kind, group in curves.items() for one in group], ignore_index=True
    )
    return Defined(plain(summary), curve, _definitions(found, chosen), curves)


def _segment(kind: str, curve: Curve, horizon_days: int) -> dict[str, Any]:
    """One segment's gaps, its chance to return after some silences, and the silences at which it falls below the levels."""
    share, low, high = (np.append(array, np.nan) for array in curve.ends_within(horizon_days))
    at = {days: min(days, len(share) - 1) for days in SILENT_DAYS}
    return {
        "kind": kind,
        "segment": curve.segment,
        "silences": curve.silences,
        "returned": int(curve.ended.sum()),
        "usual_gap_days": curve.length_quantile(0.5),
        "chances": [
            {"silent_days": days} | _shares(share[place], low[place], high[place]) for days, place in at.items()
        ],
        "below": [{"level": level, "silent_days": curve.falls_below(horizon_days, level)} for level in LEVELS],
    }


def _days(kind: str, curve: Curve, horizons: Sequence[int]) -> pd.DataFrame:
    """kind, segment, silent_days, at_risk, returned, hazard, silent_share with interval, and the chances by horizon."""
    import pandas as pd

    low, high = curve.surviving_interval()
    columns: dict[str, Any] = {
        "silent_days": np.arange(len(curve.ended)),
        "at_risk": curve.at_risk,
        "returned": curve.ended,
        "hazard": curve.hazard,
        "silent_share": curve.surviving,
        "silent_low": low,
        "silent_high": high,
    }
    for horizon in horizons:
        names = (f"return_{horizon}d_share", f"return_{horizon}d_low", f"return_{horizon}d_high")
        columns |= dict(zip(names, curve.ends_within(horizon), strict=True))
    frame = pd.DataFrame(columns).head(curve.followed_days + 1).round(6)
    frame.insert(0, "kind", kind)
    frame.insert(1, "segment", curve.segment)
    return frame


def _definitions(found: Sequence[Candidate], chosen: Candidate | None) -> pd.DataFrame:
    """The candidates as a table, with ``proposed``."""
    import pandas as pd

    return pd.DataFrame([candidate.to_json() | {"proposed": candidate == chosen} for candidate in found])


def _contracts(store: Store, summary: dict[str, Any], day: int) -> Defined:
    import pandas as pd

    curves = contract_curves(store, day)
    everyone = curves["all"][0]
    summary = summary | {
        "kind": "cancellation",
        "contracts": everyone.silences,
        "ended": int(everyone.ended.sum()),
        "segments": [_contract_segment(kind, curve) for kind, group in curves.items() for curve in group],
        "renewals": renewals(curves),
        "reason": "Churn is the end of the contract: churn.definition: cancellation. No silence has to be chosen.",
    }
    names = {"silent_days": "age_days", "returned": "ended", "silent_share": "running_share"}
    names |= {"silent_low": "running_low", "silent_high": "running_high"}
    frames = [_days(kind, curve, ()).rename(columns=names) for kind, group in curves.items() for curve in group]
    return Defined(plain(summary), pd.concat(frames, ignore_index=True), None, curves)


def _contract_segment(kind: str, curve: Curve) -> dict[str, Any]:
    """One segment's contracts, the share still running at some ages, and the age by which half have ended."""
    low, high = curve.surviving_interval()
    half = np.flatnonzero(curve.surviving <= 0.5)
    ages = [days for days in CONTRACT_DAYS if days <= curve.followed_days]
    return {
        "kind": kind,
        "segment": curve.segment,
        "contracts": curve.silences,
        "ended": int(curve.ended.sum()),
        "running": [{"age_days": days} | _shares(curve.surviving[days], low[days], high[days]) for days in ages],
        "half_ended_days": int(half[0]) if len(half) else None,
    }


def _shares(share: float, low: float, high: float) -> dict[str, float]:
    """A share with its 95 % interval, to four decimals."""
    return {"share": round(float(share), 4), "low": round(float(low), 4), "high": round(float(high), 4)}
