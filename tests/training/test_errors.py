"""What training says of shops that nothing can be learned from: the exit code, what was found, what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from commands import kizuna

Rows = list[tuple[str, date]]
START = date(2023, 1, 1)


def write_shop(folder: Path, rows: Rows, more: str = "") -> Path:
    lines = ["customer_id,occurred_at,amount", *(f"{customer},{day},10" for customer, day in rows)]
    (folder / "orders.csv").write_text("\n".join(lines) + "\n")
    config = folder / "shop.yaml"
    config.write_text(
        f"""
name: shop
data: {{tables: {{purchases: {{path: orders.csv}}}}}}
tracking: {{uri: "sqlite:///mlflow.db"}}
output: {{dir: exports}}
{more}
"""
    )
    return config


def every(customers: int, gap_days: int, days: int) -> Rows:
    """Customers who each buy every ``gap_days`` over ``days``."""
    return [
        (f"c{number:03d}", START + timedelta(days=day))
        for number in range(customers)
        for day in range(number % gap_days, days, gap_days)
    ]


def once(customers: int, days: int) -> Rows:
    """Customers who each buy once, and one who keeps the shop open to the end."""
    return [(f"c{number:03d}", START + timedelta(days=number)) for number in range(customers)] + [
        ("late", START + timedelta(days=days))
    ]


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        (every(1, 20, 600), 11, "A churn model needs at least two eligible customers; found 1."),
        (every(40, 20, 600), 11, "nobody churned in"),
        (once(100, 700), 11, "everybody churned in"),
        (every(40, 20, 120), 11, "No snapshot has matured by 2023-05-01"),
    ],
    ids=["one customer", "no churner", "everybody churned", "too short"],
)
def test_no_model_can_be_learned(tmp_path: Path, rows: Rows, code: int, words: str) -> None:
    found, out, err = kizuna("train", write_shop(tmp_path, rows))
    assert found == code
    assert words in err
    assert "Traceback" not in err
    assert out == ""


def test_too_short_a_history_says_how_much_is_needed(tmp_path: Path) -> None:
    _, _, err = kizuna("train", write_shop(tmp_path, every(40, 20, 120)))
    assert err.splitlines()[-1] == (
        "kizuna: No snapshot has matured by 2023-05-01: the first row is of 2023-01-01, and a snapshot needs 90 days before "
        "it and 90 after it, 180 in all, of which there are 120. Load older rows, or shorten churn.horizon_days or "
        "snapshots.min_history_days."
    )


def test_a_day_before_the_data_begins(tmp_path: Path) -> None:
    config = write_shop(tmp_path, every(40, 20, 600))
    for command in (("train", config), ("features", config, "--out", tmp_path / "f.parquet")):
        code, _, err = kizuna(*command, "--as-of", "2022-01-01")
        assert code == 10
        assert "2023-01-01" in err


def test_a_definition_without_its_table(tmp_path: Path) -> None:
    code, _, err = kizuna("train", write_shop(tmp_path, every(40, 20, 600), "churn: {definition: cancellation}"))
    assert code == 11
    assert "churn.definition cancellation needs the table subscriptions; found purchases." in err


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("model.churn.estimator=lightgmb", "Did you mean 'lightgbm'?"),
        ("model.churn.estimator=sklearn.nothing.Here", "sklearn.nothing.Here"),
        ("model.cltv.estimator=hurdles", "hurdle"),
    ],
)
def test_an_estimator_that_is_not_there(tmp_path: Path, option: str, words: str, mixed: Callable[[], Rows]) -> None:
    code, _, err = kizuna("train", write_shop(tmp_path, mixed()), "--set", option)
    assert code == 2
    assert words in err


@pytest.fixture
def mixed() -> Callable[[], Rows]:
    """Forty regular customers and forty who stop halfway."""
    return lambda: every(40, 20, 600) + [(f"x{name}", day) for name, day in every(40, 20, 330)]


def test_a_tiny_shop_with_a_signal_gets_a_champion(tmp_path: Path, mixed: Callable[[], Rows]) -> None:
    config = write_shop(tmp_path, mixed())
    code, out, err = kizuna("train", config)
    assert code == 0, err
    assert "promoted to champion" in out
    code, out, err = kizuna("score", config, "--as-of", "2024-08-25")
    assert code == 0, err
