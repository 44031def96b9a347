from __future__ import annotations

from pathlib import Path

import pytest
from tests.exports.destinations.small import config_of, small_list, write

from kizuna.errors import ConfigError
from kizuna.exports.destinations.settings import refuse_exports
from kizuna.scoring.rows import AT_RISK_COLUMNS

GOOD = """
to: braze
columns: {external_id: customer_id, kizuna_risk: risk_band, kizuna_why: reason_1_text, kizuna_until: act_by}
clear: {kizuna_risk: none, kizuna_why: none, kizuna_until: "1970-01-01"}
"""


def test_a_row_has_no_blank_cell_and_iso_dates(tmp_path: Path, build_pack) -> None:
    pack = small_list(build_pack("ja"), {"007": ("target", True), "b": ("target", True)}, reason_1_text=["62日", None])
    _, found = write(tmp_path / "r1", pack, GOOD)
    assert found == [
        {"external_id": "007", "kizuna_risk": "high", "kizuna_why": "62日", "kizuna_until": "2026-01-05"},
        {"external_id": "b", "kizuna_risk": "high", "kizuna_why": "none", "kizuna_until": "2026-01-05"},
    ]


def test_html_is_held_back(tmp_path: Path, build_pack) -> None:
    pack = small_list(
        build_pack("ja"),
        {name: ("target", True) for name in ("a", "<img src=x>", "c")},
        reason_1_text=["<script>x</script>", "x", "3 < 5 > 2"],
    )
    counts, found = write(tmp_path / "r1", pack, GOOD)
    assert [row["external_id"] for row in found] == ["c"]
    assert (tmp_path / "r1/destinations/braze.refused.csv").read_text().splitlines()[1:] == [
        "1,a,kizuna_why,html",
        "2,<img src=x>,external_id,html",
    ]
    assert counts["destinations/braze.refused.csv"] == 2


WRONG = {
    "{to: braze, columns: {External_ID: customer_id}}": "exports: braze needs the key external_id among its columns: braze "
    "names users by it. Did you mean 'External_ID'?\nexports: braze has a column External_ID, which braze would take for "
    "a new attribute; its own is external_id.",
    "{to: braze, columns: {external_id: customer_id, user_alias_name: market}}": "exports: braze has user_alias_name beside "
    "external_id; braze takes one of them in a file.",
    "{to: braze, columns: {external_id: customer_id, Email: market}}": "exports: braze has a column Email, which braze would "
    "take for a new attribute; its own is email.",
    "{to: braze, columns: {external_id: customer_id, Kizuna_risk: risk_band}, clear: {Kizuna_risk: none}, "
    "attributes: [kizuna_risk]}": "exports: braze has a column Kizuna_risk, which is none of its attributes. "
    "Did you mean 'kizuna_risk'?",
    "{to: braze, columns: {external_id: customer_id, risk: risk_band}}": "exports: braze needs a value in clear for risk: it "
    "stands for nothing any more, for a blank cell would leave the old value standing.",
    "{to: braze, columns: {external_id: customer_id}, blank: empty}": "exports: braze has blank: empty, but braze keeps the "
    "old value where a cell is blank. Use clear or refuse.",
    "{to: braze, columns: {external_id: customer_id}, date_format: '%d/%m/%Y'}": "exports: braze has date_format "
    "'%d/%m/%Y', but braze reads ISO 8601 dates. Leave it out.",
}


@pytest.mark.parametrize("asked", WRONG)
def test_its_traps_are_refused_before_anything_is_scored(asked: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_exports(config_of(asked), AT_RISK_COLUMNS)
    assert str(caught.value) == WRONG[asked]


def test_a_sound_one_is_taken() -> None:
    refuse_exports(config_of(GOOD), AT_RISK_COLUMNS)
