"""The lines of the backtest, the demo's answer and versions: from plain values to exact text."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from kizuna.evaluation.baselines.names import RULE_NAMES, rule_name
from kizuna.evaluation.list_backtest import Ranking, Weeks
from kizuna.tracking.registry import ModelVersion
from kizuna.training.backtest import Backtest
from kizuna.words import ablation_lines, answer_lines, backtest_lines, model_lines, model_row

EMPTY = pd.DataFrame()


def backtest(ended: str = "", days: tuple[int, ...] = (0, 7, 14, 21), **more: float) -> Backtest:
    row = {"lists": 4, "named": 1200, "churners_reached": 900.0, "precision": 0.75, "lift": 1.5, "churners_share": 0.25}
    row |= {"value_reached": 1234567.0, "silence_days": 61.0} | more
    nothing = {"value_reached": float("nan"), "silence_days": float("nan")}
    lists = pd.DataFrame(
        [
            {"fold": -1, "ranking": "kizuna"} | row,
            {"fold": -1, "ranking": "rfm_logistic_value"} | row | nothing,
            {"fold": 0, "ranking": "kizuna"} | row,
        ]
    )
    folds = pd.DataFrame({"lists_from": ["2025-09-04", "2025-08-07"], "lists_to": ["2025-09-25", "2025-08-28"]})
    weeks = Weeks(pd.DataFrame({"day": days}), (Ranking("kizuna"),), 300)
    return Backtest(weeks, EMPTY, lists, EMPTY, folds, EMPTY, ended)


def test_a_backtest_has_a_line_for_each_ranking_over_all_weeks() -> None:
    assert backtest_lines(backtest(), 300) == [
        "4 weekly lists of 300, 2025-08-07 to 2025-09-25, by 2 models; nobody is named twice",
        "ranking                named    left  share  lift  of all who left        money  silent",
        "kizuna                 1,200     900  75.0%  1.50            25.0%    1,234,567      61",
        "RFM logistic × spend   1,200     900  75.0%  1.50            25.0%            -       -",
        "money: what the customers who left had spent in the year before; silent: median days at first listing",
    ]


def test_shorter_lists_profit_and_an_early_end_are_told() -> None:
    lines = backtest_lines(backtest("No earlier week can be tested.", profit=-5000.0), 500)
    assert lines[1].endswith("silent       profit")
    assert lines[2].endswith("      61       -5,000")
    assert lines[4] == "Lists of 500 would have named over half of all customers; these are shorter."
    assert lines[6:] == [
        "profit: of contacting everybody named, under the assumed save rate and costs of economics",
        "No earlier week can be tested.",
    ]


def test_without_purchases_there_is_neither_money_nor_silence_and_lists_may_be_no_week_apart() -> None:
    unknown = {"value_reached": float("nan"), "silence_days": float("nan")}
    assert backtest_lines(backtest(days=(0, 31, 62), **unknown), 300) == [
        "3 lists of 300, 2025-08-07 to 2025-09-25, by 2 models; nobody is named twice",
        "ranking                named    left  share  lift  of all who left",
        "kizuna                 1,200     900  75.0%  1.50            25.0%",
        "RFM logistic × spend   1,200     900  75.0%  1.50            25.0%",
    ]


def test_the_answer_of_the_demo_names_what_is_known_and_no_more() -> None:
    answer = {
        "named_on": "2025-10-03",
        "ranked_by": "churn_probability",
        "until": "2025-12-31",
        "capacity": 300,
        "churned": {"kizuna": 299.0, "recency_rule": 233.6, "random": 127.4},
        "auc": {"kizuna": 0.839, "recency_rule": float("nan")},
        "said": 0.465,
        "happened": 0.425,
    }
    assert answer_lines(answer) == [
        "  Named by risk on 2025-10-03, knowing nothing later; what happened by 2025-12-31:",
        "                  AUC    of 300 named, did not come back",
        "  kizuna          .839    299",
        "  longest silent     -    234",
        "  random                  127     said 46.5 %, happened 42.5 %",
    ]


def test_versions_are_a_line_each() -> None:
    tags = {"grade": "A", "estimator": "blend", "train_day": "", "cltv_version": "2", "validation_status": "passed"}
    version = ModelVersion("shop-churn", "3", "run", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), ("champion",), tags)
    row = model_row(version)
    assert row == tags | {"version": "3", "aliases": ["champion"], "created": "2026-01-02T03:04:05+00:00"}
    assert model_lines([row], "shop") == ["v3    champion               grade A  blend      trained to undated  passed"]
    assert model_lines([], "shop") == ["No model of shop yet. Train one with kizuna train."]


def test_no_two_rules_share_their_words_and_other_names_stay() -> None:
    assert len(set(RULE_NAMES.values())) == len(RULE_NAMES)
    assert rule_name("bgnbd") == "BG/NBD"
    assert rule_name("kizuna") == "kizuna"


def ablated(*rows: tuple[int, str, int, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["fold", "left_out", "columns", "auc", "lift_at_capacity"])


def test_tables_stand_by_what_leaving_them_out_costs() -> None:
    found = ablated(
        (0, "nothing", 0, 0.80, 2.0),
        (0, "complaints", 4, 0.79, 2.1),
        (0, "purchases", 12, 0.60, 1.2),
        (1, "nothing", 0, 0.84, 2.2),
        (1, "complaints", 4, 0.85, 2.1),
        (1, "purchases", 12, 0.68, 1.2),
    )
    assert ablation_lines(found) == [
        "what each table adds: mean of 2 models, and the difference to everything ± its standard deviation",
        "                    columns    AUC       difference   lift       difference",
        "everything                    .820                    2.10",
        "without purchases       -12   .640   -0.180 ± 0.028   1.20     -0.90 ± 0.14",
        "without complaints       -4   .820   +0.000 ± 0.014   2.10     +0.00 ± 0.14",
    ]


def test_one_model_has_no_spread() -> None:
    lines = ablation_lines(ablated((0, "nothing", 0, 0.8, 2.0), (0, "surveys", 4, 0.85, 2.0)))
    assert lines[0] == "what each table adds: mean of 1 model, and the difference to everything"
    assert lines[-1].split() == ["without", "surveys", "-4", ".850", "+0.050", "2.00", "+0.00"]


def test_of_one_table_nothing_can_be_left_out() -> None:
    assert ablation_lines(ablated((0, "nothing", 0, 0.8, 2.0))) == ["There is only one table, so none can be left out."]
    assert ablation_lines(EMPTY) == []
