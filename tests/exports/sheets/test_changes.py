import pytest


@pytest.fixture
def changes(read_workbook):
    def read(**fields):
        pack, book = read_workbook("en", **fields)
        return pack, list(book["Changes"].iter_rows(values_only=True))

    return read


def test_everybody_new_back_left_or_still_there_each_with_why(changes):
    pack, rows = changes()
    assert rows[1][0] == "Compared with the list of 25 Dec 2025."
    counts = {row[0]: row[1:3] for row in rows[3:7]}
    statuses = pack.at_risk["list_status"].value_counts()
    assert counts["New"] == (statuses["new"], None)
    assert counts["Continuing"] == (statuses["continuing"], None)
    assert counts["Left the list"][0] == len(pack.removed) == 44
    assert counts["Left the list"][1].startswith("Bought again 31, Risk has fallen below the list's minimum 6, ")
    start = next(place for place, row in enumerate(rows) if row[1] == "Customer ID")
    assert rows[start][2:] == (
        *("Why", "Churn probability", "Probability last time", "Change in points", "Weeks on list"),
        "What to do with this row",
    )
    told = [row for row in rows[start + 1 :] if row[0]]
    kinds = [row[0] for row in told]
    assert kinds == sorted(kinds, key=["New", "Back on the list", "Left the list", "Continuing"].index)
    assert len(told) == len(pack.at_risk) + len(pack.removed)
    left = [row for row in told if row[0] == "Left the list"]
    assert {row[2] for row in left} == {
        *("Bought again", "Risk has fallen below the list's minimum", "Others are more urgent"),
        *("Excluded", "No longer an active customer"),
    }


def test_who_continues_shows_how_the_probability_moved(changes):
    pack, rows = changes()
    mine = {row[1]: row for row in rows if row[0] == "Continuing"}
    listed = pack.at_risk[pack.at_risk["list_status"] == "continuing"].iloc[0]
    _, _, _, now, before, points, weeks, _ = mine[listed["customer_id"]]
    assert (now, before) == (listed["churn_probability"], listed["churn_probability_prev"])
    assert points == pytest.approx(100 * (now - before))
    assert weeks == listed["weeks_on_list"]


@pytest.mark.parametrize("why", ["contacted", "model_changed"])
def test_every_way_to_leave_has_a_word(changes, build_pack, why):
    pack = build_pack("en", listed=3)
    _, rows = changes(listed=3, removed=pack.removed.head(2).assign(why=why))
    said = {
        "contacted": "Contacted since then, and less urgent now",
        "model_changed": "A new model sees it differently",
    }
    assert [row[2] for row in rows if row[0] == "Left the list"] == [f"{said[why]} 2", said[why], said[why]]


def test_filter_and_frozen_header_begin_below_the_counts(read_workbook):
    sheet = read_workbook("en")[1]["Changes"]
    header = next(row[0].row for row in sheet.iter_rows() if row[1].value == "Customer ID")
    assert sheet.freeze_panes == f"C{header + 1}"
    assert sheet.auto_filter.ref == f"A{header}:H{sheet.max_row}"


def test_the_first_run_says_so(changes):
    _, rows = changes(listed=3, first_run=True)
    assert [row[0] for row in rows] == [
        "Changes",
        "This is the first list, so there is nothing to compare it with yet.",
    ]


def test_no_change_says_so(changes, build_pack):
    pack = build_pack("en", listed=3)
    same = pack.at_risk.assign(list_status="continuing")
    _, rows = changes(at_risk=same, removed=pack.removed.head(0))
    assert rows[1][0] == "Nothing changed since the last list."
