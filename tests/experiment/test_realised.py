import numpy as np
import pandas as pd
import pytest

from kizuna.errors import ContractError
from kizuna.experiment.realised import realised_quality, untreated_weights

SHARE = 0.25


def scored(*rows):
    columns = ["arm", "is_listed", "ever_listed", "churn_probability", "churned"]
    return pd.DataFrame(list(rows), columns=columns)


def test_controls_stand_for_targets_who_are_left_out_as_the_served_are():
    frame = scored(
        ("target", True, True, 0.8, 0),
        ("target", True, True, 0.8, 0),
        ("target", True, True, 0.8, 0),
        ("control", True, True, 0.8, 1),
        ("control", False, True, 0.6, 1),
        ("exempt", True, True, 0.9, 1),
        ("target", False, False, 0.2, 0),
        ("control", False, False, 0.2, 1),
    )
    assert untreated_weights(frame["arm"], frame["ever_listed"], SHARE).tolist() == [0, 0, 0, 4, 4, 0, 1, 1]
    found = realised_quality(frame, SHARE)
    assert (found.rows, found.listed_rows, found.left_out) == (4, 1, {"target": 3, "exempt": 1})
    assert found.precision.estimate == 1.0
    assert found.predicted == 0.8
    assert found.base_rate == pytest.approx(9 / 10)
    assert found.lift.estimate == pytest.approx(10 / 9)
    assert found.level_gap.estimate == pytest.approx((4 * 0.8 + 4 * 0.6 + 2 * 0.2) / 10 - 0.9)
    assert found.bins["customers"].sum() == pytest.approx(10)


def test_a_row_that_represents_three_counts_as_three():
    rows = [
        *[("control", True, True, 0.8, 1), ("control", True, True, 0.7, 0), ("target", True, True, 0.9, 1)],
        *[("control", False, True, 0.6, 1), ("target", False, False, 0.3, 0), ("control", False, False, 0.2, 1)],
    ]
    drawn = scored(*rows).assign(represents=[1, 1, 1, 3, 3, 3])
    everybody = scored(*rows[:3], *[row for row in rows[3:] for _ in range(3)])
    found, expected = realised_quality(drawn, SHARE), realised_quality(everybody, SHARE)
    for name in ("base_rate", "auc", "predicted"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name))
    for name in ("precision", "lift", "level_gap"):
        assert getattr(found, name).estimate == pytest.approx(getattr(expected, name).estimate)
    # Three who were drawn as one say less than three.
    assert found.level_gap.high - found.level_gap.low > expected.level_gap.high - expected.level_gap.low


def shop(seed, customers=4000, saved=0.3):
    """A calibrated model whose list was acted on: of the contacted, a share of the leaving stayed."""
    draw = np.random.default_rng(seed)
    p = draw.beta(2, 3, customers)
    churned = draw.random(customers) < p
    listed = p >= np.quantile(p, 0.8)
    before = (p >= np.quantile(p, 0.7)) & ~listed
    arm = np.where(draw.random(customers) < SHARE, "control", "target")
    treated = (listed | before) & (arm == "target")
    seen = churned & ~(treated & (draw.random(customers) < saved))
    frame = pd.DataFrame({"arm": arm, "is_listed": listed, "ever_listed": listed | before, "churn_probability": p})
    return frame.assign(churned=seen.astype(float)), churned, p


def test_what_a_list_changed_does_not_spoil_what_is_said_of_the_model():
    errors, held = [], {"precision": 0, "lift": 0, "level": 0}
    for seed in range(100):
        frame, churned, p = shop(seed)
        listed = frame["is_listed"].to_numpy()
        found = realised_quality(frame, SHARE)
        errors.append([found.precision.estimate - p[listed].mean(), found.base_rate - p.mean()])
        held["precision"] += found.precision.low <= p[listed].mean() <= found.precision.high
        held["lift"] += found.lift.low <= p[listed].mean() / p.mean() <= found.lift.high
        held["level"] += found.level_gap.low <= 0 <= found.level_gap.high
    assert np.abs(np.mean(errors, axis=0)).max() < 0.006
    assert all(88 <= count <= 100 for count in held.values()), held
    frame, churned, _ = shop(3)
    naive = frame.loc[frame["is_listed"], "churned"].mean()
    assert naive < churned[frame["is_listed"]].mean() - 0.1


def test_bins_hold_a_calibrated_model():
    found = realised_quality(shop(5, 20_000)[0], SHARE)
    bins = found.bins
    assert bins["bin"].tolist() == list(range(1, 11))
    np.testing.assert_allclose(bins["customers"], bins["customers"].sum() / 10, rtol=0.05)
    assert (
        (bins["observed_low"] <= bins["predicted_mean"]) & (bins["predicted_mean"] <= bins["observed_high"])
    ).sum() >= 8
    assert 0.6 < found.auc < 0.85


def test_a_first_list_that_nobody_has_treated_yet_needs_no_weights():
    frame = shop(1)[0].assign(ever_listed=False, is_listed=False)
    found = realised_quality(frame, 0.0)
    assert found.rows == 4000
    assert np.isnan([found.precision.estimate, found.lift.estimate, found.predicted]).all()


def test_lists_without_a_control_arm_say_nothing_of_the_model():
    with pytest.raises(ContractError) as caught:
        realised_quality(shop(1)[0], 0.0)
    assert str(caught.value) == (
        "Realised quality needs the columns churn_probability, arm, is_listed, ever_listed, churned and a control share "
        "between 0 and 1; no column cannot be found, and the control share is 0."
    )
