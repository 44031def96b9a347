"""Features that know the outcome: findings stop a model, warnings are for a person to read.

Frames above 50,000 rows are thinned: every fold's training and test rows each to at most 50,000, evenly spaced in
their own order, so the same frame always gives the same answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from kizuna.evaluation.leaks.bins import PRIOR_ROWS, auc_of_groups, bins_of, edges_of, numbers_of
from kizuna.evaluation.leaks.calendar import days_apart, sides_of
from kizuna.evaluation.leaks.folds import Fold, people, permuted_labels, repeated_rows, row_hashes
from kizuna.evaluation.leaks.overwritten import Overwritten, overwritten
from kizuna.evaluation.measures.intervals import decimals
from kizuna.evaluation.measures.metrics import FloatArray, IntArray

LEAK_AUC = 0.95
MISSINGNESS_AUC = 0.90
DRIFT_AUC = 0.95
MAX_ROWS = 50_000

IDENTIFIER_MIN_ROWS = 100
IDENTIFIER_UNIQUE_SHARE = 0.99
IDENTIFIER_MAX_UNEVENNESS = 0.1
IDENTIFIER_WORDS = frozenset({"id", "ids", "no", "number", "key", "uuid", "guid", "code", "row"})

ATTRIBUTE_AUC = 0.75
YOUNG = "the shop is young: totals since the beginning still grow, and the level of what comes is less sure"


@dataclass(frozen=True)
class LeakFinding:
    """A feature that tells the outcome, and the words that say how plainly and what to do."""

    feature: str
    evidence: str


@dataclass(frozen=True)
class LeakWarning:
    """Something odd about the rows that a person should look at. `features` is empty where it concerns whole rows."""

    kind: Literal["identifier", "overwritten", "calendar", "attribute", "duplicates", "folds"]
    features: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """The features it is about, or 'rows'."""
        return ", ".join(self.features) or "rows"


@dataclass(frozen=True)
class RowOrigins:
    """Where the rows come from, as far as it is known: each adds a test.

    `days`: each row's snapshot day; None: one day. `customers`: each row's customer id; None: one customer each.
    `undated`: columns whose present value stands on every day, such as those of family "profile" where the customers
    table has no valid_from. `built`: columns of our own making, none of which is a date.
    """

    days: npt.ArrayLike | None = None
    customers: npt.ArrayLike | None = None
    undated: Collection[str] = ()
    built: Collection[str] = ()


@dataclass(frozen=True)
class _Counts:
    """Rows and churned rows per bin of one column, in the training and the test part of a fold. Nulls are last."""

    train: FloatArray
    train_churned: FloatArray
    test: FloatArray
    test_churned: FloatArray


def find_leaks(
    features: pd.DataFrame,
    y: npt.ArrayLike,
    folds: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
    origins: RowOrigins | None = None,
) -> tuple[tuple[LeakFinding, ...], tuple[LeakWarning, ...]]:
    """Findings and warnings, in the order of the columns.

    `folds` are (training, test) row positions. A feature alone is scored by the churn rate its value's bin had in the
    training rows (about 20 quantile bins, a value that fills one gets its own, nulls too; text in sorted order), so a
    leak need not be monotone. The AUC is the mean over test parts that hold both classes; on so few customers that the best
    of many useless columns may reach the limit, it must be beyond that as well. The tests of several features
    together (calendar_leaks.py) and of the folds (fold_leaks.py) leave out what was already named.
    """
    outcome = np.asarray(y, dtype=np.float64)
    if outcome.shape != (len(features),):
        raise ValueError(f"{len(features)} rows of features and {outcome.size} outcomes")
    known = origins or RowOrigins()
    chance = _reach_of_chance(outcome, folds, known, features.shape[1])
    thinned = [(_thinned(train), _thinned(test)) for train, test in folds]
    late = _overwritten(features, outcome, known)
    features = _without(features, {column for found in late for column in found.columns})
    findings: list[LeakFinding] = []
    drifting: list[str] = []
    identifiers: list[str] = []
    following: dict[str, float] = {}
    kept: list[bool] = []
    for label, column in features.items():
        name, values = str(label), numbers_of(column)
        counted = [_count(values, outcome, fold) for fold in thinned]
        kept.append(not _is_identifier(name, column, values, thinned))
        if (finding := _finding(name, counted, chance)) is not None:
            findings.append(finding)
        elif kept[-1] and name in known.undated and _alone_auc(counted) >= ATTRIBUTE_AUC:
            following[name] = _alone_auc(counted)
        if not kept[-1]:
            identifiers.append(name)
        elif _drift_auc(counted) >= DRIFT_AUC:
            drifting.append(name)
    usable = features if all(kept) else features.loc[:, kept]
    warnings = (
        *_column_warnings(identifiers, drifting, known.built),
        *_late(late),
        *_calendar(_without(usable, drifting), known),
        *_attributes(following),
        *_folds(_without(usable, [found.feature for found in findings]), outcome, folds, known),
    )
    return tuple(findings), warnings


def binned_auc(values: npt.ArrayLike, y: npt.ArrayLike, folds: Sequence[Fold]) -> float:
    """Mean out-of-fold AUC of one column alone. NaN where no fold has both classes on both sides."""
    columns = np.asarray(values, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return _value_auc([_count(*columns, fold) for fold in folds])


def _count(values: FloatArray, outcome: FloatArray, fold: Fold) -> _Counts:
    train, test = fold
    edges = edges_of(values[train])
    counted: list[FloatArray] = []
    for part in (train, test):
        known = values[part]
        bins = bins_of(known, edges)
        counted.append(np.bincount(bins, minlength=edges.size + 2).astype(np.float64))
        counted.append(np.bincount(bins, weights=outcome[part], minlength=edges.size + 2).astype(np.float64))
    return _Counts(*counted)


def _value_auc(folds: Sequence[_Counts]) -> float:
    return _mean_auc([_learned_auc(fold) for fold in folds])


def _missingness_auc(folds: Sequence[_Counts]) -> float:
    return _mean_auc([_learned_auc(_known_or_null(fold)) for fold in folds])


def _known_or_null(fold: _Counts) -> _Counts:
    """The same counts in two bins: any value, and null."""
    columns = (fold.train, fold.train_churned, fold.test, fold.test_churned)
    return _Counts(*(np.array([rows[:-1].sum(), rows[-1]]) for rows in columns))


def _drift_auc(folds: Sequence[_Counts]) -> float:
    """How well the value alone tells test rows from training rows, mean over folds: 1 if it only ever grows."""
    rising = _mean_auc([auc_of_groups(np.arange(fold.train.size), fold.test, fold.train) for fold in folds])
    return max(rising, 1.0 - rising)


def _learned_auc(fold: _Counts) -> float:
    """AUC on the test rows of the churn rate that each bin had in training. NaN where training saw one class."""
    prior = fold.train_churned.sum() / max(fold.train.sum(), 1.0)
    if not 0.0 < prior < 1.0:
        return float("nan")
    rate = (fold.train_churned + PRIOR_ROWS * prior) / (fold.train + PRIOR_ROWS)
    return auc_of_groups(rate, fold.test_churned, fold.test - fold.test_churned)


def _mean_auc(found: Sequence[float]) -> float:
    defined = [value for value in found if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _reach_of_chance(
    outcome: FloatArray, folds: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]], known: RowOrigins, columns: int
) -> float:
    """The AUC that the best of so many columns may show by chance, one time in a hundred, on the customers tested.

    The standard deviation of a useless ranking is √((m + n + 1) / (12 m n)) for m churned and n other customers
    (Mann & Whitney 1947); customers repeat over snapshots and count once.
    """
    from scipy.stats import norm

    tested = np.unique(
        np.concatenate([np.asarray(test, dtype=np.int64) for _, test in folds] or [np.zeros(0, np.int64)])
    )
    who = tested if known.customers is None else np.asarray(known.customers)[tested]
    churned, stayed = (len(np.unique(who[outcome[tested] == value])) for value in (1, 0))
    if not churned or not stayed:
        return 1.0
    spread = np.sqrt((churned + stayed + 1) / (12 * churned * stayed))
    return float(0.5 + norm.isf(0.01 / max(columns, 1)) * spread)


def _finding(name: str, folds: Sequence[_Counts], chance: float) -> LeakFinding | None:
    advice = "Add it to features.exclude, or give its table a known_at so that late values stay out"
    if (found := _missingness_auc(folds)) >= max(MISSINGNESS_AUC, chance):
        text = (
            f"whether {name} is missing ranks churn with AUC {decimals(found)} on rows not learned from "
            f"(limit {decimals(MISSINGNESS_AUC)}): it is probably filled in after, or because of, the outcome. {advice}"
        )
        return LeakFinding(name, text)
    if (found := _value_auc(folds)) >= max(LEAK_AUC, chance):
        text = (
            f"{name} alone ranks churn with AUC {decimals(found)} on rows not learned from "
            f"(limit {decimals(LEAK_AUC)}): it probably records the outcome itself. {advice}"
        )
        return LeakFinding(name, text)
    return None


def _is_identifier(name: str, column: pd.Series, values: FloatArray, folds: Sequence[Fold]) -> bool:
    """Whether nearly every row has its own whole number or text, within the test part of some fold.

    Within one test part, because a customer may appear on several days. Amounts in whole yen can be unique too, but
    crowd at the low end: numbers must lie evenly over their range, or the name must say what they are.
    """
    share = max((_unique_share(values[test]) for _, test in folds), default=0.0)
    if share < IDENTIFIER_UNIQUE_SHARE or not pd.api.types.is_numeric_dtype(column):
        return share >= IDENTIFIER_UNIQUE_SHARE
    known = np.sort(values[np.isfinite(values)])
    place = (known - known[0]) / (known[-1] - known[0])
    unevenness = float(np.abs(place - np.linspace(0.0, 1.0, known.size)).max())
    return unevenness <= IDENTIFIER_MAX_UNEVENNESS or not IDENTIFIER_WORDS.isdisjoint(name.lower().split("_"))


def _unique_share(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    if known.size < IDENTIFIER_MIN_ROWS or (known[:1000] % 1).any() or (known % 1).any():
        return 0.0
    return float(np.unique(known).size / known.size)


def _overwritten(features: pd.DataFrame, outcome: FloatArray, known: RowOrigins) -> tuple[Overwritten, ...]:
    if known.days is None:
        return ()
    return overwritten(features, outcome, np.asarray(known.days, dtype=np.int64), known.undated)


def _late(found: Sequence[Overwritten]) -> Iterator[LeakWarning]:
    if found:
        text = (
            f"{', '.join(one.text for one in found)}: tells one snapshot's outcomes far better than those of the older "
            f"ones, as today's value does where it was written after the churn. Left out of the model; give customers "
            f"valid_from, so that every day sees the value of its own time"
        )
        yield LeakWarning("overwritten", tuple(column for one in found for column in one.columns), text)


def _column_warnings(
    identifiers: Sequence[str], drifting: Sequence[str], built: Collection[str]
) -> Iterator[LeakWarning]:
    if identifiers:
        text = (
            f"{', '.join(identifiers)}: nearly every row has its own value, as an identifier has. Left out of the model"
        )
        yield LeakWarning("identifier", tuple(identifiers), text)
    growing = tuple(name for name in drifting if name in built)
    if growing:
        text = f"{', '.join(growing)}: nearly every later row lies beyond the earlier ones: {YOUNG}"
        yield LeakWarning("calendar", growing, text)
    foreign = tuple(name for name in drifting if name not in built)
    if foreign:
        text = (
            f"{', '.join(foreign)}: nearly every later row lies beyond the earlier ones, as a calendar does. "
            f"A model cannot learn from values it has never seen: use the time since, or features.exclude"
        )
        yield LeakWarning("calendar", foreign, text)


def _calendar(features: pd.DataFrame, known: RowOrigins) -> Iterator[LeakWarning]:
    """Days told apart by features together, none of which does so alone."""
    if known.days is None:
        return
    days = np.asarray(known.days, dtype=np.int64)
    found = days_apart(lambda rows: _matrix(features.iloc[rows]), days, sides_of(known.customers, days.size))
    if found is None or not found.is_calendar:
        return
    why = (
        "one stands for a date, such as the number of a day, or something done to everybody on one day. "
        "Use the time since, or features.exclude"
    )
    own = features.loc[:, [str(label) in known.built for label in features.columns]]
    alone = days_apart(lambda rows: _matrix(own.iloc[rows]), days, sides_of(known.customers, days.size))
    if alone is not None and alone.is_calendar:
        features, found, why = own, alone, YOUNG
    names = tuple(str(features.columns[column]) for column in found.columns)
    text = (
        f"the features together tell the newest snapshot day from the oldest with AUC {decimals(found.auc)}, and "
        f"neighbouring days with {decimals(found.neighbours_auc)}, which gradual drift cannot do. "
        f"{', '.join(names)} do most: {why}"
    )
    yield LeakWarning("calendar", names, text)


def _attributes(following: Mapping[str, float]) -> Iterator[LeakWarning]:
    if following:
        named = ", ".join(f"{name} ({decimals(found)})" for name, found in following.items())
        text = (
            f"{named}: alone ranks churn with this AUC (limit {decimals(ATTRIBUTE_AUC)}), and customers has no "
            f"valid_from: today's value may have been written after the churn. Give the table valid_from, or add it to "
            f"features.exclude"
        )
        yield LeakWarning("attribute", tuple(following), text)


def _folds(
    features: pd.DataFrame,
    outcome: FloatArray,
    folds: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
    known: RowOrigins,
) -> Iterator[LeakWarning]:
    """Rows that stand on both sides of a fold, and labels that could be learned by heart."""
    if features.empty:
        return
    parts = [(np.asarray(train, dtype=np.int64), np.asarray(test, dtype=np.int64)) for train, test in folds]
    hashes = row_hashes(features)
    found = repeated_rows(hashes, outcome, parts)
    if found.is_leak:
        text = (
            f"{found.repeated:,} of {found.tested:,} tested rows ({found.repeated / found.tested * 100:.1f} %) repeat a "
            f"row learned from in every feature and the outcome. Customers entered twice, or features that never "
            f"change, stand on both sides of a fold: remove the doubles"
        )
        yield LeakWarning("duplicates", (), text)
    if _apart_in_time(known, parts):
        return
    units = people(known.customers, hashes, outcome, found)
    learned = permuted_labels(lambda rows: _matrix(features.iloc[rows]), outcome, parts, units)
    if learned is not None and learned.is_leak:
        yield LeakWarning("folds", (), learned.text)


def _apart_in_time(known: RowOrigins, folds: Sequence[Fold]) -> bool:
    """Whether every test day is later than all days learned from: a customer may then stand on both sides."""
    if known.days is None:
        return False
    days = np.asarray(known.days)
    return all(train.size and test.size and days[train].max() < days[test].min() for train, test in folds)


def _without(features: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    return features.loc[:, [str(label) not in names for label in features.columns]] if names else features


def _matrix(features: pd.DataFrame) -> FloatArray:
    columns = [numbers_of(features.iloc[:, place]) for place in range(features.shape[1])]
    return np.column_stack(columns) if columns else np.empty((len(features), 0))


def _alone_auc(folds: Sequence[_Counts]) -> float:
    """The better AUC of the column's value and of whether it is missing; 0 where neither is defined."""
    return max((found for found in (_value_auc(folds), _missingness_auc(folds)) if not np.isnan(found)), default=0.0)


def _thinned(positions: npt.ArrayLike) -> IntArray:
    rows = np.asarray(positions, dtype=np.int64)
    if rows.size <= MAX_ROWS:
        return rows
    return rows[np.arange(MAX_ROWS) * rows.size // MAX_ROWS]
