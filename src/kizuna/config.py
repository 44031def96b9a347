"""The YAML file as one typed, frozen tree: every key with its default and its limits."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from kizuna.config_at_risk import AtRisk
from kizuna.config_exports import Export, ReportExport, WorkbookExport
from kizuna.config_gates import Gates
from kizuna.config_kpi import Kpi
from kizuna.config_output import Output
from kizuna.config_watch import Watch
from kizuna.errors import nearest

TABLES = (
    "customers",
    "purchases",
    "complaints",
    "engagement",
    "outreach",
    "surveys",
    "loyalty",
    "referrals",
    "subscriptions",
    "suppressions",
    "features",
    "labels",
)
FAMILIES = (
    "purchases",
    "products",
    "deliveries",
    "first_order",
    "complaints",
    "engagement",
    "outreach",
    "contact_habits",
    "surveys",
    "loyalty",
    "referrals",
    "subscriptions",
    "profile",
    "supplied",
)
# Estimators with LightGBM in them, by model: a search has something to tune.
_WITH_TREES = {"churn": ("auto", "blend", "lightgbm"), "cltv": ("auto", "hurdle", "tweedie")}
# The table that says who churned, by definition.
_LABELLED_BY = {"inactivity": "purchases", "cancellation": "subscriptions", "provided": "labels"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class TableSource(_Section):
    """Where one table comes from, and how its columns are called there."""

    path: str | None = None
    uri: str | None = None
    table: str | None = None
    query: str | None = None
    columns: dict[str, str] = {}
    attributes: list[str] = []
    arrives_after_days: int = Field(0, ge=0)
    warn_after_days: int | None = Field(None, ge=0)
    error_after_days: int | None = Field(None, ge=0)
    on_missing: Literal["fail", "degrade"] = "fail"

    @model_validator(mode="after")
    def _one_source(self) -> TableSource:
        if self.path is not None and self.uri is not None:
            raise ValueError("has both path and uri; keep one")
        if self.uri is not None and self.query is None and self.table is None:
            raise ValueError("has a uri but neither query nor table; add the query to run there")
        return self


class Data(_Section):
    """The shop's zone, currency and tables."""

    timezone: str = "UTC"
    currency: str | None = None
    on_bad_rows: Literal["fail", "quarantine"] = "fail"
    tables: dict[str, TableSource]

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            from zoneinfo import available_timezones

            raise ValueError(f"is no time zone.{nearest(value, available_timezones())}") from None
        return value

    @field_validator("tables")
    @classmethod
    def _known_tables(cls, value: dict[str, TableSource]) -> dict[str, TableSource]:
        for name, source in value.items():
            if name not in TABLES:
                raise ValueError(f"has no table '{name}'.{nearest(name, TABLES)} Tables are {', '.join(TABLES)}")
            if source.attributes and name != "customers":
                raise ValueError(f"has attributes in table {name}; only customers have them. Use columns or features")
        return value


class Snapshots(_Section):
    """The grid of days on which training looks at the shop."""

    every_days: int = Field(28, ge=1)
    min_history_days: int = Field(90, ge=0)
    max_count: int = Field(24, ge=1)


class Churn(_Section):
    """What churn means here."""

    definition: Literal["inactivity", "cancellation", "provided"] = "inactivity"
    horizon_days: int = Field(90, ge=1)
    gap_days: int = Field(0, ge=0)
    active_within_days: int = Field(180, ge=1)


