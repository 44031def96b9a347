from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kizuna.config import FAMILIES, TABLES, Config, config_schema
from kizuna.config_file import load_config, parse_config
from kizuna.data.contract import CONTRACTS
from kizuna.errors import ConfigError, nearest

SMALLEST = "name: shop\ndata: {tables: {purchases: {path: p.csv}}}\n"
FULL = """
name: shop
data:
  timezone: Asia/Tokyo
  currency: JPY
  on_bad_rows: fail
  tables:
    customers:  {path: ../data/customers.parquet, attributes: [tier]}
    purchases:  {path: ../data/orders.csv, columns: {customer_id: user, occurred_at: ordered_at, amount: total},
                 arrives_after_days: 1, warn_after_days: 3, error_after_days: 7}
    complaints: {uri: "${WAREHOUSE}", query: "select * from crm.tickets", on_missing: degrade}
    engagement: {path: ../data/web.csv.gz, query: "select user as customer_id, ts as occurred_at, 'visit' as kind from source"}
snapshots:  {every_days: 28, min_history_days: 90, max_count: 24}
churn:      {definition: inactivity, horizon_days: 90, gap_days: 0, active_within_days: 180}
cltv:       {horizon_days: auto, margin: 1.0}
features:   {windows_days: [7, 30, 90, 180, 365], families: all, exclude: [], extra: []}
training:   {max_rows: 2000000, treated: keep}
model:
  seed: 7
  churn:    {estimator: auto, params: {}, calibration: auto, tune_trials: 0}
  cltv:     {estimator: auto, params: {}, tune_trials: 0}
evaluation: {folds: 3, capacity: 500}
gate:       {max_behind_baseline: 0.003, max_calibration_error: 0.05, max_drop_from_champion: 0.01, max_leak_findings: 0}
tracking:   {uri: "sqlite:///../models/mlflow.db"}
economics:  {contact_cost: null, offer_cost: null, assumed_save_rate: null}
at_risk:
  rank_by: value_at_risk
  size: 500
  min_probability: auto
  bands: {high: 0.6, medium: 0.3}
  experiment: shop
  control_share: 0.2
  contact_pause_days: 14
  pause_kinds: [offer, follow_up, call, thanks]
  consent_missing: refuse
  reasons: 3
  language: ja
  playbook: builtin
output:     {dir: ../exports}
exports:    [{to: workbook}, {to: report}]
engine:     {kind: local, threads: 1}
"""
SECTIONS = (
    "name, data, snapshots, churn, cltv, features, training, model, evaluation, gate, gates, tracking, economics, at_risk, kpi, "
    "output, exports, engine, watch"
)


def read(path: Path, text: str, *overrides: str) -> Config:
    (path / "shop.yaml").write_text(text, encoding="utf-8")
    return load_config(path / "shop.yaml", overrides)


def refusal(path: Path, text: str, *overrides: str) -> str:
    """What is said of a config, without the name of its file."""
    with pytest.raises(ConfigError) as caught:
        read(path, text, *overrides)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(f"{path}/shop.yaml: ", "").replace(f"{path}/", "")


def test_what_the_contract_shows_is_read_and_its_defaults_are_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", "postgresql://user:secret@host/db")
    full, smallest = read(tmp_path, FULL), read(tmp_path, SMALLEST)
    shown, ours = full.model_dump(), smallest.model_dump()
    assert (shown["data"]["timezone"], ours["data"]["timezone"]) == ("Asia/Tokyo", "UTC")
    for tree in (shown, ours):
        del tree["data"], tree["at_risk"]["language"], tree["at_risk"]["experiment"]
    assert shown == ours
    assert full.experiment == smallest.experiment == "shop"
    assert (full.at_risk.language, smallest.at_risk.language) == ("ja", "en")
    assert full.data.tables["complaints"].uri == "postgresql://user:secret@host/db"
    assert "secret" not in json.dumps(full.document)


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "configs").mkdir()
    config = read(tmp_path / "configs", SMALLEST)
    assert config.output_dir == tmp_path / "exports"
    assert config.resolve("data/p.csv") == tmp_path / "configs/data/p.csv"
    assert config.resolve("/data/p.csv") == Path("/data/p.csv")
    assert config.tracking_uri == f"sqlite:///{tmp_path}/models/mlflow.db"
    absolute = read(tmp_path, SMALLEST + "tracking: {uri: 'sqlite:////srv/mlflow.db'}\n")
    assert absolute.tracking_uri == "sqlite:////srv/mlflow.db"
    served = read(tmp_path, SMALLEST + "tracking: {uri: 'http://127.0.0.1:5000'}\nat_risk: {playbook: mine.yaml}\n")
    assert served.tracking_uri == "http://127.0.0.1:5000"
    assert (served.playbook_path, config.playbook_path) == (tmp_path / "mine.yaml", None)
    monkeypatch.chdir(tmp_path)
    assert parse_config(yaml.safe_load(SMALLEST)).output_dir == tmp_path.parent / "exports"


