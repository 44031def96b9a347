"""What a customer agreed to: whether contact is allowed at all, and over which channels.

Consent is known as one answer for everything (column ``consent``), or by channel (``consent_email`` …), or not at all.
Columns are 1, 0 or null; an absent column is unknown.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

CHANNELS = ("email", "sms", "line", "phone", "post")


def contact_consent(context: pd.DataFrame) -> pd.Series:
    """True, False or null (unknown) per row: whether any channel may be used, by consent alone.

    One answer for everything decides where it refuses; else any channel that was agreed to; else the refusal of every
    channel that is asked about; else the answer for everything.
    """
    overall, channels = _answers(context)
    refused = _refused(context)
    given = overall.eq(1) | channels.eq(1).any(axis=1)
    return pd.Series(pd.NA, index=context.index, dtype="boolean").mask(given, True).mask(refused, False)


def open_channels(context: pd.DataFrame) -> pd.DataFrame:
    """One bool column per channel of ``CHANNELS``: whether the customer agreed to it.

    Agreement to everything covers the channels that were not refused, where none was agreed to by name.
    """
    overall, channels = _answers(context)
    agreed = channels.eq(1)
    covered = channels.ne(0).mul(overall.eq(1) & ~agreed.any(axis=1), axis=0)
    return (agreed | covered).mul(~_refused(context), axis=0)


def channel_consent(context: pd.DataFrame) -> pd.DataFrame:
    """One column per channel of ``CHANNELS``: True (agreed), False (refused) or null (unknown)."""
    _, channels = _answers(context)
    agreed = open_channels(context)
    refused = channels.eq(0).mul(1).add(_refused(context).mul(1), axis=0).gt(0)
    unknown = agreed.astype("boolean").mask(~agreed)
    answers: pd.DataFrame = unknown.mask(agreed, True).mask(refused, False)
    return answers


def _refused(context: pd.DataFrame) -> pd.Series:
    """Everything was refused, or each of the channels that this shop asks about."""
    overall, channels = _answers(context)
    asked = [channel for channel in CHANNELS if f"consent_{channel}" in context]
    return overall.eq(0) | (channels[asked].eq(0).all(axis=1) & bool(asked))


def _answers(context: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    answers = {name: _answer(context, name) for name in ("consent", *(f"consent_{channel}" for channel in CHANNELS))}
    frame = pd.DataFrame(answers, index=context.index)
    return frame.pop("consent"), frame.set_axis(list(CHANNELS), axis=1)


def _answer(context: pd.DataFrame, column: str) -> pd.Series:
    if column not in context:
        return pd.Series(np.nan, index=context.index)
    numbers = pd.to_numeric(context[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(numbers, index=context.index)
