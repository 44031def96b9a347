import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.leaks.findings import LeakFinding, LeakWarning, RowOrigins, binned_auc, find_leaks
from kizuna.evaluation.measures import metrics

DATA = Path(__file__).parents[3].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the repository")


def by_customer(rows, parts=5):
    """Folds in which every row is tested once."""
    part = np.random.default_rng(0).permutation(rows) % parts
    return [(np.flatnonzero(part != fold), np.flatnonzero(part == fold)) for fold in range(parts)]


def coded(frame):
    numbers = frame.select_dtypes("number").astype(float)
    return pd.concat([numbers, pd.get_dummies(frame.drop(columns=numbers.columns), dtype=float)], axis=1)


def a_frame(rows=1000, seed=1):
    generator = np.random.default_rng(seed)
    y = (generator.random(rows) < 0.3).astype(float)
    return y, pd.DataFrame({"orders_365d": generator.poisson(3, rows) * 1.0, "nps": generator.normal(size=rows)})


def test_a_feature_that_is_the_outcome_is_found_and_named():
    y, frame = a_frame()
    findings, warnings = find_leaks(frame.assign(closed=1 - y), y, by_customer(1000))
    assert findings == (
        LeakFinding(
            "closed",
            "closed alone ranks churn with AUC 1.000 on rows not learned from (limit .950): it probably records the "
            "outcome itself. Add it to features.exclude, or give its table a known_at so that late values stay out",
        ),
    )
    assert warnings == ()


def test_a_leak_need_not_rise_with_the_feature():
    y, frame = a_frame()
    generator = np.random.default_rng(2)
    around_zero = np.where(y == 1, generator.normal(0, 0.1, 1000), generator.choice([-1, 1], 1000) * 2.0)
    assert metrics.auc(y, around_zero) < 0.6
    assert [found.feature for found in find_leaks(frame.assign(balance=around_zero), y, by_customer(1000))[0]] == [
        "balance"
    ]


def test_a_value_among_its_own_kind_is_a_bin():
    # Five in a hundred stand below the one value that all others have.
    y = np.tile([1.0] + [0.0] * 19, 50)
    assert binned_auc(np.where(y == 1, 6.0, 7.0), y, by_customer(1000)) == 1.0
    assert binned_auc(np.where(y == 1, 8.0, 7.0), y, by_customer(1000)) == 1.0


def test_what_is_filled_in_afterwards_is_found_by_its_gaps():
    y, frame = a_frame()
    generator = np.random.default_rng(3)
    known = (generator.random(1000) < np.where(y == 1, 0.95, 0.05)).astype(bool)
    frame["exit_survey"] = np.where(known, generator.normal(size=1000), np.nan)
    findings, _ = find_leaks(frame, y, by_customer(1000))
    assert [found.feature for found in findings] == ["exit_survey"]
    assert findings[0].evidence.startswith("whether exit_survey is missing ranks churn with AUC .9")
    assert findings[0].evidence.endswith(
        "(limit .900): it is probably filled in after, or because of, the outcome. "
        "Add it to features.exclude, or give its table a known_at so that late values stay out"
    )


def test_text_can_leak_too():
    y, frame = a_frame()
    frame["status"] = np.where(y == 1, "closed", np.where(frame["nps"] > 0, "active", None))
    assert [found.feature for found in find_leaks(frame, y, by_customer(1000))[0]] == ["status"]


def test_strong_honest_features_and_noise_are_no_findings():
    y, frame = a_frame(5000)
    generator = np.random.default_rng(4)
    frame["days_since_purchase"] = y * 1.5 + generator.normal(size=5000)
    frame["empty"] = np.nan
    frame["constant"] = 1.0
    assert metrics.auc(y, frame["days_since_purchase"]) > 0.8
    assert find_leaks(frame, y, by_customer(5000)) == ((), ())


