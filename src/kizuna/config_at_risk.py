"""The config's section of the at-risk list: who is listed, how many of whom, and what is said."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from kizuna.errors import nearest
from kizuna.wording.catalog import languages

# Stages of a customer's life with the shop; each customer with an order is in one.
STAGES = ("first", "second", "regular", "loyal", "lapsing")


def market_key(name: str) -> str:
    """The name by which a market is compared: ``JP`` and `` jp`` are one."""
    return name.strip().casefold()


def _known_language(name: str) -> str:
    if name not in languages():
        raise ValueError(f"is '{name}', but there are words for {', '.join(languages())}.{nearest(name, languages())}")
    return name


Language = Annotated[str, AfterValidator(_known_language), Field(json_schema_extra={"enum": list(languages())})]


class Bands(BaseModel):
    """Where the words high and medium begin."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    high: float = Field(0.6, gt=0, lt=1)
    medium: float = Field(0.3, gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Bands:
        if self.medium >= self.high:
            raise ValueError(f"has medium {self.medium} at or above high {self.high}; medium must be lower")
        return self


class AtRisk(BaseModel):
    """Who is listed, and what is said to whom.

    ``per_market``: at most so many to contact in a market; markets that are not named have no limit of their own.
    ``quota``: at least so many to contact of a lifecycle stage, where there are as many. ``max_silent_share``: at most this
    share of ``size`` has been silent for longer than the horizon already.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank_by: Literal["value_at_risk", "churn_probability", "expected_gain"] = "value_at_risk"
    size: int = Field(500, ge=1)
    per_market: dict[str, int] = {}
    quota: dict[str, int] = {}
    max_silent_share: float | None = Field(None, ge=0, le=1)
    min_probability: float | Literal["auto"] = "auto"
    bands: Bands = Bands()
    experiment: str | None = None
    control_share: float = Field(0.2, ge=0, lt=1)
    contact_pause_days: int = Field(14, ge=0)
    pause_kinds: list[str] = ["offer", "follow_up", "call", "thanks"]
    consent_missing: Literal["refuse", "allow"] = "refuse"
    reasons: int = Field(3, ge=1, le=3)
    language: Language = "en"
    playbook: str = "builtin"

    @field_validator("min_probability")
    @classmethod
    def _share(cls, value: float | str) -> float | str:
        if isinstance(value, float) and not 0 <= value <= 1:
            raise ValueError("must lie between 0 and 1, or be 'auto'")
        return value

    @field_validator("per_market", "quota")
    @classmethod
    def _counts(cls, value: dict[str, int]) -> dict[str, int]:
        for name, count in value.items():
            if count < 0:
                raise ValueError(f"has {count} for {name}; a number of customers is 0 or more")
        return value

    @field_validator("per_market")
    @classmethod
    def _each_once(cls, value: dict[str, int]) -> dict[str, int]:
        keys = [market_key(name) for name in value]
        for name in value:
            if keys.count(market_key(name)) > 1:
                raise ValueError(f"names {name} twice; upper and lower case are the same market")
        return value

    @field_validator("quota")
    @classmethod
    def _stages(cls, value: dict[str, int]) -> dict[str, int]:
        for name in value:
            if name not in STAGES:
                raise ValueError(f"has no stage '{name}'.{nearest(name, STAGES)} Stages are {', '.join(STAGES)}")
        return value

    @model_validator(mode="after")
    def _quota_fits(self) -> AtRisk:
        asked = sum(self.quota.values())
        if asked > self.size:
            raise ValueError(f"has quotas of {asked} in all, more than size {self.size}; lower them, or raise size")
        return self
