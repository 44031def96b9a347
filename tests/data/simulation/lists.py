"""Lists of simulated shops, drawn by a rule, as the file that a shop goes on with."""

import pandas as pd

from kizuna.lists.selection import arm_of

_ACTIONS = ("A08", "A01", "A04", "A07", "A12")


def listed_customers(directory, as_of, size):
    """The customers whom a plain rule lists: long silent for their number of orders, by what they spent in a year."""
    purchases = pd.read_parquet(directory / "purchases.parquet")
    bought = purchases[~purchases["is_return"] & (purchases["occurred_at"] < as_of)]
    orders = bought.groupby("customer_id")
    silent = (as_of - orders["occurred_at"].max()).dt.days
    frame = pd.DataFrame({"silent": silent, "orders": orders["order_id"].nunique()})
    year = bought[bought["occurred_at"] >= as_of - pd.Timedelta(days=365)]
    frame["spent"] = year.groupby("customer_id")["amount"].sum()
    frame = frame[frame["silent"] <= 180].fillna({"spent": 0})
    odds = (1 + frame["silent"]) / (9 * frame["orders"])
    frame["churn_probability"] = odds / (1 + odds)
    likely = frame[frame["churn_probability"] >= frame["churn_probability"].mean()]
    return likely.assign(at_risk=likely["churn_probability"] * likely["spent"]).nlargest(size, "at_risk").sort_index()


def write_list(path, as_of, customers, *, arms=None, actions=_ACTIONS, control_share=0.2):
    """An ``at_risk.csv`` of these customers: the actions in turn, by mail, the arms drawn by id unless given."""
    names = list(customers)
    rows = pd.DataFrame(
        {
            "as_of": as_of.date(),
            "list_rank": range(1, len(names) + 1),
            "customer_id": names,
            "action": [actions[k % len(actions)] for k in range(len(names))],
            "channel": "email",
            "arm": [arm_of(name, "shop", control_share) for name in names] if arms is None else arms,
            "contact_allowed": "true",
        }
    )
    rows.to_csv(path, index=False)
    return rows