UNKNOWN = {
    "chrun: {}": f"unknown key 'chrun'. Did you mean 'churn'? Keys here are {SECTIONS}.",
    "churn: {horizon: 3}": "unknown key 'churn.horizon'. Did you mean 'horizon_days'? "
    "Keys here are definition, horizon_days, gap_days, active_within_days.",
    "model: {churn: {estimater: auto}}": "unknown key 'model.churn.estimater'. Did you mean 'estimator'? "
    "Keys here are estimator, params, calibration, tune_trials, tune_minutes.",
    "at_risk: {bands: {hihg: 0.9}}": "unknown key 'at_risk.bands.hihg'. Did you mean 'high'? Keys here are high, medium.",
    "output: {folder: x}": "unknown key 'output.folder'. Keys here are dir, mirror.",
}


@pytest.mark.parametrize("line", UNKNOWN)
def test_an_unknown_key_is_refused_with_the_nearest(line: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, SMALLEST + line + "\n") == UNKNOWN[line]


TABLE_KEYS = (
    "path, uri, table, query, columns, attributes, arrives_after_days, warn_after_days, error_after_days, on_missing"
)
DATA = {
    "{tables: {purchase: {path: p.csv}}}": "data.tables has no table 'purchase'. Did you mean 'purchases'? "
    f"Tables are {', '.join(TABLES)}.",
    "{tables: {purchases: {pth: p.csv}}}": "unknown key 'data.tables.purchases.pth'. Did you mean 'path'? "
    f"Keys here are {TABLE_KEYS}.",
    "{tables: {purchases: }}": "data.tables.purchases is empty. Write its keys under it, or leave the line out.",
    "{tables: {purchases: p.csv}}": "data.tables.purchases must be a section of keys (found 'p.csv').",
    "{tables: {purchases: {path: p.csv, uri: x}}}": "data.tables.purchases has both path and uri; keep one.",
    "{tables: {purchases: {uri: x}}}": "data.tables.purchases has a uri but neither query nor table; "
    "add the query to run there.",
    "{timezone: Asia/Tokio, tables: {}}": "data.timezone is no time zone. Did you mean 'Asia/Tokyo'? (found 'Asia/Tokio').",
    "{timezone: ../etc/passwd, tables: {}}": "data.timezone is no time zone (found '../etc/passwd').",
    "{tables: {purchases: {path: p.csv, attributes: [tier]}}}": "data.tables has attributes in table purchases; "
    "only customers have them. Use columns or features.",
    "{currency: JPY}": "'data.tables' is missing. Add it.",
    "{tables: {purchases: {path: p.csv, columns: {is_return: yes}}}}": "data.tables.purchases.columns.is_return should be "
    "a valid string (found True). Put it in quotes.",
}


@pytest.mark.parametrize("data", DATA)
def test_tables_and_zones_that_are_wrong(data: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, f"name: shop\ndata: {data}\n") == DATA[data]


