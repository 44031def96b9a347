"""The section watch of the config."""

from __future__ import annotations

import pytest

from kizuna.config_file import parse_config
from kizuna.errors import ConfigError

SHOP = {"name": "shop", "data": {"tables": {}}}


def test_the_defaults() -> None:
    assert parse_config(SHOP).watch.model_dump() == {
        "dir": None,
        "metrics_file": None,
        "webhook": None,
        "alert_after_failures": 1,
        "max_model_age_days": 60,
        "log_megabytes": 10.0,
        "log_files": 5,
    }


def test_the_webhook_is_read_from_the_environment_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "https://example.test/secret-canary")
    config = parse_config(SHOP | {"watch": {"webhook": "${HOOK}"}})
    assert config.watch.webhook is not None
    assert config.watch.webhook.get_secret_value() == "https://example.test/secret-canary"
    assert "canary" not in f"{config} {config!r} {config.model_dump()} {config.model_dump_json()} {config.document}"


@pytest.mark.parametrize(
    ("section", "text"),
    [
        (
            {"webhook": "https://example.test/secret-canary"},
            "config: watch.webhook must name the environment variable that holds the address, such as ${ALERT_WEBHOOK}: "
            "whoever knows the address can write there. Set the variable, and name it here.",
        ),
        ({"webhook": "${HOOK}"}, "config: watch.webhook must begin with https:// or http:// (found '${HOOK}')."),
        (
            {"metrics_file": "kizuna.txt"},
            "config: watch.metrics_file must end with .prom, as the files do that are collected (found 'kizuna.txt').",
        ),
        (
            {"alert_after_failures": 0},
            "config: watch.alert_after_failures should be greater than or equal to 1 (found 0).",
        ),
    ],
)
def test_what_is_wrong_is_said(section: dict[str, object], text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "file:///etc/secret-canary")
    with pytest.raises(ConfigError) as error:
        parse_config(SHOP | {"watch": section})
    assert str(error.value) == text
