"""The config's section of gates: what stops a list from being published, and what is only said."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Gates(BaseModel):
    """The limits of the checks around each scored day; see docs/gates.md. Shares and indices are plain numbers, 0.8 is 80 %.

    ``min_rows_share``: of a table's rows, against the median of the ``earlier_lists`` last lists; ``max_rows_share``: against
    the last list. ``min_recent_share``: of its rows of the last 28 days, against the least of eight such periods before.
    ``min_level_share``: of texts whose level the model has learned, against training. ``warn_feature_psi``,
    ``max_feature_psi``: of the most moved feature's stability index against training; null never stops.
    ``warn_score_psi``, ``max_score_psi``: of the probabilities', against training; ``max_list_psi``: against the last list of
    the same models. ``max_high_change``: how far the share of high risk may move between lists. ``max_value_ratio``: how many
    times larger or smaller the mean value may be than on the last list of the same models. ``min_eligible_share``,
    ``min_list_share``: of customers eligible and listed, against the median of the last lists.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    earlier_lists: int = Field(8, ge=1)
    min_rows_share: float = Field(0.8, ge=0, le=1)
    max_rows_share: float = Field(1.8, ge=1)
    min_recent_share: float = Field(0.5, ge=0, le=1)
    min_level_share: float = Field(0.5, ge=0, le=1)
    warn_feature_psi: float = Field(0.2, gt=0)
    max_feature_psi: float | None = Field(None, gt=0)
    warn_score_psi: float = Field(0.2, gt=0)
    max_score_psi: float = Field(0.5, gt=0)
    max_list_psi: float = Field(0.5, gt=0)
    max_high_change: float = Field(0.2, ge=0, le=1)
    max_value_ratio: float = Field(2.0, gt=1)
    min_eligible_share: float = Field(0.5, ge=0, le=1)
    min_list_share: float = Field(0.5, ge=0, le=1)
