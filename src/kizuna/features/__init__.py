"""Point-in-time features: History and one file per family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kizuna.features.family import Family
    from kizuna.features.history import History, ratio
    from kizuna.features.plan import Feature, Settings

__all__ = ["Family", "Feature", "History", "Settings", "ratio"]

_HOMES = {
    "Family": "kizuna.features.family",
    "Feature": "kizuna.features.plan",
    "History": "kizuna.features.history",
    "Settings": "kizuna.features.plan",
    "ratio": "kizuna.features.history",
}


def __getattr__(name: str) -> Any:
    # A plan is read in many places that build no features; History brings compiled loops with it.
    if name not in _HOMES:
        raise AttributeError(f"module 'kizuna.features' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
