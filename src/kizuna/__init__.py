"""kizuna (絆): who is about to leave, what they are worth, why, and a weekly list to act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kizuna.version import VERSION

if TYPE_CHECKING:
    from kizuna.models import ChurnClassifier, CltvRegressor
    from kizuna.project import Project, load

__version__ = VERSION
__all__ = ["ChurnClassifier", "CltvRegressor", "Project", "__version__", "load"]

_HOMES = {
    "load": "kizuna.project",
    "Project": "kizuna.project",
    "ChurnClassifier": "kizuna.models",
    "CltvRegressor": "kizuna.models",
}


def __getattr__(name: str) -> Any:
    # Importing kizuna must stay instant, so each public name is fetched when it is first asked for.
    if name not in _HOMES:
        raise AttributeError(f"module 'kizuna' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
