"""What MLflow serves: a stored model behind one ``predict``, for tools that know nothing of kizuna."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.models.folder import StoredModel, read_model


@dataclass(frozen=True)
class ServedModel:
    """A stored model that answers frames with frames."""

    stored: StoredModel

    def predict(self, frame: pd.DataFrame | NDArray[np.float64]) -> pd.DataFrame:
        """One row per row of ``frame``, on its index: churn_probability, or value_if_kept and value_if_churned."""
        estimator = self.stored.estimator
        index = frame.index if isinstance(frame, pd.DataFrame) else None
        if hasattr(estimator, "predict_proba"):
            return pd.DataFrame({"churn_probability": estimator.predict_proba(frame)[:, 1]}, index=index)
        columns = ["value_if_kept", "value_if_churned"]
        return pd.DataFrame(estimator.conditional(frame), columns=columns, index=index)


def _load_pyfunc(path: str) -> ServedModel:
    """The model of a folder: the name is MLflow's, for a ``loader_module``."""
    return ServedModel(read_model(Path(path)))