VALUES = {
    "churn: {horizon_days: ninety}": "churn.horizon_days should be a valid integer, unable to parse string as an integer "
    "(found 'ninety').",
    "churn: {horizon_days: 0}": "churn.horizon_days should be greater than or equal to 1 (found 0).",
    "churn: {definition: silence}": "churn.definition should be 'inactivity', 'cancellation' or 'provided' (found 'silence').",
    "churn:": "churn is empty. Write its keys under it, or leave the line out.",
    "cltv: {horizon_days: soon}": "cltv.horizon_days should be a valid integer, unable to parse string as an integer "
    "(found 'soon'). Or it should be 'auto' (found 'soon').",
    "cltv: {horizon_days: 0}": "cltv.horizon_days must be at least 1 or 'auto' (found 0).",
    "at_risk: {min_probability: 1.5}": "at_risk.min_probability must lie between 0 and 1, or be 'auto' (found 1.5).",
    "at_risk: {bands: {high: 0.2, medium: 0.3}}": "at_risk.bands has medium 0.3 at or above high 0.2; medium must be lower.",
    "at_risk: {control_share: 1}": "at_risk.control_share should be less than 1 (found 1).",
    "at_risk: {per_market: {JP: -1}}": "at_risk.per_market has -1 for JP; a number of customers is 0 or more.",
    "at_risk: {per_market: {JP: 1, jp: 2}}": "at_risk.per_market names JP twice; upper and lower case are the same market.",
    "at_risk: {quota: {frist: 10}}": "at_risk.quota has no stage 'frist'. Did you mean 'first'? "
    "Stages are first, second, regular, loyal, lapsing.",
    "at_risk: {size: 50, quota: {first: 40, second: 20}}": "at_risk has quotas of 60 in all, more than size 50; lower them, "
    "or raise size.",
    "at_risk: {max_silent_share: 2}": "at_risk.max_silent_share should be less than or equal to 1 (found 2).",
    "features: {families: [purchase]}": "features.families has no family 'purchase'. Did you mean 'purchases'? "
    f"Families are {', '.join(FAMILIES)}.",
    "features: {windows_days: []}": "features.windows_days needs at least one window of at least 1 day.",
    "churn: {definition: cancellation}\nmodel: {cltv: {estimator: btyd}}": "model.cltv.estimator: btyd takes churned for no "
    "purchase in the label window, but churn.definition is cancellation. Use auto, hurdle or tweedie.",
    "model: {churn: {estimator: logistic, tune_trials: 5}}": "model.churn.tune_trials asks for a search, but estimator "
    "logistic has nothing that it could tune. Choose auto, blend, lightgbm, or set tune_trials to 0.",
    "model: {cltv: {estimator: btyd, tune_trials: 5}}": "model.cltv.tune_trials asks for a search, but estimator btyd has "
    "nothing that it could tune. Choose auto, hurdle, tweedie, or set tune_trials to 0.",
    "model: {cltv: {estimator: sklearn.linear_model.Ridge, tune_trials: 5}}": "model.cltv.tune_trials asks for a search, "
    "but estimator sklearn.linear_model.Ridge has nothing that it could tune. Choose auto, hurdle, tweedie, or set "
    "tune_trials to 0.",
    "model: {cltv: {tune_minutes: 0}}": "model.cltv.tune_minutes should be greater than 0 (found 0).",
    "exports: [{to: fax}]": "exports.0.to should be one of 'workbook', 'report', 'csv', 'destination', "
    "'braze', 'klaviyo', 'database' (found 'fax').",
    "churn: {horizon_days: 1}\nchurn: {gap_days: 1}": "shop.yaml is not valid YAML at line 4: the key 'churn' is there twice. "
    "Mend that line; indent with blanks.",
    "churn: [": "shop.yaml is not valid YAML at line 4: expected the node content, but found '<stream end>'. "
    "Mend that line; indent with blanks.",
}


@pytest.mark.parametrize("line", VALUES)
def test_a_value_that_is_wrong_is_shown_with_its_key(line: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, SMALLEST + line + "\n") == VALUES[line]


