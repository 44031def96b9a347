import pytest


@pytest.fixture
def tables(read_workbook):
    """The pack and the tables of the sheet, each as rows by their first cell."""

    def read(**fields):
        pack, book = read_workbook("en", **fields)
        found, current = [], {}
        for row in book["Reasons and actions"].iter_rows(values_only=True):
            if row[0] == "First reason":
                current = {"": row}
                found.append(current)
            elif row[0]:
                current.setdefault(row[0], row)
        return pack, found

    return read


def test_reasons_meet_actions_and_everything_adds_up(tables):
    pack, (counts, values) = tables()
    contact = pack.at_risk[(pack.at_risk["arm"] == "target") & pack.at_risk["contact_allowed"].fillna(True)]
    heads = [head.split("\n")[0] for head in counts[""][1:-1] if head]
    assert sorted(heads) == ["A02", "A04", "A05", "A08", "A13"]
    silent = contact[contact["reason_1"] == "RECENCY"]
    place = heads.index("A13") + 1
    assert counts["Time since the last purchase"][place] == (silent["action"] == "A13").sum()
    assert counts["Time since the last purchase"][len(heads) + 1] == len(silent)
    owed = pack.at_risk[pack.at_risk["arm"] == "exempt"]
    assert counts["Owed service (facts)"][heads.index("A02") + 1] == len(owed) > 0
    assert counts["Total"][len(heads) + 1] == len(contact) + len(owed)
    both = contact["value_at_risk"].sum() + owed["value_at_risk"].sum()
    assert values["Total"][len(heads) + 1] == pytest.approx(both)


def test_rows_without_a_reason_are_seen(tables, build_pack):
    rows = build_pack("en", listed=6).at_risk.assign(arm="target", contact_allowed=True)
    rows.loc[:3, ["reason_1", "reason_1_text"]] = None
    rows["facts"] = ["OPEN_COMPLAINT", "DETRACTOR", "", None, "", ""]
    _, (counts, *_) = tables(listed=6, at_risk=rows)
    total = counts["Total"]
    place = next(at for at, head in enumerate(counts[""]) if head == "Total")
    assert (counts["Facts only"][place], counts["No single sign"][place], total[place]) == (2, 2, 6)


def test_each_action_is_told_in_the_list_s_own_words(tables):
    _, (_, values) = tables()
    assert values["A13  Personal call"][1] == "Call in person and ask how things are"


def test_without_values_there_are_counts_alone(tables):
    assert len(tables(values=False)[1]) == 1


def test_an_empty_list_says_so(read_workbook):
    sheet = read_workbook("en", listed=0)[1]["Reasons and actions"]
    assert sheet["A3"].value == "Nobody to contact this week."