class Cltv(_Section):
    """The value that is predicted: net purchases of the horizon times the margin."""

    horizon_days: int | Literal["auto"] = "auto"
    margin: float = Field(1.0, gt=0)

    @field_validator("horizon_days")
    @classmethod
    def _positive(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("must be at least 1 or 'auto'")
        return value


class Features(_Section):
    """Which signals are built."""

    windows_days: list[int] = [7, 30, 90, 180, 365]
    extra: list[str] = []
    families: list[str] | Literal["all"] = "all"
    exclude: list[str] = []

    @field_validator("windows_days")
    @classmethod
    def _windows(cls, value: list[int]) -> list[int]:
        if not value or any(window < 1 for window in value):
            raise ValueError("needs at least one window of at least 1 day")
        return sorted(set(value))

    @field_validator("families")
    @classmethod
    def _families(cls, value: list[str] | str, info: ValidationInfo) -> list[str] | str:
        # Which families the user's own files bring is known when they are read.
        for name in value if isinstance(value, list) else []:
            if name not in FAMILIES and not info.data.get("extra"):
                raise ValueError(f"has no family '{name}'.{nearest(name, FAMILIES)} Families are {', '.join(FAMILIES)}")
        return value


class Training(_Section):
    """How many rows are used, and what is done with customers whom earlier lists treated."""

    max_rows: int = Field(2_000_000, ge=1)
    treated: Literal["keep", "flag", "control_only"] = "keep"


class ChurnModel(_Section):
    """The churn estimator: a rung by name, or a scikit-learn classifier by import path."""

    estimator: str = "auto"
    params: dict[str, Any] = {}
    calibration: Literal["auto", "platt", "isotonic", "none"] = "auto"
    tune_trials: int = Field(0, ge=0)
    tune_minutes: float | None = Field(None, gt=0)


class CltvModel(_Section):
    """The value estimator: by name, or a scikit-learn regressor by import path."""

    estimator: str = "auto"
    params: dict[str, Any] = {}
    tune_trials: int = Field(0, ge=0)
    tune_minutes: float | None = Field(None, gt=0)


class Model(_Section):
    """Both models and the seed of everything that draws."""

    seed: int = 7
    churn: ChurnModel = ChurnModel()
    cltv: CltvModel = CltvModel()


class Evaluation(_Section):
    """Folds, and how many customers can be contacted."""

    folds: int = Field(3, ge=1)
    capacity: int = Field(500, ge=1)


class Gate(_Section):
    """What a challenger must hold to become champion."""

    max_behind_baseline: float = Field(0.003, ge=0)
    max_calibration_error: float = Field(0.05, gt=0)
    max_drop_from_champion: float = Field(0.01, ge=0)
    max_leak_findings: int = Field(0, ge=0)


class Tracking(_Section):
    """The MLflow store: a sqlite file or a tracking server."""

    uri: str = "sqlite:///../models/mlflow.db"


class Economics(_Section):
    """Costs; without them reports speak of revenue, never of profit."""

    contact_cost: float | None = Field(None, ge=0)
    offer_cost: float | None = Field(None, ge=0)
    assumed_save_rate: float | None = Field(None, ge=0, le=1)


class Engine(_Section):
    """Where blocks of customers run, and with how much.

    ``threads`` that libraries may use; ``memory_gb`` that tables may hold before they spill to disk; ``rows_per_block`` of all
    tables together. For Spark: ``settings`` of its session, and ``staging``, the folder, seen by the driver and every
    executor, where executors write what is then published (default: ``output.dir``).
    """

    kind: Literal["local", "spark"] = "local"
    threads: int = Field(1, ge=1)
    memory_gb: float = Field(3.0, ge=0.25)
    settings: dict[str, str] = {}
    rows_per_block: int = Field(250_000, ge=1, le=5_000_000)
    staging: str | None = None


class Config(_Section):
    """The whole file. ``name`` is the MLflow experiment and the stem of both registered models."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")
    data: Data
    snapshots: Snapshots = Snapshots()
    churn: Churn = Churn()
    cltv: Cltv = Cltv()
    features: Features = Features()
    training: Training = Training()
    model: Model = Model()
    evaluation: Evaluation = Evaluation()
    gate: Gate = Gate()
    gates: Gates = Gates()
    tracking: Tracking = Tracking()
    economics: Economics = Economics()
    at_risk: AtRisk = AtRisk()
    kpi: Kpi = Kpi()
    output: Output = Output()
    exports: list[Export] = [WorkbookExport(to="workbook"), ReportExport(to="report")]
    engine: Engine = Engine()
    watch: Watch = Watch()

    _folder: Path = PrivateAttr(default=Path())
    _document: dict[str, Any] = PrivateAttr(default_factory=dict)

    def placed(self, folder: Path, document: dict[str, Any]) -> Config:
        """The same config, read from a file of this folder and written like this document."""
        placed = self.model_copy()
        placed._folder, placed._document = folder, document
        return placed

    @model_validator(mode="after")
    def _built(self) -> Config:
        for key, value, instead in (
            ("at_risk.rank_by", self.at_risk.rank_by == "expected_gain", "value_at_risk or churn_probability"),
        ):
            if value:
                raise ValueError(
                    f"{key}: this value is part of the contract but not built in this version. Use {instead}"
                )
        return self

    @model_validator(mode="after")
    def _tunable(self) -> Config:
        for key, asked in (("churn", self.model.churn), ("cltv", self.model.cltv)):
            if asked.tune_trials and asked.estimator not in _WITH_TREES[key]:
                raise ValueError(
                    f"model.{key}.tune_trials asks for a search, but estimator {asked.estimator} has nothing that it "
                    f"could tune. Choose {', '.join(_WITH_TREES[key])}, or set tune_trials to 0"
                )
        return self

    @model_validator(mode="after")
    def _value_by_silence(self) -> Config:
        if self.model.cltv.estimator == "btyd" and self.churn.definition != "inactivity":
            raise ValueError(
                "model.cltv.estimator: btyd takes churned for no purchase in the label window, "
                f"but churn.definition is {self.churn.definition}. Use auto, hurdle or tweedie"
            )
        return self

    @model_validator(mode="after")
    def _may_be_missing(self) -> Config:
        needed = {
            "suppressions": "those who must be left alone would be contacted",
            _LABELLED_BY[self.churn.definition]: f"it says who churned (churn.definition: {self.churn.definition})",
        }
        if self.at_risk.consent_missing == "allow":
            needed["customers"] = "those who opted out would be contacted (at_risk.consent_missing: allow)"
        for name, why in needed.items():
            if name in self.data.tables and self.data.tables[name].on_missing == "degrade":
                raise ValueError(f"data.tables.{name}.on_missing: the list cannot do without it: {why}. Use fail")
        return self

    @property
    def experiment(self) -> str:
        """The name that the arms are drawn by."""
        return self.at_risk.experiment or self.name

    @property
    def output_dir(self) -> Path:
        """The folder of all published results; where they lie in an object store, that of their private copy."""
        if self.output.address is None:
            return self.resolve(self.output.dir)
        return self.output.cache if self.output.mirror is None else self.resolve(self.output.mirror)

    def place_of(self, as_of: str) -> str:
        """Where readers find a day's list: its link, or its pointer in an object store."""
        address = self.output.address
        return str(self.output_dir / as_of) if address is None else f"{address}/{as_of}.json"

    @property
    def staging(self) -> str:
        """The folder, or its URI, where executors write."""
        if self.engine.staging is None:
            return self.output_dir.as_uri()
        return self.engine.staging if "://" in self.engine.staging else self.resolve(self.engine.staging).as_uri()

    @property
    def tracking_uri(self) -> str:
        """The MLflow URI, a relative sqlite path made absolute from the file's folder."""
        match = re.fullmatch(r"sqlite:///(?!/)(.+)", self.tracking.uri)
        return f"sqlite:///{self.resolve(match[1])}" if match else self.tracking.uri

    @property
    def document(self) -> dict[str, Any]:
        """The tree as it was written, environment references unread: safe to log."""
        return self._document

    @property
    def playbook_path(self) -> Path | None:
        """The shop's own playbook, None for the one that ships."""
        return None if self.at_risk.playbook == "builtin" else self.resolve(self.at_risk.playbook)

    @property
    def is_simulated(self) -> bool:
        """Whether the shop is one that ``kizuna simulate`` wrote: its truth lies beside the config."""
        return (self._folder / "truth" / "parameters.json").is_file()

    def resolve(self, path: str) -> Path:
        """A path of this file, relative ones taken from the file's folder."""
        return Path(os.path.normpath(self._folder / Path(path).expanduser()))


def config_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return Config.model_json_schema()