def test_files_that_are_no_config(tmp_path: Path) -> None:
    assert refusal(tmp_path, "") == "shop.yaml must hold keys and values, beginning with 'name:'; found nothing."
    assert refusal(tmp_path, "- a\n") == "shop.yaml must hold keys and values, beginning with 'name:'; found a list."
    assert refusal(tmp_path, "name: shop\n") == "'data' is missing. Add it."
    assert refusal(tmp_path, SMALLEST.replace("shop", "../shop")) == (
        "name must be letters, digits, '_', '-' and '.', at most 100 of them (found '../shop')."
    )
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "no.yaml")
    assert (
        str(caught.value) == f"The config {tmp_path}/no.yaml was asked for, but there is no such file. Check the path."
    )
    with pytest.raises(ConfigError, match=r"cannot be read: .* It must be a UTF-8 text file\.$"):
        load_config(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes("name: 絆".encode("cp932"))
    with pytest.raises(ConfigError, match=r"cannot be read: .* It must be a UTF-8 text file\.$"):
        load_config(tmp_path / "bytes.yaml")


def test_several_mistakes_are_said_together(tmp_path: Path) -> None:
    text = SMALLEST + "chrun: {}\nchurn: {horizon_days: x}\ncltv: {margin: 0}\noutput: {dri: y}\n"
    assert len(refusal(tmp_path, text).splitlines()) == 3


def test_the_environment_is_read_but_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SMALLEST.replace("p.csv", '"${SHOP_DIR}/p.csv"')
    monkeypatch.delenv("SHOP_DIR", raising=False)
    assert refusal(tmp_path, text) == (
        "data.tables.purchases.path reads the environment variable SHOP_DIR, which is not set. Set it and run again."
    )
    monkeypatch.setenv("SHOP_DIR", "/srv/secret")
    assert read(tmp_path, text).data.tables["purchases"].path == "/srv/secret/p.csv"
    assert (
        read(tmp_path, SMALLEST, "data.tables.purchases.path=${SHOP_DIR}").data.tables["purchases"].path
        == "/srv/secret"
    )
    wrong = refusal(tmp_path, 'name: shop\ndata: {tables: {purchases: "${SHOP_DIR}"}}\n')
    assert wrong == "data.tables.purchases must be a section of keys (found '${SHOP_DIR}')."
    assert "secret" not in refusal(tmp_path, SMALLEST + 'churn: {horizon_days: "${SHOP_DIR}"}\n')


OVERRIDES: dict[str, tuple[str, Any]] = {
    "churn.horizon_days=60": ("churn.horizon_days", 60),
    "features.windows_days=[30, 7, 30]": ("features.windows_days", [7, 30]),
    "at_risk.bands={high: 0.9, medium: 0.1}": ("at_risk.bands.high", 0.9),
    "data.tables.purchases.query=select * from source where a = 'b=c'": (
        "data.tables.purchases.query",
        "select * from source where a = 'b=c'",
    ),
    "at_risk.experiment=null": ("at_risk.experiment", None),
    "data.currency=JPY": ("data.currency", "JPY"),
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_any_key_can_be_overridden(override: str, tmp_path: Path) -> None:
    path, expected = OVERRIDES[override]
    node: Any = read(tmp_path, SMALLEST, override).model_dump()
    for part in path.split("."):
        node = node[part]
    assert node == expected


def test_overrides_that_are_wrong(tmp_path: Path) -> None:
    asks = "--set asks for KEY=VALUE, such as churn.horizon_days=60; found "
    assert refusal(tmp_path, SMALLEST, "churn") == asks + "'churn'."
    assert refusal(tmp_path, SMALLEST, "=5") == asks + "'=5'."
    assert refusal(tmp_path, SMALLEST, "name.first=x") == "--set name.first: 'name' holds a value, not a section."
    assert refusal(tmp_path, SMALLEST, "churn.definition=: x") == (
        "--set churn.definition: ': x' cannot be read as a YAML value. Quote it."
    )
    assert refusal(tmp_path, SMALLEST, "churn.horizon_day=60").startswith(
        "unknown key 'churn.horizon_day'. Did you mean "
    )


def test_the_schema_knows_every_section_and_the_contract_every_table() -> None:
    schema = config_schema()
    assert list(schema["properties"]) == SECTIONS.split(", ")
    assert schema["additionalProperties"] is False
    assert tuple(CONTRACTS) == TABLES


def test_the_nearest_name_is_given_only_where_it_is_near() -> None:
    assert nearest("purchase", TABLES) == " Did you mean 'purchases'?"
    assert nearest("zzz", TABLES) == ""


class TestOutput:
    def parsed(self, **output: str) -> Config:
        return parse_config(yaml.safe_load(SMALLEST) | {"output": output})

    def test_an_address_is_worked_on_in_a_private_copy_of_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        one, same, other = (
            self.parsed(dir=f"s3://shop/{name}").output_dir for name in ("exports", "exports/", "other")
        )
        assert self.parsed(dir="s3://shop/exports/").output.address == "s3://shop/exports"
        assert one == same != other
        assert self.parsed(dir="s3://shop/exports").place_of("2026-11-16") == "s3://shop/exports/2026-11-16.json"
        assert self.parsed(dir="exports").place_of("2026-11-16") == str(Path.cwd() / "exports/2026-11-16")
        assert one.parent == tmp_path / "kizuna"
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
        assert self.parsed(dir="s3://shop/exports").output_dir not in (one, other)
        assert self.parsed(dir="s3://shop/exports", mirror="copy").output_dir == Path.cwd() / "copy"
        assert self.parsed(dir="exports").output.address is None

    @pytest.mark.parametrize(
        ("output", "words"),
        [
            ({"dir": "file:///srv/exports"}, "is a place on this machine; write it as a path, without ://"),
            (
                {"dir": "s3://key:secret@shop/exports"},
                "must hold neither credentials nor options; the environment names them",
            ),
            ({"dir": "s3://shop"}, "needs a bucket and a folder in it, such as s3://bucket/exports"),
            ({"dir": "s3://shop/a/../b"}, "must not hold empty or dotted parts"),
            ({"dir": "exports", "mirror": "copy"}, "has a mirror, but dir is a folder, which needs none. Take it out"),
        ],
    )
    def test_what_cannot_be_an_output_is_said(self, output: dict[str, str], words: str) -> None:
        with pytest.raises(ConfigError) as refused:
            self.parsed(**output)
        assert words in str(refused.value)
        assert refused.value.exit_code == 2
