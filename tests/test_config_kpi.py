"""The section kpi of the config."""

from __future__ import annotations

import pytest

from kizuna.config_file import parse_config
from kizuna.errors import ConfigError

SHOP = {"name": "shop", "data": {"tables": {}}}


def test_the_defaults() -> None:
    section = parse_config(SHOP).kpi
    assert section.model_dump() == {
        "fiscal_year_start_month": 4,
        "fiscal_year_label": "start",
        "regular_orders": 4,
        "reference_below": 30,
        "referral_channels": ["referral"],
    }


@pytest.mark.parametrize(
    ("section", "text"),
    [
        (
            {"fiscal_year_start_month": 13},
            "config: kpi.fiscal_year_start_month should be less than or equal to 12 (found 13).",
        ),
        ({"fiscal_year_label": "begin"}, "config: kpi.fiscal_year_label should be 'start' or 'end' (found 'begin')."),
        (
            {"fiscal_year_starts": 4},
            "config: unknown key 'kpi.fiscal_year_starts'. Did you mean 'fiscal_year_start_month'? Keys here are "
            "fiscal_year_start_month, fiscal_year_label, regular_orders, reference_below, referral_channels.",
        ),
    ],
)
def test_what_is_refused(section: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse_config(SHOP | {"kpi": section})
    assert str(told.value) == text
