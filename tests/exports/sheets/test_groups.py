import pytest


@pytest.fixture
def blocks(read_workbook):
    """The pack, and by the first heading of each table its rows by their first cell."""

    def read(**fields):
        pack, book = read_workbook("en", **fields)
        found, current = {}, {}
        for row in book["By market and stage"].iter_rows(values_only=True):
            if row[1] == "Eligible":
                current = found[row[0]] = {"": row}
            elif row[0] and row[1] is not None:
                current[row[0]] = row
        return pack, found, [row[0] for row in book["By market and stage"].iter_rows(values_only=True) if row[0]]

    return read


def test_each_group_is_counted_and_adds_up(blocks):
    pack, found, _ = blocks(rich=True)
    assert set(found) == {"Market", "Language", "Customer stage"}
    market = pack.scores.set_index("customer_id")["market"]
    listed = pack.at_risk["customer_id"].map(market)
    japan = found["Market"]["jp"]
    contact = (pack.at_risk["arm"] == "target") & pack.at_risk["contact_allowed"].fillna(True)
    assert japan[1:3] == ((pack.scores["market"] == "jp").sum(), (listed == "jp").sum())
    assert japan[3] == pytest.approx(japan[2] / japan[1])
    assert japan[4] == (contact & (listed == "jp")).sum()
    assert sum(japan[4:8]) == japan[2]
    assert japan[8] == pytest.approx(pack.scores.loc[pack.scores["market"] == "jp", "churn_probability"].mean())
    assert japan[9] == pytest.approx(pack.at_risk.loc[contact & (listed == "jp"), "value_at_risk"].sum())
    for table in found.values():
        parts = [row for name, row in table.items() if name not in ("", "Total")]
        assert [sum(row[at] for row in parts) for at in (1, 2, 4, 5, 6, 7)] == [
            table["Total"][at] for at in (1, 2, 4, 5, 6, 7)
        ]
        assert table["Total"][1] == len(pack.scores)
        values = [row[9] for row in parts if row[0] != "Unknown"]
        assert values == sorted(values, reverse=True)


def test_the_effect_on_the_share_kept_stands_beside_its_market(blocks):
    _, found, texts = blocks(rich=True)
    assert found["Market"][""][10:12] == ("Stayed (points)", "95% interval (points)")
    assert found["Market"]["jp"][10:12] == (pytest.approx(4.5), "−2.1 to +11.1")
    assert any(text.startswith("Stayed: customers to contact less those left alone") for text in texts)
    assert found["Language"][""][10] is None


def test_what_is_not_known_is_said(blocks, build_pack):
    scores = build_pack("en").scores.assign(market=None, language=None)
    _, found, texts = blocks(scores=scores)
    assert set(found) == {"Customer stage"}
    assert texts[-1] == "Nothing is known of: Market, Language. The customers table can carry market and language."


def test_many_markets_are_folded_and_nobody_is_lost(blocks, build_pack):
    scores = build_pack("en").scores
    scores["market"] = [f"m{place % 50:02}" for place in range(len(scores))]
    _, found, _ = blocks(scores=scores)
    rows = [row for name, row in found["Market"].items() if name not in ("", "Total")]
    assert len(rows) == 31
    assert found["Market"]["20 others"][1] == 20 * 80
    assert sum(row[1] for row in rows) == len(scores)


def test_without_values_there_is_no_money(blocks):
    _, found, _ = blocks(values=False)
    assert found["Market"][""][9] is None
