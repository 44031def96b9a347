"""What is done for whom: each rule by hand, what no playbook can overrule, and what a wrong file is told."""

from __future__ import annotations

import copy
from datetime import date, timedelta

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.errors import ConfigError
from kizuna.experiment.conduct import REMEDIES
from kizuna.explain.facts import CODES, OWED_SERVICE
from kizuna.explain.reasons import NEVER_A_REASON, OUR_CONDUCT
from kizuna.explain.wording import load_wording
from kizuna.playbook import BANDS, OWED, STAGES, load_playbook, parse_playbook, plan_actions
from kizuna.playbook.calendar import Calendar

BUILTIN = load_playbook()
DAY = pd.Timestamp("2026-01-05")
ROW = {
    "as_of": DAY,
    "list_rank": 50,
    "customer_id": "007",
    "facts": None,
    "reason_1": None,
    "reason_2": None,
    "reason_3": None,
    "risk_band": "medium",
    "lifecycle_stage": "regular",
    "weeks_on_list": 1,
    "expected_next_purchase": pd.NaT,
    "arm": "target",
}


def plan(playbook=BUILTIN, told_in="en", consent=None, save_rate=None, **changes):
    """The planned row of one customer among a hundred listed."""
    listed = pd.DataFrame([{**ROW, **changes}] + [{**ROW, "customer_id": f"c{k}"} for k in range(99)])
    context = pd.DataFrame([{"customer_id": "007", **(consent or {})}])
    return plan_actions(listed, context, playbook, told_in, save_rate).iloc[0]


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, "A01"),
        ({"facts": "OPEN_COMPLAINT;UNANSWERED_FEEDBACK;LATE_DELIVERY_90D", "reason_1": "RECENCY"}, "A02"),
        ({"facts": "UNANSWERED_FEEDBACK;LATE_DELIVERY_90D"}, "A03"),
        ({"facts": "NOTICE_GIVEN;DETRACTOR"}, "A15"),
        ({"facts": "DETRACTOR"}, "A03"),
        ({"facts": "DETRACTOR", "list_rank": 20, "consent": {"consent_phone": 1}}, "A13"),
        ({"facts": "LATE_DELIVERY_90D", "reason_1": "RECENCY"}, "A08"),
        ({"facts": "LANG_MISMATCH"}, "A09"),
        ({"risk_band": "high", "list_rank": 10, "consent": {"consent": 1}}, "A13"),
        ({"risk_band": "high", "list_rank": 11, "consent": {"consent": 1}}, "A01"),
        ({"risk_band": "high", "list_rank": 10, "consent": {"consent_email": 1}}, "A01"),
        ({"facts": "POINTS_EXPIRE_30D"}, "A05"),
        ({"facts": "NO_THANKS_180D", "lifecycle_stage": "loyal"}, "A04"),
        ({"facts": "NO_THANKS_180D", "lifecycle_stage": "second"}, "A01"),
        ({"facts": "ONE_TIME_BUYER", "days_since_purchase": 45}, "A08"),
        # How it was is not asked after months.
        ({"facts": "ONE_TIME_BUYER", "days_since_purchase": 46, "reason_1": "ONE_TIME"}, "A07"),
        ({"facts": "ONE_TIME_BUYER"}, "A01"),
        ({"facts": "CONTACT_GAP_60D", "reason_1": "SPEND_DOWN"}, "A01"),
        ({"facts": "DISCOUNT_DEPENDENT"}, "A07"),
        ({"facts": "PROMOTER", "risk_band": "low"}, "A11"),
        ({"facts": "PROMOTER", "risk_band": "medium"}, "A01"),
        ({"reason_1": "SERVICE_SLOW"}, "A08"),
        ({"reason_1": "NPS_LOW"}, "A03"),
        ({"reason_1": "FIRST_EXPERIENCE", "lifecycle_stage": "second"}, "A08"),
        ({"reason_1": "FIRST_EXPERIENCE"}, "A01"),
        ({"reason_1": "PRICE"}, "A14"),
        ({"reason_1": "COMMUNITY"}, "A10"),
        ({"reason_1": "LOYALTY_INACTIVE", "reason_2": "RECENCY"}, "A05"),
        ({"reason_1": "RECENCY"}, "A14"),
        ({"reason_1": "RECENCY", "lifecycle_stage": "lapsing"}, "A07"),
        ({"reason_1": "RECENCY", "weeks_on_list": 5}, "A06"),
        ({"reason_1": "RECENCY", "weeks_on_list": 5, "facts": "DISCOUNT_DEPENDENT"}, "A07"),
        ({"reason_1": "ENGAGE_DOWN", "facts": "CONTACTED_7D"}, "A12"),
        ({"reason_1": "ENGAGE_DOWN", "lifecycle_stage": "loyal"}, "A10"),
        # Named only once their remedy has been shown to act.
        ({"reason_1": "CONTACT_GAP"}, "A01"),
        ({"reason_1": "NO_THANKS"}, "A04"),
        ({"reason_1": "FATIGUE"}, "A12"),
        ({"reason_1": "CONTRACT", "consent": {"consent_phone": 1}}, "A13"),
        # SUPPLIED names no rule: the second reason decides.
        ({"reason_1": "SUPPLIED", "reason_2": "LANG_MISMATCH"}, "A09"),
        ({"reason_1": "SUPPLIED", "lifecycle_stage": None}, "A01"),
        ({"reason_1": "RECENCY", "arm": "control"}, "A14"),
    ],
)
def test_who_gets_what(changes, action):
    assert plan(**changes)["action"] == action


