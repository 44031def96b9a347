"""Consent: yes, no or unknown, over everything or by channel."""

from __future__ import annotations

import pandas as pd
import pytest

from kizuna.explain.consent import CHANNELS, contact_consent, open_channels

NAN = float("nan")


@pytest.mark.parametrize(
    ("columns", "allowed", "channels"),
    [
        ({}, None, []),
        ({"consent": 1}, True, list(CHANNELS)),
        ({"consent": 0}, False, []),
        ({"consent": NAN}, None, []),
        ({"consent_email": 1, "consent_phone": 0}, True, ["email"]),
        ({"consent_email": 0, "consent_phone": 0}, False, []),
        ({"consent_email": 0, "consent_phone": NAN}, None, []),
        ({"consent": 0, "consent_email": 1}, False, []),
        ({"consent": NAN, "consent_email": 1}, True, ["email"]),
        ({"consent": 1, "consent_email": 0}, False, []),
        ({"consent": 1, "consent_email": NAN, "consent_line": 0}, True, ["email", "sms", "phone", "post"]),
        ({"consent": None, "consent_post": True, "consent_sms": True}, True, ["sms", "post"]),
    ],
)
def test_consent(columns, allowed, channels):
    context = pd.DataFrame({name: [value] for name, value in columns.items()}, index=["x"])
    answer = contact_consent(context)
    assert answer.dtype == "boolean"
    assert (None if pd.isna(answer["x"]) else bool(answer["x"])) is allowed
    opened = open_channels(context)
    assert opened.columns.tolist() == list(CHANNELS)
    assert [channel for channel in CHANNELS if opened.at["x", channel]] == channels
