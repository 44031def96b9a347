"""The proof as a user runs it: on a shop of every table, with families of their own, honest and leaking."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.features.shops import FIRST, LAST, random_shop

from commands import kizuna
from kizuna.data.simulate import simulate
from kizuna.prove import Proof, proof_lines, prove

DAY = "2025-07-15"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated shop whose complaints come late, whose visits come after two days, and with features made elsewhere."""
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=300, days=500, seed=5)
    rng = np.random.default_rng(1)
    complaints = pd.read_parquet(folder / "complaints.parquet")
    days = pd.to_timedelta(rng.integers(0, 60, len(complaints)), unit="D")
    complaints.assign(known_at=pd.to_datetime(complaints["occurred_at"]) + days).to_parquet(
        folder / "complaints.parquet"
    )
    ids = pd.read_parquet(folder / "customers.parquet")["customer_id"]
    months = pd.date_range("2025-01-01", "2025-12-01", freq="MS")
    made = pd.MultiIndex.from_product([ids, months], names=["customer_id", "as_of"]).to_frame(index=False)
    made["usage"] = rng.random(len(made))
    made["plan_name"] = rng.choice(["S", "M", "L"], len(made))
    made.to_parquet(folder / "features.parquet")
    tree = yaml.safe_load((folder / "config.yaml").read_text())
    tree["data"]["tables"]["engagement"]["arrives_after_days"] = 2
    tree["data"]["tables"]["features"] = {"path": "features.parquet"}
    (folder / "config.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return folder / "config.yaml"


def with_family(shop: Path, name: str, body: str) -> list[str]:
    """The arguments that add a family of complaints with this body."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    (shop.parent / f"{name}.py").write_text(
        "import numpy as np\nfrom kizuna.features import Feature\nTABLE = 'complaints'\n"
        "def per_customer(h, mask):\n"
        "    return np.bincount(h.events.customer[mask], minlength=h.events.customers)[h.rows.customer].astype(np.float64)\n"
        f"def features(h, settings):\n{lines}\n"
    )
    return ["--set", f"features.extra=[{name}.py]"]


def proof(shop: Path, *arguments: str) -> tuple[int, dict]:
    code, out, err = kizuna("check", shop, "--prove", "--as-of", DAY, "--json", *arguments)
    assert err == ""
    return code, json.loads(out)


def test_every_family_of_a_full_shop_passes(shop: Path) -> None:
    code, out, err = kizuna("check", shop, "--prove", "--as-of", DAY)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"Everything that was not known before {DAY} is rewritten."
    assert " ".join(lines[1].split()) == "table rows known rewritten left out added still open values"
    assert lines[-1] == f"Identical: no feature of {DAY} reads what was not yet known."
    code, told = proof(shop)
    assert (code, told["exit_code"], told["identical"], told["moved"], told["only_in_one"]) == (0, 0, True, [], [])
    assert told["values_compared"] == told["features"] * told["customers"]
    assert told["customers"] == 300
    tables = {table["table"]: table for table in told["tables"]}
    assert set(tables) == set(yaml.safe_load(shop.read_text())["data"]["tables"])
    assert all(table["rewritten"] and table["added"] for name, table in tables.items() if name != "customers")
    assert tables["complaints"]["filled_in"] > 0


def test_without_a_day_the_newest_that_could_have_a_label_is_taken_and_said(shop: Path) -> None:
    code, out, _ = kizuna("check", shop, "--prove", "--set", "features.families=[purchases]")
    assert code == 0
    assert out.splitlines()[0] == (
        "Everything that was not known before 2025-10-03 is rewritten "
        "(the newest day whose churn label could have matured; choose another with --as-of)."
    )


def test_an_honest_family_of_the_users_own_passes(shop: Path) -> None:
    body = """
for w in settings.windows_days:
    yield Feature(f"loud_complaints_{w}d", "COMPLAINT_OPEN", "count", h.count(w, h.equals("channel", "phone")))
done = h.on("resolved_at")
yield Feature("resolved_30d", "SERVICE_SLOW", "count", done.count(30))
"""
    plain_code, plain = proof(shop)
    code, told = proof(shop, *with_family(shop, "honest", body))
    assert (plain_code, code) == (0, 0)
    assert told["features"] == plain["features"] + 6


LEAKS = {
    "all": ("h.events.day < 2_000_000_000", "rows of complaints dated 2025-07-15 or later"),
    "late": (
        "h.events.day < h.rows.as_of.max(initial=0)",
        "rows of complaints that became known on 2025-07-15 or later",
    ),
    "resolved": (
        "(h.events.known < h.rows.as_of.max(initial=0)) & (h.events.days['resolved_at'] < 2_000_000_000)",
        "resolved_at, first_response_at of complaints before they come",
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leaking_family_is_caught_and_told_what_it_reads(name: str, shop: Path) -> None:
    mask, reads = LEAKS[name]
    extra = with_family(
        shop,
        f"leak_{name}",
        f"yield Feature('honest_{name}', 'COMPLAINT_OPEN', 'count', h.count())\n"
        f"yield Feature('leaking_{name}', 'COMPLAINT_OPEN', 'count', per_customer(h, {mask}))",
    )
    code, told = proof(shop, *extra)
    assert (code, told["exit_code"], told["identical"]) == (13, 13, False)
    [moved] = told["moved"]
    assert (moved["feature"], moved["family"], moved["reads"]) == (f"leaking_{name}", f"leak_{name}", reads)
    assert moved["before"] != moved["after"]
    code, out, err = kizuna("check", shop, "--prove", "--as-of", DAY, *extra)
    assert (code, err) == (13, "")
    others = f" (and of {moved['customers'] - 1} others)" if moved["customers"] > 1 else ""
    assert out.splitlines()[-2:] == [
        f"MOVED feature leaking_{name} of customer {moved['customer_id']}{others} on {DAY} changed from "
        f"{moved['before']:g} to {moved['after']:g} when only the future was rewritten: it reads {reads}.",
        f"Not point-in-time: 1 of {told['features']} features does not rest on the known past alone.",
    ]


def test_a_family_that_looks_at_other_customers_or_at_codes_is_caught_too(shop: Path) -> None:
    body = """
yield Feature("shop_complaints", "COMPLAINT_OPEN", "count", np.full(len(h.rows), float((h.events.day < 20_000).sum())))
yield Feature("last_channel", "COMPLAINT_OPEN", "number", h.last(h.texts("channel").codes.astype(np.float64)))
"""
    code, told = proof(shop, *with_family(shop, "others", body))
    assert code == 13
    words = "rows of other customers, or the codes of texts, which all rows decide"
    assert {moved["feature"]: moved["reads"] for moved in told["moved"]} == {
        "shop_complaints": words,
        "last_channel": words,
    }


def test_a_broken_family_is_refused_before_anything_is_compared(shop: Path) -> None:
    code, out, err = kizuna("check", shop, "--prove", "--as-of", DAY, *with_family(shop, "broken", "yield 1"))
    assert (code, out) == (2, "")
    assert err.startswith("kizuna: broken.py, family broken: features yields 1, which is no Feature. ")


REFUSED = {
    ("--prove", "--as-of", "2026-01-01"): (
        *(10, "A proof was asked for 2026-01-01, but every row was known before that day, so there is no future to "),
        "rewrite. Choose an earlier --as-of.",
    ),
    ("--prove", "--as-of", "2020-01-01"): (
        *(10, "A proof was asked for 2020-01-01, but the data begin on "),
        "2023-11-28. Choose a later --as-of.",
    ),
    ("--as-of", DAY): (2, "--as-of is the day of a proof. Add --prove, or leave it out.", ""),
    ("--prove", "--as-of", "soon"): (
        *(2, "as_of asks for a day like 2026-01-31; found 'soon'. Write it as YYYY-MM-DD, "),
        "with a day that exists.",
    ),
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_cannot_be_proven_is_refused(arguments: tuple[str, ...], shop: Path) -> None:
    code, *said = REFUSED[arguments]
    late = ["--set", "data.tables.complaints.columns={known_at: occurred_at}"]
    visits = ["--set", "data.tables.engagement.arrives_after_days=0"]
    assert kizuna("check", shop, *arguments, *late, *visits) == (code, "", f"kizuna: {''.join(said)}\n")


@pytest.mark.parametrize("style", ["full", "mixed", "lean", "undated"])
def test_hostile_shops(style: str) -> None:
    project = random_shop(1, style).project()
    for as_of in (FIRST + 300, LAST - 60):
        found = prove(project, as_of)
        assert [moved.feature for moved in found.moved] == []
        assert found.only_in_one == []


def test_a_column_that_comes_and_goes_with_the_future_is_named() -> None:
    found = Proof(20_000, False, [], customers=3, features=2, moved=[], only_in_one=["market=JP"])
    assert (found.identical, found.exit_code, found.to_json()["values_compared"]) == (False, 13, 6)
    assert proof_lines(found)[-2:] == [
        "MOVED feature market=JP is there or not by what was known only later.",
        "Not point-in-time: 1 of 3 features does not rest on the known past alone.",
    ]
