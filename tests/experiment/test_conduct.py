import numpy as np
import pandas as pd

from kizuna.experiment.conduct import conduct_proofs


def proven_drivers(rows):
    return {proof.driver for proof in conduct_proofs(rows) if proof.is_proven}


def experiment(stay, customers=900, seed=2):
    """Matured listings: ``stay`` gives by action the share that stays when left alone and when acted on."""
    draw = np.random.default_rng(seed)
    parts = []
    for action, (alone, acted) in stay.items():
        target = draw.random(customers) < 0.75
        kept = draw.random(customers) < np.where(target, acted, alone)
        parts.append(
            pd.DataFrame(
                {
                    "action": action,
                    "arm": np.where(target, "target", "control"),
                    "kept": kept.astype(float),
                    "cltv": draw.lognormal(9, 1, customers),
                    "churn_probability": draw.random(customers),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_a_driver_is_proven_once_its_remedy_keeps_customers():
    rows = experiment({"A01": (0.3, 0.45), "A04": (0.3, 0.3), "A12": (0.45, 0.3), "A08": (0.2, 0.6)})
    proofs = conduct_proofs(rows)
    assert [(proof.driver, proof.action, proof.is_proven) for proof in proofs] == [
        ("CONTACT_GAP", "A01", True),
        ("NO_THANKS", "A04", False),
        ("FATIGUE", "A12", False),
    ]
    assert proofs[0].low < proofs[0].effect.low
    assert proofs[2].effect.high < 0
    assert proven_drivers(rows) == {"CONTACT_GAP"}


def test_without_matured_listings_nothing_is_proven():
    rows = experiment({"A01": (0.3, 0.6)})
    assert proven_drivers(rows.assign(kept=np.nan)) == set()
    assert proven_drivers(rows.head(0)) == set()
    proof = conduct_proofs(rows.head(8))[0]
    assert (proof.effect, proof.low, proof.high, proof.is_proven) == (None, None, None, False)


def test_chance_seldom_proves_anything():
    same = {"A01": (0.35, 0.35), "A04": (0.35, 0.35), "A12": (0.35, 0.35)}
    proven = sum(bool(proven_drivers(experiment(same, 150, seed))) for seed in range(25))
    assert proven <= 3  # one side of 5 %: 0.6 of 25