def test_learned_on_the_training_rows_only():
    # Twenty bins of noise on 40 rows: learned and tested on the same rows they would look like knowledge.
    found = []
    for seed in range(20):
        y, frame = a_frame(40, seed)
        found.append(binned_auc(frame["nps"], y, by_customer(40)))
        assert binned_auc(frame["nps"], y, [(np.arange(40), np.arange(40))]) > 0.75
    assert np.mean(found) < 0.6


def test_the_binned_auc_by_hand():
    # Training: value 1 churned 2 of 2, value 2 churned 0 of 2. Test: one pair right, one tied.
    values, y = np.array([1, 1, 2, 2, 1, 2, 1]), np.array([1, 1, 0, 0, 1, 0, 0])
    assert binned_auc(values, y, [(np.arange(4), np.arange(4, 7))]) == 0.75
    assert np.isnan(binned_auc(values, y, [(np.arange(2), np.arange(4, 7))]))
    assert np.isnan(binned_auc(values, y, []))


def test_one_class_finds_nothing():
    _, frame = a_frame(50)
    assert find_leaks(frame, np.ones(50), by_customer(50)) == ((), ())


def test_identifiers_are_named_and_amounts_are_not():
    y, frame = a_frame(2000)
    generator = np.random.default_rng(5)
    frame["row_number"] = np.arange(2000.0)
    frame["account"] = generator.permutation(250_000)[:2000] + 15_000_000.0
    frame["surname"] = [f"name {number}" for number in generator.permutation(2000)]
    frame["member_no"] = np.unique((generator.lognormal(14, 1, 3000)).round())[generator.permutation(2000)]
    frame["revenue_365d"] = np.unique((generator.lognormal(14, 1, 3000)).round())[generator.permutation(2000)]
    frame["amount"] = generator.random(2000) * 1e6
    findings, warnings = find_leaks(frame, y, by_customer(2000))
    assert findings == ()
    assert warnings == (
        LeakWarning(
            "identifier",
            ("row_number", "account", "surname", "member_no"),
            "row_number, account, surname, member_no: nearly every row has its own value, as an identifier has. "
            "Left out of the model",
        ),
    )


def test_an_identifier_that_comes_back_every_snapshot_is_one():
    y, frame = a_frame(900)
    frame["account"] = np.tile(np.arange(300.0) * 7, 3)
    days = [(np.arange(300), np.arange(300, 600)), (np.arange(600), np.arange(600, 900))]
    assert [warning.features for warning in find_leaks(frame, y, days)[1]] == [("account",)]


def test_a_calendar_is_named():
    y, frame = a_frame(900)
    frame["snapshot_day"] = np.repeat([20_000.0, 20_028.0, 20_056.0], 300)
    days = [(np.arange(300), np.arange(300, 600)), (np.arange(600), np.arange(600, 900))]
    assert find_leaks(frame, y, days)[1] == (
        LeakWarning(
            "calendar",
            ("snapshot_day",),
            "snapshot_day: nearly every later row lies beyond the earlier ones, as a calendar does. "
            "A model cannot learn from values it has never seen: use the time since, or features.exclude",
        ),
    )


def test_rows_on_both_sides_of_a_fold_are_counted():
    y, frame = a_frame(1000)
    frame = frame.assign(row_number=np.arange(1000.0))
    frame.iloc[990:, :2] = frame.iloc[:10, :2].to_numpy()
    y[990:] = y[:10] = [1.0] * 5 + [0.0] * 5
    folds = [(np.arange(500), np.arange(500, 1000)), (np.arange(500, 1000), np.arange(500))]
    _, warnings = find_leaks(frame, y, folds)
    assert [warning.kind for warning in warnings] == ["identifier", "duplicates"]
    assert [warning.name for warning in warnings] == ["row_number", "rows"]
    assert warnings[1].text == (
        "20 of 1,000 tested rows (2.0 %) repeat a row learned from in every feature and the outcome. "
        "Customers entered twice, or features that never change, stand on both sides of a fold: remove the doubles"
    )
    apart = [(np.arange(100, 400), np.arange(400, 1000))]
    assert [warning.kind for warning in find_leaks(frame, y, apart)[1]] == ["identifier"]


