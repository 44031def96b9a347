"""Buy-till-you-die: purchases, their value and contracts, by models with a handful of parameters.

``BGNBD``, ``MBGNBD``: how often customers buy and when they stop. ``GammaGamma``: what a purchase is worth.
``ShiftedBetaGeometric``: how long contracts are renewed. Looked up when first used, as in ``kizuna.models``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kizuna.models.btyd.beta_geometric import BGNBD, MBGNBD
    from kizuna.models.btyd.gamma_gamma import GammaGamma
    from kizuna.models.btyd.shifted_beta_geometric import ShiftedBetaGeometric

__all__ = ["BGNBD", "MBGNBD", "GammaGamma", "ShiftedBetaGeometric"]

_HOMES = {
    "BGNBD": "beta_geometric",
    "MBGNBD": "beta_geometric",
    "GammaGamma": "gamma_gamma",
    "ShiftedBetaGeometric": "shifted_beta_geometric",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
