from dataclasses import replace

import numpy as np
import pytest

from kizuna.data.simulation.acting import act_on_lists
from kizuna.data.simulation.campaign import Campaign
from kizuna.data.simulation.events import DAY_SECONDS, KINDS, NO_TIME, Log
from kizuna.data.simulation.outreach import CHANNELS, PURPOSES
from kizuna.data.simulation.state import contact_ratio

DAY = 100
NOON = DAY * DAY_SECONDS + 13 * 3600


@pytest.fixture
def act(quiet):
    """Ten customers get one action each, on a day on which nothing else happens; their types go round: sleeping dog first."""

    def done(action, arm=0, channel="email", log=None, parameters=None, **changed):
        world, state = quiet(**changed)
        if parameters is not None:
            world = replace(world, parameters=parameters)
        ten = np.ones(10, dtype=bool)
        campaign = Campaign(
            DAY, DAY, np.arange(10), ten * 0, ten * CHANNELS.index(channel), ten * arm, ten, ten, (action,)
        )
        log = log or Log()
        act_on_lists(replace(world, campaigns=(campaign,)), state, DAY, log)
        return world, state, log

    return done


MESSAGES = {
    ("A01", "email"): ("newsletter", "information", 1.0),
    ("A02", "phone"): ("apology", "recovery", 300.0),
    ("A04", "post"): ("thanks", "thanks", 120.0),
    ("A06", "line"): ("offer", "promotion", 3.0),
    ("A08", "sms"): ("follow_up", "service", 10.0),
    ("A11", "email"): ("review_request", "feedback", 1.0),
    ("A13", "phone"): ("call", "service", 300.0),
    ("A13", "email"): ("follow_up", "service", 1.0),
    ("X1", "email"): ("notice", "information", 1.0),
}


@pytest.mark.parametrize(("action", "channel"), MESSAGES)
def test_each_action_is_a_message_of_its_kind(act, action, channel):
    _, _, log = act(action, channel=channel)
    rows = log.rows("outreach")
    kind, purpose, cost = MESSAGES[action, channel]
    assert set(rows["kind"]) == {KINDS["outreach"].index(kind)}
    assert set(rows["purpose"]) == {PURPOSES.index(purpose)}
    assert (set(rows["cost"]), set(rows["occurred"]), set(rows["list_as_of"])) == ({cost}, {NOON}, {DAY * DAY_SECONDS})


def test_a_contact_acts_by_type_from_the_same_day_on(act):
    world, state, _ = act("A01", contacted=np.full(10, -500))
    np.testing.assert_allclose(
        contact_ratio(world.parameters, world.lives.response, state.contacted, DAY), [1.4, 1, 1, 0.4] * 2 + [1.4, 1]
    )
    assert (state.borrowed == 0).all()
    assert (state.coupon_until < 0).all()
    assert (state.mails_week == 1).all()


def test_only_an_incentive_brings_a_coupon_for_which_sure_things_hurry(act):
    world, state, _ = act("A06")
    assert (state.coupon_until == DAY - 1 + 30).all()
    sure = world.lives.response == 2
    np.testing.assert_allclose(state.borrowed, np.where(sure, 10 * world.lives.pace, 0))


def test_thanks_follow_ups_and_the_right_language_are_remembered(act):
    assert (act("A04")[1].thanked == DAY).all()
    assert act("A08")[1].followed_up.all()
    world, state, log = act("A09", wrong_language=np.ones(10, dtype=bool))
    assert not state.wrong_language.any()
    np.testing.assert_array_equal(log.rows("outreach")["language"], world.lives.language)


def test_owed_service_settles_complaints_and_persuades_nobody(act):
    log = Log()
    asked = (DAY - 20) * DAY_SECONDS
    waiting = NOON + 40 * DAY_SECONDS
    log.add(
        "complaints",
        np.array([0, 1, 2]),
        np.array([asked, asked, NOON + DAY_SECONDS]),
        kind=0,
        first_response=np.array([asked + 60, waiting, waiting]),
        resolved=np.array([asked + 3600, waiting, waiting]),
    )
    _, state, log = act(
        "A02",
        arm=2,
        channel="phone",
        log=log,
        contacted=np.full(10, -500),
        complaint_from=[DAY - 20] * 2 + [DAY + 1] + [-500] * 7,
        complaint_until=[DAY - 19, DAY + 40, DAY + 40] + [-500] * 7,
    )
    rows = log.rows("complaints")
    assert rows["resolved"][0] == asked + 3600
    assert NOON < rows["resolved"][1] < NOON + 3 * DAY_SECONDS
    assert rows["first_response"].tolist() == [asked + 60, NOON, waiting]
    assert rows["resolved"][2] == waiting
    assert DAY < state.complaint_until[1] <= DAY + 3
    assert state.complaint_until[[0, 2]].tolist() == [DAY - 19, DAY + 40]
    assert (state.contacted == -500).all()


def test_owed_answers_are_given(act):
    log = Log()
    asked = (DAY - 20) * DAY_SECONDS
    log.add(
        "surveys",
        np.arange(4),
        np.full(4, asked),
        kind=np.array([0, 0, 2, 0]),
        score=np.array([3, 9, np.nan, 2]),
        followed_up=np.array([NO_TIME, NO_TIME, NOON + DAY_SECONDS, asked + 60]),
    )
    _, state, log = act(
        "A03", arm=2, log=log, unanswered_from=np.full(10, DAY - 6), unanswered_until=np.full(10, DAY + 80)
    )
    assert log.rows("surveys")["followed_up"].tolist() == [NOON, NO_TIME, NOON, asked + 60]
    assert (state.unanswered_until == DAY + 1).all()


def test_service_changes_nothing_where_effects_are_switched_off(act, shop):
    still = replace(shop.world.parameters, responses=replace(shop.world.parameters.responses, service_helps=False))
    _, state, _ = act("A03", parameters=still, unanswered_until=np.full(10, DAY + 80))
    assert (state.unanswered_until == DAY + 80).all()
