from datetime import datetime

import pytest
from tests.exports.made_past import made_past


@pytest.fixture
def rows(read_workbook):
    def read(**fields):
        book = read_workbook("en", **fields)[1]
        return list(book["Lists so far"].iter_rows(values_only=True))

    return read


def below(rows, head):
    """The rows of the table whose first heading is given, as dicts; a heading that comes twice keeps its place."""
    start = next(place for place, row in enumerate(rows) if row[0] == head)
    names = [f"{name} {rows[start][:place].count(name)}".removesuffix(" 0") for place, name in enumerate(rows[start])]
    found = []
    for row in rows[start + 1 :]:
        if row[1] is None:
            break
        found.append(dict(zip(names, row, strict=True)))
    return found


def test_the_effect_of_each_quarter(rows):
    read, running = below(rows(rich=True), "Quarter")
    assert (read["Quarter"], read["Verdict"], read["To contact"], read["Left alone"]) == (
        "2025-Q3",
        "Clearly more",
        641,
        163,
    )
    assert (read["Revenue per listed customer"], read["95% interval"]) == (2140, "¥380 to ¥3,900")
    assert (read["Stayed (points)"], read["95% interval 1"]) == (pytest.approx(6.2), "+1.1 to +11.3")
    assert read["Carried out"] == 0.87
    assert (running["Verdict"], running["Revenue per listed customer"], running["95% interval"]) == (
        "Running",
        None,
        None,
    )
    assert running["Verdict on"] == datetime(2026, 3, 31)


def test_each_list_with_what_was_said_and_what_happened(rows):
    lists = below(rows(rich=True), "Named on")
    days = [row["Named on"] for row in lists]
    assert days == sorted(days, reverse=True)
    assert len(lists) == 20
    assert [row["State"] for row in lists].count("Known") == 8
    newest = next(row for row in lists if row["State"] == "Known")
    assert newest["Named on"] == datetime(2025, 10, 2)
    assert (newest["Listed"], newest["Measured on"]) == (309, 55)
    assert (newest["Said"], newest["Happened"]) == (pytest.approx(0.79), pytest.approx(0.77))
    assert newest["95% interval"] == "66.0% to 86.0%"
    assert newest["Level gap (points)"] == pytest.approx(0.6)
    assert (lists[0]["Happened"], lists[0]["95% interval"]) == (None, None)
    assert lists[0]["Known on"] == datetime(2026, 3, 25)


def test_calibration_of_the_newest_list_measured(rows):
    found = rows(rich=True)
    assert "Did the percentages come true? List of 2 Oct 2025, by tenths of probability" in [row[0] for row in found]
    tenths = below(found, "Tenth")
    assert [row["Tenth"] for row in tenths] == list(range(1, 11))
    gaps = [row["Said less happened (points)"] for row in tenths]
    assert gaps == pytest.approx([100 * (row["Said"] - row["Happened"]) for row in tenths])


def test_groups_are_exploratory(rows):
    found = rows(rich=True)
    texts = [row[0] for row in found if row[0]]
    assert "Actions and markets, 2025-Q3 (exploratory)" in texts
    assert (
        "Many groups are looked at side by side; p values are corrected for that (Holm). Ideas to test, not verdicts."
        in texts
    )
    groups = below(found, "Action or market")
    assert [row["Action or market"] for row in groups][-3:] == ["Market de", "Market jp", "Market us"]
    kept = below(found[[row[0] for row in found].index("Market us") + 1 :], "Action or market")
    clear = [row["Action or market"] for row in kept if row["Clear"] == "Clear"]
    assert clear == ["A13 Personal call"]


def test_the_first_run_says_that_nothing_was_published(rows):
    texts = [row[0] for row in rows(first_run=True) if row[0]]
    assert texts[-1] == "No list was published before this one. Its first result will stand here."
    assert texts[1].startswith("Not measurable yet. First result on 1 Apr 2026.")


def test_a_list_of_which_nothing_can_be_told(rows):
    past = made_past()
    past.lists.loc[past.lists["state"] == "measured", "state"] = "no_control"
    found = rows(past=past)
    assert {row["State"] for row in below(found, "Named on")} == {"Running", "Nobody left alone"}
    assert not any(row[0] == "Tenth" for row in found)
