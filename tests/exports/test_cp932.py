import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.errors import ResultError
from kizuna.exports.cp932 import Unencodable, encodable_cells


@pytest.mark.parametrize(
    ("text", "replaced", "nearest"),
    [
        ("山田①㈱髙Ⅲ㍻", "山田①㈱髙Ⅲ㍻", "山田①㈱髙Ⅲ㍻"),
        ("𠮷野家😀", "〓野家〓", "吉野家〓"),
        ("café – £5", "caf〓 〓 £5", "cafe - £5"),
        ("葛\U000e0100飾", "葛〓飾", "葛飾"),
        ("¥100", "〓100", "\\100"),
        ("한국", "〓〓", "〓〓"),
    ],
)
def test_the_characters_that_cp932_lacks(text, replaced, nearest):
    assert encodable_cells([[text]], "replace", "x.csv")[0] == [[replaced]]
    assert encodable_cells([[text]], "translit", "x.csv")[0] == [[nearest]]


def test_what_changed_is_told_by_row_and_column():
    rows = [["1", "山田", None], ["2", "𠮷𠮷é", "x"]]
    kept, changed = encodable_cells(rows, "translit", "x.csv")
    assert kept == [["1", "山田", None], ["2", "吉吉e", "x"]]
    assert changed == [Unencodable(1, 1, "𠮷é", "吉吉e", True)]


def test_a_twin_that_comes_back_wider_is_told_and_never_refused():
    kept, changed = encodable_cells([["3〜5"]], "error", "x.csv")
    assert kept == [["3〜5"]]
    assert [(cell.characters, cell.written.encode("cp932").decode("cp932")) for cell in changed] == [("〜", "3～5")]
    assert not changed[0].lacking


def test_an_error_names_the_characters_and_the_lines():
    with pytest.raises(ResultError) as caught:
        encodable_cells([["顧客"], ["𠮷野"], ["é𠮷"]], "error", "at_risk_cp932.csv")
    assert str(caught.value) == (
        "at_risk_cp932.csv asks for cp932, which lacks 𠮷é: they stand in 2 of 3 lines. "
        "Set unencodable of that export to replace or translit."
    )


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_whatever_the_text_it_can_be_written_and_what_is_not_told_comes_back(texts):
    for policy in ("replace", "translit"):
        [kept], changed = encodable_cells([texts], policy, "x.csv")
        told = {cell.column for cell in changed}
        back = [text.encode("cp932").decode("cp932") for text in kept]
        assert [text for place, text in enumerate(back) if place not in told] == [
            text for place, text in enumerate(texts) if place not in told
        ]