def test_every_action_of_the_builtin_playbook_can_be_reached():
    rules = (*BUILTIN.by_fact, *BUILTIN.by_reason)
    assert {rule.action for rule in rules} | set(OWED.values()) | {BUILTIN.otherwise} == set(BUILTIN.actions)
    remedies = {driver: rule.action for rule in BUILTIN.by_reason for driver in rule.reasons if driver in OUR_CONDUCT}
    assert remedies == REMEDIES
    assert sorted(BUILTIN.actions) == [f"A{k:02d}" for k in range(1, 16)]


def test_exempt_rows_are_those_that_the_playbook_cannot_overrule():
    assert tuple(OWED) == OWED_SERVICE
    assert list(OWED.values()) == ["A02", "A03", "A15"]


def test_texts_word_for_word():
    complaint = {"facts": "OPEN_COMPLAINT"}
    english = "Apologise and solve the complaint first; no marketing until then"
    assert plan(**complaint)["action_text"] == english
    assert plan(**complaint, told_in="ja")["action_text"] == "まずお詫びし苦情を解決する(解決まで販促はしない)"
    for action in BUILTIN.actions.values():
        assert all(0 < len(text.encode()) <= 255 for text in action.text.values())


@pytest.mark.parametrize(
    ("consent", "facts", "channel"),
    [
        ({"consent_email": 1, "consent_phone": 1}, None, "email"),
        ({"consent_email": 1, "consent_phone": 1}, "OPEN_COMPLAINT", "phone"),
        ({"consent_email": 0, "consent_post": 1}, None, "post"),
        ({"consent": 1}, None, "email"),
        ({"consent": 0, "consent_email": 1}, None, None),
        ({}, None, None),
    ],
)
def test_channel_is_the_first_consented_one_that_suits_the_action(consent, facts, channel):
    found = plan(consent=consent, facts=facts)["channel"]
    assert (None if pd.isna(found) else found) == channel


@pytest.mark.parametrize(
    ("expected", "expire_in_days", "act_by"),
    [
        (None, None, "2026-01-12"),  # neither is known: the action's own seven days
        ("2026-01-08", None, "2026-01-08"),
        ("2026-01-08", 2.0, "2026-01-07"),
        ("2026-01-08", 29.0, "2026-01-08"),
        ("2026-06-30", 29.0, "2026-01-12"),
        (None, 0.0, "2026-01-05"),
        ("2026-01-05", 9.0, "2026-01-05"),
        ("2025-12-31", float("nan"), "2026-01-05"),  # never before the list's own day
    ],
)
def test_act_by_is_the_first_of_next_purchase_expiry_and_the_action_s_time(expected, expire_in_days, act_by):
    beside = {} if expire_in_days is None else {"points_expire_in_days": expire_in_days}
    row = plan(expected_next_purchase=pd.Timestamp(expected) if expected else pd.NaT, consent=beside)
    assert row["act_by"] == pd.Timestamp(act_by)


