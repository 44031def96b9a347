"""The private copy of what lies in an object store: what travels, what others did there, and what is healed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.children import ended, in_child
from tests.lists.machines import Shop

from kizuna.errors import ConfigError, LockHeld, ResultError, Transient
from kizuna.feedback.store import read_feedback
from kizuna.lists.erasure import rewrite_revision
from kizuna.lists.publication import lists_before, locked, published, restore
from kizuna.lists.push import share
from kizuna.lists.remote import Remote
from published import MONDAY, NEXT_MONDAY


class TestCorruption:
    def test_the_copy_is_healed_from_the_store(self, shop: Shop) -> None:
        folder = shop.publish().folder
        (folder / "at_risk.csv").write_text("customer_id\nc9\n")
        (folder / "manifest.json").unlink()
        (shop.folder / "one" / "latest").unlink()
        (shop.folder / "one" / ".mirror.json").write_text("{")
        found = published(shop.machine(), MONDAY)
        assert found is not None
        assert found.file("at_risk.csv").read_text() == "customer_id\nc1\n"
        assert os.readlink(shop.folder / "one" / "latest") == ".revisions/2026-11-09/r1"

    def test_a_file_that_was_changed_in_the_store_shapes_no_list(self, shop: Shop) -> None:
        shop.publish()
        shop.store.write(".revisions/2026-11-09/r1/at_risk.csv", b"customer_id\nc9\n")
        [before] = lists_before(shop.machine("two"), NEXT_MONDAY)
        with pytest.raises(
            ResultError, match=r"at_risk\.csv belongs to the published list of 2026-11-09, but it was changed"
        ):
            before.file("at_risk.csv")

    def test_a_list_that_lost_its_pointer_is_said_and_can_be_shown_again(self, shop: Shop) -> None:
        shop.publish()
        shop.store.remove("2026-11-09.json")
        with pytest.raises(
            ResultError, match=r"no link shows a complete revision of it any more \(there: r1\)\. Show one"
        ):
            lists_before(shop.machine("two"), NEXT_MONDAY)
        with locked(shop.machine("two")) as output:
            restore(output, MONDAY, 1)
        assert json.loads(shop.store.read("2026-11-09.json"))["revision"] == ".revisions/2026-11-09/r1"

    def test_latest_is_put_again_where_it_was_removed(self, shop: Shop) -> None:
        shop.publish()
        shop.store.remove("latest.json")
        shop.publish(machine="two")
        assert shop.store.read("latest.json") == shop.store.read("2026-11-09.json")

    def test_a_list_that_was_removed_with_its_pointer_is_gone_from_every_copy(self, shop: Shop) -> None:
        shop.publish()
        shop.publish(NEXT_MONDAY)
        for name in shop.store.listed():
            if "2026-11-09" in name:
                shop.store.remove(name)
        assert lists_before(shop.machine(), NEXT_MONDAY) == []
        assert not list(shop.folder.glob("one/.revisions/2026-11-09/r*"))

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"{",
            b"null",
            b'{"as_of": "2026-11-09", "revision": 1}',
            b'{"as_of": "2026-11-09", "revision": "../../etc"}',
            b'{"as_of": "2026-11-02", "revision": ".revisions/2026-11-02/r1"}',
            b'{"as_of": "2026-11-09", "revision": ".revisions/2026-11-02/r1"}',
        ],
    )
    def test_a_pointer_that_kizuna_did_not_write_is_said(self, shop: Shop, text: bytes) -> None:
        shop.publish()
        shop.store.write("2026-11-09.json", text)
        with pytest.raises(ResultError) as broken:
            shop.machine("two")
        assert str(broken.value) == (
            f"{shop.address}/2026-11-09.json should point to a published list, but it cannot be read. Somebody changed it by "
            "hand: put it back, or remove it and publish the day again."
        )

    def test_names_that_lead_elsewhere_are_not_copied(self, shop: Shop) -> None:
        shop.publish()
        root = shop.store.root.partition("/")[2]
        for name in (
            "../evil",
            "a/../../../evil",
            "2026-11-09/evil",
            "latest",
            ".revisions",
            "x//y",
            ".mirror.json",
            "a\\b",
        ):
            shop.store.system.call_s3("put_object", Bucket="shop", Key=f"{root}/{name}", Body=b"evil")
        home = shop.machine("two")
        assert not [path for path in shop.folder.rglob("*") if path.is_file() and path.read_bytes() == b"evil"]
        assert os.readlink(home / "latest") == ".revisions/2026-11-09/r1"


class TestCopy:
    def test_what_else_lies_there_travels_with_the_lists(self, shop: Shop) -> None:
        with locked(shop.machine()) as output:
            for name in ("feedback/2026-11-09.txt", ".outbox/crm.json", "destinations/crm/2026-11-09-r1.csv"):
                (output.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (output.folder / name).write_text("one")
        there = shop.machine("two")
        assert (there / ".outbox/crm.json").read_text() == "one"
        with locked(there):
            (there / ".outbox/crm.json").write_text("two")
            (there / "feedback/2026-11-09.txt").unlink()
        here = shop.machine()
        assert (here / ".outbox/crm.json").read_text() == "two"
        assert not (here / "feedback/2026-11-09.txt").exists()
        assert (there / "destinations/crm/2026-11-09-r1.csv").stat().st_mode & 0o777 == 0o600

    def test_what_was_done_is_sent_though_the_run_failed(self, shop: Shop) -> None:
        def deliver(folder: Path) -> None:
            (folder / "outbox.json").write_text("delivered to one")
            raise ResultError("another destination failed")

        with pytest.raises(ResultError), locked(shop.machine()) as output:
            deliver(output.folder)
        assert (shop.machine("two") / "outbox.json").read_text() == "delivered to one"

    def test_a_folder_below_is_locked_and_sent_by_itself(self, shop: Shop) -> None:
        with locked(shop.machine() / "kpi") as output:
            (output.folder / "kpi.csv").write_text("kpi")
            with pytest.raises(LockHeld), locked(shop.machine("two") / "kpi"):
                pass
            shop.publish(machine="three")
        assert (shop.machine("two") / "kpi/kpi.csv").read_text() == "kpi"

    def test_a_report_for_people_is_shared_without_the_lock(self, shop: Shop) -> None:
        folder = shop.machine() / "check"
        folder.mkdir()
        (folder / "report.csv").write_text("sound")
        share(folder)
        assert shop.store.read("check/report.csv") == b"sound"
        share(shop.folder / "no copy of anything")

    def test_what_could_not_be_sent_is_sent_by_the_next_run(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        def note(folder: Path) -> None:
            (folder / "notes.txt").write_text("noted")
            monkeypatch.setattr(Remote, "upload", silent)

        def silent(*arguments: Any) -> None:
            raise Transient("silent")

        with pytest.raises(Transient), locked(shop.machine()) as output:
            note(output.folder)
        monkeypatch.undo()
        assert "notes.txt" not in shop.store.listed()
        shop.publish()
        assert shop.store.read("notes.txt") == b"noted"

    def test_a_reader_leaves_the_copy_alone_while_a_run_works_in_it(self, shop: Shop) -> None:
        shop.publish()
        with locked(shop.machine()) as output:
            (output.folder / ".revisions/2026-11-09/r2").mkdir()
            shop.machine()
            assert (output.folder / ".revisions/2026-11-09/r2").is_dir()
        shop.machine()
        assert not (shop.folder / "one/.revisions/2026-11-09/r2").exists()

    def test_nothing_is_sent_or_fetched_twice(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        shop.publish()
        for call in ("upload", "download"):
            monkeypatch.setattr(Remote, call, lambda *arguments: pytest.fail("moved again"))
        shop.publish()

    def test_it_is_private(self, shop: Shop, tmp_path: Path) -> None:
        shop.publish()
        for path in (shop.folder / "one", *(shop.folder / "one").rglob("*")):
            if not path.is_symlink():
                assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
        (tmp_path / "open").mkdir(mode=0o755)
        (tmp_path / "link").symlink_to(tmp_path / "one")
        for name in ("open", "link"):
            with pytest.raises(ConfigError) as refused:
                shop.machine(name)
            assert str(refused.value) == (
                f"The copy of {shop.address} is to lie in {tmp_path / name}, which must be a folder of this user's own that "
                "nobody else may enter (mode 0700). Mend it, or name another as output.mirror."
            )

    def test_that_of_another_address_is_refused(self, shop: Shop) -> None:
        shop.publish()
        os.rename(shop.folder / "one", shop.folder / "moved")
        with pytest.raises(ConfigError) as refused:
            Shop(shop.folder, f"{shop.address}/other").machine("moved")
        assert str(refused.value) == (
            f"{shop.folder}/moved is to hold the copy of {shop.address}/other, but it is that of another address. "
            "Name another folder as output.mirror."
        )

    @pytest.mark.parametrize("sent", [0, 1, 2, 3, 4])
    def test_a_list_that_was_rewritten_here_is_sent_whole_though_sending_broke_off(self, shop: Shop, sent: int) -> None:
        shop.publish()
        upload, count = Remote.upload, 0

        def broken(remote: Remote, *arguments: Any) -> None:
            nonlocal count
            if count == sent:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            upload(remote, *arguments)

        def forget(folder: Path) -> None:
            found = published(folder, MONDAY)
            assert found is not None
            text = b"customer_id\n"
            listed, *others = found.manifest["files"]
            listed = listed | {"sha256": hashlib.sha256(text).hexdigest()}
            rewrite_revision(found, {"at_risk.csv": text}, found.manifest | {"files": [listed, *others]})

        def work() -> None:
            with locked(shop.machine()) as output:
                forget(output.folder)
                Remote.upload = broken  # type: ignore[method-assign]

        assert ended(in_child(work)) in (-signal.SIGKILL, 0)
        with locked(shop.machine()):
            pass
        found = published(shop.machine("two"), MONDAY)
        assert found is not None
        assert found.file("at_risk.csv").read_bytes() == b"customer_id\n"
        manifest = shop.store.read(".revisions/2026-11-09/r1/manifest.json")
        pointer = json.loads(shop.store.read("2026-11-09.json"))
        assert pointer["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()

    def test_feedback_is_read_from_it(self, shop: Shop) -> None:
        shop.publish()
        assert len(read_feedback(shop.machine(), "2026-11-09")) == 0
