"""What every export of a publication receives: the list, what more is known of customers, and where earlier lists lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from kizuna.config import Config
from kizuna.data.contract import CONSENTS
from kizuna.data.store import Store
from kizuna.explain.consent import channel_consent
from kizuna.exports.pack import ListPack
from kizuna.exports.profile import profile_names, profile_of
from kizuna.timeline import day_of


@dataclass(frozen=True)
class Outgoing:
    """One list on its way out. ``earlier_folders``: where the lists of the days before lie, newest first; ``same_day``: where
    earlier revisions of its own day do.
    """

    pack: ListPack
    config: Config
    store: Store
    earlier_folders: tuple[Path, ...] = ()
    same_day: tuple[Path, ...] = ()

    @cached_property
    def profile(self) -> pd.DataFrame:
        """Market, language and attributes as text, by customer_id, as known on the day of the list."""
        frame = profile_of(self.store, day_of(self.pack.as_of), profile_names(self.config))
        return frame.set_index("customer_id")

    @cached_property
    def consent(self) -> pd.DataFrame:
        """What each customer agreed to: True, False or null (unknown) per channel, by customer_id, on the day of the list."""
        answers = profile_of(self.store, day_of(self.pack.as_of), list(CONSENTS)).set_index("customer_id")
        return channel_consent(answers.dropna(axis="columns", how="all"))
