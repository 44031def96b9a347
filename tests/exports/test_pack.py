from dataclasses import FrozenInstanceError
from datetime import date

import pytest


def test_the_prediction_window_begins_after_the_gap(build_pack):
    pack = build_pack(listed=0)
    assert (pack.first_day, pack.last_day) == (date(2026, 1, 1), date(2026, 3, 31))
    later = build_pack(listed=0, gap_days=7)
    assert (later.first_day, later.last_day) == (date(2026, 1, 8), date(2026, 4, 7))


def test_a_pack_does_not_change(build_pack):
    with pytest.raises(FrozenInstanceError):
        build_pack(listed=0).name = "other"
