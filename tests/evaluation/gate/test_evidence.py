import dataclasses

import numpy as np
import pytest

from kizuna.evaluation.gate.decision import decide
from kizuna.evaluation.gate.evidence import GateEvidence, best_baseline, measure, shared_level
from kizuna.evaluation.measures.intervals import CalibrationInterval, Interval, auc_intervals, evaluation_rows

NAN = float("nan")


def with_levels(level, **levels):
    unknown = Interval(NAN, NAN, NAN)
    calibration = CalibrationInterval(NAN, NAN, NAN, plain=NAN, expected_if_perfect=NAN)
    return GateEvidence(unknown, 10, 5, calibration, Interval(level, NAN, NAN), baseline_levels=levels)


def a_shop():
    generator = np.random.default_rng(1)
    p = generator.uniform(0.1, 0.9, 400)
    rows = evaluation_rows(generator.random(400) < p, np.arange(400) // 2)
    return rows, p, -p + generator.normal(0, 0.2, 400)


def test_evidence_is_measured_on_the_same_rows():
    rows, p, silent_days = a_shop()
    evidence = measure(rows, p, {"recency": -silent_days, "base rate": np.full(400, 0.4)}, {"recency"}, champion=p)
    assert evidence.customers == 200
    both = [len({c for c, y in zip(rows.customer, rows.churned, strict=True) if y == outcome}) for outcome in (0, 1)]
    assert evidence.rarer == min(both)
    assert evidence.champion == evidence.auc
    assert evidence.ahead_of_champion == Interval(0.0, 0.0, 0.0)
    assert set(evidence.baselines) == set(evidence.differences) == {"recency", "base rate"}
    assert evidence.baselines["base rate"] == Interval(0.5, 0.5, 0.5)
    assert evidence.baseline_levels == {"base rate": pytest.approx(0.4 - rows.churned.mean())}
    alone = auc_intervals(rows, {"model": p, "recency": -silent_days})
    assert evidence.differences["recency"] == alone.ahead["recency"]
    assert not decide(dataclasses.replace(evidence, leak_findings=1, has_champion=True)).passed


def test_the_best_baseline_is_the_first_of_equals_that_could_be_measured():
    rows, p, _ = a_shop()
    evidence = measure(rows, p, {"b": p, "a": p, "worse": np.full(400, 0.5)})
    assert best_baseline(evidence) == "a"
    assert best_baseline(measure(rows, p, {})) is None
    assert best_baseline(dataclasses.replace(evidence, baselines={"c": Interval(NAN, NAN, NAN)})) is None


def test_the_level_that_all_share_is_the_smallest():
    assert shared_level(with_levels(-0.08, base=-0.06, rfm=-0.075)) == -0.06
    assert shared_level(with_levels(0.02, base=0.06)) == 0.02
    assert shared_level(with_levels(-0.08, base=-0.06, rfm=0.01)) == 0.0
    assert shared_level(with_levels(-0.08)) == 0.0


def test_log_loss_is_compared_pairwise_with_customers_drawn():
    """The mean over folds of the rows' difference, and its spread by brute force: customers drawn with replacement."""
    draw = np.random.default_rng(5)
    customer, fold = np.repeat(np.arange(150), 2), np.tile([0, 1], 150)
    truth = np.clip(np.repeat(draw.uniform(0.1, 0.9, 150), 2), 0.05, 0.95)
    churned = (draw.random(300) < truth).astype(float)
    rule = np.clip(truth + draw.normal(0, 0.2, 300), 0.02, 0.98)
    rows = evaluation_rows(churned, customer, fold)
    found = measure(rows, truth, {"rule": rule, "order": rule}, {"order"}).log_loss_ahead
    assert list(found) == ["rule"]

    def lower(weight):
        saved = np.where(churned == 1, np.log(truth / rule), np.log((1 - truth) / (1 - rule)))
        return np.mean([np.average(saved[fold == k], weights=weight[fold == k]) for k in (0, 1)])

    assert found["rule"].estimate == pytest.approx(lower(np.ones(300)))
    drawn = [lower(np.bincount(draw.integers(0, 150, 150), minlength=150)[customer]) for _ in range(2000)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found["rule"].low == pytest.approx(low, abs=0.15 * (high - low))
    assert found["rule"].high == pytest.approx(high, abs=0.15 * (high - low))
