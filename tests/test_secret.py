"""Secrets are refused in a config, and never said or kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from commands import kizuna
from kizuna import secret
from kizuna.config_file import load_config
from kizuna.data.simulate import simulate
from kizuna.secret import held_secrets, remember, without_secrets

CANARY = "Kanarienvogel-7f3a!"
ESCAPED = "Kanarienvogel-7f3a%21"
SOURCE = str(Path(secret.__file__).parents[1])


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_known", set())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://host/db?user=ana&password=s3cret&sslmode=off", "postgresql://host/db?user=ana&password=***&sslmode=off"),
        ("host=db password = s3cret dbname=x", "host=db password = *** dbname=x"),
        ("az://c?sv=1&sig=abc%2F", "az://c?sv=1&sig=***"),
        ("s3 key AKIAABCDEFGHIJKLMNOP.", "s3 key ***."),
        ("url?password=${NAME}", "url?password=${NAME}"),
        ("the password is wrong; tokens: 7", "the password is wrong; tokens: 7"),
        ("monkey=1, keys=2, basket=3", "monkey=1, keys=2, basket=3"),
    ],
)  # fmt: skip
def test_what_is_blotted_out(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_what_the_environment_held_is_blotted_out_wherever_it_turns_up() -> None:
    remember("WAREHOUSE", f"postgresql://ana:{ESCAPED}@db/crm")
    remember("API_TOKEN", "abcdefgh")
    remember("DATA", "/srv/shop")
    remember("SHORT_KEY", "no")
    said = without_secrets(f"{CANARY} {ESCAPED} abcdefgh /srv/shop no postgresql://ana@db/crm")
    assert said == "*** *** *** /srv/shop no postgresql://ana@db/crm"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("postgresql://ana:s3cret@db/crm", "a password"),
        ("postgresql://db/crm?user=ana&password=s3cret", "a password"),
        ("mssql://db/crm?access_token=abc", "a token"),
        ("AKIAABCDEFGHIJKLMNOP", "an access key"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "a token"),
        ("https://hooks.slack.com/services/T0/B0/x", "a webhook's token"),
        ("https://chat.example/hook/0a1b2c3d4e5f60718293a4b5c6d7", "a token"),
    ],
)
def test_a_config_that_holds_a_secret_is_refused(tmp_path: Path, value: str, what: str) -> None:
    tree = {"name": "shop", "data": {"tables": {"purchases": {"uri": value, "query": "select 1"}}}}
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(tree))
    code, _, err = kizuna("check", tmp_path / "shop.yaml")
    assert (code, err) == (
        2,
        f"kizuna: {tmp_path}/shop.yaml: data.tables.purchases.uri holds {what}; write ${{NAME}} in its place, and put it "
        "into the environment as NAME.\n",
    )


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://ana:${PASSWORD}@db/crm",
        "postgresql://ana@db/crm?password=${PASSWORD}",
        "${WAREHOUSE}",
        "sqlite:///../models/mlflow.db",
        "https://mlflow.example/team-of-nine/0123456789",
        "select token from keys where password = 'x'",
        "s3://bucket/2026-11-16/0123456789abcdef0123456789abcdef",
    ],
)
def test_what_names_a_variable_or_is_no_secret_is_taken(value: str) -> None:
    assert list(held_secrets({"a": [{"uri": value}]})) == []


def test_the_same_on_the_command_line_is_taken_because_a_shell_fills_it_in(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("{name: shop, data: {tables: {purchases: {path: p.csv}}}}")
    assert load_config(tmp_path / "shop.yaml", ("tracking.uri=http://ana:s3cret@host",)).tracking.uri.endswith("@host")


def test_a_private_key_is_found() -> None:
    text = "-----BEGIN RSA PRIVATE KEY-----\nabc"
    assert list(held_secrets({"features": {"extra": [text]}})) == [("features.extra[0]", "a private key")]


@pytest.mark.slow
def test_a_secret_of_the_environment_is_nowhere_after_a_week(tmp_path: Path) -> None:
    """A canary password in four places: said by no command and no traceback, kept in no file."""
    simulate(tmp_path, customers=300, days=420, seed=1)
    tree = yaml.safe_load((tmp_path / "config.yaml").read_text())
    tree["at_risk"]["size"] = 40
    tree["exports"] = [{"to": "database", "uri": "${EXPORT}", "table": "at_risk"}]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(tree))
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(tree | {"tracking": {"uri": "${MLFLOW}"}}))
    tree["data"]["tables"]["complaints"] = {"uri": "${WAREHOUSE}", "query": "select '${API_TOKEN}' from"}
    (tmp_path / "warehouse.yaml").write_text(yaml.safe_dump(tree))
    address = f"ana:{ESCAPED}@127.0.0.1:1"
    environment = os.environ | {
        "PYTHONPATH": SOURCE,
        "EXPORT": f"postgresql://{address}/db",
        "MLFLOW": f"http://{address}",
        "WAREHOUSE": f"postgresql://{address}/db",
        "API_TOKEN": CANARY,
        "TMPDIR": str(tmp_path),
    }
    commands = (
        (0, "train config.yaml"),
        (15, "score config.yaml --as-of 2026-01-01 --debug"),
        (75, "score broken.yaml --as-of 2026-01-08 --debug"),
        (75, "models broken.yaml --json"),
        (75, "check warehouse.yaml --debug"),
        (75, "check warehouse.yaml --log-json"),
    )
    for expected, command in commands:
        words = [sys.executable, "-m", "kizuna.cli", *command.split()]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert done.returncode == expected, (command, done.stderr)
        assert ("Traceback" in done.stderr) == ("--debug" in command)
        for canary in (CANARY, ESCAPED):
            assert canary not in done.stdout + done.stderr, command
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path
            assert ESCAPED.encode() not in path.read_bytes(), path
