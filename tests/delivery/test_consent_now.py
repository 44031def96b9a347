from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
import yaml

from kizuna.config_exports import DatabaseExport, DestinationExport
from kizuna.config_file import parse_config
from kizuna.delivery.consent_now import consent_now, refused_since
from kizuna.project import Project

TODAY = date(2026, 1, 7)
MONDAY = date(2026, 1, 5)
CRM = DestinationExport(to="destination", columns={"Nr": "customer_id"})
BY_MAIL = CRM.model_copy(update={"channels": ["email"]})
DATABASE = DatabaseExport(to="database", uri="postgresql://there")


def refused(asked: Any, missing: str = "refuse", as_of: date = MONDAY, **tables: pd.DataFrame) -> set[str]:
    """Who of the customers of the table, and of one that is not in it, may not be contacted any more on TODAY."""
    config = parse_config({"name": "shop", "data": {"tables": yaml.safe_load("{customers: {}, suppressions: {}}")}})
    tables = {"suppressions": pd.DataFrame({"customer_id": ["z"], "from": ["2020-01-01"]})} | tables
    now = consent_now(Project(config, tables, today=TODAY).opened, as_of)
    return refused_since([*tables["customers"]["customer_id"].unique(), "gone"], now, asked, missing)


def customers(**answers: list[Any]) -> pd.DataFrame:
    size = len(next(iter(answers.values())))
    columns = {name: pd.array(values, dtype="Int64") for name, values in answers.items()}
    return pd.DataFrame({"customer_id": list("abcdefg"[:size]), **columns})


def test_a_refusal_counts_and_who_is_gone_is_gone() -> None:
    assert refused(CRM, customers=customers(consent=[1, 0, None])) == {"b", "c", "gone"}
    assert refused(CRM, "allow", customers=customers(consent=[1, 0, None])) == {"b", "gone"}
    # In a database, who is unknown stays unknown.
    assert refused(DATABASE, customers=customers(consent=[1, 0, None])) == {"b", "gone"}


def test_a_refusal_of_the_channel_counts() -> None:
    asked = customers(consent_email=[1, 0, 0], consent_phone=[0, 1, 0])
    assert refused(BY_MAIL, customers=asked) == {"b", "c", "gone"}
    assert refused(CRM, customers=asked) == {"c", "gone"}


@pytest.mark.parametrize(("day", "out"), [("2026-01-07", True), ("2026-01-08", False)])
def test_what_is_dated_today_counts_and_what_is_dated_later_does_not(day: str, out: bool) -> None:
    dated = pd.DataFrame({"customer_id": ["a", "a"], "consent": [1, 0], "valid_from": ["2025-01-01", day]})
    assert refused(CRM, customers=dated) == {"gone", *(["a"] if out else [])}
    # A list of a later day knows what was said before it, wherever the clock stands.
    assert refused(CRM, customers=dated, as_of=date(2026, 1, 9)) == {"gone", "a"}


def test_suppressed_since() -> None:
    out = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "from": ["2026-01-06", "2025-01-01"],
            "until": [None, "2025-06-01"],
            "reason": "legal",
        }
    )
    assert refused(CRM, customers=customers(consent=[1, 1]), suppressions=out) == {"a", "gone"}
    assert refused(BY_MAIL, customers=customers(consent=[1, 1]), suppressions=out) == {"a", "gone"}
    assert refused(DATABASE, customers=customers(consent=[1, 1]), suppressions=out) == {"a", "gone"}


def test_a_shop_that_asks_nobody() -> None:
    assert refused(CRM, "allow", customers=pd.DataFrame({"customer_id": ["a"]})) == {"gone"}
    assert refused(CRM, customers=pd.DataFrame({"customer_id": ["a"]})) == {"a", "gone"}
