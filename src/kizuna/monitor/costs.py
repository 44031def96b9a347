"""What contacting cost, taken off what the contacted bought: the shop's own assumptions, where it has made any."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from kizuna.config import Config
from kizuna.experiment.listings import contactable_rows
from kizuna.labels.definition import Definition
from kizuna.playbook import load_playbook

# What the money of an effect is: purchases less returns, that times the margin, or that less the costs of contact, where
# both of them are known.
Basis = Literal["revenue", "margin", "net"]


def basis_of(config: Config) -> Basis:
    """What the money of an effect is in this shop."""
    if config.economics.contact_cost is not None and config.economics.offer_cost is not None:
        return "net"
    return "revenue" if config.cltv.margin == 1 else "margin"


def net_of_costs(
    outcomes: pd.DataFrame, lists: pd.DataFrame, executions: pd.DataFrame | None, definition: Definition, config: Config
) -> pd.DataFrame:
    """The outcomes with net_value less what was spent on the customer within the label window.

    Spent are ``economics.contact_cost`` for each listing of the arm target that may be contacted and, where it is known
    what was carried out, was; and ``economics.offer_cost`` where its action is one that the playbook calls an offer.
    ``definition``: that by which outcomes are counted.
    """
    costs = config.economics
    if outcomes.empty or costs.contact_cost is None or costs.offer_cost is None:
        return outcomes
    offers = {code for code, action in load_playbook(config.playbook_path).actions.items() if action.is_offer}
    done = lists[(lists["arm"] == "target") & contactable_rows(lists)]
    if executions is not None:
        carried_out = executions.rename(columns={"list_as_of": "as_of"})[["customer_id", "as_of"]].drop_duplicates()
        done = done.merge(carried_out, on=["customer_id", "as_of"])
    price = costs.contact_cost + costs.offer_cost * done["action"].isin(offers)
    spent = done[["customer_id", "as_of"]].assign(spent=price.astype("float64")).sort_values("as_of", kind="stable")
    spent["spent"] = spent.groupby("customer_id")["spent"].cumsum()
    keys = outcomes[["customer_id", "as_of"]].assign(place=range(len(outcomes)))
    days = definition.window.end(0)
    # A list of the last day of the window falls into it, that of its end does not.
    total = _until(keys.assign(as_of=keys["as_of"] + pd.Timedelta(days=days)), spent) - _until(keys, spent)
    return outcomes.assign(net_value=outcomes["net_value"] - total.to_numpy())


def _until(keys: pd.DataFrame, spent: pd.DataFrame) -> pd.Series:
    """What was spent on each customer before a day, in the order of the outcomes."""
    ordered = keys.astype({"as_of": "datetime64[s]"}).sort_values("as_of", kind="stable")
    found = pd.merge_asof(
        ordered, spent.astype({"as_of": "datetime64[s]"}), on="as_of", by="customer_id", allow_exact_matches=False
    )
    return found.set_index("place")["spent"].fillna(0.0).sort_index()
