"""The first page on the terminal."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.commands import kizuna
from tests.kpi.small import buys, pack_of

from kizuna.kpi.screen import figure, screen_lines
from kizuna.kpi.wording import load_wording


def rows() -> pd.DataFrame:
    days = pd.date_range("2023-01-03", "2024-06-28", freq="7D").strftime("%Y-%m-%d")
    return buys(*((f"c{n:02}", day) for n in range(40) for day in days[n % 3 :: 3]), *(("x", day) for day in days[::4]))


def test_the_page_in_english() -> None:
    complaints = pd.DataFrame(
        [("c01", "2024-06-03", None), ("c02", "2024-06-03", "2024-06-05"), ("c03", "2023-02-01", "2023-02-02")],
        columns=["customer_id", "occurred_at", "resolved_at"],
    )
    lines = screen_lines(pack_of({"purchases": rows(), "complaints": complaints}, "2024-01-01", "2024-06-30"), "en")
    assert lines[0] == "shop: KPIs as known before 2024-06-26"
    assert lines[2].split() == [
        *(f"2024-0{month}" for month in range(1, 7)),
        *("on", "month", "on", "year"),
    ]
    told = {line[:26].strip(): line[26:].split() for line in lines[3:20]}
    assert told["Churn rate"][-4:] == ["0.0%*", "~", "0.0pt", "–"]
    assert told["Days to resolution"][-3:] == ["2*", "–", "–"]
    assert "* not final: the period has not ended" in "\n".join(lines)
    assert "Retention of 2024-05: formula 100.0% = cohort 100.0% + reactivated 0.0% − new customers lost 0.0%" in lines
    assert "No table for: NPS, CSAT (top boxes), Reviews per 1,000 orders" in lines
    assert lines[-1] == "Few complaints are not satisfaction: most who leave never complained."
    assert max(map(len, lines)) <= 120


def test_the_page_in_japanese_lines_up() -> None:
    answers = pd.DataFrame(
        [(f"c{n:02}", "2024-05-03", "csat", 5) for n in range(12)],
        columns=["customer_id", "occurred_at", "kind", "score"],
    )
    lines = screen_lines(pack_of({"purchases": rows(), "surveys": answers}, "2024-01-01", "2024-06-30"), "ja")
    assert lines[0] == "shop：KPI（2024-06-26より前に判明していた事実による）"
    csat = next(line for line in lines if line.startswith("CSAT"))
    assert "100.0% 参考値" in csat
    assert "↑" not in csat
    assert "参考値：30件未満" in lines


def test_the_command_prints_the_page_and_where_it_was_written(tmp_path: Path) -> None:
    rows().to_csv(tmp_path / "p.csv", index=False)
    path = tmp_path / "shop.yaml"
    path.write_text("name: shop\ndata: {tables: {purchases: {path: p.csv}}}\noutput: {dir: out}\n", encoding="utf-8")
    code, out, err = kizuna("kpi", path, "--from", "2024-01-01", "--to", "2024-05-31")
    assert (code, err) == (0, "")
    names = ("kpi", "migration", "restated", "definitions")
    assert out.splitlines()[-1] == "Written to " + ", ".join(str(tmp_path / f"out/kpi/{name}.csv") for name in names)
    code, _, err = kizuna("kpi", path, "--from", "2024-13-01", "--to", "2024-05-31")
    assert (code, err) == (
        2,
        "kizuna: --from asks for a day like 2026-01-31; found '2024-13-01'. Write it as YYYY-MM-DD, with a day that exists.\n",
    )


@pytest.mark.parametrize(
    ("value", "unit", "english", "japanese"),
    [
        (0.8512, "share", "85.1%", "85.1%"),
        (14.2857, "score", "14.3", "14.3"),
        (12340.4, "customers", "12,340", "12,340"),
        (28_330_831, "money", "28.3M", "2,833万"),
        (1234.5, "money", "1,234", "1,234"),
        (99.5, "money", "99.50", "99.50"),
        (3.456, "rating", "3.46", "3.46"),
        (float("nan"), "days", "–", "–"),
    ],
)
def test_figures(value: float, unit: str, english: str, japanese: str) -> None:
    assert [figure(value, unit, load_wording(language, {})) for language in ("en", "ja")] == [english, japanese]