def test_customers_who_only_look_alike_are_no_doubles():
    generator = np.random.default_rng(10)
    frame = pd.DataFrame({"plan": generator.integers(0, 4, 2000) * 1.0, "age_group": generator.integers(0, 5, 2000)})
    y = (generator.random(2000) < 0.1 + 0.15 * frame["plan"]).to_numpy(dtype=float)
    assert find_leaks(frame, y, by_customer(2000), RowOrigins(customers=np.arange(2000))) == ((), ())
    # A leak in which all doubles agree does not make them the same person.
    findings, warnings = find_leaks(frame.assign(closed=y), y, by_customer(2000))
    assert [found.feature for found in findings] == ["closed"]
    assert warnings == ()


def test_a_customer_on_both_sides_of_a_fold_is_recognised_by_constant_features():
    y, frame = a_frame(300)
    frame["birth_year"] = np.random.default_rng(11).normal(1980, 15, 300)
    rows = pd.concat([frame] * 3, ignore_index=True).assign(visits=np.random.default_rng(12).random(900))
    folds, ids = by_customer(900), np.tile(np.arange(300), 3)
    (warning,) = find_leaks(rows, np.tile(y, 3), folds, RowOrigins(customers=ids))[1]
    assert (warning.kind, warning.features) == ("folds", ())
    start, end = warning.text[:86], warning.text[-222:]
    assert start == "with the labels permuted among customers, trees still rank the tested rows with AUC .9"
    assert end.endswith(
        "the same people stand on both sides of a fold and are recognised. "
        "Every metric is too good: remove doubles, and keep a customer's rows together"
    )
    whole = [(np.flatnonzero(ids % 5 != part), np.flatnonzero(ids % 5 == part)) for part in range(5)]
    assert find_leaks(rows, np.tile(y, 3), whole, RowOrigins(customers=ids))[1] == ()
    # Later snapshots of the same customers are an honest test.
    days = np.repeat([0, 28, 56], 300)
    later = [(np.flatnonzero(days < 56), np.flatnonzero(days == 56))]
    assert find_leaks(rows, np.tile(y, 3), later, RowOrigins(days, ids))[1] == ()


def snapshots(customers, days, seed=13):
    """Customers on every day: first seen, silent since, amounts; the day itself is in no column."""
    generator = np.random.default_rng(seed)
    first = generator.integers(-1000, 0, customers)
    day = np.repeat(days, customers)
    frame = pd.DataFrame(
        {
            "tenure_days": day - np.tile(first, len(days)) * 1.0,
            "days_since_order": generator.integers(1, 180, day.size) * 1.0,
            "revenue_90d": generator.gamma(1, 100, day.size) * (1 + day / 100),
        }
    )
    y = (generator.random(day.size) < 0.3).astype(float)
    later = [(np.flatnonzero(day < days[-1]), np.flatnonzero(day == days[-1]))]
    return frame, y, later, RowOrigins(day, np.tile(np.arange(customers), len(days))), np.tile(first, len(days))


def test_drift_is_no_calendar_and_a_date_beside_an_age_is():
    frame, y, folds, origins, first = snapshots(600, np.arange(0, 280, 28))
    assert find_leaks(frame, y, folds, origins) == ((), ())
    dated = frame.assign(first_order_day=first + 15_000.0)
    (warning,) = find_leaks(dated, y, folds, origins)[1]
    assert warning.kind == "calendar"
    assert set(warning.features) >= {"tenure_days", "first_order_day"}
    assert warning.text.startswith(
        "the features together tell the newest snapshot day from the oldest with AUC 1.000, and neighbouring days with "
        "1.000, which gradual drift cannot do. "
    )
    assert warning.text.endswith(
        " do most: one stands for a date, such as the number of a day, or something done to everybody on one day. "
        "Use the time since, or features.exclude"
    )
    assert find_leaks(dated, y, folds)[1] == ()


