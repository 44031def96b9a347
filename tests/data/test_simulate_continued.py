"""A simulated shop lives on: as it would have, or as a list's actions make it."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.data.simulation.lists import listed_customers, write_list

from kizuna.data.simulate import asked_of_shop, continue_shop, simulate
from kizuna.data.simulation.parameters import Acquisition, Parameters
from kizuna.data.simulation.record import read_record
from kizuna.errors import ConfigError

MONDAY = pd.Timestamp("2026-01-01")
# Open for thirty days before the first that is written: quicker to live again.
YOUNG = replace(Parameters(), acquisition=Acquisition(prehistory_days=30))


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}


def seen(folder, listed, horizon_days=90):
    """Oracle: kept and net value of each listed customer in the horizon, counted in the shop's tables."""
    purchases = pd.read_parquet(folder / "purchases.parquet")
    placed = purchases.groupby("order_id")["occurred_at"].transform("min")
    kept, value = [], []
    for name, day in zip(listed["customer_id"], pd.to_datetime(listed["as_of"]), strict=True):
        end = day + pd.Timedelta(days=horizon_days)
        mine = purchases[(purchases["customer_id"] == name) & (placed >= day) & (placed < end)]
        mine = mine[mine["occurred_at"] < end]
        kept.append(bool((~mine["is_return"]).any()))
        value.append(mine["amount"].sum())
    return np.array(kept), np.array(value)


@pytest.fixture(scope="module")
def acted(tmp_path_factory):
    """A shop that acted on two weekly lists of a hundred customers, and then lived on until both had matured."""
    folder = tmp_path_factory.mktemp("acted")
    simulate(folder / "shop", 1200, 160, 3, parameters=YOUNG)
    for week in range(2):
        as_of = MONDAY + pd.Timedelta(days=7 * week)
        file = folder / f"{week}.csv"
        write_list(file, as_of, listed_customers(folder / "shop", as_of, 100).index)
        continue_shop(folder / "shop", 7, file)
    continue_shop(folder / "shop", 102)
    return folder


def test_a_shop_that_goes_on_is_the_one_that_was_longer_from_the_start(tmp_path):
    for name in ("twice", "once"):
        simulate(tmp_path / name, 350, 120, parameters=YOUNG)
    continue_shop(tmp_path / "twice", 7)
    continue_shop(tmp_path / "twice", 7)
    counts = continue_shop(tmp_path / "once", 14)
    record = read_record(tmp_path / "once")
    assert (record.customers, record.days, record.last_day) == (383, 134, date(2026, 1, 14))
    assert counts["customers"] == 383
    pace = replace(Parameters(), acquisition=Acquisition(prehistory_days=30, customers_per_day=350 / 150))
    simulate(tmp_path / "long", 383, 134, parameters=pace, last_day=date(2026, 1, 14))
    once, twice, long = (files_of(tmp_path / name) for name in ("once", "twice", "long"))
    assert once == twice
    assert len(once) == 14
    del once["truth/parameters.json"], long["truth/parameters.json"]
    assert once == long


@pytest.mark.parametrize("switched", [{"effects": "none"}, {"signal": "none"}, {"dirty": True}])
def test_a_shop_goes_on_with_its_switches(tmp_path, switched):
    simulate(tmp_path, 100, 60, parameters=replace(YOUNG, **switched))
    continue_shop(tmp_path, 7)
    record = read_record(tmp_path)
    assert record.parameters == replace(YOUNG, **switched)
    assert pd.read_parquet(tmp_path / "engagement.parquet")["occurred_at"].max() > pd.Timestamp("2026-01-03")


def test_what_is_planned_for_targets_is_done_and_told_of(acted):
    shop = acted / "shop"
    outreach = pd.read_parquet(shop / "outreach.parquet")
    ours = outreach[outreach["list_as_of"].notna()]
    lists = pd.concat([pd.read_csv(acted / f"{week}.csv") for week in range(2)])
    targets = lists[lists["arm"] == "target"]
    assert set(zip(ours["list_as_of"], ours["customer_id"], ours["action"], strict=True)) == set(
        zip(pd.to_datetime(targets["as_of"]), targets["customer_id"], targets["action"], strict=True)
    )
    assert (ours["occurred_at"] == ours["list_as_of"] + pd.Timedelta(hours=13)).all()
    assert set(ours["arm"]) == {"target"}
    kinds = {"A01": "newsletter", "A04": "thanks", "A07": "newsletter", "A08": "follow_up", "A12": "notice"}
    assert (ours["kind"] == ours["action"].map(kinds)).all()
    assert (ours["cost"] == 1.0).all()
    before = pd.read_parquet(shop / "truth" / "actions.parquet")
    assert before["acted_on"].nunique() == 2


