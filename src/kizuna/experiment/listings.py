"""Who counts in an experiment: each customer once, at the first listing while contactable, in target or control."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kizuna.errors import ContractError

NEEDED = ("experiment", "as_of", "customer_id", "arm", "action", "contact_allowed")
ARMS = ("target", "control")


@dataclass(frozen=True)
class Cohort:
    """``rows``: one row per experiment and customer who counts, sorted by experiment, as_of, customer.

    ``left_out``: listed rows that do not count, by reason: exempt, not_contactable, listed_before.
    """

    rows: pd.DataFrame
    left_out: dict[str, int]


def first_listings(lists: pd.DataFrame) -> Cohort:
    """The first listing of each customer while contactable, the same rule in both arms.

    ``lists``: rows of published lists with at least the columns ``NEEDED``; the arm target, control or exempt;
    contact_allowed true, false or null: unknown consent counts as contactable in both arms, as it does for the size of the
    list, whoever then asks the customer. Exempt rows are owed service
    and stand outside. ContractError: a column is missing, or a customer is twice on one list.
    """
    missing = [column for column in NEEDED if column not in lists]
    if missing:
        raise ContractError(
            f"The effect of lists needs the columns {', '.join(NEEDED)}; {', '.join(missing)} cannot be found. "
            "Read the lists with their manifests."
        )
    key = ["experiment", "as_of", "customer_id"]
    twice = int(lists.duplicated(key).sum())
    if twice:
        raise ContractError(
            f"A customer stands on a list once; {twice:,} of {len(lists):,} rows repeat one. "
            "Read one revision of each day."
        )
    ordered = lists.assign(as_of=pd.to_datetime(lists["as_of"])).sort_values(key, kind="stable", ignore_index=True)
    counted = ordered["arm"].isin(ARMS)
    contactable = contactable_rows(ordered)
    standing = ordered[counted & contactable]
    rows = standing.drop_duplicates(["experiment", "customer_id"]).reset_index(drop=True)
    left_out = {
        "exempt": int((~counted).sum()),
        "not_contactable": int((counted & ~contactable).sum()),
        "listed_before": len(standing) - len(rows),
    }
    return Cohort(rows, left_out)


def contactable_rows(lists: pd.DataFrame) -> pd.Series:
    """Whether each row may be contacted; where consent is unknown, it may."""
    return lists["contact_allowed"].astype("boolean").fillna(True).astype(bool)


def executed_shares(rows: pd.DataFrame, executions: pd.DataFrame) -> dict[str, float]:
    """The share of each arm's rows whose action was carried out, NaN for an arm without rows.

    ``executions``: customer_id and list_as_of of the messages that name a list. Effects are by the arm that was drawn,
    whatever was carried out (intention to treat): these shares say how far the two differ.
    """
    done = pd.MultiIndex.from_arrays(
        [executions["customer_id"].astype("str"), pd.to_datetime(executions["list_as_of"])]
    )
    mine = pd.MultiIndex.from_arrays([rows["customer_id"].astype("str"), pd.to_datetime(rows["as_of"])])
    carried_out = pd.Series(mine.isin(done), index=rows.index)
    return {arm: float(carried_out[rows["arm"] == arm].mean()) for arm in ARMS}