RULES = yaml.safe_load(
    """
    - {action: A06, markets: [JP, 'NO'], languages: [JA], min_value_at_risk: 1000}
    - {action: A03, languages: [en]}
    - {action: A11, markets: [US], text: {en: Ask her friends, ja: ご友人に}}
    """
)


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({"market": "JP", "language": "ja", "value_at_risk": 1000.0}, "A06"),
        ({"market": "no ", "language": "JA", "value_at_risk": 1000.0}, "A06"),
        ({"market": "JP", "language": "ja", "value_at_risk": 999.0}, "A01"),
        ({"market": "JP", "language": "ja", "value_at_risk": float("nan")}, "A01"),
        ({"market": "JP", "language": None, "value_at_risk": 5000.0}, "A01"),
        ({"market": None, "language": "EN"}, "A03"),
        ({"market": "US", "language": "fr"}, "A11"),
        ({}, "A01"),
    ],
)
def test_market_language_and_value(changes, action):
    row = plan(parse_playbook(tree(by_fact=RULES, otherwise="A01")), **changes)
    assert row["action"] == action
    assert row["action_text"] == ("Ask her friends" if action == "A11" else action)


def test_what_an_offer_may_cost_at_most():
    offers = parse_playbook(tree())

    def most(playbook, save_rate, **changes):
        return plan(playbook, save_rate=save_rate, **changes)["offer_max_cost"]

    assert most(offers, 0.1, value_at_risk=12345.6) == 1234.56
    assert most(offers, 0.1, value_at_risk=-5.0) == 0.0
    assert pd.isna(most(offers, None, value_at_risk=12345.6))
    assert pd.isna(most(offers, 0.1, value_at_risk=float("nan")))
    assert pd.isna(most(BUILTIN, 0.1, value_at_risk=12345.6))
    given = copy.deepcopy(TREE["actions"])
    given["A01"]["offer"] = True
    assert most(parse_playbook(tree(actions=given, otherwise="A01")), 0.5, value_at_risk=10.0) == 5.0


CALENDAR = yaml.safe_load(
    """
    default: {working_days: [mon, tue, wed, thu, fri], call_hours: '09:00-17:00'}
    JP: {working_days: [mon, tue, wed, thu, fri, sat], holidays: [2026-01-12, '01-10'], call_hours: null}
    """
)


@pytest.mark.parametrize(
    ("market", "as_of", "days", "act_by"),
    [
        ("US", "2026-01-05", 7, "2026-01-12"),
        (None, "2026-01-05", 6, "2026-01-09"),  # Sunday: the Friday before
        ("jp", "2026-01-05", 7, "2026-01-09"),  # a holiday on Monday, Sunday, a yearly holiday on Saturday
        ("JP", "2027-01-04", 6, "2027-01-09"),  # the Sunday before; that of 2026 is over
        (
            "US",
            "2026-01-10",
            1,
            "2026-01-12",
        ),  # nobody works from Saturday to Sunday: the next day on which somebody does
    ],
)
def test_act_by_is_a_working_day_of_the_market(market, as_of, days, act_by):
    given = copy.deepcopy(TREE["actions"])
    given["A01"]["within_days"] = days
    playbook = parse_playbook(tree(actions=given, otherwise="A01", calendar=CALENDAR))
    row = plan(playbook, market=market, as_of=pd.Timestamp(as_of))
    assert row["act_by"] == pd.Timestamp(act_by)


def test_calls_only_where_and_when_the_calendar_allows_them():
    given = copy.deepcopy(TREE["actions"])
    given["A01"]["channels"] = ["phone", "email"]
    playbook = parse_playbook(tree(actions=given, otherwise="A01", calendar=CALENDAR))
    agreed = {"consent": 1}
    in_america, in_japan = (plan(playbook, market=market, consent=agreed) for market in ("US", "JP"))
    assert (in_america["channel"], in_america["call_hours"]) == ("phone", "09:00-17:00")
    assert in_japan["channel"] == "email"
    assert pd.isna(in_japan["call_hours"])
    without = parse_playbook(tree(actions=given, otherwise="A01"))
    assert plan(without, consent=agreed)["call_hours"] == "08:00-21:00"
    only_calls = parse_playbook(
        tree(actions=given, by_fact=[{"action": "A06", "channel": "phone"}], otherwise="A01", calendar=CALENDAR)
    )
    assert [plan(only_calls, market=market, consent=agreed)["action"] for market in ("US", "JP")] == ["A06", "A01"]


def test_a_year_of_holidays_ends():
    never = Calendar(working_days=frozenset(), holidays=frozenset())
    assert never.last_working_day(date(2026, 1, 5), date(2026, 1, 7)) == date(2026, 1, 7)


