"""Blocks as executors see them, without Spark: opened apart, kept, and worked on, they make the whole shop."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.features.shops import LAST, random_shop

from kizuna.config_file import parse_config
from kizuna.data.bad_rows import BadRows
from kizuna.data.events import Events
from kizuna.data.forgotten import Forgotten
from kizuna.data.loading import open_store
from kizuna.data.store import Store, added
from kizuna.engines import parts
from kizuna.errors import ContractError

SHOP = random_shop(7, "full")


def in_parts(tables: dict[str, pd.DataFrame], config: Any, today: int, number: int) -> list[tuple[parts.Opened, bytes]]:
    """The tables dealt into parts by the last letters of the ids, each opened as an executor opens its block."""
    packed, rows = [], []
    for place, (name, frame) in enumerate(tables.items()):
        names = {f"{name}_{index}": str(column) for index, column in enumerate(frame.columns)}
        packed.append((name, names))
        table = pa.Table.from_pandas(frame, preserve_index=False).rename_columns(list(names))
        block = frame["customer_id"].map(lambda key: hash_of(key) % number).to_numpy(np.int64)
        rows.append(
            table.append_column("table", pa.array(np.full(len(frame), place))).append_column("block", pa.array(block))
        )
    united = pa.concat_tables(rows, promote_options="default")
    opened = []
    for block in range(number):
        mine = united.filter(pa.compute.equal(united["block"], block))
        answer = parts.opener(packed, config, today, Forgotten())(mine).to_pylist()[0]
        assert answer["block"] == block
        opened.append((pickle.loads(answer["opened"]), answer["held"]))
    return opened


def hash_of(key: object) -> int:
    return sum(str(key).encode())


def blocks_of(opened: list[tuple[parts.Opened, bytes]], store: Store, function: Any) -> list[Any]:
    """What a block function gives on each part."""
    batch = pa.record_batch(
        {"block": list(range(len(opened))), "held": pa.array([held for _, held in opened], pa.binary())}
    )
    firsts = dict.fromkeys(range(len(opened)), 0)
    answers = parts.answerer(pickle.dumps(function), store.config, store.today, firsts)(iter([batch]))
    return [pickle.loads(answer["answer"][0].as_py()) for answer in answers]


def look(block: Any) -> tuple[list[str], dict[str, Events], list[list[tuple[Any, ...]]]]:
    counts = block.store.select(
        *(f"SELECT count(*), sum(day), sum(known) FROM {block.store.relation(name)}" for name in block.tables),
        "SELECT count(*), max(customer) FROM customer_ids",
    )
    return block.ids().tolist(), dict(block.tables), counts


@pytest.mark.parametrize("number", [1, 3])
def test_parts_hold_what_the_whole_holds(number: int) -> None:
    whole = SHOP.project().opened
    opened = in_parts(SHOP.frames(), whole.config, whole.today, number)
    assert sum(part.customers for part, _ in opened) == whole.customers
    found = blocks_of(opened, whole, look)
    names = sorted((name for ids, _, _ in found for name in ids), key=str.encode)
    assert names == whole.ids().tolist()
    for position, name in enumerate(whole.tables):
        sums = added([counts[position][0] for _, _, counts in found])
        (rows,) = whole.select(f"SELECT count(*), sum(day), sum(known) FROM {whole.relation(name)}")
        assert sums == added(rows)
        assert sum(part.tables[name].rows for part, _ in opened) == whole.tables[name].rows
    number_of = {name: place for place, name in enumerate(whole.ids())}
    for ids, tables, _ in found:
        for low in range(0, len(ids), max(1, len(ids) // 3)):
            here = whole.block(number_of[ids[low]], number_of[ids[low]] + 1).tables
            for name, events in tables.items():
                assert one_of(events, low) == one_of(here[name], 0), name


def one_of(events: Events, customer: int) -> dict[str, list[str]]:
    """One customer's rows as they print."""
    rows = slice(events.starts[customer], events.starts[customer + 1])
    columns = {"day": events.day, "known": events.known, **events.numbers, **events.days}
    plain = {name: values[rows].tolist() for name, values in columns.items()}
    texts = {
        name: [None if code < 0 else coded.levels[code] for code in coded.codes[rows]]
        for name, coded in events.texts.items()
    }
    return {name: [repr(value) for value in values] for name, values in (plain | texts).items()}


def test_a_part_is_counted_and_not_judged(tmp_path: Path) -> None:
    purchases = pd.DataFrame({"customer_id": ["a", "b"], "occurred_at": ["2031-01-01", "soon"], "amount": [1.0, 2.0]})
    data = {"tables": {"purchases": {}, "surveys": {}}, "on_bad_rows": "quarantine"}
    config = parse_config({"name": "shop", "data": data, "output": {"dir": str(tmp_path)}})
    surveys = pd.DataFrame({"customer_id": ["a"], "occurred_at": ["2020-01-01"], "kind": ["nps"], "score": [9.0]})
    today = LAST
    tables = {"purchases": purchases, "surveys": surveys}
    (first, _), (second, _) = sorted(in_parts(tables, config, today, 2), key=lambda part: part[0].customers)
    assert [first.customers, second.customers] == [0, 1]
    assert first.findings == second.findings == []
    assert first.bad_rows["purchases"][1].examples == ("soon",)
    assert first.set_aside["purchases"]["occurred_at"].to_pylist() == ["soon"]
    assert second.tables["purchases"].future_rows == 1
    assert not list(tmp_path.iterdir())
    whole = open_store(config, today, tables)
    assert [finding.name for finding in whole.findings] == ["missing_table"]


def refuse(block: Any) -> None:
    raise ContractError(f"{block.customers} customers")


def test_a_refusal_comes_back_as_itself() -> None:
    whole = SHOP.project().opened
    opened = in_parts(SHOP.frames(), whole.config, whole.today, 2)
    found = blocks_of(opened, whole, refuse)
    assert [type(error) for error in found] == [ContractError, ContractError]
    assert [str(error) for error in found] == [f"{part.customers} customers" for part, _ in opened]
    batch = pa.record_batch({"block": [0], "held": pa.array([opened[0][1]], pa.binary())})
    schema = pa.schema([("customer_id", pa.string())])
    run = parts.tabulator(pickle.dumps(refuse), whole.config, whole.today, {0: 0}, schema)
    (row,) = next(iter(run(iter([batch])))).to_pylist()
    assert row["customer_id"] is None
    assert isinstance(pickle.loads(row[parts.REFUSED]), ContractError)


def test_bad_rows_of_two_parts_add_up() -> None:
    one = BadRows("occurred_at", "day", "cannot be read", 3, ("b", "d", "é"), frozenset({"eras"}))
    other = BadRows("occurred_at", "day", "cannot be read", 2, (None, "d"), frozenset({"epochs"}))
    assert one + other == BadRows(
        "occurred_at", "day", "cannot be read", 5, (None, "b", "d"), frozenset({"eras", "epochs"})
    )
    assert (one + other).examples == (other + one).examples
    empty = BadRows("occurred_at", "day", "cannot be read", 0, (), frozenset())
    assert one + empty == one
