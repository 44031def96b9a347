from datetime import datetime

import pytest


@pytest.fixture
def cover(read_workbook):
    def read(*args, **changes):
        pack, book = read_workbook(*args, **changes)
        return pack, book.worksheets[0]

    return read


def texts(sheet):
    return [cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]


def test_it_says_what_when_and_that_it_is_simulated(cover):
    _, sheet = cover("ja")
    assert sheet["B2"].value == "今週のご連絡リスト"
    assert sheet["B3"].value == "2026/01/01(木)  予測期間: 1/1〜3/31(90日)  shop"
    assert "※ 模擬データ(実在の顧客ではありません)" in texts(sheet)
    assert not [text for text in texts(cover("ja", listed=3, simulated=False)[1]) if "模擬" in text]


def test_the_four_figures_are_numbers_with_their_unit(cover):
    pack, sheet = cover("ja")
    labels = [sheet.cell(5, column).value for column in (2, 4, 6, 7)]
    assert labels == ["連絡する", "失う恐れ", "今週が期限", "先に個別対応"]
    cells = [sheet.cell(6, column) for column in (2, 4, 6, 7)]
    contact = pack.at_risk[(pack.at_risk["arm"] == "target") & pack.at_risk["contact_allowed"].fillna(True)]
    assert cells[0].value == len(contact)
    assert cells[1].value == pytest.approx(contact["value_at_risk"].sum())
    assert [cell.number_format for cell in cells] == ['#,##0"名"', '#,##0"円"', '#,##0"名"', '#,##0"名"']


def test_the_first_ten_to_contact_by_rank(cover):
    pack, sheet = cover("en")
    contact = pack.at_risk[(pack.at_risk["arm"] == "target") & pack.at_risk["contact_allowed"].fillna(True)].head(10)
    header = [sheet.cell(10, column).value for column in range(2, 9)]
    assert header == ["#", "Customer", "Churn risk", "Value at risk", "Why", "What", "By when"]
    for offset, (_, row) in enumerate(contact.iterrows()):
        cells = [sheet.cell(11 + offset, column) for column in range(2, 9)]
        assert [cell.value for cell in cells[:2]] == [row["list_rank"], row["customer_id"]]
        assert cells[2].value == pytest.approx(row["churn_probability"])
        assert cells[2].number_format in ('"High"  0%', '"Medium"  0%', '"Low"  0%')
        assert cells[4].value == row["reason_1_text"]
        assert cells[6].value == row["act_by"].to_pydatetime()
        assert isinstance(cells[6].value, datetime)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_answer_effect_and_caveat_are_always_there(cover, language):
    _, sheet = cover(language)
    said = "\n".join(texts(sheet))
    for part in ("231", "137", "17"):
        assert part in said
    caveat = {
        "ja": "理由はモデルが予測に使った要素であり、原因の証明ではありません。",
        "en": "Reasons are what the model used for its prediction. They are not proof of a cause.",
    }
    assert caveat[language] in said
    assert "shop-churn v3 / shop-cltv v3" in said


def test_without_values_the_probability_speaks(cover):
    _, sheet = cover("en", values=False)
    assert sheet.cell(5, 4).value == "Expected to leave"
    assert sheet.cell(10, 5).value == "Risk percentile"
    assert sheet.cell(11, 5).value == 100
    assert "Value at risk" not in texts(sheet)


def test_it_says_that_the_gate_refused_the_model_in_use(cover, build_pack):
    failed = [
        {"name": "signal", "status": "fail", "value": 0.484, "limit": 0.5},
        {"name": "leak", "status": "fail", "value": 2, "limit": 0},
        {"name": "calibration", "status": "warn", "value": 0.1, "limit": 0.05},
    ]
    evaluation = build_pack("en").evaluation | {"grade": "D", "gate_checks": failed}
    _, sheet = cover("en", listed=3, evaluation=evaluation)
    assert sheet["B4"].value == (
        "The gate refused this model (signal, leaks). It is in use because a person promoted it."
    )
    assert cover("en")[1]["B4"].value is None


def test_an_empty_list_says_so(cover):
    _, sheet = cover("ja", listed=0)
    assert "今週、ご連絡の対象はありません。" in texts(sheet)
    assert sheet.cell(6, 2).value == 0


def test_the_least_likely_currency_is_written_out(cover):
    _, sheet = cover("en", listed=60, currency="CHF")
    assert sheet.cell(6, 4).number_format == '"CHF "#,##0'
