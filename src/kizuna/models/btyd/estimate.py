"""What a fit leaves behind: parameters by the papers' letters, how sure they are, and what ran to an edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.models.btyd.maximum import Maximum
from kizuna.plain import plain

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """``standard_errors``: NaN for letters in ``at_boundary`` and where the likelihood is flat."""

    params: dict[str, float]
    log_likelihood: float
    standard_errors: dict[str, float]
    at_boundary: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The estimate as plain JSON, unknown standard errors as null."""
        tree: dict[str, Any] = plain(
            {
                "params": self.params,
                "log_likelihood": self.log_likelihood,
                "standard_errors": self.standard_errors,
                "at_boundary": self.at_boundary,
                "warnings": self.warnings,
            }
        )
        return tree

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Estimate:
        """The estimate that ``to_json`` wrote."""
        errors = tree["standard_errors"].items()
        return cls(
            {name: float(value) for name, value in tree["params"].items()},
            float(tree["log_likelihood"]),
            {name: float("nan") if value is None else float(value) for name, value in errors},
            tuple(tree["at_boundary"]),
            tuple(tree["warnings"]),
        )


def make_estimate(maximum: Maximum, params: dict[str, float], jacobian: Floats, log_likelihood: float) -> Estimate:
    """The estimate of a maximum. jacobian: (letters, coordinates), of the letters' logarithms."""
    letters = sorted({letter for edge in maximum.edges for letter in edge.letters}, key=list(params).index)
    variance = np.einsum("ij,jk,ik->i", jacobian, maximum.covariance, jacobian)
    errors = np.sqrt(variance) * np.fromiter(params.values(), dtype=np.float64)
    warnings = [edge.words for edge in maximum.edges]
    if np.isnan(variance).any():
        warnings.append("The likelihood is flat around its maximum: these customers do not determine all parameters.")
    known = {
        name: float("nan") if name in letters else float(error) for name, error in zip(params, errors, strict=True)
    }
    return Estimate(params, log_likelihood, known, tuple(letters), tuple(warnings))