@settings(deadline=None, max_examples=100)
@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 20), st.sampled_from([None, "JP"]))
def test_the_builtin_calendar_never_asks_for_a_day_off(first, days, market):
    calendar = BUILTIN.calendar(market)
    day = calendar.last_working_day(first, first + timedelta(days=days))
    assert calendar.is_working_day(day)
    assert day >= first


def test_nobody_is_listed():
    listed = pd.DataFrame([ROW]).iloc[:0]
    planned = plan_actions(listed, pd.DataFrame({"customer_id": []}), BUILTIN, "ja")
    assert planned.columns.tolist() == ["action", "action_text", "channel", "act_by", "call_hours", "offer_max_cost"]
    assert planned.empty


TREE = yaml.safe_load(
    """
    actions: {}
    by_fact: []
    by_reason: []
    otherwise: A06
    """
)
TREE["actions"] = {
    code: {"name": "X", "within_days": 1, "channels": ["email"], "text": {"en": code, "ja": code}}
    for code in ("A01", "A02", "A03", "A06", "A11", "A15")
}


def tree(**changes):
    return {**copy.deepcopy(TREE), **changes}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"action": st.sampled_from(sorted(TREE["actions"]))},
            optional={
                "facts": st.lists(st.sampled_from(CODES), min_size=1, max_size=3),
                "without": st.lists(st.sampled_from(CODES), min_size=1, max_size=2),
                "bands": st.lists(st.sampled_from(BANDS), min_size=1, max_size=2),
                "stages": st.lists(st.sampled_from(STAGES), min_size=1, max_size=2),
                "top_share": st.sampled_from([0.1, 1]),
                "from_week": st.integers(1, 3),
            },
        ),
        max_size=5,
    ),
    st.sets(st.sampled_from(CODES)),
    st.sampled_from(BANDS),
)
def test_what_no_playbook_can_overrule(rules, facts, band):
    playbook = parse_playbook(tree(by_fact=rules))
    action = plan(playbook, facts=";".join(code for code in CODES if code in facts) or None, risk_band=band)["action"]
    owed = [code for fact, code in OWED.items() if fact in facts]
    if owed:
        assert action == owed[0]
    if "DETRACTOR" in facts:
        assert action != "A11"
    if "DISCOUNT_DEPENDENT" in facts and not owed:
        open_to_her = parse_playbook(tree(by_fact=[rule for rule in rules if rule["action"] != "A06"]))
        assert action == plan(open_to_her, facts=";".join(sorted(facts)), risk_band=band)["action"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rules": []}, "mine: unknown key 'rules'. Keys here are actions, by_fact, by_reason, otherwise, calendar."),
        (
            {"by_facts": []},
            "mine: unknown key 'by_facts'. Did you mean 'by_fact'? "
            "Keys here are actions, by_fact, by_reason, otherwise, calendar.",
        ),
        ({"by_fact": {}}, "mine: by_fact must be a list; found {}."),
        (
            {"by_fact": [{"action": "A99"}]},
            "mine: by_fact[0]: there is no action 'A99'. Known are A01, A02, A03, A06, A11, A15.",
        ),
        ({"by_fact": [{"facts": ["DETRACTOR"]}]}, "mine: by_fact[0]: 'action' is missing. Add it."),
        (
            {"by_fact": [{"action": "A01", "facts": ["DETRACTORS"]}]},
            "mine: by_fact[0].facts: there is no fact 'DETRACTORS'. Did you mean 'DETRACTOR'? "
            f"Known are {', '.join(CODES)}.",
        ),
        (
            {"by_fact": [{"action": "A01", "facts": "DETRACTOR"}]},
            "mine: by_fact[0].facts must be a list such as [OPEN_COMPLAINT]; found 'DETRACTOR'.",
        ),
        (
            {"by_fact": [{"action": "A01", "reasons": ["RECENCY"]}]},
            "mine: by_fact[0] names reasons. Facts decide first: move the rule to by_reason.",
        ),
        (
            {"by_reason": [{"action": "A01", "facts": ["DETRACTOR"]}]},
            "mine: by_reason[0] names no reason. Add reasons, or move the rule to by_fact.",
        ),
        (
            {"by_fact": [{"action": "A01", "top_share": 5}]},
            "mine: by_fact[0].top_share must be a share of the list above 0 and up to 1; found 5.",
        ),
        (
            {"by_fact": [{"action": "A01", "from_week": 0}]},
            "mine: by_fact[0].from_week must be a whole number from 1; found 0.",
        ),
        (
            {"by_fact": [{"action": "A01", "channel": "fax"}]},
            "mine: by_fact[0].channel: there is no channel 'fax'. Known are email, sms, line, phone, post.",
        ),
        ({"otherwise": "A11"}, "mine: otherwise is A11, which a detractor is never asked for. Choose another action."),
        ({"actions": {}}, "mine: actions: there is no action 'A02'. Known are none."),
        (
            {"actions": {"A01": {"name": "X", "within_days": 1, "channels": ["email"], "text": {"en": "x"}}}},
            "mine: actions.A01.text: 'ja' is missing. Add it.",
        ),
        (
            {
                "actions": {
                    "A01": {"name": "X", "within_days": "soon", "channels": ["email"], "text": {"en": "x", "ja": "x"}}
                }
            },
            "mine: actions.A01.within_days must be a whole number of days from 0 to 366; found 'soon'.",
        ),
    ],
)
def test_a_wrong_playbook_is_told_what_to_mend(changes, message):
    with pytest.raises(ConfigError) as caught:
        parse_playbook(tree(**changes), "mine")
    assert str(caught.value) == message


