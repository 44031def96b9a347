"""What every export of a publication receives: the list, and what more is known of customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pandas as pd

from kizuna.config import Config
from kizuna.data.contract import CONSENTS
from kizuna.data.store import Store
from kizuna.explain.consent import channel_consent
from kizuna.exports.pack import ListPack
from kizuna.exports.profile import profile_names, profile_of
from kizuna.timeline import day_of


@dataclass(frozen=True)
class ListOut:
    """The rows of one day's list (the columns of at_risk.csv), and the shop that they were made of."""

    at_risk: pd.DataFrame
    as_of: date
    config: Config
    store: Store

    @cached_property
    def profile(self) -> pd.DataFrame:
        """Market, language and attributes as text, by customer_id, as known on the day of the list."""
        frame = profile_of(self.store, day_of(self.as_of), profile_names(self.config))
        return frame.set_index("customer_id")

    @cached_property
    def consent(self) -> pd.DataFrame:
        """What each customer agreed to: True, False or null (unknown) per channel, by customer_id, on the day of the list."""
        answers = profile_of(self.store, day_of(self.as_of), list(CONSENTS)).set_index("customer_id")
        return channel_consent(answers.dropna(axis="columns", how="all"))


@dataclass(frozen=True)
class Outgoing:
    """One list on its way out, with all that is told of it."""

    pack: ListPack
    config: Config
    store: Store

    @cached_property
    def listed(self) -> ListOut:
        """The list without what is told of it."""
        return ListOut(self.pack.at_risk, self.pack.as_of, self.config, self.store)

    @property
    def profile(self) -> pd.DataFrame:
        """See ``ListOut.profile``."""
        return self.listed.profile