def test_the_truth_of_both_arms_is_what_the_tables_show_of_the_one_that_was_lived(acted):
    effects = pd.read_parquet(acted / "shop" / "truth" / "effects.parquet")
    assert len(effects) == 200
    kept, value = seen(acted / "shop", effects)
    done = effects["done"].to_numpy()
    assert (effects["arm"] == "target").equals(effects["done"])
    np.testing.assert_array_equal(kept, np.where(done, effects["kept_with_action"], effects["kept_without_action"]))
    np.testing.assert_allclose(value, np.where(done, effects["value_with_action"], effects["value_without_action"]))
    changed = effects["kept_with_action"] != effects["kept_without_action"]
    assert 0 < changed.mean() < 0.25
    by_type = effects.groupby("response_type")[["kept_with_action", "kept_without_action"]].mean()
    gains = by_type["kept_with_action"] - by_type["kept_without_action"]
    assert gains["persuadable"] > gains["lost_cause"]


def test_nobody_else_lives_another_life_for_a_list(tmp_path):
    for name in ("with", "without"):
        simulate(tmp_path / name, 300, 100, parameters=YOUNG)
    listed = write_list(tmp_path / "list.csv", MONDAY, listed_customers(tmp_path / "with", MONDAY, 40).index)
    continue_shop(tmp_path / "with", 40, tmp_path / "list.csv")
    continue_shop(tmp_path / "without", 40)
    touched = listed.loc[listed["arm"] == "target", "customer_id"]
    for table in ("purchases", "engagement", "outreach", "complaints"):
        ours, theirs = (pd.read_parquet(tmp_path / name / f"{table}.parquet") for name in ("with", "without"))
        ours, theirs = (rows[~rows["customer_id"].isin(touched)].reset_index(drop=True) for rows in (ours, theirs))
        pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


def test_without_effects_both_arms_live_the_same_days(tmp_path):
    simulate(tmp_path / "shop", 400, 100, parameters=replace(YOUNG, effects="none"))
    names = listed_customers(tmp_path / "shop", MONDAY, 80).index
    arms = ["target", "control", "exempt", "target"] * 20
    actions = ("A01", "A03", "A02", "A06", "A08", "A12", "A02")
    write_list(tmp_path / "list.csv", MONDAY, names, arms=arms[: len(names)], actions=actions)
    continue_shop(tmp_path / "shop", 7, tmp_path / "list.csv")
    effects = pd.read_parquet(tmp_path / "shop" / "truth" / "effects.parquet")
    assert (effects["kept_with_action"] == effects["kept_without_action"]).all()
    np.testing.assert_array_equal(effects["value_with_action"], effects["value_without_action"])


def test_a_list_is_acted_on_once(acted, tmp_path):
    with pytest.raises(ConfigError) as caught:
        continue_shop(acted / "shop", 7, acted / "1.csv")
    assert str(caught.value) == (
        "The list of 2026-01-08 has been acted on already; what was done lies in truth/actions.parquet. "
        "Go on without --actions, or with the next list."
    )


def test_a_new_shop_in_the_same_folder_has_no_lists(tmp_path):
    simulate(tmp_path, 90, 60, parameters=YOUNG)
    write_list(tmp_path / "list.csv", MONDAY, ["C000001"])
    continue_shop(tmp_path, 1, tmp_path / "list.csv")
    assert (tmp_path / "truth" / "effects.parquet").is_file()
    simulate(tmp_path, 90, 60, parameters=YOUNG)
    assert not (tmp_path / "truth" / "effects.parquet").exists()
    assert continue_shop(tmp_path, 3)["customers"] == 93


def test_what_cannot_go_on_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        continue_shop(tmp_path, 7)
    assert str(caught.value) == (
        f"A simulated shop was asked to go on in {tmp_path}, but there is no {tmp_path}/truth/parameters.json. "
        f"Begin it with 'kizuna simulate {tmp_path}'."
    )
    simulate(tmp_path, 50, 40, parameters=YOUNG)
    with pytest.raises(ConfigError) as caught:
        continue_shop(tmp_path, 0)
    assert str(caught.value) == "A shop was asked to go on for 0 days. Ask for at least 1."
    purchases = pd.read_parquet(tmp_path / "purchases.parquet")
    purchases.iloc[1:].to_parquet(tmp_path / "purchases.parquet")
    with pytest.raises(ConfigError) as caught:
        continue_shop(tmp_path, 7)
    assert str(caught.value) == (
        f"{tmp_path}/purchases.parquet holds {len(purchases) - 1:,} rows, and the shop that truth/parameters.json describes "
        f"has {len(purchases):,}: the file was changed, or another version of kizuna wrote it. "
        f"Begin anew with 'kizuna simulate {tmp_path}'."
    )


def test_options_of_the_other_kind_are_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        asked_of_shop(tmp_path, {"customers": 10, "days": 40, "seed": 3}, go_on=True)
    assert str(caught.value) == (
        "A shop goes on as it began, so --customers and --seed cannot be asked for with --continue."
    )
    with pytest.raises(ConfigError) as caught:
        asked_of_shop(tmp_path, {"customers": None, "days": None, "seed": None}, actions=tmp_path / "a.csv")
    assert str(caught.value) == ("--actions carries out a list while a shop goes on. Add --continue, or leave it out.")
