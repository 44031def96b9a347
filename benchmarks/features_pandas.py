"""The pandas rival: the columns of features_columns.py by a filter and a groupby for each measure and snapshot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from features_columns import (
    COMPLAINT_FLAGS,
    ENGAGEMENT_FLAGS,
    FIRST_DAYS,
    GAPS,
    OUTREACH_FLAGS,
    SLOW_AFTER_DAYS,
    Column,
    Measure,
    measures,
)
from features_sql import day_number


def build(folder: Path, wanted: dict[str, Column], days: list[str]) -> pd.DataFrame:
    """customer_id, as_of (day number), then float64 columns, for customers with a purchase before the day."""
    tables = prepare(folder)
    return pd.concat([_snapshot(tables, wanted, day_number(day)) for day in days], ignore_index=True)


def prepare(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables with whole days and flags; purchases by customer and day."""
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("complaints", "engagement", "outreach")}
    for table, flags in (
        ("complaints", COMPLAINT_FLAGS),
        ("engagement", ENGAGEMENT_FLAGS),
        ("outreach", OUTREACH_FLAGS),
    ):
        frame = tables[table]
        frame["day"] = _days(frame["occurred_at"])
        for flag, kinds in flags.items():
            frame[flag] = frame["kind"].isin(kinds)
    outreach, complaints = tables["outreach"], tables["complaints"]
    outreach["mailed"] = outreach["channel"] == "email"
    outreach["called"] = (outreach["channel"] == "phone") | (outreach["kind"] == "call")
    contact_days = outreach[["customer_id", "day"]].drop_duplicates().sort_values("day")
    outreach["gap"] = contact_days.groupby("customer_id")["day"].diff()
    complaints["resolved"] = _days(complaints["resolved_at"])
    complaints["took"] = complaints["resolved"] - complaints["day"]
    due = complaints["day"] + SLOW_AFTER_DAYS
    complaints["slow_day"] = (due + 1).where(~(complaints["resolved"] <= due))
    lines = pd.read_parquet(folder / "purchases.parquet")
    lines["day"] = _days(lines["occurred_at"])
    first_day = lines[lines["amount"] >= 0].groupby("customer_id")["day"].min()
    complaints["complained_soon"] = complaints["complained"] & _soon(complaints, first_day)
    return tables | {"purchases": _purchase_days(lines, first_day)}


def _days(times: pd.Series) -> pd.Series:
    """Days since 1970 as floats, NaN where there is no time."""
    return (times.dt.normalize() - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)


def _soon(events: pd.DataFrame, first_day: pd.Series) -> pd.Series:
    """Whether an event lies within 30 days after its customer's first order."""
    return (events["day"] - events["customer_id"].map(first_day)).between(0, FIRST_DAYS)


def _purchase_days(lines: pd.DataFrame, first_day: pd.Series) -> pd.DataFrame:
    bought = lines["amount"] >= 0
    priced = bought & (lines["quantity"] > 0)
    lines = lines.assign(
        ordered=bought,
        net=lines["amount"],
        gross=lines["amount"].where(bought, 0.0),
        refunded=(-lines["amount"]).where(~bought, 0.0),
        returned_rows=~bought,
        discounted=bought & (lines["discount_amount"].fillna(0) != 0),
        items=lines["quantity"].fillna(1).where(bought, 0),
        price=(lines["amount"] / lines["quantity"]).where(priced, 0.0),
        priced_rows=priced,
        returned_soon=~bought & _soon(lines, first_day),
    )
    first = lines[bought].groupby(["customer_id", "category"])["day"].min().reset_index()
    new = first.groupby(["customer_id", "day"]).size().rename("new_categories")
    sums = ["net", "gross", "refunded", "returned_rows", "items", "price", "priced_rows"]
    groups = lines.groupby(["customer_id", "day"])
    days = groups[sums].sum().join(groups[["ordered", "discounted", "returned_soon"]].any()).join(new)
    days["new_categories"] = days["new_categories"].fillna(0)
    days = days.reset_index()
    orders = days[days["ordered"]].groupby("customer_id")["day"]
    days["gap"] = orders.diff()
    days["is_second"] = (orders.cumcount() == 1).reindex(days.index, fill_value=False)
    days["discounted_first"] = days["discounted"] & (days["day"] == days["customer_id"].map(first_day))
    return days


def _snapshot(tables: dict[str, pd.DataFrame], wanted: dict[str, Column], as_of: int) -> pd.DataFrame:
    past = {name: frame[frame["day"] < as_of] for name, frame in tables.items()}
    bought = past["purchases"].loc[past["purchases"]["ordered"], "customer_id"]
    rows = pd.Index(bought.unique(), name="customer_id")
    values = {measure: _measure(past[measure.table], measure, as_of, rows) for measure in measures(wanted)}

    def column(item: Column) -> pd.Series:
        if isinstance(item, Measure):
            return values[item]
        first = column(item.first)
        if item.second is None:
            return first == 1 if item.how == "equals_one" else first > 0
        second = column(item.second)
        return first - second if item.how == "minus" else first / second.where(second != 0)

    found = {name: column(item).astype(np.float64) for name, item in wanted.items()}
    return pd.DataFrame({"as_of": as_of, **found}, index=rows).reset_index()


def _measure(past: pd.DataFrame, m: Measure, as_of: int, rows: pd.Index) -> pd.Series:
    """One aggregate on every row: counts and sums 0 where nothing happened, the others NaN."""
    chosen = past[past[m.where]] if m.where else past
    age = as_of - chosen[m.dated_by]
    if m.dated_by != "day" or m.window is not None:
        newest, oldest = m.window or (0, None)
        chosen = chosen[(age > newest) & (age <= (np.inf if oldest is None else oldest))]
    if m.open_until:
        chosen = chosen[~(chosen[m.open_until] < as_of)]
    groups = chosen.groupby("customer_id")
    if m.how == "count":
        return groups.size().reindex(rows, fill_value=0)
    if m.how in ("sum", "distinct"):
        found = groups[m.value].sum() if m.how == "sum" else groups[m.value].nunique()
        return found.reindex(rows, fill_value=0)
    if m.how == "largest":
        return groups[m.value].max().reindex(rows)
    if m.how.startswith("since"):
        days = groups["day"].max() if m.how == "since_last" else groups["day"].min()
        return (as_of - days).reindex(rows)
    last = (
        chosen[chosen[m.value].notna()]
        .sort_values("day")
        .groupby("customer_id")
        .tail(GAPS)
        .groupby("customer_id")[m.value]
    )
    if m.how == "gap_median":
        return last.median().reindex(rows)
    return (last.std(ddof=0) / last.mean()).where(last.size() >= 2).reindex(rows)
