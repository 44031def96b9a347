"""``kizuna demo``: a simulated shop from nothing to a list, and where to look."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kizuna.check import check_shop
from kizuna.data.simulate import simulate
from kizuna.errors import ConfigError
from kizuna.playbook import load_playbook
from kizuna.project import load
from kizuna.words import answer_lines

if TYPE_CHECKING:
    import pandas as pd

    from kizuna.lists.publication import Publication

_DAYS = 1095
_SEED = 7
_WIDTH = 64


def run_demo(directory: Path, customers: int) -> None:
    """Simulates, checks, trains and scores in ``directory``, printing what happened as it happens."""
    began = time.monotonic()
    clear(directory)
    print(
        f"kizuna demo: a simulated shop, {customers:,} customers, {_DAYS // 365} years, 9 tables (no real person)",
        flush=True,
    )
    started = time.monotonic()
    rows = simulate(directory, customers, _DAYS, _SEED)
    _step("simulate", f"{sum(rows.values()) / 1e6:.1f} M rows", started)
    started = time.monotonic()
    project = load(directory / "config.yaml")
    report = check_shop(project)
    _step("check", f"{report.count('error')} errors, {report.count('warning')} warnings", started)
    started = time.monotonic()
    result = project.train()
    snapshots = f"{len(result.trained.training.days)} snapshots"
    _step("train", f"churn + value, {snapshots}" if result.value_metrics else f"churn, {snapshots}", started)
    for line in answer_lines(result.trained.answer):
        print(line)
    if not result.promoted:
        print(f"  {result.why}")
        return
    from kizuna.scoring.job import score

    started = time.monotonic()
    publication = score(project.store, project.config, result.trained.training.train_day)
    counts = publication.manifest["counts"]
    _step("score", f"{publication.as_of}: {counts['eligible']:,} eligible -> {counts['listed']:,} listed", started)
    _print_list(publication)
    latest = directory / "exports" / "latest"
    print(f"Open   {latest / 'at_risk.xlsx'}   (marketing)")
    print(f"       {latest / 'report.html'}    (manager)")
    print(f"       {'make mlflow':<{len(str(latest / 'at_risk.xlsx'))}}   (data scientist)")
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    print(f"Yours  kizuna init myshop{'':<31}done in {minutes} min {seconds} s", flush=True)


def clear(directory: Path) -> None:
    """Removes an earlier demo; anything else in the way is refused."""
    if not directory.exists() or not any(directory.iterdir()):
        return
    if not (directory / "truth" / "parameters.json").is_file():
        raise ConfigError(
            f"The demo would be written to {directory}, but something else is there. Choose another folder with --dir."
        )
    shutil.rmtree(directory)


def _step(name: str, words: str, started: float) -> None:
    print(f"{name:<9} {words:<{_WIDTH - 10}} {time.monotonic() - started:3.0f} s", flush=True)


def _print_list(publication: Publication) -> None:
    """Who is on the list, in numbers, and the two most urgent customers."""
    import pandas as pd

    table = pd.read_csv(publication.file("at_risk.csv"), dtype=str, keep_default_na=False)
    contact = table[(table["arm"] == "target") & (table["contact_allowed"] != "false")]
    arms = {arm: int((table["arm"] == arm).sum()) for arm in ("control", "exempt")}
    paused = len(table) - len(contact) - sum(arms.values())
    resting = f", {paused} may not be contacted" if paused else ""
    print(
        f"          ({len(contact)} to contact, {arms['control']} left alone to measure, "
        f"{arms['exempt']} service first{resting})"
    )
    actions = load_playbook().actions
    for _, row in contact.head(3).iterrows():
        print(_line(row, actions[row["action"]].name.lower().replace("_", " ")))


def _line(row: pd.Series, action: str) -> str:
    money = f"¥{float(row['value_at_risk']):,.0f}" if row["value_at_risk"] else ""
    why = row["reason_1_text"] or "for its value; no single sign stands out"
    return (
        f"  {row['list_rank']:>2}  {row['customer_id']}  {100 * float(row['churn_probability']):.0f} %  {money:>9}  "
        f"{why:<56}  {action} by {row['act_by'][5:]}"
    )
