from dataclasses import replace

import numpy as np
import pytest

from kizuna.data.simulation.parameters import Parameters, Ratios
from kizuna.data.simulation.state import hazard_ratio

DAY = 100
# The first customer alone is touched; sleeping dog, lost cause, sure thing, persuadable, and round again.
CASES = {
    "nothing": ({}, 1.0),
    "complaint opened today": ({"complaint_from": 100, "complaint_until": 140}, 2.0),
    "complaint of day 3": ({"complaint_from": 97, "complaint_until": 140}, 2.0),
    "complaint of day 5": ({"complaint_from": 95, "complaint_until": 140}, 2.0 * 1.06**2),
    "complaint of day 40": ({"complaint_from": 60, "complaint_until": 140}, 4.0),
    "complaint resolved yesterday": ({"complaint_from": 60, "complaint_until": 100}, 1.0),
    "complaint of tomorrow": ({"complaint_from": 101, "complaint_until": 140}, 1.0),
    "late delivery": ({"late_from": 90, "late_until": 150}, 1.5),
    "late delivery long ago": ({"late_from": 30, "late_until": 90}, 1.0),
    "silent for 59 days": ({"last_outreach": 41}, 1.0),
    "silent for 60 days": ({"last_outreach": 40}, 1.3),
    "three mails": ({"mails_week": 3}, 1.0),
    "four mails": ({"mails_week": 4}, 1.25),
    "feedback unanswered": ({"unanswered_from": 80, "unanswered_until": 170}, 1.4),
    "reward far away": ({"far_reward": True}, 1.15),
    "wrong language": ({"wrong_language": True}, 1.2),
    "thanked": ({"thanked": 11}, 0.85),
    "thanked 90 days ago": ({"thanked": 10}, 1.0),
    "redeemed": ({"redeemed": 11}, 0.8),
    "redeemed 90 days ago": ({"redeemed": 10}, 1.0),
    "sleeping dog contacted": ({"contacted": 41}, 1.4),
    "sleeping dog contacted 60 days ago": ({"contacted": 40}, 1.0),
    "late and silent": ({"late_from": 90, "late_until": 150, "last_outreach": 0}, 1.5 * 1.3),
}


@pytest.mark.parametrize(("changed", "ratio"), CASES.values(), ids=CASES)
def test_each_circumstance_multiplies_the_hazard(quiet, changed, ratio):
    world, state = quiet()
    for name, value in changed.items():
        getattr(state, name)[0] = value
    ratios = hazard_ratio(world.parameters, world.lives, state, DAY)
    np.testing.assert_allclose(ratios, [ratio] + [1.0] * 9)


def test_a_contact_acts_by_response_type(quiet):
    world, state = quiet(contacted=np.full(10, 99))
    expected = [1.4, 1.0, 1.0, 0.4] * 2 + [1.4, 1.0]
    np.testing.assert_allclose(hazard_ratio(world.parameters, world.lives, state, DAY), expected)


def test_the_product_is_clipped(quiet):
    world, state = quiet(
        contacted=np.full(10, 99),
        thanked=[99] * 5 + [-999] * 5,
        complaint_from=[-999] * 5 + [0] * 5,
        complaint_until=[0] * 5 + [200] * 5,
        late_from=[-999] * 5 + [90] * 5,
        late_until=[0] * 5 + [150] * 5,
    )
    ratios = hazard_ratio(world.parameters, world.lives, state, DAY)
    np.testing.assert_allclose(ratios[:4], [1.4 * 0.85, 0.85, 0.85, 0.4])
    np.testing.assert_allclose(ratios[5:], [6.0, 6.0, 2.4, 6.0, 6.0])
    narrow = replace(Parameters(), ratios=Ratios(lowest=0.9, highest=1.1))
    assert set(hazard_ratio(narrow, world.lives, state, DAY)) == {0.9, 1.1}