def test_who_a_customer_is_is_never_a_condition_by_reason():
    for driver in sorted(NEVER_A_REASON - OUR_CONDUCT):
        assert driver in load_wording("en").drivers
        with pytest.raises(ConfigError, match=f"there is no reason '{driver}'"):
            parse_playbook(tree(by_reason=[{"action": "A01", "reasons": [driver]}]))


def test_files(tmp_path):
    with pytest.raises(ConfigError, match="it cannot be read"):
        load_playbook(tmp_path / "none.yaml")
    (tmp_path / "odd.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not a YAML file"):
        load_playbook(tmp_path / "odd.yaml")
    (tmp_path / "list.yaml").write_text("- 1", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"must hold actions, by_fact, by_reason, otherwise; found \[1\]"):
        load_playbook(tmp_path / "list.yaml")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(TREE), encoding="utf-8")
    assert load_playbook(tmp_path / "mine.yaml").otherwise == "A06"


def test_the_builtin_calendar_knows_holidays_that_move():
    # 2026: the day in lieu of Constitution Day, the autumn equinox and the bridge day before it; and nobody is in before the 5th.
    calendar = BUILTIN.calendar("jp")
    free = [
        date(2026, 5, 6),
        date(2026, 9, 22),
        date(2026, 9, 23),
        date(2027, 1, 11),
        date(2026, 12, 29),
        date(2026, 1, 2),
    ]
    assert not any(calendar.is_working_day(day) for day in free)
    assert calendar.is_working_day(date(2026, 5, 7))


@pytest.mark.parametrize(
    ("calendar", "message"),
    [
        (
            {"JP": {"public_holidays": "XX"}},
            "mine: calendar.JP.public_holidays: no holidays are known of 'XX'. Write a country such as JP, or a part of one "
            "such as US-CA; put quotes around 'NO'.",
        ),
        ({"JP": {}, "jp": {}}, "mine: calendar has jp twice but for case. Keep one of them."),
    ],
)
def test_a_calendar_is_checked(calendar, message):
    with pytest.raises(ConfigError) as caught:
        parse_playbook(tree(calendar=calendar), "mine")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"otherwise": ["A01"]},
            "mine: otherwise: there is no action '['A01']'. Did you mean 'A01'? Known are A01, A02, A03, A06, A11, A15.",
        ),
        (
            {"by_fact": [{"action": "A01", "top_share": True}]},
            "mine: by_fact[0].top_share must be a share of the list above 0 and up to 1; found True.",
        ),
        (
            {"by_fact": [{"action": "A01", "from_week": True}]},
            "mine: by_fact[0].from_week must be a whole number from 1; found True.",
        ),
        (
            {"by_fact": [{"action": "A01", "min_value_at_risk": float("inf")}]},
            "mine: by_fact[0].min_value_at_risk must be an amount of money from 0; found inf.",
        ),
        (
            {"by_fact": [{"action": "A01", "text": {"en": "x", "ja": None}}]},
            "mine: by_fact[0].text.ja must be a text; found None. Say what is to be done.",
        ),
    ],
)
def test_what_is_no_action_number_or_text_is_refused(change, message):
    with pytest.raises(ConfigError) as caught:
        parse_playbook(tree(**change), "mine")
    assert str(caught.value) == message
