"""The config's section of KPIs: the fiscal year, and the few limits that their definitions leave open."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Kpi(BaseModel):
    """How KPIs are cut and called.

    ``fiscal_year_label``: a fiscal year is named by the calendar year in which it starts (年度) or ends (FY).
    ``regular_orders``: so many orders in 365 days make a regular customer. ``reference_below``: a figure of fewer
    observations is for reference only. ``referral_channels``: acquisition channels that count as a referral.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fiscal_year_start_month: int = Field(4, ge=1, le=12)
    fiscal_year_label: Literal["start", "end"] = "start"
    regular_orders: int = Field(4, ge=1)
    reference_below: int = Field(30, ge=2)
    referral_channels: list[str] = ["referral"]
