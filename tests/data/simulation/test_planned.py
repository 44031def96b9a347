from datetime import date

import pytest

from kizuna.data.simulation.planned import campaigns_of, recorded_lists, with_list
from kizuna.errors import ConfigError

TODAY = date(2026, 1, 8)
HEAD = "as_of,customer_id,action,channel,arm,contact_allowed\n"


@pytest.fixture
def listed(tmp_path):
    def read(text, head=HEAD, recorded=None):
        (tmp_path / "at_risk.csv").write_text(head + text)
        return with_list(recorded, tmp_path / "at_risk.csv", TODAY, 100)

    return read


def test_a_list_is_read_and_what_is_done_follows_arm_and_consent(listed):
    planned = listed(
        "2026-01-08,C000003,A08,email,target,true\n"
        "2026-01-08,C000001,A08,sms,target,false\n"
        "2026-01-08,C000002,A01,phone,control,true\n"
        "2026-01-08,C000009,A02,,exempt,false\n"
        "2026-01-08,C000004,A01,line,target,\n"
        "2026-01-08,TEST0001,A01,line,target,true\n"
    )
    (campaign,) = campaigns_of(planned, date(2026, 1, 1))
    assert (campaign.as_of, campaign.day, campaign.codes) == (7, 7, ("A01", "A02", "A08"))
    assert campaign.rows.tolist() == [0, 1, 2, 3, 8]
    assert campaign.done.tolist() == [False, False, True, False, True]
    assert campaign.reachable.tolist() == [False, True, True, False, True]
    assert campaign.action.tolist() == [2, 0, 2, 0, 1]
    alone = campaign.of(campaign.rows[[1, 4]], done=True)
    assert (alone.rows.tolist(), alone.done.tolist()) == ([0, 1], [True, True])
    assert not campaign.of(campaign.rows, done=False).done.any()


def test_lists_follow_each_other(listed, tmp_path):
    first = listed("2026-01-07,C000003,B99,email,target,true\n")
    both = listed("2026-01-08,C000003,A01,email,target,true\n", recorded=first)
    campaigns = campaigns_of(both.set_column(0, "acted_on", [[date(2026, 1, 7), date(2026, 1, 8)]]), date(2026, 1, 1))
    assert [(each.day, each.codes[each.action[0]]) for each in campaigns] == [(6, "B99"), (7, "A01")]
    assert recorded_lists(tmp_path) is None
    assert campaigns_of(None, TODAY) == ()


ROW = "2026-01-08,C000003,A08,email,target,true\n"
REFUSED = {
    "2026-01-01,C000003,A08,email,target,true\n": (
        "--actions names at_risk.csv, a list of 2026-01-01, and the shop goes on from 2026-01-08. "
        "Give a list of that day, or of the 6 days before it."
    ),
    ROW + "2026-01-07,C000004,A08,email,target,true\n": (
        "--actions names at_risk.csv, which must be of one day; its as_of holds 2026-01-07, 2026-01-08. "
        "Give the at_risk.csv of one day."
    ),
    ROW + "2026-01-08,C000101,A08,email,target,true\n2026-01-08,007,A08,email,target,true\n" + ROW: (
        "--actions names at_risk.csv, whose customers must be the shop's, once each; 2 are not known (007, C000101) "
        "and 1 are repeated. Give the list that was made of this shop."
    ),
    "2026-01-08,C000003,A08,email,targets,true\n": (
        "--actions names at_risk.csv, whose column arm holds 'targets'. It may hold target, control, exempt."
    ),
    "2026-01-08,C000003,A08,fax,target,true\n": (
        "--actions names at_risk.csv, whose column channel holds 'fax'. It may hold email, post, phone, sms, line."
    ),
    "": "--actions asks for a list such as at_risk.csv; at_risk.csv is none: it names nobody.",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_list_of_the_shop_is_refused(listed, text):
    with pytest.raises(ConfigError) as caught:
        listed(text)
    assert str(caught.value) == REFUSED[text]


def test_a_file_without_the_columns_is_refused(listed, tmp_path):
    with pytest.raises(ConfigError) as caught:
        listed("2026-01-08,C000003\n", head="as_of,customer_id\n")
    assert str(caught.value) == (
        "--actions asks for a list such as at_risk.csv; at_risk.csv is none: "
        "it has no column action, channel, arm, contact_allowed."
    )
    with pytest.raises(ConfigError) as caught:
        with_list(None, tmp_path / "no.csv", TODAY, 100)
    assert str(caught.value) == (
        f"--actions names {tmp_path}/no.csv, which cannot be read: No such file or directory. Give an at_risk.csv."
    )
