"""``kizuna forget``: gone from every file, and never back, whenever it is killed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from tests.children import in_child

from commands import kizuna
from kizuna.config_file import load_config
from kizuna.errors import ListDamaged
from kizuna.lists.publication import locked, published
from kizuna.privacy.forget import forget
from privacy.everywhere import occurrences
from published import publish_list

WHO = "kanarie-7"
NOW = datetime(2026, 2, 1, tzinfo=UTC)
DAYS = ("2026-01-05", "2026-01-12")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two lists with the customer and two whose ids hold hers, feedback, rows set aside, and files of destinations."""
    orders = "customer_id,occurred_at,amount\n" + "".join(
        f"{who},2025-12-{day:02},1\n" for who in (WHO, f"{WHO}7", f"1{WHO}") for day in (1, 9, 20)
    )
    (tmp_path / "p.csv").write_text(orders)
    exports = tmp_path / "out"
    for day in DAYS:
        rows = [(who, 0.5, "target", "true") for who in (f"{WHO}7", WHO, f"1{WHO}")]
        publish_list(exports, day, rows, [("z", 0.1, "target")], counts={"eligible": 4, "listed": 3, "target": 3})
    (exports / "feedback").mkdir()
    said = pd.DataFrame({"customer_id": [WHO, f"{WHO}7"], "comment": "x"})
    said.to_parquet(exports / "feedback" / f"{DAYS[0]}.parquet")
    (exports / "check/quarantine").mkdir(parents=True)
    pd.DataFrame({"user": [WHO, "b"], "amount": "1,2"}).to_parquet(exports / "check/quarantine/purchases.parquet")
    (exports / "destinations/crm").mkdir(parents=True)
    (exports / "destinations/crm/000001.csv").write_text(f"who,risk\n{WHO},0.5\n{WHO}7,0.5\n")
    config = tmp_path / "shop.yaml"
    config.write_text(
        "name: shop\ndata: {tables: {purchases: {path: p.csv, columns: {customer_id: user}}}}\n"
        "exports: [{to: destination, name: crm, columns: {who: customer_id, risk: churn_probability}}]\n"
        "output: {dir: out}\ntracking: {uri: 'sqlite:///mlflow.db'}\n"
    )
    return config


def left(shop: Path) -> list[str]:
    """Whole cells of the customer below the output folder: her id, and not those of others that hold it."""
    exports, found = shop.parent / "out", []
    for path in exports.rglob("*"):
        if path.suffix == ".csv" and not path.parent.is_symlink():
            found += [str(path)] * (pd.read_csv(path, dtype=str) == WHO).to_numpy().sum()
        elif path.suffix == ".parquet":
            found += [str(path)] * (pd.read_parquet(path).astype(str) == WHO).to_numpy().sum()
    return found


def require_sound(shop: Path) -> None:
    for day in DAYS:
        publication = published(shop.parent / "out", date.fromisoformat(day))
        assert publication is not None
        for item in publication.manifest["files"]:
            assert hashlib.sha256((publication.folder / item["path"]).read_bytes()).hexdigest() == item["sha256"]


def test_the_customer_is_gone_and_nobody_else(shop: Path) -> None:
    exports = shop.parent / "out"
    assert len(left(shop)) == 7
    code, out, err = kizuna("forget", shop, WHO)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Erased 7 rows: 1 in check, 1 in destinations, 1 in feedback, 4 in lists. 2 revisions were written anew.",
        "Searched afterwards: 12 files; 0 rows of this customer are left.",
        "These destinations were handed rows of this customer; delete them there: crm.",
    ]
    assert left(shop) == []
    assert len(occurrences(exports, f"{WHO}7")) > 5
    require_sound(shop)
    manifest = json.loads((exports / "latest/manifest.json").read_text())
    assert (manifest["erased"], manifest["revision"]) == (1, 1)
    assert {item["path"]: item["rows"] for item in manifest["files"]} == {"at_risk.csv": 2, "scores.parquet": 3}
    assert manifest["counts"] == {"eligible": 3, "listed": 2, "target": 2}
    assert WHO not in out + (exports / ".forgotten/proofs/000001.json").read_text()
    proof = json.loads((exports / ".forgotten/proofs/000001.json").read_text())
    assert (proof["remaining"], proof["rows"], proof["exit_code"]) == (0, 7, 0)
    for path in exports.rglob("*"):
        if not path.is_symlink() and ".forgotten" in path.parts:
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("drop", ["drop", "file://{}/drop"])
def test_copies_in_a_drop_are_erased_as_well(shop: Path, drop: str) -> None:
    (shop.parent / "drop").mkdir()
    handed = shop.parent / "out/destinations/crm/000001.csv"
    copy = Path(shutil.copy(handed, shop.parent / "drop"))
    other = Path(shutil.copy(handed, shop.parent / "drop/of_another_program.csv"))
    shop.write_text(shop.read_text().replace("name: crm,", f"name: crm, drop: '{drop.format(shop.parent)}',"))
    code, out, _ = kizuna("forget", shop, WHO)
    assert code == 0
    assert "2 in destinations" in out
    assert copy.read_text() == handed.read_text() == f"who,risk\n{WHO}7,0.5\n"
    # What kizuna has not put there is not its own to change.
    assert WHO in other.read_text().split("\n")[1]


