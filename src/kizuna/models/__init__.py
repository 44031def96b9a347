"""Models: who is about to leave, and what customers are worth.

The estimators are looked up when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kizuna.models.btyd import BGNBD, MBGNBD, GammaGamma, ShiftedBetaGeometric
    from kizuna.models.churn.classifier import ChurnClassifier
    from kizuna.models.value.regressor import CltvRegressor

__all__ = ["BGNBD", "MBGNBD", "ChurnClassifier", "CltvRegressor", "GammaGamma", "ShiftedBetaGeometric"]


def __getattr__(name: str) -> Any:
    if name == "ChurnClassifier":
        from kizuna.models.churn.classifier import ChurnClassifier

        return ChurnClassifier
    if name == "CltvRegressor":
        from kizuna.models.value.regressor import CltvRegressor

        return CltvRegressor
    if name in ("BGNBD", "MBGNBD", "GammaGamma", "ShiftedBetaGeometric"):
        from kizuna.models import btyd

        return getattr(btyd, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
