from __future__ import annotations

from typing import Any

import pytest

from kizuna.config import Config
from kizuna.config_exports import CsvExport, DatabaseExport, DestinationExport
from kizuna.config_file import parse_config
from kizuna.errors import ConfigError

DATABASE_URI = "postgresql://user@host/shop"


def config_of(*exports: Any) -> Config:
    return parse_config({"name": "shop", "data": {"tables": {}}, "exports": list(exports)})


def test_defaults() -> None:
    csv, sent, table = config_of(
        {"to": "csv"},
        {"to": "braze", "columns": {"external_id": "customer_id"}},
        {"to": "database", "uri": DATABASE_URI},
    ).exports
    assert csv == CsvExport(to="csv", encoding="utf-8-sig", unencodable="error", rows="all", split_by=None)
    assert isinstance(sent, DestinationExport)
    assert (sent.file_stem, sent.changed_only, sent.blank, sent.clear, sent.channels) == ("braze", False, None, {}, [])
    assert table == DatabaseExport(to="database", uri=DATABASE_URI, table="at_risk", create=False)
    assert [export.to for export in parse_config({"name": "shop", "data": {"tables": {}}}).exports] == [
        "workbook",
        "report",
    ]


def test_constants_keep_their_types() -> None:
    (sent,) = config_of(
        {"to": "destination", "columns": {"No": "customer_id"}, "constants": {"a": True, "b": 1, "c": 1.5, "d": "01"}}
    ).exports
    assert isinstance(sent, DestinationExport)
    assert [(type(value), value) for value in sent.constants.values()] == [
        (bool, True),
        (int, 1),
        (float, 1.5),
        (str, "01"),
    ]


MAPPED = {"to": "destination", "columns": {"No": "customer_id"}}
WRONG: list[tuple[Any, str]] = [
    (
        {"to": "csv", "encodin": "cp932"},
        "unknown key 'exports.0.encodin'. Did you mean 'encoding'? "
        "Keys here are to, encoding, unencodable, rows, split_by.",
    ),
    (
        {"to": "csv", "encoding": "shift_jis"},
        "exports.0.encoding should be 'utf-8-sig' or 'cp932' (found 'shift_jis').",
    ),
    ({"columns": {}}, "'exports.0.to' is missing. Add it."),
    (
        {"to": "destination", "columns": {False: "customer_id"}},
        "exports.0.columns has a key that YAML reads as False. Put it in quotes.",
    ),
    ("csv", "exports.0 must be a section of keys (found 'csv')."),
    ({"to": "braze"}, "'exports.0.columns' is missing. Add it."),
    (
        {**MAPPED, "contacts": {"pth": "a.csv"}},
        "unknown key 'exports.0.contacts.pth'. Did you mean 'path'? Keys here are path, uri, table, query, columns.",
    ),
    ({**MAPPED, "contacts": {"columns": {}}}, "exports.0.contacts needs either path or uri."),
    (
        {**MAPPED, "contacts": {"uri": DATABASE_URI}},
        "exports.0.contacts has a uri but neither query nor table; add the query to run there.",
    ),
    (
        {**MAPPED, "date_format": "%d.%m.%y"},
        "exports.0.date_format must hold %Y, %m and %d, and may hold %H, %M, %S and %z; "
        "'%Y/%m/%d' writes 2026/01/05 (found '%d.%m.%y').",
    ),
    (
        {"to": "database", "uri": "mysql://host/shop"},
        "exports.0.uri must begin with postgresql:// (found 'mysql://host/shop').",
    ),
    (
        {"to": "database", "uri": DATABASE_URI, "table": 'at_risk"; drop'},
        "exports.0.table must be a table, or schema.table, of letters, digits and '_' (found 'at_risk\"; drop').",
    ),
]


@pytest.mark.parametrize(("export", "said"), WRONG)
def test_what_is_wrong_is_said_with_its_key(export: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(export)
    assert str(caught.value) == f"config: {said}"


def test_a_name_cannot_leave_its_folder() -> None:
    for name in ("../x", "a/b", "", "A", "x" * 61):
        with pytest.raises(ConfigError, match=r"exports\.0\.name"):
            config_of({**MAPPED, "name": name})


def test_a_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", "mysql://user:secret@host/shop")
    with pytest.raises(ConfigError) as caught:
        config_of({"to": "database", "uri": "${WAREHOUSE}"})
    assert "secret" not in str(caught.value)