def test_a_trial_changes_nothing_and_json_is_one_object(shop: Path) -> None:
    before = {path: path.read_bytes() for path in shop.parent.rglob("*") if path.is_file()}
    code, out, _ = kizuna("forget", shop, WHO, "--dry-run", "--json")
    assert code == 0
    told = json.loads(out)
    assert (told["rows"], told["dry_run"], told["already_forgotten"]) == (7, True, False)
    assert {path: path.read_bytes() for path in shop.parent.rglob("*") if path.is_file()} == before


def test_who_is_not_found_is_on_record_all_the_same(shop: Path) -> None:
    code, out, _ = kizuna("forget", shop, "nobody")
    assert code == 0
    assert out.splitlines()[0] == (
        "Nothing of this customer was found. The customer is on record all the same, and stays out of later runs."
    )
    assert kizuna("forget", shop, "nobody")[1].splitlines()[1] == "The customer was forgotten before."
    assert len(left(shop)) == 7


def test_ids_that_nobody_can_have_are_refused(shop: Path) -> None:
    assert kizuna("forget", shop, "") == (
        *(2, ""),
        "kizuna: The customer to forget has an empty id, which nobody has. Name the customer's id.\n",
    )
    assert kizuna("forget", shop, "a\udcff")[2] == (
        "kizuna: The customer to forget is named by bytes that are no UTF-8. Write the id as it is in the data.\n"
    )


@pytest.mark.parametrize(
    "who", ["../../x", "'; DROP TABLE x; --", "a\nb", "=1+1", "<b>", "🙂" * 200, "x" * 100_000, "-5", "@", "a\tb"]
)
def test_hostile_ids_are_ids(who: str, shop: Path) -> None:
    exports = shop.parent / "out"
    publish_list(exports, "2026-01-19", [(who, 0.5, "target", "true"), ("b", 0.4, "target", "true")])
    outside = {path for path in shop.parent.iterdir()}
    code, out, _ = kizuna("forget", shop, "--", who)
    assert (code, out.splitlines()[0][:14]) == (0, "Erased 2 rows:")
    assert pd.read_csv(exports / "latest/at_risk.csv", dtype=str)["customer_id"].tolist() == ["b"]
    assert {path for path in shop.parent.iterdir()} == outside


def test_what_cannot_be_searched_is_named(shop: Path) -> None:
    exports = shop.parent / "out"
    (exports / "notes.docx").write_bytes(b"PK?")
    (exports / "broken.parquet").write_bytes(b"PAR1")
    code, out, _ = kizuna("forget", shop, WHO)
    assert code == 13
    assert (
        "Not searched, for kizuna cannot read them: broken.parquet, notes.docx. Look at them yourself, or remove them."
        in out
    )
    (exports / "broken.parquet").unlink()
    assert left(shop) == []