def test_a_calendar_named_alone_is_not_named_again():
    frame, y, folds, origins, _ = snapshots(300, np.arange(0, 280, 28))
    (warning,) = find_leaks(frame.assign(day=np.asarray(origins.days) * 1.0), y, folds, origins)[1]
    assert (warning.kind, warning.features) == ("calendar", ("day",))


def test_a_young_shops_own_columns_are_no_fault_of_the_users():
    frame, y, folds, origins, first = snapshots(600, np.arange(0, 280, 28))
    days = np.asarray(origins.days)
    known = RowOrigins(days, origins.customers, built=(*frame, "first_order_days", "orders"))
    grown = frame.assign(first_order_days=first + 15_000.0)
    (warning,) = find_leaks(grown, y, folds, known)[1]
    assert warning.kind == "calendar"
    assert warning.text.endswith(
        " do most: the shop is young: totals since the beginning still grow, and the level of what comes is less sure"
    )
    alone = find_leaks(frame.assign(orders=days * 1.0, number=days * 1.0), y, folds, known)[1]
    assert [found.text for found in alone] == [
        "orders: nearly every later row lies beyond the earlier ones: the shop is young: totals since the beginning still "
        "grow, and the level of what comes is less sure",
        "number: nearly every later row lies beyond the earlier ones, as a calendar does. A model cannot learn from values "
        "it has never seen: use the time since, or features.exclude",
    ]


def test_an_attribute_written_over_by_the_present_is_left_out_and_not_named_twice():
    generator = np.random.default_rng(4)
    days = np.repeat(np.arange(20_000, 20_168, 28), 400)
    y = (generator.random(days.size) < 0.3).astype(float)
    # Today's status is the newest outcome, and says little of the older ones.
    status = np.where((days == days.max()) | (generator.random(days.size) < 0.2), y, generator.random(days.size) < 0.3)
    frame = pd.DataFrame({"status=closed": status, "status=open": 1 - status, "orders": generator.normal(size=y.size)})
    folds = [(np.flatnonzero(days < days.max()), np.flatnonzero(days == days.max()))]
    origins = RowOrigins(days, undated=("status=closed", "status=open"))
    findings, (warning,) = find_leaks(frame, y, folds, origins)
    assert findings == ()
    assert (warning.kind, warning.features) == ("overwritten", ("status=closed", "status=open"))
    assert warning.text.startswith("status (AUC 1.000 on 2025-")
    assert warning.text.endswith(
        " before): tells one snapshot's outcomes far better than those of the older ones, as today's value does where it "
        "was written after the churn. Left out of the model; give customers valid_from, so that every day sees the value "
        "of its own time"
    )
    # A value that is dated is what it was then.
    assert [found.feature for found in find_leaks(frame, y, folds, RowOrigins(days))[0]] == [
        "status=closed",
        "status=open",
    ]


def test_an_undated_attribute_that_follows_the_label_is_named():
    y, frame = a_frame(2000)
    generator = np.random.default_rng(14)
    frame["tier"] = np.where(generator.random(2000) < 0.8, 1 - y, generator.integers(0, 2, 2000))
    frame["market"] = generator.integers(0, 5, 2000) * 1.0
    origins = RowOrigins(undated=("tier", "market"))
    findings, warnings = find_leaks(frame, y, by_customer(2000), origins)
    assert findings == ()
    assert warnings == (
        LeakWarning(
            "attribute",
            ("tier",),
            f"tier ({warnings[0].text[6:10]}): alone ranks churn with this AUC (limit .750), and customers has no "
            "valid_from: today's value may have been written after the churn. Give the table valid_from, or add it to "
            "features.exclude",
        ),
    )
    assert warnings[0].text[6:8] in (".8", ".9")
    assert find_leaks(frame, y, by_customer(2000)) == ((), ())


