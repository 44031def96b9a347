import pytest

from kizuna.wording.words import load_words


def terms(book):
    """Each term with its explanation."""
    return {row[0]: row[1] for row in book["How to read"].iter_rows(values_only=True)}


def test_the_guide_speaks_in_this_list_s_numbers(read_workbook):
    rows = terms(read_workbook("en")[1])
    assert rows["Churn"] == "A customer who does not buy in 1 Jan – 31 Mar 2026 (90 days)."
    assert rows["Risk"] == (
        "High from 60%, medium from 30%, low below. Listed are customers from 46% on, ranked by value at risk."
    )
    assert rows["Day of the list"].startswith("Thu 1 Jan 2026, time zone Asia/Tokyo.")
    assert rows["Reasons"] == "Reasons are what the model used for its prediction. They are not proof of a cause."
    assert rows["Eligible"] == (
        "Customers who can still be lost: they bought within 180 days before the day of the list."
    )
    assert {"Summary", "This week", "Service first", "Do not contact", "Personal data"} <= set(rows)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_names_every_sheet_of_the_workbook(read_workbook, language):
    for fields in ({"rich": True}, {"first_run": True}):
        book = read_workbook(language, **fields)[1]
        names = [row[0] for row in book.worksheets[-1].iter_rows(values_only=True)]
        assert set(book.sheetnames[:-1]) <= set(names)


def test_terms_of_sheets_that_are_missing_are_not_explained(read_workbook):
    rich = terms(read_workbook("en", rich=True)[1])
    plain = terms(read_workbook("en")[1])
    assert set(rich) - set(plain) == {
        *(
            "KPI",
            "KPI by group",
            "Changes of KPIs",
            "Months",
            "Reference only",
            "Not final",
            "Restated",
            "Stages in the KPI sheets",
        )
    }
    assert rich["Reference only"].startswith("A figure of fewer than 30 observations.")
    assert rich["Who to ask"].startswith("Whoever runs kizuna for shop.")
    assert "Break-even save rate" not in rich
    costs = {"contact_cost": 1.0, "offer_cost": 0.0, "assumed_save_rate": None}
    paid = terms(read_workbook("en", economics=costs)[1])
    assert "Break-even save rate" in paid
    assert "Left after cost" not in paid


def test_terms_have_their_names_in_the_other_language(read_workbook):
    for language, pair in (("en", ("Value at risk", "失う恐れ")), ("ja", ("失う恐れ", "Value at risk"))):
        rows = list(read_workbook(language, rich=True)[1].worksheets[-1].iter_rows(values_only=True))
        assert pair in [(row[0], row[2]) for row in rows]
        assert {row[2] for row in rows if row[1] is None and row[0]} == {
            None,
            "日本語" if language == "en" else "English",
        }


def test_of_what_nothing_is_known_nothing_is_explained(read_workbook, build_pack):
    listed = build_pack("en", listed=4, values=False).at_risk
    unknown = {name: float("nan") for name in ("cltv_formula", "usual_gap_days", "days_since_purchase")}
    bare = listed.assign(**unknown, expected_next_purchase=None)
    book = read_workbook("en", listed=4, values=False, at_risk=bare, definition="provided", dated=False)[1]
    rows = terms(book)
    assert rows["Churn"] == "A customer who leaves, as the labels say. They have no days, and so name no period."
    assert rows["Eligible"] == "All customers that the tables know, whatever their label says."
    assert rows["By when"].startswith("The first of two days: the expiry of points, the end of the action's own time.")
    gone = {"Value at risk", "Expected value (CLTV)", "CLTV by formula", "Next purchase, if any", "Usual gap longer"}
    assert not gone & set(rows)


@pytest.mark.parametrize("definition", ["inactivity", "cancellation", "provided"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_who_is_eligible_has_words_for_every_definition(language, definition):
    assert load_words(language).knows("guide_terms", f"eligible_{definition}")
