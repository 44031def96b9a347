"""One message, in bounded time, to real servers that take it, refuse it, drag on, or are not there."""

from __future__ import annotations

import time

import pytest

from kizuna.watch import webhook as room
from kizuna.watch.webhook import post
from watch.hooks import nobody, webhook

MESSAGE = {"text": "山 is up", "run_id": "1"}


def test_a_message_is_taken() -> None:
    with webhook() as hook:
        hook.answer = 204
        assert post(hook.address, MESSAGE) is None
    assert (hook.told, hook.paths) == ([MESSAGE], ["/secret-canary"])


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_another_answer_is_said_and_no_redirect_followed(status: int) -> None:
    with webhook() as hook:
        hook.answer = status
        assert post(hook.address, MESSAGE) == f"it answered {status}"
    assert hook.paths == ["/secret-canary"]


def test_a_server_that_drags_on_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "TIMEOUT_SECONDS", 0.5)
    with webhook() as hook:
        hook.answer = "drip"
        began = time.monotonic()
        assert post(hook.address, MESSAGE) == "it did not answer within 0.5 s"
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("address", [None, "http://no-such-host.invalid/secret-canary", "http://[secret-canary"])
def test_an_address_where_nobody_is_stands_in_no_error(address: str | None) -> None:
    why = post(address or nobody(), MESSAGE)
    assert why is not None
    assert why.startswith("it cannot be reached (")
    assert "canary" not in why
