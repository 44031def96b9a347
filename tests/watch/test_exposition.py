"""Prometheus' text format there and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kizuna.watch.exposition import Sample, exposed, read_exposed
from watch.exposed import strictly_read


def test_a_text_by_hand() -> None:
    samples = {
        Sample("b", (("shop", 'a"b\\c\nd'),)): 0.5,
        Sample("a", (("shop", "x"), ("table", "z"))): 3.0,
        Sample("a", (("shop", "x"), ("table", "y"))): 1795365020.797,
    }
    assert exposed(samples, {"b": "Bees.", "a": "Ants.", "c": "None."}) == (
        "# HELP b Bees.\n# TYPE b gauge\n"
        'b{shop="a\\"b\\\\c\\nd"} 0.5\n'
        "# HELP a Ants.\n# TYPE a gauge\n"
        'a{shop="x",table="y"} 1795365020.797\n'
        'a{shop="x",table="z"} 3\n'
    )


@given(st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_any_label_and_number_comes_back(values: dict[str, float]) -> None:
    plain = {"".join(" " if ord(c) < 32 and c != "\n" else c for c in label): value for label, value in values.items()}
    text = exposed({Sample("a", (("shop", label),)): value for label, value in plain.items()}, {"a": "Ants."})
    assert {sample.labels[0][1]: value for sample, value in read_exposed(text).items()} == plain
    assert sorted(strictly_read(text).values()) == sorted(plain.values())


def test_what_is_no_sample_is_passed_over() -> None:
    spoilt = 'a{shop="x"} 1\nnonsense\na{shop="y"} many\na{shop="z} 2\na{shop="w"} NaN\n\x00\nb{shop="x"} 2'
    assert {(sample.name, value) for sample, value in read_exposed(spoilt).items()} == {("a", 1.0), ("b", 2.0)}
