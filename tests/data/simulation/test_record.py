import json
from dataclasses import replace
from datetime import date

import pytest

from kizuna.data.simulation.parameters import Acquisition, Buying, Parameters
from kizuna.data.simulation.record import Record, read_record, write_record
from kizuna.errors import ConfigError

RECORD = Record(Parameters(), 1000, 600, 7, date(2025, 12, 31), 1000, 600)


def test_what_is_written_is_read_back(tmp_path):
    (tmp_path / "truth").mkdir()
    odd = replace(Parameters(), buying=replace(Buying(), rate_shape=float("inf")), signal="none", dirty=True)
    for record in (RECORD, replace(RECORD, parameters=odd, days=607, last_day=date(2026, 1, 7))):
        write_record(record, tmp_path / "truth")
        assert read_record(tmp_path) == record
        assert read_record(tmp_path).first_day == date(2024, 5, 11)


def test_new_customers_come_at_the_pace_of_the_first_part():
    assert RECORD.customers_per_day == 1.0
    assert [RECORD.longer(days).customers for days in (1, 7, 90)] == [1001, 1007, 1090]
    assert RECORD.longer(7).longer(83) == RECORD.longer(90)
    asked = replace(RECORD, parameters=replace(Parameters(), acquisition=Acquisition(customers_per_day=0.5)))
    assert (asked.customers_per_day, asked.longer(90).customers) == (0.5, 1000)


def test_a_record_of_another_version_is_refused(tmp_path):
    (tmp_path / "truth").mkdir()
    write_record(RECORD, tmp_path / "truth")
    path = tmp_path / "truth" / "parameters.json"
    tree = json.loads(path.read_text())
    del tree["parameters"]["buying"]["gap_shape"]
    path.write_text(json.dumps(tree))
    with pytest.raises(ConfigError) as caught:
        read_record(tmp_path)
    assert str(caught.value) == (
        f"{path} was written by another version of kizuna ('gap_shape'), which may have simulated another past. "
        f"Begin the shop anew with 'kizuna simulate {tmp_path}'."
    )
    path.write_text("{")
    with pytest.raises(ConfigError) as caught:
        read_record(tmp_path)
    assert str(caught.value) == f"{path} is no JSON any more. Begin the shop anew with 'kizuna simulate {tmp_path}'."
