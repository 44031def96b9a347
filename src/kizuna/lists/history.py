"""What earlier lists say of today's customers: pause, status, weeks on the list, last probability, and who has left.

Earlier lists come as one frame: one row per customer and list, with customer_id, as_of and churn_probability.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np
import pandas as pd

REMOVED_COLUMNS = ["customer_id", "last_as_of", "why"]


def earlier_lists(history: pd.DataFrame, today: date) -> pd.DataFrame:
    """customer_id, as_of, churn_probability of the lists before today, one row per customer and list, by day."""
    if history.empty:
        empty = pd.DataFrame({"customer_id": [], "as_of": [], "churn_probability": []})
        return empty.astype({"customer_id": "str", "as_of": "datetime64[s]", "churn_probability": "float64"})
    rows = history[["customer_id", "as_of", "churn_probability"]].copy()
    rows["customer_id"] = rows["customer_id"].astype("str")
    rows["as_of"] = pd.to_datetime(rows["as_of"]).astype("datetime64[s]")
    ago = (pd.Timestamp(today) - rows["as_of"]).dt.days
    before = rows.loc[ago > 0].sort_values(["as_of", "customer_id", "churn_probability"], kind="stable")
    one_each: pd.DataFrame = before.drop_duplicates(["customer_id", "as_of"]).reset_index(drop=True)
    return one_each


def standing(customers: pd.Series, earlier: pd.DataFrame, today: date, pause_days: int) -> pd.DataFrame:
    """list_status, weeks_on_list, churn_probability_prev and paused for customers if listed today, on their index.

    ``list_status``: new (on no earlier list), continuing (on the last one), returned (on an older one).
    ``weeks_on_list``: weeks begun since the first of the unbroken lists up to today, 1 for a customer new or returned.
    ``churn_probability_prev``: that of the last list, null for those who were not on it.
    ``paused``: the pause runs from the day of first listing; once it has passed, the next listing begins another.
    """
    day = pd.Timestamp(today)
    listings: dict[str, list[pd.Timestamp]] = defaultdict(list)
    names = customers.tolist()
    wanted = set(names)
    for customer, listed_on in zip(earlier["customer_id"].tolist(), earlier["as_of"].tolist(), strict=True):
        if customer in wanted:
            listings[customer].append(listed_on)
    position = {listed_on: k for k, listed_on in enumerate(sorted(earlier["as_of"].unique()))}
    last = earlier["as_of"].max() if position else None
    status, weeks, paused = {}, {}, {}
    for customer, mine in listings.items():
        on_last = mine[-1] == last
        status[customer] = "continuing" if on_last else "returned"
        weeks[customer] = (day - _unbroken_since(mine, position)).days // 7 + 1 if on_last else 1
        paused[customer] = _is_paused(mine, day, pause_days)
    previous = earlier[earlier["as_of"] == last].set_index("customer_id")["churn_probability"]
    frame = pd.DataFrame(
        {
            "list_status": [status.get(customer, "new") for customer in names],
            "weeks_on_list": [weeks.get(customer, 1) for customer in names],
            "paused": [paused.get(customer, False) for customer in names],
            "churn_probability_prev": previous.reindex(customers).to_numpy(dtype=np.float64),
        },
        index=customers.index,
    )
    return frame.astype({"list_status": "str", "weeks_on_list": "int64", "paused": "bool"})


def removed_since(eligible: pd.DataFrame, listed: pd.Series, earlier: pd.DataFrame) -> pd.DataFrame | None:
    """customer_id, last_as_of, why, sorted by customer, of all who were on the last list and are not on this one.

    ``eligible``: customer_id, left_out (suppressed, below_min_probability, beyond_capacity or ""), last_purchase and
    last_contact of every eligible customer. ``why``: no_longer_eligible, suppressed, purchased, contacted (because of a
    list, or by a kind that pauses contact), recovered (the probability fell below the least asked for) or beyond_capacity.
    Purchases and contacts count from the day of the last list on. None: there was no earlier list.
    """
    if earlier.empty:
        return None
    last = earlier["as_of"].max()
    gone = earlier[(earlier["as_of"] == last) & ~earlier["customer_id"].isin(listed)]
    now = eligible.set_index("customer_id").reindex(gone["customer_id"])
    left_out = now["left_out"].to_numpy(dtype=object)
    bought, contacted = ((now[name] >= last).to_numpy(dtype=bool) for name in ("last_purchase", "last_contact"))
    why = np.select(
        [
            now["left_out"].isna().to_numpy(),
            left_out == "suppressed",
            bought,
            contacted,
            left_out == "below_min_probability",
        ],
        ["no_longer_eligible", "suppressed", "purchased", "contacted", "recovered"],
        "beyond_capacity",
    )
    frame = pd.DataFrame({"customer_id": gone["customer_id"].to_numpy(), "last_as_of": last, "why": why})
    types = {"customer_id": "str", "last_as_of": "datetime64[s]", "why": "str"}
    return frame.astype(types).sort_values("customer_id", kind="stable", ignore_index=True)[REMOVED_COLUMNS]


def with_model_changes(removed: pd.DataFrame, still_listed: pd.Series) -> pd.DataFrame:
    """The same with why model_changed for those whom the last list's model, on today's data, would still list."""
    return removed.assign(why=removed["why"].mask(removed["customer_id"].isin(still_listed), "model_changed"))


def _unbroken_since(mine: list[pd.Timestamp], position: dict[pd.Timestamp, int]) -> pd.Timestamp:
    began = mine[-1]
    for listed_on in reversed(mine[:-1]):
        if position[began] - position[listed_on] != 1:
            break
        began = listed_on
    return began


def _is_paused(mine: list[pd.Timestamp], day: pd.Timestamp, pause_days: int) -> bool:
    began = mine[0]
    for listed_on in mine[1:]:
        if (listed_on - began).days >= pause_days:
            began = listed_on
    return bool((day - began).days < pause_days)