def test_damaged_files_of_a_list_hold_nothing_up_and_stay_damaged(shop: Path) -> None:
    first, second = (shop.parent / "out/.revisions" / day / "r1" for day in DAYS)
    for path, harm in ((first / "at_risk.csv", b"\xff\xff\n"), (second / "at_risk.csv", b"by hand\n")):
        path.write_bytes(path.read_bytes() + harm)
    scores = first / "scores.parquet"
    scores.write_bytes(scores.read_bytes()[:100] + scores.read_bytes()[120:])
    code, out, _ = kizuna("forget", shop, WHO)
    assert code == 13
    assert f"Not searched, for kizuna cannot read them: .revisions/{DAYS[0]}/r1/scores.parquet. Look" in out
    for folder in (first, second):
        assert f"\n{WHO},".encode() not in (folder / "at_risk.csv").read_bytes()
    for day in DAYS:
        publication = published(shop.parent / "out", date.fromisoformat(day))
        assert publication is not None
        with pytest.raises(ListDamaged):
            publication.file("at_risk.csv")


def test_it_waits_for_nobody_who_holds_the_lock(shop: Path) -> None:
    with locked(shop.parent / "out"):
        code, _, _ = kizuna("forget", shop, WHO)
    assert code == 14
    assert len(left(shop)) == 7


def test_what_killed_runs_have_left_goes_too(shop: Path) -> None:
    exports = shop.parent / "out"
    staging = exports / ".revisions/2026-01-19/.staging-r1"
    staging.mkdir(parents=True)
    shutil.copy(exports / "latest/at_risk.csv", staging)
    (exports / "feedback/.2026-01-05.parquet.999999999").write_text(WHO)
    assert kizuna("forget", shop, WHO)[0] == 0
    assert occurrences(exports / "feedback", "999999999") == []
    assert not staging.exists()


def test_a_list_whose_run_was_killed_just_after_its_link_stays_sound(shop: Path) -> None:
    home = shop.parent / "out/.revisions"
    (home / DAYS[1] / ".showing-r1").touch()
    shutil.copytree(home / DAYS[1] / "r1", home / DAYS[1] / "r2")
    (home / DAYS[1] / ".showing-r2").touch()
    assert kizuna("forget", shop, WHO)[0] == 0
    assert left(shop) == []
    require_sound(shop)
    assert sorted(path.name for path in (home / DAYS[1]).iterdir()) == ["r1"]


def test_a_contact_is_erased_where_the_destination_knows_no_id(shop: Path) -> None:
    folder = shop.parent / "out/destinations"
    (folder / "mail").mkdir()
    (folder / "mail/1.csv").write_text("mail,risk\na@b.c,1\nd@e.f,1\n")
    (shop.parent / "contacts.csv").write_text(f"customer_id,mail\n{WHO},a@b.c\n{WHO}7,d@e.f\n")
    asked = "exports=[{to: destination, name: mail, key: mail, columns: {mail: contacts.mail}, contacts: {path: contacts.csv}}]"
    code, said, _ = kizuna("forget", shop, WHO, "--set", asked)
    assert code == 0
    assert "These destinations were handed rows of this customer; delete them there: mail." in said
    assert (folder / "mail/1.csv").read_text() == "mail,risk\nd@e.f,1\n"


def test_readers_see_the_old_list_or_the_new_one(shop: Path) -> None:
    exports = shop.parent / "out"
    child = in_child(lambda: forget(load_config(shop, ()), WHO, NOW))
    seen = set()
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        seen.add(len(pd.read_csv(exports / "latest/at_risk.csv")))
        require_links(exports)
    assert seen <= {2, 3}
    assert left(shop) == []


def require_links(exports: Path) -> None:
    for name in ("latest", *DAYS):
        assert (exports / name / "_SUCCESS").exists()


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_it_is_complete(shop: Path) -> None:
    luck = random.Random(7)
    whole = shop.parent / "whole"
    shutil.copytree(shop.parent / "out", whole, symlinks=True)
    config = load_config(shop, ())
    forget(config, "warm", NOW)
    for _ in range(40):
        shutil.rmtree(shop.parent / "out")
        shutil.copytree(whole, shop.parent / "out", symlinks=True)
        child = in_child(lambda: forget(config, WHO, NOW))
        time.sleep(luck.uniform(0, 0.25))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        require_links(shop.parent / "out")
        require_sound(shop)
        assert forget(config, WHO, NOW).exit_code == 0
        assert left(shop) == []
        require_sound(shop)
        assert not [path for path in (shop.parent / "out/.revisions").rglob(".*")]
