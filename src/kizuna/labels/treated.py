"""Which training rows an earlier list has treated, and what the untreated ones stand for.

A label tells what happens under usual contact only where no list stepped in before its window ended. Of customers whom a
list named in that time, those of the target arm were contacted; those of the control arm show what both would have
done, and stand for both with weight one over the control share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from kizuna.errors import ContractError
from kizuna.timeline import LabelWindow

NEEDED = ("customer_id", "as_of", "arm", "contact_allowed", "control_share")


@dataclass(frozen=True)
class Treated:
    """One entry per training row.

    ``is_treated``: target, and contactable, on a list between the row's day and the end of its label window. Never a
    feature: who is listed within the window has stayed silent until then. ``weight``: for training on untreated rows alone:
    0 where treated, 1 / control share where listed as control, else 1.
    """

    is_treated: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.float64]


def treated_rows(customer_id: npt.ArrayLike, as_of: npt.ArrayLike, window: LabelWindow, lists: pd.DataFrame) -> Treated:
    """The treated among training rows, given by customer and day number (days since 1970-01-01).

    ``lists``: rows of earlier lists with the columns ``NEEDED``; control_share is the one that the row's arm was drawn with.
    Rows that were not contactable, or exempt (served in both worlds), leave a customer as he was; unknown consent counts as
    contactable, in both arms alike. ContractError: a column is missing, or a control was drawn with a share that is none.
    """
    missing = [column for column in NEEDED if column not in lists]
    if missing:
        raise ContractError(
            f"Training that knows of earlier lists needs their columns {', '.join(NEEDED)}; {', '.join(missing)} cannot be "
            "found. Set training.treated to keep, or read the lists with their manifests."
        )
    customers, days = np.asarray(customer_id, dtype=object).astype(str), np.asarray(as_of, dtype=np.int64)
    counted = lists[lists["arm"].isin(("target", "control")) & lists["contact_allowed"].astype("boolean").fillna(True)]
    share = counted.loc[counted["arm"] == "control", "control_share"]
    if not share.between(0, 1, inclusive="right").all():
        raise ContractError(
            f"Controls stand for others with weight 1 / control_share; found shares from {share.min():g} to {share.max():g}. "
            "Each must be above 0 and at most 1."
        )
    is_treated = _last_listing_in(customers, days, window, counted[counted["arm"] == "target"])[0]
    is_control, inverse = _last_listing_in(customers, days, window, counted[counted["arm"] == "control"])
    weight = np.where(is_treated, 0.0, np.where(is_control, inverse, 1.0))
    return Treated(is_treated, weight)


def _last_listing_in(
    customers: npt.NDArray[np.str_], days: npt.NDArray[np.int64], window: LabelWindow, lists: pd.DataFrame
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Whether each row's customer is listed in ``[as_of, end of window)``, and 1 / control share of the last such listing."""
    found, inverse = np.zeros(len(days), dtype=bool), np.ones(len(days))
    if lists.empty or not len(days):
        return found, inverse
    names, places = np.unique(customers, return_inverse=True)
    named = lists["customer_id"].astype("str").to_numpy(dtype=str)
    known = np.isin(named, names)
    listed_on = pd.to_datetime(lists["as_of"]).to_numpy().astype("datetime64[D]").astype(np.int64)[known]
    shares = lists["control_share"].to_numpy(dtype=np.float64)[known]
    span = int(max(days.max() + window.end(0), listed_on.max(initial=0))) + 2
    key = np.searchsorted(names, named[known]).astype(np.int64) * span + listed_on
    order = np.argsort(key, kind="stable")
    key, shares = key[order], shares[order]
    first = np.searchsorted(key, places * span + days, side="left")
    end = np.searchsorted(key, places * span + days + window.end(0), side="left")
    found = end > first
    inverse[found] = 1 / shares[end[found] - 1]
    return found, inverse
