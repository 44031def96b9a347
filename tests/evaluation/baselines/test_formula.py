import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.baselines.formula import FORMULA_COLUMNS, cltv_formula

NAN = float("nan")


def test_cltv_formula_by_hand():
    rows = [
        # 4 orders of 3,000 in a year, looked at for 180 days: 3,000 × 4 × 180/365
        (4, 12_000, 800, 3_000 * 4 * 180 / 365),
        # 2 orders of 1,000 in the first 100 days: 7.3 a year
        (2, 2_000, 100, 1_000 * 7.3 * 180 / 365),
        # 1 order ten days ago counts as 1 in 90 days
        (1, 1_000, 10, 1_000 * (365 / 90) * 180 / 365),
        (0, 0, 800, 0.0),
        (NAN, NAN, NAN, NAN),
    ]
    frame = pd.DataFrame(rows, columns=[*FORMULA_COLUMNS, "expected"])
    np.testing.assert_allclose(cltv_formula(frame, 180), frame["expected"])
    np.testing.assert_allclose(cltv_formula(frame, 180, margin=0.4), 0.4 * frame["expected"])


def test_years_times_orders_a_year_and_never_orders_a_month():
    # 1,000 an order, an order a month, watched for two years: 12,000 a year, and half of it over half a year.
    frame = pd.DataFrame({"orders_365d": [12.0], "revenue_365d": [12_000.0], "tenure_days": [730.0]})
    assert cltv_formula(frame, 365)[0] == pytest.approx(12_000)
    assert cltv_formula(frame, 182)[0] == pytest.approx(12_000 * 182 / 365)
    # A return lowers the value of an order, not the number of orders.
    assert cltv_formula(frame.assign(revenue_365d=9_000.0), 365)[0] == pytest.approx(9_000)