def test_an_attribute_filled_in_on_leaving_is_named_by_its_gaps():
    y, frame = a_frame(2000)
    known = np.random.default_rng(15).random(2000) < np.where(y == 1, 0.75, 0.05)
    frame["last_contact"] = np.where(known, 1.0, np.nan)
    warnings = find_leaks(frame, y, by_customer(2000), RowOrigins(undated=["last_contact"]))[1]
    assert [warning.features for warning in warnings] == [("last_contact",)]


def test_row_order_does_not_matter():
    y, frame = a_frame(600)
    order = np.random.default_rng(6).permutation(600)
    place = np.argsort(order)
    folds = by_customer(600)
    moved = [(place[train], place[test]) for train, test in folds]
    assert binned_auc(frame["nps"].to_numpy()[order], y[order], moved) == binned_auc(frame["nps"], y, folds)


def test_a_large_frame_is_thinned_evenly_and_fast():
    generator = np.random.default_rng(7)
    y = (generator.random(200_000) < 0.2).astype(float)
    frame = pd.DataFrame(generator.normal(size=(200_000, 20)).round(3), columns=[f"f{n}" for n in range(20)])
    frame["leak"] = np.where(generator.random(200_000) < 0.98, y, 1 - y)
    folds = [(np.arange(120_000), np.arange(120_000, 200_000))]
    start = time.perf_counter()
    findings, _ = find_leaks(frame, y, folds)
    assert time.perf_counter() - start < 5
    assert [found.feature for found in findings] == ["leak"]
    assert findings == find_leaks(frame, y, folds)[0]


def test_rows_and_outcomes_must_match():
    with pytest.raises(ValueError, match=r"^3 rows of features and 2 outcomes$"):
        find_leaks(pd.DataFrame({"a": [1, 2, 3]}), [0, 1], [])


@needs_data
def test_the_banks_complaint_is_the_outcome():
    bank = pd.read_parquet(DATA / "bank_churn_records" / "customers.parquet").drop(columns="surname")
    findings, warnings = find_leaks(coded(bank.drop(columns="exited")), bank["exited"], by_customer(len(bank)))
    assert [found.feature for found in findings] == ["complain"]
    assert findings[0].evidence.startswith("complain alone ranks churn with AUC .998 on rows not learned from")
    assert [warning.features for warning in warnings] == [("row_number", "customer_id")]


@needs_data
def test_the_telephone_company_has_no_leak():
    telco = pd.read_parquet(DATA / "ibm_telco" / "customers.parquet")
    features = coded(telco.drop(columns=["customer_id", "churn"]))
    origins = RowOrigins(customers=telco["customer_id"], undated=list(features))
    assert find_leaks(features, telco["churn"] == "Yes", by_customer(len(telco)), origins) == ((), ())


@needs_data
def test_rows_known_to_be_repeated_are_counted():
    calls = pd.read_parquet(DATA / "iranian_telecom" / "customers.parquet")
    findings, warnings = find_leaks(calls.drop(columns="churn"), calls["churn"], by_customer(len(calls)))
    assert findings == ()
    assert [warning.text[:25] for warning in warnings] == ["440 of 3,150 tested rows ", "with the labels permuted "]


def test_on_a_dozen_customers_the_best_of_many_columns_is_chance() -> None:
    draw = np.random.default_rng(3)
    churned = np.repeat([1.0, 0.0], [6, 6])
    columns = {f"f{k}": draw.normal(size=12) for k in range(150)} | {"told": churned + draw.normal(0, 0.1, 12)}
    halves = [(np.arange(0, 12, 2), np.arange(1, 12, 2)), (np.arange(1, 12, 2), np.arange(0, 12, 2))]
    assert find_leaks(pd.DataFrame(columns), churned, halves)[0] == ()
    many = np.tile(np.arange(12), 10)
    same = RowOrigins(customers=[f"c{k}" for k in many])
    rows = pd.DataFrame(columns).iloc[many].reset_index(drop=True)
    later = [(np.arange(60), np.arange(60, 120))]
    assert find_leaks(rows, churned[many], later, same)[0] == ()
    assert {finding.feature for finding in find_leaks(rows, churned[many], later)[0]} >= {"told"}
