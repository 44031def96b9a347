"""Reasons: the drivers that raise a customer's risk, strongest first, each in the customer's own numbers.

A driver may be worded in several ways. The first sentence is taken whose columns the plan has, whose values are known
and for which it makes sense; sentences about features that themselves raised the risk go before those that did not.
Where the model is at hand, a driver is only named if getting better in it would lower the probability (better.py), and nothing
is said of features that leave nothing to better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.explain.better import Model, in_order, is_worse
from kizuna.explain.contributions import ColumnLike, by_driver, ranked
from kizuna.explain.directions import better_side
from kizuna.explain.sentence import Sentence
from kizuna.explain.sentences import SENTENCES
from kizuna.explain.wording import UNITS, feature_text, figure, fill, load_wording, stem_of

# What we did ourselves is said as a fact (facts.py), and as a reason only once its remedy has been shown to act.
OUR_CONDUCT = frozenset({"CONTACT_GAP", "NO_THANKS", "FATIGUE"})
# Who the customer is, how long, how broadly: no message to anyone.
NEVER_A_REASON = frozenset({"TENURE", "VARIETY", "ADVOCACY", "PROFILE", "LIST_ARM"}) | OUR_CONDUCT
# Columns that have nothing in common but their origin: each speaks for itself.
_EACH_ALONE = frozenset({"SUPPLIED", "PROFILE"})
# The list always has columns for three reasons.
REASON_COLUMNS = 3
# From which share of all that raises the risk a reason is large, medium.
_STRENGTHS = ((1 / 3, "large"), (1 / 8, "medium"), (0.0, "small"))
# Below this a sum is rounding, not risk.
_LEAST_CONTRIBUTION = 1e-9
# How a feature is written beside what is typical, by its unit; what is yes or no is not compared.
_SHOWN_AS = {
    **dict.fromkeys(("count", "days", "points"), "whole"),
    **dict.fromkeys(("score", "years", "number"), "number"),
    "money": "money",
    "share": "share",
    "ratio": "ratio",
}


@dataclass(frozen=True)
class Telling:
    """How reasons are told: language, at most how many, the currency of money, and which drivers of ``OUR_CONDUCT`` have been
    shown to act.
    """

    language: str = "en"
    count: int = REASON_COLUMNS
    currency: str | None = None
    proven: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Bound:
    """A sentence for one window (nan: none), and where in the feature frame its values and its evidence stand."""

    sentence: Sentence
    window: float
    values_at: Mapping[str, int]
    evidence_at: tuple[int, ...]
    unless_at: int | None


@dataclass(frozen=True)
class _Speaker:
    """What is needed to word one row: the sentences of the plan, the columns, the language and the currency."""

    bound: Mapping[str, Sequence[_Bound]]
    columns: Sequence[ColumnLike]
    language: str
    currency: str | None
    typical: NDArray[np.float64] | None = None


def reasons(
    frame_rows: pd.DataFrame,
    contributions: NDArray[np.float64],
    columns: Sequence[ColumnLike],
    telling: Telling,
    model: Model | None = None,
) -> pd.DataFrame:
    """reason_1, reason_1_text, reason_1_strength, … per row, on the index of ``frame_rows``: driver, sentence, large / medium /
    small, or null.

    ``frame_rows`` holds raw feature values, aligned to ``contributions`` (n, features + 1). At most ``telling.count`` reasons
    are given; the columns of the list are always there. With ``model`` only drivers are named in which the customer would be
    less likely to leave if they got better. ConfigError: no words for this language.
    """
    load_wording(telling.language)
    names, sums = by_driver(contributions, columns)
    values = frame_rows[[column.name for column in columns]].to_numpy(dtype=np.float64)
    typical = None if model is None else model.typical
    speaker = _Speaker(_bind(columns), columns, telling.language, telling.currency, typical)
    silenced = NEVER_A_REASON - (OUR_CONDUCT & telling.proven)
    named = (sums > _LEAST_CONTRIBUTION) & np.array([name not in silenced for name in names], dtype=bool)
    if model is not None:
        named &= is_worse(values, named, names, columns, model)
        contributions = np.where(
            np.pad(in_order(values, columns, model.typical), ((0, 0), (0, 1))), -np.inf, contributions
        )
    width = max(REASON_COLUMNS, telling.count)
    said: list[list[str | None]] = []
    for row, order in enumerate(ranked(sums)):
        raising = [names[at] for at in order if named[row, at]]
        worded = _worded(raising, values[row], contributions[row], speaker)
        pairs = list(islice(worded, telling.count))
        # Nothing is unusual for this customer: then what sets apart from those who stay.
        if not pairs:
            pairs = list(islice(_beside(raising, values[row], contributions[row], speaker), telling.count))
        risk = float(sums[row][sums[row] > 0].sum())
        cells = [cell for code, text in pairs for cell in (code, text, _strength(sums[row, names.index(code)] / risk))]
        said.append(cells + [None] * (3 * (width - len(pairs))))
    heads = [head for k in range(1, width + 1) for head in (f"reason_{k}", f"reason_{k}_text", f"reason_{k}_strength")]
    return pd.DataFrame(said, columns=heads, index=frame_rows.index, dtype="str")


def sentence_of(
    driver: str,
    values: NDArray[np.float64],
    added: NDArray[np.float64],
    columns: Sequence[ColumnLike],
    telling: Telling,
) -> str | None:
    """The sentence about one driver, of whatever kind, of one customer; None where there is nothing to say.

    ``values`` and ``added`` (what each raises the risk by) stand in the order of ``columns``.
    """
    speaker = _Speaker(_bind(columns), columns, telling.language, telling.currency)
    return next((text for _, text in _worded([driver], values, added, speaker)), None)


def _strength(share: float) -> str:
    return next(word for least, word in _STRENGTHS if share >= least)


def _worded(
    drivers: Sequence[str], values: NDArray[np.float64], added: NDArray[np.float64], speaker: _Speaker
) -> Iterator[tuple[str, str]]:
    for driver in drivers:
        if driver in _EACH_ALONE:
            yield from ((driver, text) for text in _supplied(driver, values, added, speaker))
        elif (text := _sentence(driver, values, added, speaker)) is not None:
            yield driver, text


def _sentence(driver: str, values: NDArray[np.float64], added: NDArray[np.float64], speaker: _Speaker) -> str | None:
    candidates = speaker.bound.get(driver, ())
    # What is in order is no evidence: it stands as minus infinity.
    amiss = [(bound, [added[at] for at in bound.evidence_at if added[at] > -math.inf]) for bound in candidates]
    told = [(bound, sum(parts)) for bound, parts in amiss if parts or not bound.evidence_at]
    raised = [bound for bound, total in told if total > _LEAST_CONTRIBUTION]
    for bound in (*raised, *(bound for bound, _ in told)):
        if bound.unless_at is not None and math.isfinite(values[bound.unless_at]):
            continue
        found = {place: float(values[at]) for place, at in bound.values_at.items()}
        if not all(math.isfinite(value) for value in found.values()):
            continue
        if "change" in found:
            place = next(name for name in ("count", "amount", "score", "share") if name in found)
            found[f"{place}_before"] = found[place] - found["change"]
        if "times" in found:
            found["usual_days"] = found["days"] / found["times"] if found["times"] > 0 else 0.0
        if bound.sentence.sense(found):
            template = load_wording(speaker.language).reasons[driver][bound.sentence.key]
            shown = {place: abs(value) if bound.sentence.unsigned else value for place, value in found.items()}
            text = fill(template, {**shown, "w": bound.window}, speaker.language, speaker.currency)
            return _with_typical(text, template, bound, values, speaker)
    return _level(driver, values, added, speaker)


def _with_typical(text: str, template: str, bound: _Bound, values: NDArray[np.float64], speaker: _Speaker) -> str:
    """The sentence with what is typical of customers at low risk, where it holds one figure and nothing to compare it with."""
    if speaker.typical is None or len(bound.values_at) != 1:
        return text
    ((place, at),) = bound.values_at.items()
    typical = float(speaker.typical[at])
    side = better_side(stem_of(speaker.columns[at].name)[0])
    if place == "flag" or bound.sentence.unsigned or not side * (typical - values[at]) > 0:
        return text
    value, other, none = (
        figure(float(number), UNITS[place], speaker.language, speaker.currency) for number in (values[at], typical, 0)
    )
    # That others have none goes without saying.
    if other in (value, none):
        return text
    words = load_wording(speaker.language)
    after = template.partition("{" + place + "}")[2][:1]
    counter = after if after and after in words.counters else ""
    return fill(words.tail, {"text": text, "typical": other + counter}, speaker.language)


def _beside(
    drivers: Sequence[str], values: NDArray[np.float64], added: NDArray[np.float64], speaker: _Speaker
) -> Iterator[tuple[str, str]]:
    """Each driver by its feature that raises the risk most, beside what is typical of customers at low risk."""
    if speaker.typical is None:
        return
    template = load_wording(speaker.language).beside
    for driver in drivers:
        worse = [
            at
            for at, column in enumerate(speaker.columns)
            if column.driver == driver
            and column.unit in _SHOWN_AS
            and better_side(stem_of(column.name)[0]) * (speaker.typical[at] - values[at]) > 0
            and added[at] > _LEAST_CONTRIBUTION
        ]
        for at in sorted(worse, key=lambda at: (-added[at], at)):
            name, unit = speaker.columns[at].name, _SHOWN_AS[speaker.columns[at].unit]
            value, typical = (
                figure(float(number), unit, speaker.language, speaker.currency)
                for number in (values[at], speaker.typical[at])
            )
            if value != typical and "_change_" not in name:
                words = {"feature": feature_text(name, speaker.language), "value": value, "typical": typical}
                yield driver, fill(template, words, speaker.language)
                break


def _level(driver: str, values: NDArray[np.float64], added: NDArray[np.float64], speaker: _Speaker) -> str | None:
    """The level of a text that raises the risk most, of a driver without better words: ``Loyalty tier is gold``."""
    levels = [at for at, column in enumerate(speaker.columns) if column.driver == driver and "=" in column.name]
    held = [at for at in levels if values[at] == 1 and added[at] > _LEAST_CONTRIBUTION]
    if not held:
        return None
    return feature_text(speaker.columns[max(held, key=lambda at: (added[at], -at))].name, speaker.language)


def _supplied(driver: str, values: NDArray[np.float64], added: NDArray[np.float64], speaker: _Speaker) -> Iterator[str]:
    """The supplied columns that raise the risk, strongest first; of one text column only the strongest level."""
    told: set[str] = set()
    mine = [at for at, column in enumerate(speaker.columns) if column.driver == driver]
    templates = load_wording(speaker.language).reasons[driver]
    for at in sorted(mine, key=lambda at: (-added[at], speaker.columns[at].name)):
        name, value = speaker.columns[at].name, float(values[at])
        if added[at] <= _LEAST_CONTRIBUTION:
            break
        if not math.isfinite(value):
            continue
        column, sign, level = name.partition("=")
        if column in told:
            continue
        told.add(column)
        if driver != "SUPPLIED":
            name, column = (feature_text(word, speaker.language) for word in (name, column))
        if sign and value in (0.0, 1.0):
            yield fill(templates["is" if value else "is_not"], {"feature": column, "level": level}, speaker.language)
        else:
            yield fill(templates["number"], {"feature": name, "number": value}, speaker.language)


def _bind(columns: Sequence[ColumnLike]) -> dict[str, list[_Bound]]:
    """Every sentence with every window for which the plan has all its columns, in order of preference."""
    # The shop's own columns may carry any name, even one of ours.
    at = {column.name: i for i, column in enumerate(columns) if column.driver not in ("SUPPLIED", "PROFILE")}
    windows = sorted({days for name in at if (days := stem_of(name)[1]) is not None})
    drivers = [column.driver for column in columns]
    bound: dict[str, list[_Bound]] = {}
    for sentence in SENTENCES:
        for window in _windows(sentence, windows):
            names = {place: stem.replace("{w}", f"{window:.0f}") for place, stem in sentence.needs.items()}
            if all(name in at for name in names.values()):
                stems = [*sentence.needs.values(), *sentence.also]
                seen = {at[name] for stem in stems if (name := stem.replace("{w}", f"{window:.0f}")) in at}
                evidence = tuple(sorted(i for i in seen if drivers[i] == sentence.driver))
                places = {place: at[name] for place, name in names.items()}
                unless = at.get(sentence.unless) if sentence.unless else None
                bound.setdefault(sentence.driver, []).append(_Bound(sentence, window, places, evidence, unless))
    return bound


def _windows(sentence: Sentence, windows: Sequence[int]) -> list[float]:
    if not any("{w}" in stem for stem in sentence.needs.values()):
        return [math.nan]
    return [float(w) for w in sorted(windows, key=lambda w: (abs(math.log(w / sentence.near_days)), w))]
