"""A config and its tables in one hand: the Python face, with the same words as the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kizuna.config import Config
from kizuna.config_file import load_config, parse_config
from kizuna.data.loading import open_store
from kizuna.data.report import check_tables, contract_errors, findings_frame
from kizuna.data.store import Store
from kizuna.errors import DataMissing
from kizuna.features.frame import Select, build_frame
from kizuna.features.plan import FeaturePlan
from kizuna.features.planning import earliest_day, make_plan
from kizuna.labels.definition import definition_of
from kizuna.labels.training_set import TrainingSet, default_train_day
from kizuna.lists.output import fetch_output
from kizuna.timeline import date_of, day_of, parse_day
from kizuna.training.beside_lists import training_beside_lists

if TYPE_CHECKING:
    import pandas as pd

    from kizuna.customer.explained import Explanation
    from kizuna.define import Defined
    from kizuna.kpi.pack import KpiPack
    from kizuna.monitor.pack import MonitorPack
    from kizuna.training.backtest import Backtest
    from kizuna.training.train import TrainResult

Day = str | date


def load(path: str | Path, overrides: Sequence[str] = (), tables: Mapping[str, Any] | None = None) -> Project:
    """The project of a config file; ``overrides`` are KEY=VALUE texts, ``tables`` frames that stand in for sources."""
    return Project(load_config(Path(path), tuple(overrides)), tables)


class Project:
    """One shop. Tables are read when first needed and then kept; nothing is published from here.

    Where ``output.dir`` is an address in an object store, what lies there is fetched now.

    ``config``: a Config, or the plain tree of one (relative paths then start at the working directory). ``tables``:
    pandas, Arrow or Polars frames by table name. ``today``: rows dated after it are
    reported, and do not move the day that training stands on (default: now, in the shop's zone).
    """

    def __init__(
        self, config: Config | dict[str, Any], tables: Mapping[str, Any] | None = None, today: date | None = None
    ) -> None:
        self.tables = dict(tables or {})
        if isinstance(config, dict):
            config = parse_config(config)
        self.config = config
        fetch_output(config.output.address, config.output_dir)
        self.today = day_of(today or datetime.now(ZoneInfo(config.data.timezone)).date())

    @cached_property
    def opened(self) -> Store:
        """The tables as they were found, with findings; nothing is refused yet."""
        if self.config.engine.kind == "spark":
            from kizuna.engines.spark import open_spark_store

            return open_spark_store(self.config, self.today, self.tables)
        return open_store(self.config, self.today, self.tables)

    @cached_property
    def store(self) -> Store:
        """The tables, sound: ContractError or DataMissing otherwise."""
        store = self.opened
        store.findings.extend(f for f in contract_errors(store, self.config) if f not in store.findings)
        store.require_sound()
        return store

    def check(self) -> pd.DataFrame:
        """The data report: name, state, step, table, column, count, details, examples."""
        return findings_frame(check_tables(self.opened, self.config))

    def define(self, as_of: Day | None = None) -> Defined:
        """What churn is here, as known before ``as_of``: .curve, .definitions, .summary; .figure() draws the curve."""
        from kizuna.define import define, refuse_provided

        refuse_provided(self.config)
        return define(self.opened, self.config, None if as_of is None else self.day(as_of))

    def features(self, days: Sequence[Day]) -> pd.DataFrame:
        """customer_id, as_of, then float64 columns of all configured families: eligible pairs, sorted by both."""
        numbers = sorted({self.day(day) for day in days})
        plan, eligible = self._plan(numbers)
        return build_frame(self.store, plan, numbers, eligible).to_pandas()

    def write_features(self, as_of: Day, path: Path) -> tuple[int, int]:
        """The same of one day as a Parquet file, written block by block; comes back with rows and features."""
        from kizuna.features.parquet import write_features

        plan, eligible = self._plan([self.day(as_of)])
        return write_features(self.store, plan, self.day(as_of), eligible, path), len(plan.columns)

    def training_set(self, as_of: Day | None = None) -> TrainingSet:
        """What training that stands on ``as_of`` learns from: .features, .churned, .value, .as_of as pandas."""
        return training_beside_lists(self.store, self.config, self._train_day(as_of))

    def train(
        self, as_of: Day | None = None, promote: bool = True, say: Callable[[str], None] = lambda line: None
    ) -> TrainResult:
        """One training, logged and registered; .metrics and .model_uri say what came of it."""
        from kizuna.training.train import train

        return train(self.store, self.config, self._train_day(as_of), promote, say)

    def backtest(
        self,
        as_of: Day | None = None,
        weeks: int | None = None,
        ablate: bool = False,
        say: Callable[[str], None] = lambda line: None,
    ) -> tuple[Backtest, Path]:
        """The lists of past weeks and what came of them, and the folder where the tables and the picture lie."""
        from kizuna.evaluation.plots.backtest import backtest_figure
        from kizuna.training.backtest import log_backtest, run_backtest, write_backtest

        day = self._train_day(as_of)
        found = run_backtest(self.store, self.config, day, weeks, ablate, say)
        figure = backtest_figure(found.weeks, found.named, found.rules, self.config.data.currency or "")
        folder = write_backtest(self.config, found, figure)
        log_backtest(self.config, found, day, figure)
        return found, folder

    def score(self, as_of: Day, hindsight: bool = False) -> pd.DataFrame:
        """Every eligible customer's numbers on that day by the champion; publishing is the command's business."""
        from kizuna.scoring.champion import load_models, refuse_hindsight
        from kizuna.scoring.day import score_day

        models = load_models(self.config, missing=self.store.missing)
        if not hindsight:
            refuse_hindsight(models, self.day(as_of))
        return score_day(self.store, self.config, models, self.day(as_of)).scores

    def explain(self, customer_id: str, as_of: Day) -> Explanation:
        """One customer on a day: .numbers, .reasons, .facts, .plan, .events, .change."""
        from kizuna.customer.explained import explain_customer

        return explain_customer(self.store, self.config, customer_id, self.day(as_of))

    def monitor(self, as_of: Day) -> MonitorPack:
        """What became of the lists published before a day, and its drift: .lists, .bins, .effects, .groups, .proofs, .drift."""
        from kizuna.monitor.pack import monitor_pack
        from kizuna.scoring.drift_now import drift_now

        pack = monitor_pack(self.store, self.config, self.day(as_of))
        return replace(pack, drift=drift_now(self.store, self.config, self.day(as_of)))

    def kpi(self, first: Day, last: Day) -> KpiPack:
        """The KPIs of the periods that begin on the days ``first`` … ``last``: .numbers, .migration, .restated, .definitions."""
        from kizuna.kpi.pack import kpi_pack

        asked = ((first, "--from"), (last, "--to"))
        days = [parse_day(day, option) if isinstance(day, str) else day_of(day) for day, option in asked]
        return kpi_pack(self.store, self.config, date_of(days[0]), date_of(days[1]))

    def day(self, when: Day) -> int:
        """The day number of an ISO text or a date."""
        return parse_day(when, "as_of") if isinstance(when, str) else day_of(when)

    def _plan(self, days: list[int]) -> tuple[FeaturePlan, Select]:
        """The plan of these days, and who is eligible."""
        first = earliest_day(self.store)
        if first is not None and days[0] <= first:
            raise DataMissing(
                f"Features were asked for {date_of(days[0])}, but the data begin on {date_of(first)}. Choose a later day."
            )
        eligible = definition_of(self.config).eligible
        return make_plan(self.store, self.config, days, eligible), eligible

    def _train_day(self, as_of: Day | None) -> int:
        return default_train_day(self.store, definition_of(self.config)) if as_of is None else self.day(as_of)
