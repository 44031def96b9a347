"""The countries that the simulated shop sells to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Market:
    """One country: how many customers, what they speak, when they buy, how they answer."""

    name: str
    share: float
    language: str
    languages: tuple[tuple[str, float], ...]
    season: tuple[float, ...]
    payday_factor: float = 1.0
    closed_month_days: tuple[tuple[int, int], ...] = ()
    return_share: float = 0.04
    nps_shift: float = 0.0


JP = Market(
    name="jp",
    share=0.80,
    language="ja",
    languages=(("ja", 0.95), ("en", 0.05)),
    season=(0.95, 0.85, 1.05, 0.95, 0.95, 1.0, 1.15, 0.9, 0.95, 1.0, 1.1, 1.45),
    payday_factor=1.15,
    closed_month_days=((1, 1), (1, 2)),
    nps_shift=-1.2,
)
US = Market(
    name="us",
    share=0.12,
    language="en",
    languages=(("en", 0.94), ("ja", 0.03), ("de", 0.03)),
    season=(0.9, 0.9, 0.95, 0.95, 1.0, 0.95, 0.95, 1.0, 0.95, 1.0, 1.25, 1.3),
    return_share=0.06,
    nps_shift=0.6,
)
DE = Market(
    name="de",
    share=0.08,
    language="de",
    languages=(("de", 0.92), ("en", 0.08)),
    season=(1.0, 0.9, 0.95, 1.0, 1.0, 0.95, 0.9, 0.9, 1.0, 1.0, 1.2, 1.3),
    return_share=0.09,
)
