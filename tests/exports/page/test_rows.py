from dataclasses import replace

from kizuna.exports.page.rows import rows
from kizuna.wording.words import load_words


def test_a_row_has_all_its_reasons_with_their_weight(build_pack):
    pack = build_pack("en", listed=3)
    texts = {"reason_1_text": "a", "reason_2_text": ["b", None, None], "reason_3_text": None}
    texts |= {"facts": ["", "OPEN_COMPLAINT", ""]}
    found = rows(replace(pack, at_risk=pack.at_risk.assign(**texts)), load_words("en"))
    assert found[0].reasons == (("a", "Large"), ("b", "Medium"))
    assert (found[1].reasons, found[1].facts) == ((("a", "Large"),), "open complaint")
    # One reason and nothing else: nothing to unfold.
    assert (found[2].why, found[2].reasons, found[2].facts) == ("a", (), "")


def test_facts_that_stand_for_the_reason_are_not_told_twice(build_pack):
    pack = build_pack("en", listed=1)
    none = {f"reason_{place}_text": None for place in (1, 2, 3)}
    (row,) = rows(replace(pack, at_risk=pack.at_risk.assign(**none, facts="OPEN_COMPLAINT")), load_words("en"))
    assert (row.why, row.reasons, row.facts) == ("open complaint", (), "")


def test_how_to_contact_is_said_of_those_who_are_contacted(build_pack):
    pack = build_pack("ja", listed=3)
    said = {"channel": "phone", "call_hours": "10:00-19:00", "offer_max_cost": [800.0, float("nan"), 800.0]}
    arms = {"arm": ["target", "exempt", "control"], "contact_allowed": True}
    listed = pack.at_risk.assign(**said, **arms).astype({"contact_allowed": "boolean"})
    found = rows(replace(pack, at_risk=listed), load_words("ja"))
    assert [row.how for row in found] == ["電話、10:00-19:00、特典の上限800円", "電話、10:00-19:00", ""]
