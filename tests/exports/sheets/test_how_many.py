import pytest

from kizuna.exports.sheets.how_many import lengths, reachable

COSTS = {"contact_cost": 100.0, "offer_cost": 400.0, "assumed_save_rate": None}


@pytest.fixture
def table(read_workbook):
    """The pack, the rows as dicts by heading, and the sentences."""

    def read(**fields):
        pack, book = read_workbook("en", **fields)
        rows = list(book["How many to contact"].iter_rows(values_only=True))
        start = next(place for place, row in enumerate(rows) if row[0] == "Customers contacted")
        end = next(place for place, row in enumerate(rows) if place > start and not isinstance(row[0], (int, float)))
        heads = [head for head in rows[start] if head]
        return (
            pack,
            [dict(zip(heads, row, strict=False)) for row in rows[start + 1 : end]],
            [row[0] for row in rows[end:]],
        )

    return read


def test_lengths_are_round_numbers_the_list_s_own_and_everybody():
    assert lengths(1432, 205) == [50, 100, 200, 205, 300, 500, 1000, 1432]
    assert lengths(601, 200) == [50, 100, 200, 300, 500, 601]
    assert lengths(60, 12) == [10, 12, 20, 30, 50, 60]
    assert lengths(30_000, 500) == [300, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 30_000]
    assert lengths(1, 1) == [1]
    assert lengths(0, 0) == []
    assert all(len(lengths(most, own)) <= 10 for most in (7, 99, 101, 12_345, 999_999) for own in (1, 7))


def test_who_can_be_reached_begins_with_the_list_itself(build_pack):
    pack = build_pack("en")
    contact = pack.at_risk[(pack.at_risk["arm"] == "target") & pack.at_risk["contact_allowed"].fillna(True)]
    reached = reachable(pack)
    assert reached["customer_id"].head(len(contact)).tolist() == contact["customer_id"].tolist()
    rest = reached.iloc[len(contact) :]
    assert (rest["left_out"] == "beyond_capacity").all()
    assert (rest["arm"] == "target").all()
    assert set(rest["contact"]) == {"allowed", "unknown"}
    assert rest["value_at_risk"].is_monotonic_decreasing
    shuffled = reachable(build_pack("en", scores=pack.scores.sample(frac=1, random_state=1)))
    assert shuffled["customer_id"].tolist() == reached["customer_id"].tolist()


def test_sums_of_probabilities_and_values(table):
    pack, rows, _ = table()
    reached = reachable(pack)
    for row in rows:
        first = reached.head(row["Customers contacted"])
        expected = first["churn_probability"].sum()
        assert row["Expected leavers reached"] == pytest.approx(expected)
        assert row["Would stay anyway"] == pytest.approx(len(first) - expected)
        assert row["Share of all expected leavers"] == pytest.approx(expected / pack.scores["churn_probability"].sum())
        assert row["At random, as many"] == pytest.approx(len(first) * pack.scores["churn_probability"].mean())
        assert row["Value at risk reached (revenue)"] == pytest.approx(first["value_at_risk"].sum())
    marked = [row["Customers contacted"] for row in rows if row["Length"]]
    assert marked == [205]


def test_without_costs_there_is_revenue_and_no_profit(table):
    _, rows, texts = table()
    assert not {"Cost", "Break-even save rate"} & set(rows[0])
    said = " ".join(text for text in texts if text)
    assert "Amounts are revenue (purchases minus returns), not profit" in said
    assert "economics.contact_cost" in said
    assert "economics.assumed_save_rate" in said
    assert "saved" not in " ".join(rows[0])


def test_costs_bring_the_break_even_rate(table):
    _, rows, texts = table(economics=COSTS, margin=0.4)
    value = "Value at risk reached (margin)"
    for row in rows:
        assert row["Cost"] == pytest.approx(500 * row["Customers contacted"])
        assert row["Break-even save rate"] == pytest.approx(row["Cost"] / row[value])
    assert "Left after cost (margin)" not in rows[0]
    assert any(text and "multiplied by the margin of 0.4" in text for text in texts)


def test_an_assumed_rate_brings_what_would_be_left(table):
    _, rows, _ = table(economics=COSTS | {"assumed_save_rate": 0.15}, margin=0.4)
    for row in rows:
        kept = row["Expected margin kept if 15% is saved"]
        assert kept == pytest.approx(0.15 * row["Value at risk reached (margin)"])
        assert row["Left after cost (margin)"] == pytest.approx(kept - row["Cost"])


def test_without_values_cost_stands_alone(table):
    _, rows, texts = table(values=False, economics=COSTS)
    assert "Cost" in rows[0]
    assert "Break-even save rate" not in rows[0]
    assert not any(text and "revenue" in text for text in texts)


def test_the_chart_reads_the_table(read_workbook):
    (chart,) = read_workbook("en")[1]["How many to contact"]._charts
    reached, at_random = chart.series
    assert reached.xVal.numRef.f == "'How many to contact'!$A$5:$A$12"
    assert reached.yVal.numRef.f == "'How many to contact'!$C$5:$C$12"
    assert at_random.yVal.numRef.f == "'How many to contact'!$E$5:$E$12"


def test_nobody_to_contact_says_so(read_workbook, build_pack):
    scores = build_pack("en", listed=0).scores.assign(left_out="suppressed")
    sheet = read_workbook("en", listed=0, scores=scores)[1]["How many to contact"]
    assert sheet["A3"].value == "Nobody to contact this week."
    assert not sheet._charts
