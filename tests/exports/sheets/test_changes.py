import pytest


@pytest.fixture
def changes(read_workbook):
    def read(**fields):
        pack, book = read_workbook("en", **fields)
        return pack, list(book["Changes"].iter_rows(values_only=True))

    return read


def test_new_returned_and_left_each_with_why(changes):
    pack, rows = changes()
    assert rows[0] == ("Change", "Customer ID", "Why", "Churn probability")
    kinds = [row[0] for row in rows[1:]]
    statuses = pack.at_risk["list_status"].value_counts()
    assert kinds.count("New") == statuses["new"]
    assert kinds.count("Back on the list") == statuses["returned"]
    left = [row for row in rows[1:] if row[0] == "Left the list"]
    assert len(left) == len(pack.removed) == 44
    assert {row[2] for row in left} == {
        *("Bought again", "Risk has fallen below the list's minimum", "Others are more urgent"),
        *("Excluded", "No longer an active customer"),
    }


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
