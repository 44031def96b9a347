"""A shop's list as the exports receive it: 4,000 customers, 300 listed, drawn from a seed, hostile texts among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.exports.made_kpi import made_kpi
from tests.exports.made_past import made_past

from kizuna.exports.pack import AnswerCheck, ListPack
from kizuna.exports.workbook import write_workbook
from kizuna.lists.selection import LEFT_OUT

AS_OF = date(2026, 1, 1)
HOSTILE_IDS = [
    "007",
    "NA",
    "=1+1",
    '=HYPERLINK("http://x")',
    "<img src=x onerror=alert(1)>",
    "𠮷野家😀",
    "-5",
    "+81901234567",
    "@SUM(A1)",
    "N" * 120,
    "null",
    "http://example.com/x",
    "a,b",
    'quo"te',
    "</script><script>alert(2)</script>",
    "1e5",
]
_REASONS = {
    "ja": {
        "RECENCY": "最終購入から{0}日(通常{1}日ごと)",
        "RETURN_DELIVERY": "9月以降 配送遅延{2}回",
        "FREQ_DOWN": "直近90日の注文{2}回(その前の90日は{3}回)",
        "NO_THANKS": "最後のお礼から{0}日",
        "CONTACT_GAP": "当社からの最終連絡から{0}日",
        "COMPLAINT_OPEN": "未解決の苦情{2}件(最長{1}日経過)",
        "POINTS_EXPIRING": "1,200ポイントが30日以内に失効",
    },
    "en": {
        "RECENCY": "{0} days since the last purchase; usually every {1}",
        "RETURN_DELIVERY": "{2} late deliveries since September",
        "FREQ_DOWN": "{2} orders in the last 90 days; {3} in the 90 before",
        "NO_THANKS": "{0} days since we last said thanks",
        "CONTACT_GAP": "{0} days since we last made contact",
        "COMPLAINT_OPEN": "{2} open complaints, waiting for up to {1} days",
        "POINTS_EXPIRING": "1,200 points expiring within 30 days",
    },
}
_ACTIONS = {
    "ja": {
        "A13": ("担当者からお電話し、ご様子を伺う", "phone"),
        "A08": ("購入後のフォローをメールでお送りする", "email"),
        "A04": ("お礼のお手紙をお送りする(お値引きは添えない)", "post"),
        "A05": ("ポイントの使い道をご案内する", "line"),
        "A02": ("お詫びと解決のご連絡。ほかの案内は解決まで控える", "phone"),
    },
    "en": {
        "A13": ("Call in person and ask how things are", "phone"),
        "A08": ("Follow up on the last purchase by e-mail", "email"),
        "A04": ("Send a letter of thanks, without a discount", "post"),
        "A05": ("Point out what the points can be used for", "line"),
        "A02": ("Apologise and solve it; hold all other offers until then", "phone"),
    },
}

Builder = Callable[..., ListPack]


@pytest.fixture
def build_pack() -> Builder:
    return make_pack


@pytest.fixture(scope="session")
def read_workbook(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[ListPack, Any]]:
    """The pack of the given changes and its workbook as openpyxl reads it; the same changes are written once."""
    import openpyxl

    written: dict[object, tuple[ListPack, Any]] = {}

    def read(language: str = "ja", **changes: Any) -> tuple[ListPack, Any]:
        plain = all(isinstance(value, (str, int, bool, type(None))) for value in changes.values())
        key: object = (language, *sorted(changes.items())) if plain else object()
        if key not in written:
            pack = make_pack(language, **changes)
            path = tmp_path_factory.mktemp("workbook") / "at_risk.xlsx"
            write_workbook(pack, path)
            written[key] = (pack, openpyxl.load_workbook(path))
        return written[key]

    return read


@pytest.fixture
def hostile_ids() -> list[str]:
    return HOSTILE_IDS


def make_pack(
    language: str = "ja",
    *,
    listed: int = 300,
    values: bool = True,
    first_run: bool = False,
    rich: bool = False,
    **changes: Any,
) -> ListPack:
    """A pack of the demo shop; ``values=False``: no value model; ``rich``: past lists and KPIs; ``changes`` replace fields."""
    scores = _scores(values)
    at_risk = _listed(scores, language, listed, first_run)
    scores = _with_places(scores, at_risk)
    removed = pd.DataFrame(
        {
            "customer_id": [f"C9{number:05d}" for number in range(44)],
            "last_as_of": pd.Series([pd.Timestamp(2025, 12, 25)] * 44, dtype="datetime64[s]"),
            "why": ["purchased"] * 31
            + ["recovered"] * 6
            + ["beyond_capacity"] * 5
            + ["suppressed", "no_longer_eligible"],
        }
    )
    pack = ListPack(
        name="shop",
        as_of=AS_OF,
        language=language,
        currency="JPY",
        timezone="Asia/Tokyo",
        simulated=True,
        horizon_days=90,
        gap_days=0,
        definition="inactivity",
        active_within_days=180,
        cltv_horizon_days=365 if values else None,
        rank_by="value_at_risk" if values else "churn_probability",
        at_risk=at_risk,
        scores=scores,
        removed=None if first_run else removed,
        answer=AnswerCheck(
            named_on=date(2025, 10, 2),
            until=date(2025, 12, 30),
            capacity=300,
            churned={
                "kizuna": 231.0,
                "rfm_logistic": 214.0,
                "recency_rule": 187.5,
                "rate_rule": 179.0,
                "random": 137.4,
            },
            auc={"kizuna": 0.823, "rfm_logistic": 0.797, "recency_rule": 0.704, "rate_rule": 0.688},
            said=0.461,
            happened=0.454,
        ),
        evaluation={
            "evaluation": "out_of_time",
            "model": {
                "auc": 0.823,
                "average_precision": 0.781,
                "log_loss": 0.512,
                "brier": 0.171,
                "calibration_error": 0.013,
            },
            "baselines": {
                "rfm_logistic": {"auc": 0.797, "average_precision": 0.752, "log_loss": 0.541, "brier": 0.183},
                "recency_rule": {"auc": 0.704, "average_precision": 0.655},
                "rate_rule": {"auc": 0.688, "average_precision": 0.64},
            },
            "grade": "A",
            "gate_checks": [
                {"name": "signal", "status": "pass", "value": 0.815, "limit": 0.5},
                {"name": "baseline", "status": "pass", "value": 0.026, "limit": -0.003},
                {"name": "calibration", "status": "warn", "value": 0.061, "limit": 0.05},
                {"name": "leak", "status": "pass", "value": 0, "limit": 0},
                {"name": "champion", "status": "pass", "value": None, "limit": -0.01},
            ],
            "season": {"unseen": True, "level_spread": 0.0452},
        },
        first_result=date(2026, 4, 1),
        smallest_effect=0.17,
        models={"churn": "shop-churn v3", "cltv": "shop-cltv v3"},
        findings=pd.DataFrame(
            {
                "name": ["late_rows", "unknown_customers", "no_consent_column"],
                "state": ["warning", "warning", "recommendation"],
                "step": ["freshness", "keys", "contract"],
                "table": ["engagement", "purchases", "customers"],
                "column": ["occurred_at", "customer_id", ""],
                "count": [1204, 17, 0],
                "details": [
                    "The newest row is 4 days older than the day asked for; 3 are allowed.",
                    "17 rows name customers that are not in customers.",
                    "No consent column: whether a customer may be contacted is unknown.",
                ],
            }
        ),
        bands=(0.6, 0.3),
        min_probability=0.46,
        economics={"contact_cost": None, "offer_cost": None, "assumed_save_rate": None},
        left_out={name: int((scores["left_out"] == name).sum()) for name in LEFT_OUT} if rich else {},
        past=made_past() if rich else None,
        kpi=made_kpi() if rich else None,
    )
    return replace(pack, **changes)


def _scores(values: bool, count: int = 4000) -> pd.DataFrame:
    random = np.random.default_rng(7)
    names = [*HOSTILE_IDS, *(f"C{number:06d}" for number in range(count - len(HOSTILE_IDS)))]
    risk = random.beta(1.5, 1.8, count).round(6).clip(0.01, 0.97)
    risk[: len(HOSTILE_IDS)] = random.uniform(0.55, 0.9, len(HOSTILE_IDS))
    kept = random.lognormal(8.6 + 0.6 * (1 - risk), 1.1, count)
    kept[: len(HOSTILE_IDS)] = random.uniform(40_000, 90_000, len(HOSTILE_IDS))
    left = kept * random.uniform(0.02, 0.15, count)
    frame = pd.DataFrame(
        {
            "customer_id": names,
            "as_of": pd.Series([pd.Timestamp(AS_OF)] * count, dtype="datetime64[s]"),
            "churn_probability": risk,
            "cltv": (1 - risk) * kept + risk * left,
            "value_if_kept": kept,
            "value_if_churned": left,
            "value_at_risk": risk * (kept - left),
            "risk_band": np.select([risk >= 0.6, risk >= 0.3], ["high", "medium"], "low"),
            "risk_percentile": np.ceil(pd.Series(risk).rank(pct=True) * 100).astype(int),
            "arm": np.where(random.random(count) < 0.2, "control", "target"),
        }
    )
    told = np.random.default_rng(17)
    frame["market"] = pd.Series(told.choice(["jp", "us", "de", None], count, p=[0.62, 0.22, 0.14, 0.02]), dtype="str")
    frame["language"] = frame["market"].map({"jp": "ja", "us": "en", "de": "de"}).astype("str")
    frame["lifecycle_stage"] = pd.Series(
        told.choice(["first", "second", "regular", "loyal", "lapsing"], count, p=[0.3, 0.2, 0.2, 0.1, 0.2]), dtype="str"
    )
    if not values:
        frame[["cltv", "value_if_kept", "value_if_churned", "value_at_risk"]] = np.nan
    return frame.sort_values("customer_id", ignore_index=True)


def _with_places(scores: pd.DataFrame, at_risk: pd.DataFrame) -> pd.DataFrame:
    """The scores with why each is not listed, and whether those by the way may be contacted."""
    random = np.random.default_rng(13)
    listed = scores["customer_id"].isin(at_risk["customer_id"])
    left_out = np.select(
        [listed, random.random(len(scores)) < 0.01, scores["churn_probability"] < 0.46],
        ["", "suppressed", "below_min_probability"],
        "beyond_capacity",
    )
    allowed = pd.Series(random.choice([True, False, None], len(scores), p=[0.85, 0.08, 0.07]), dtype="boolean")
    known = at_risk.set_index("customer_id")
    allowed = allowed.mask(listed, scores["customer_id"].map(known["contact_allowed"]).astype("boolean"))
    stage = scores["lifecycle_stage"].mask(listed, scores["customer_id"].map(known["lifecycle_stage"]))
    arm = scores["arm"].mask(listed, scores["customer_id"].map(known["arm"]))
    contact = allowed.map({True: "allowed", False: "refused"}).astype(object).where(allowed.notna(), "unknown")
    contact = contact.where(left_out != "suppressed", "refused").astype("str")
    return scores.assign(left_out=left_out, contact=contact, lifecycle_stage=stage, arm=arm)


def _listed(scores: pd.DataFrame, language: str, count: int, first_run: bool) -> pd.DataFrame:
    random = np.random.default_rng(11)
    key = "value_at_risk" if scores["value_at_risk"].notna().any() else "churn_probability"
    eligible = scores[scores["churn_probability"] >= 0.46]
    frame = eligible.sort_values([key, "customer_id"], ascending=[False, True]).head(count).reset_index(drop=True)
    count = len(frame)
    frame["list_rank"] = np.arange(1, count + 1)
    frame["horizon_days"] = 90
    frame["list_status"] = (
        "new" if first_run else random.choice(["new", "continuing", "returned"], count, p=[0.13, 0.82, 0.05])
    )
    frame["churn_probability_prev"] = np.where(
        frame["list_status"] == "continuing", frame["churn_probability"] * 0.95, np.nan
    )
    frame["weeks_on_list"] = np.where(frame["list_status"] == "continuing", random.integers(2, 9, count), 1)
    frame["lifecycle_stage"] = random.choice(
        ["first", "second", "regular", "loyal", "lapsing"], count, p=[0.15, 0.15, 0.4, 0.2, 0.1]
    )
    gap = random.integers(7, 45, count)
    silent = (gap * random.uniform(1.5, 4.5, count)).astype(int)
    frame["last_purchase"] = pd.Series(
        [pd.Timestamp(AS_OF) - pd.Timedelta(days=int(days)) for days in silent], dtype="datetime64[s]"
    )
    frame["days_since_purchase"] = silent
    frame["usual_gap_days"] = np.where(frame["lifecycle_stage"] == "first", np.nan, gap)
    frame["overdue_ratio"] = frame["days_since_purchase"] / frame["usual_gap_days"]
    frame["expected_next_purchase"] = pd.Series(
        [pd.Timestamp(AS_OF) + pd.Timedelta(days=int(days)) for days in 0.7 * gap], dtype="datetime64[s]"
    )
    frame["orders_365d"] = random.integers(1, 20, count)
    frame["revenue_365d"] = random.lognormal(9.8, 0.7, count)
    frame["currency"] = "JPY"
    frame["cltv_horizon_days"] = 365
    frame["cltv_formula"] = random.lognormal(9.5, 0.6, count)
    reasons, actions = _REASONS[language], _ACTIONS[language]
    drivers = [
        random.choice(list(reasons), 3, replace=False, p=[0.4, 0.12, 0.2, 0.08, 0.08, 0.05, 0.07]) for _ in range(count)
    ]
    for place in range(3):
        frame[f"reason_{place + 1}"] = [row[place] for row in drivers]
        frame[f"reason_{place + 1}_text"] = [
            reasons[row[place]].format(silent[k], gap[k], 1 + k % 3, 4 + k % 5) for k, row in enumerate(drivers)
        ]
        frame[f"reason_{place + 1}_strength"] = ("large", "medium", "small")[place]
    if count:
        frame.loc[frame.index[-1], ["reason_2", "reason_2_text", "reason_3", "reason_3_text"]] = None
    owed = random.random(count) < 0.025
    frame["facts"] = np.where(
        owed,
        "OPEN_COMPLAINT;NO_THANKS_180D",
        random.choice(["", "NO_THANKS_180D", "LATE_DELIVERY_90D"], count, p=[0.6, 0.3, 0.1]),
    )
    frame["arm"] = np.where(owed, "exempt", frame["arm"])
    chosen = np.where(owed, "A02", random.choice(list(actions)[:4], count)) if count else []
    frame["action"] = chosen
    frame["action_text"] = [actions[code][0] for code in chosen]
    frame["channel"] = [actions[code][1] for code in chosen]
    frame["call_hours"] = [{"jp": "09:00-20:00", "us": "10:00-19:00"}.get(market) for market in frame["market"]]
    frame["offer_max_cost"] = np.where(frame["action"] == "A05", (0.05 * frame["value_at_risk"]).round(), np.nan)
    frame["act_by"] = pd.Series(
        [pd.Timestamp(AS_OF) + pd.Timedelta(days=int(days)) for days in random.integers(2, 21, count)],
        dtype="datetime64[s]",
    )
    allowed = random.choice([True, False, None], count, p=[0.85, 0.08, 0.07]) if count else []
    frame["contact_allowed"] = pd.Series(allowed, dtype="boolean")
    frame["suppressed_reason"] = [("paused" if flag is False else None) for flag in allowed]
    frame["data_warning"] = np.where(frame["orders_365d"] <= 1, "stale_engagement;slow_rhythm", None)
    frame["churn_model"] = "shop-churn v3"
    frame["cltv_model"] = "shop-cltv v3"
    # A hostile text may also come in by a reason, an action, a warning.
    if count > 2:
        frame.loc[1, "reason_1_text"] = "=cmd|' /C calc'!A0"
        frame.loc[2, "action_text"] = "<img src=x onerror=alert(1)>"
    return frame[_COLUMNS]


_COLUMNS = [
    *("as_of", "list_rank", "customer_id", "churn_probability", "horizon_days", "risk_band"),
    *("risk_percentile", "churn_probability_prev", "list_status", "weeks_on_list", "lifecycle_stage"),
    *("market", "language"),
    *("last_purchase", "days_since_purchase", "usual_gap_days", "overdue_ratio", "expected_next_purchase"),
    *("orders_365d", "revenue_365d", "currency", "cltv", "cltv_horizon_days", "cltv_formula", "value_if_kept"),
    *("value_if_churned", "value_at_risk"),
    *(f"reason_{place}{part}" for place in (1, 2, 3) for part in ("", "_text", "_strength")),
    *("facts", "action", "action_text", "channel", "call_hours", "act_by", "offer_max_cost"),
    *("contact_allowed", "suppressed_reason", "arm", "data_warning", "churn_model", "cltv_model"),
]
