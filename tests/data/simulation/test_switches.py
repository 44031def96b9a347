from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from kizuna.data.simulate import simulate
from kizuna.data.simulation.events import Log
from kizuna.data.simulation.outreach import persuade
from kizuna.data.simulation.step import step


def test_without_effects_a_contact_changes_no_life(live_until, young):
    shop = live_until(1200, 100, replace(young, effects="none"))
    worlds = []
    for contacted in (False, True):
        state = shop.copy()
        for day in range(100, 220):
            if contacted and day % 20 == 0:
                persuade(shop.world, state, day, np.arange(1200))
            step(shop.world, state, day, Log())
        worlds.append(state)
    for name in ("orders", "last_order", "left", "fading", "clock", "opted_in"):
        np.testing.assert_array_equal(getattr(worlds[0], name), getattr(worlds[1], name))


def test_with_effects_only_the_contacted_change(live_until, young):
    shop = live_until(1200, 100, young)
    worlds = []
    for contacted in (False, True):
        state = shop.copy()
        if contacted:
            persuade(shop.world, state, 99, np.arange(300))
        for day in range(100, 190):
            step(shop.world, state, day, Log())
        worlds.append(state)
    np.testing.assert_array_equal(worlds[0].orders[300:], worlds[1].orders[300:])
    assert (worlds[0].orders[:300] != worlds[1].orders[:300]).any()


def test_without_effects_the_truth_of_a_contact_is_that_of_none(tmp_path, young):
    simulate(tmp_path, 400, 150, parameters=replace(young, effects="none"))
    months = pd.read_parquet(tmp_path / "truth" / "months.parquet")
    assert (months["p_churn"] == months["p_churn_if_contacted"]).all()
    assert months["p_churn"].between(0.01, 0.99).any()


def test_without_signal_the_past_tells_nothing(tmp_path, young):
    simulate(tmp_path, 6000, 400, parameters=replace(young, signal="none"))
    as_of = pd.Timestamp("2025-10-02")
    bought = pd.read_parquet(tmp_path / "purchases.parquet").query("not is_return")
    past = bought[bought["occurred_at"] < as_of].groupby("customer_id")["occurred_at"].agg(["max", "min", "size"])
    past = past[past["max"] >= as_of - pd.Timedelta(days=180)]
    churned = ~past.index.isin(bought.loc[bought["occurred_at"] >= as_of, "customer_id"])
    width = 3.5 * np.sqrt(1 / 12 / len(past) / (churned.mean() * (1 - churned.mean())))
    for column in ("max", "min", "size"):
        rank = past[column].rank()
        assert roc_auc_score(churned, rank) == pytest.approx(0.5, abs=width)
    assert 0.40 <= churned.mean() <= 0.52
    truth = pd.read_parquet(tmp_path / "truth" / "months.parquet")
    assert truth.groupby("as_of")["p_churn"].std().max() < 1e-9


def test_dirt_is_what_was_asked_for(tmp_path, young):
    clean, dirty = tmp_path / "clean", tmp_path / "dirty"
    simulate(clean, 400, 120, parameters=young)
    simulate(dirty, 400, 120, parameters=replace(young, dirty=True))
    before, after = (pd.read_parquet(folder / "purchases.parquet") for folder in (clean, dirty))
    assert after["occurred_at"].str.match(r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d$").all()
    assert after["occurred_at"].str.contains("/").mean() == pytest.approx(0.3, abs=0.05)
    assert after["customer_id"].isna().sum() > 0
    assert after["customer_id"].dropna().str.startswith("TEST").sum() >= 150
    assert after.duplicated(["order_id", "occurred_at", "amount", "product_id"]).sum() > 0
    times = pd.to_datetime(after["occurred_at"].str.replace("/", "-"), format="ISO8601")
    assert ((after["known_at"] - times).dt.days > 10).sum() > 0
    assert len(after) > len(before)
    seen = pd.read_parquet(dirty / "engagement.parquet")
    assert 0 < seen["customer_id"].isna().mean() < 0.01
    for name in ("customers", "complaints", "outreach", "surveys", "loyalty", "referrals", "subscriptions"):
        assert (clean / f"{name}.parquet").read_bytes() == (dirty / f"{name}.parquet").read_bytes()
