"""Lists of simulated shops, acted on, lived out and read: the measured effect against the truth of both lives."""

import numpy as np
import pandas as pd
import pytest
from tests.commands import kizuna
from tests.data.simulation.lists import listed_customers, write_list

from kizuna.data.simulate import continue_shop, simulate
from kizuna.experiment.listings import first_listings
from kizuna.experiment.reading import effect_of, with_outcomes

AS_OF = pd.Timestamp("2026-01-01")
pytestmark = pytest.mark.slow


def lived(folder, seed, customers=5000, days=700, size=400):
    """The true effects on the listed of one shop, with what was known of them on the list's day."""
    shop = folder / f"shop-{seed}"
    simulate(shop, customers, days, seed)
    listed = listed_customers(shop, AS_OF, size)
    write_list(folder / f"{seed}.csv", AS_OF, listed.index)
    continue_shop(shop, 1, folder / f"{seed}.csv")
    effects = pd.read_parquet(shop / "truth" / "effects.parquet")
    return effects.join(listed[["spent", "churn_probability"]], on="customer_id")


def test_two_hundred_drawings_of_ten_shops_hold_the_truth_as_often_as_promised(tmp_path):
    held, gains = {"net_value": 0, "kept": 0}, []
    for seed in range(1, 11):
        effects = lived(tmp_path, seed)
        truth = {
            "net_value": (effects["value_with_action"] - effects["value_without_action"]).mean(),
            "kept": effects["kept_with_action"].mean() - effects["kept_without_action"].mean(),
        }
        gains.append(truth["kept"])
        lists = effects.rename(columns={"spent": "cltv"}).assign(experiment="shop", as_of=AS_OF, contact_allowed=True)
        for draw in range(20):
            target = np.random.default_rng(100 * seed + draw).random(len(effects)) >= 0.2
            drawn = lists.assign(arm=np.where(target, "target", "control"))
            outcomes = drawn[["customer_id", "as_of"]].assign(
                kept=np.where(target, effects["kept_with_action"], effects["kept_without_action"]).astype(float),
                net_value=np.where(target, effects["value_with_action"], effects["value_without_action"]),
            )
            rows = with_outcomes(first_listings(drawn), outcomes)
            for outcome, true in truth.items():
                effect = effect_of(rows, outcome)
                held[outcome] += effect.low <= true <= effect.high
    print(held, np.mean(gains))
    assert all(184 <= count <= 196 for count in held.values()), held
    assert 0.03 <= np.mean(gains) <= 0.07  # of a rule's list, whose customers are less lost than a model's


def test_contacting_those_whom_the_model_lists_takes_three_to_five_points_off_churn(tmp_path):
    gains = []
    for seed in (1, 2, 3):
        shop = tmp_path / str(seed)
        assert kizuna("simulate", shop, "--customers", 6000, "--days", 1095, "--seed", seed)[0] == 0
        assert kizuna("train", shop / "config.yaml", "--set", "model.churn.estimator=lightgbm")[0] == 0
        sized = ("--set", "at_risk.size=300")
        assert kizuna("score", shop / "config.yaml", "--as-of", "2026-01-01", *sized)[0] == 0
        listed = shop / "exports" / "2026-01-01" / "at_risk.csv"
        assert kizuna("simulate", shop, "--continue", "--days", 7, "--actions", listed)[0] == 0
        contactable = pd.read_csv(listed).query("contact_allowed == True and arm != 'exempt'")["customer_id"]
        effects = pd.read_parquet(shop / "truth" / "effects.parquet")
        effects = effects[effects["customer_id"].isin(contactable)]
        gains.append(effects["kept_with_action"].mean() - effects["kept_without_action"].mean())
    assert 0.03 <= np.mean(gains) <= 0.05
