"""What the list says of a customer beside the model."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from tests.features.small import everyone, project_of, table

from kizuna.features.context import Pauses, context_columns, context_frame
from kizuna.features.frame import selected_rows
from kizuna.timeline import day_of

DAY = day_of(date(2025, 3, 1))


def context_of(**tables: pd.DataFrame) -> pd.DataFrame:
    store = project_of(tables).opened
    block = store.block(0, store.customers)
    rows = selected_rows(block, [DAY], everyone)
    columns = context_columns(block.tables, rows, Pauses(("offer", "call")))
    return context_frame(block.ids()[rows.customer], columns).set_index("customer_id")


PURCHASES = table("customer_id occurred_at amount", "a 2025-02-01 5", "b 2025-02-28 5", "c 2025-03-01 5")


def test_the_last_purchase_and_the_days_since() -> None:
    context = context_of(purchases=PURCHASES)
    assert context["days_since_purchase"].fillna(-1).to_dict() == {"a": 28, "b": 1, "c": -1}
    assert context["last_purchase"].tolist()[:2] == [pd.Timestamp("2025-02-01"), pd.Timestamp("2025-02-28")]
    assert pd.isna(context.loc["c", "last_purchase"])


def test_outreach_of_pause_kinds_pauses_unless_it_came_from_a_list() -> None:
    outreach = table(
        "customer_id occurred_at kind list_as_of bounced",
        "a 2025-02-10 Offer - -",
        "a 2025-02-20 newsletter - no",
        "a 2025-02-25 offer - yes",
        "b 2025-02-10 offer 2025-02-09 -",
        "b 2025-03-01 call - -",
        "c 2025-02-27 call - no",
    )
    context = context_of(purchases=PURCHASES, outreach=outreach)
    assert context["days_since_pause_contact"].fillna(-1).to_dict() == {"a": 19, "b": -1, "c": 2}


def test_market_language_and_consent_are_those_in_force() -> None:
    customers = table(
        "customer_id valid_from market language consent_email",
        "a 2024-01-01 JP ja yes",
        "a 2025-02-01 US en no",
        "b 2025-03-01 JP ja yes",
        "c 2025-01-01 - ja -",
    )
    context = context_of(purchases=PURCHASES, customers=customers)
    assert context["market"].fillna("?").to_dict() == {"a": "US", "b": "?", "c": "?"}
    assert context["language"].fillna("?").to_dict() == {"a": "en", "b": "?", "c": "ja"}
    assert context["consent_email"].fillna(-1).to_dict() == {"a": 0, "b": -1, "c": -1}


def test_a_suppression_is_in_force_from_its_day_until_its_end() -> None:
    suppressions = table(
        "customer_id from until reason",
        "a 2025-03-01 - staff",
        "b 2025-02-01 2025-03-01 test",
        "c 2025-03-02 - legal",
        "c 2025-01-01 2025-06-01 reseller",
        "c - - -",
    )
    context = context_of(purchases=PURCHASES, suppressions=suppressions)
    assert context["suppressed_reason"].fillna("").to_dict() == {"a": "staff", "b": "", "c": "reseller"}


def test_a_shop_may_have_nobody_to_suppress() -> None:
    nobody = PURCHASES.iloc[:0].rename(columns={"occurred_at": "from"})[["customer_id", "from"]]
    context = context_of(purchases=PURCHASES, suppressions=nobody)
    assert context["suppressed_reason"].isna().all()


def test_figures_have_windows_of_their_own() -> None:
    context = context_of(purchases=PURCHASES)
    assert context["orders_365d"].tolist() == [1, 1, 0]
    assert context["revenue_365d"].tolist() == [5, 5, 0]
    assert np.isnan(context["overdue_ratio"]).all()
