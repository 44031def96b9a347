import re

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from kizuna.exports.split import file_endings, split_pack


def test_every_row_is_in_one_part_and_ranks_stay(build_pack):
    pack = build_pack("ja")
    ids = pack.scores["customer_id"]
    markets = pd.Series(["JP", "US", "東京", None], dtype="str").repeat(len(ids) // 4).set_axis(ids)
    parts = split_pack(pack, markets)
    assert list(parts) == ["JP", "US", "unknown", "東京"]
    together = pd.concat([part.at_risk for part in parts.values()]).sort_values("list_rank", ignore_index=True)
    pd.testing.assert_frame_equal(together, pack.at_risk)
    assert sum(len(part.scores) for part in parts.values()) == len(pack.scores)
    assert sum(len(part.removed) for part in parts.values()) == len(pack.removed)
    for ending, part in parts.items():
        found = markets.reindex(part.at_risk["customer_id"]).fillna("unknown")
        assert set(found) == {ending}
        assert part.part == ("不明" if ending == "unknown" else ending)
    assert parts["東京"].title == "shop: 東京"
    assert pack.title == "shop"


def test_each_part_counts_its_own_who_are_left_out(build_pack):
    pack = build_pack("ja", rich=True)
    parts = split_pack(pack, pack.scores.set_index("customer_id")["market"])
    for part in parts.values():
        assert len(part.scores) == len(part.at_risk) + sum(part.left_out.values())
    assert {reason: sum(part.left_out[reason] for part in parts.values()) for reason in pack.left_out} == pack.left_out


def test_the_first_list_has_no_removed_in_its_parts(build_pack):
    pack = build_pack("ja", first_run=True)
    parts = split_pack(pack, pd.Series("JP", index=pack.scores["customer_id"]))
    assert [part.removed for part in parts.values()] == [None]


def test_file_names_are_safe():
    hostile = ["JP", "jp", "../../etc", "a/b", "a b", "CON", "x" * 120, "😀", "東京", "=1"]
    endings = file_endings(hostile)
    assert endings["東京"] == "東京"
    assert endings["JP"].startswith("JP-")
    assert endings["../../etc"].startswith("etc-")
    assert endings["a/b"] != endings["a b"]


@given(values=st.lists(st.text(), unique=True, max_size=8))
def test_whatever_the_values_names_are_safe_and_differ_on_any_system(values):
    endings = file_endings(values)
    assert list(endings) == values
    assert len({name.casefold() for name in endings.values()}) == len(values)
    for name in endings.values():
        assert re.fullmatch(r"[\w-]{1,50}", name)
        assert len(f"at_risk_excel_{name}.csv".encode()) <= 255
