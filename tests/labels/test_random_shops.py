"""Every definition of churn, eligibility and value against brute force on the hostile shops."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from tests.features.shops import FIRST, LAST, Shop, random_shop
from tests.labels import oracle

from kizuna.data.store import Store
from kizuna.features.history import History
from kizuna.labels import inactivity
from kizuna.labels.definition import Definition
from kizuna.labels.outcome import Outcome
from kizuna.labels.value import value
from kizuna.timeline import LabelWindow

CASES = [(1, "full"), (2, "mixed"), (3, "lean"), (7, "full")]
WINDOWS = [(90, 0), (30, 14), (7, 0), (365, 30)]
DAYS = [FIRST + 250, FIRST + 300, FIRST + 301, FIRST + 500, LAST - 60, LAST + 30]
TRAIN_DAYS = [FIRST + 520, LAST + 90]

shops = pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[1]}-{c[0]}")
windows = pytest.mark.parametrize("window", WINDOWS, ids=lambda w: f"{w[0]}d-gap-{w[1]}")


@cache
def shop_of(case: tuple[int, str]) -> tuple[Shop, Store]:
    shop = random_shop(*case).only("customers", "purchases", "subscriptions")
    return shop, shop.project().opened


def definition(kind: str, window: tuple[int, int]) -> Definition:
    return Definition(kind, horizon_days=window[0], gap_days=window[1], active_within_days=120)


@shops
@pytest.mark.parametrize("kind", ["inactivity", "cancellation"])
def test_who_is_eligible(case: tuple[int, str], kind: str) -> None:
    shop, store = shop_of(case)
    found = definition(kind, (90, 0)).eligible(*oracle.every_row(store, DAYS))
    if kind == "inactivity":
        wanted = oracle.brute(shop, store, DAYS, lambda c, day: oracle.has_bought_lately(shop, c, day, 120))
    else:
        wanted = oracle.brute(shop, store, DAYS, lambda c, day: oracle.has_live_contract(shop, c, day))
    np.testing.assert_array_equal(found, wanted.astype(bool))
    assert 0 < found.sum() < len(found)


@shops
@windows
@pytest.mark.parametrize("train_day", TRAIN_DAYS)
@pytest.mark.parametrize("kind", ["inactivity", "cancellation"])
def test_who_churned(case: tuple[int, str], window: tuple[int, int], train_day: int, kind: str) -> None:
    shop, store = shop_of(case)
    found = definition(kind, window).churned(*oracle.every_row(store, DAYS), train_day)
    brute = oracle.fell_silent if kind == "inactivity" else oracle.cancelled
    label = LabelWindow(*window)
    wanted = oracle.brute(shop, store, DAYS, lambda c, day: brute(shop, c, day, label, train_day))
    np.testing.assert_array_equal(found, wanted)


@shops
@windows
@pytest.mark.parametrize("train_day", TRAIN_DAYS)
def test_what_they_were_worth(case: tuple[int, str], window: tuple[int, int], train_day: int) -> None:
    shop, store = shop_of(case)
    tables, rows = oracle.every_row(store, DAYS)
    events, label = tables["purchases"], LabelWindow(*window)
    found = value(History(events, rows, tables), Outcome(events, rows, label, train_day), 0.4)
    wanted = oracle.brute(shop, store, DAYS, lambda c, day: 0.4 * oracle.worth(shop, c, day, label, train_day))
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-6)


@shops
def test_the_day_of_training_cuts_what_is_known_of_an_outcome(case: tuple[int, str]) -> None:
    _, store = shop_of(case)
    tables, rows = oracle.every_row(store, DAYS)
    history = History(tables["purchases"], rows, tables)
    whole = LabelWindow(10_000, 0)
    late, early = (
        inactivity.churned(history, Outcome(tables["purchases"], rows, whole, day)) for day in (LAST + 90, FIRST)
    )
    assert early.all()
    assert not late.all()
