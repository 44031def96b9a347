"""What only an object store can do to a run: its lock, its outages, what others put there; and the private copy of it here."""

from __future__ import annotations

import functools
import hashlib
import http.client
import http.server
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.children import ended, holding, in_child
from tests.lists.other_runs import ELSEWHERE, warnings_of
from tests.servers import object_store

from kizuna.errors import ConfigError, LockHeld, ResultError, Transient
from kizuna.feedback.store import read_feedback
from kizuna.lists import owner as owner_file
from kizuna.lists.erasure import rewrite_revision
from kizuna.lists.output import fetch_output
from kizuna.lists.owner import this_owner
from kizuna.lists.publication import Publication, lists_before, locked, publish, published, restore
from kizuna.lists.push import share
from kizuna.lists.remote import Remote, open_remote
from published import MONDAY, NEXT_MONDAY, publish_text, writing


@dataclass(frozen=True)
class Shop:
    """An address of its own for each test, and the machines that work with it."""

    folder: Path
    address: str

    @property
    def store(self) -> Remote:
        return open_remote(self.address)

    def machine(self, name: str = "one") -> Path:
        fetch_output(self.address, self.folder / name)
        return self.folder / name

    def publish(self, as_of: date = MONDAY, machine: str = "one") -> Publication:
        return publish_text(self.machine(machine), as_of)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with object_store(tmp_path_factory.mktemp("store")) as address:
        yield address


@pytest.fixture
def shop(server: str, tmp_path: Path) -> Shop:
    return Shop(tmp_path, f"s3://shop/exports/{tmp_path.name}")


def record(owner: dict[str, Any], silent_seconds: float) -> bytes:
    return json.dumps(owner | {"beat": 3, "beat_at": time.time() - silent_seconds}).encode()


class TestLock:
    def test_it_is_given_back_empty_and_its_number_only_grows(self, shop: Shop) -> None:
        for _ in range(3):
            shop.publish()
        assert list(shop.store.listed(".lock")) == [".lock/00000003"]
        assert shop.store.read(".lock/00000003") == b""

    def test_another_host_holds_it_as_long_as_its_heart_beats(self, shop: Shop) -> None:
        shop.store.write(".lock/00000004", record(ELSEWHERE, 100))
        with pytest.raises(LockHeld) as held:
            shop.publish()
        assert re.sub(r"life \d+ s", "life N s", str(held.value)) == (
            f"{shop.address} was asked for, but another run holds it: process 7 on elsewhere, since 2026-11-09 06:00 UTC, "
            "last sign of life N s ago. Wait until it ends, or stop it, and run again."
        )
        assert published(shop.machine(), MONDAY) is None

    @pytest.mark.parametrize("silent_seconds", [301, 10**6, -(10**6)])
    def test_another_host_whose_heart_has_stopped_is_taken_over(
        self, shop: Shop, silent_seconds: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(owner_file, "BEAT_SECONDS", 0.1)
        shop.store.write(".lock/00000004", record(ELSEWHERE, silent_seconds))
        assert warnings_of(shop.publish) == [
            f"the lock of {shop.address} was not given back by process 7 on elsewhere, since 2026-11-09 06:00 UTC, which "
            "has ended; it is taken over"
        ]
        assert list(shop.store.listed(".lock")) == [".lock/00000005"]

    def test_a_beat_that_is_seen_counts_whatever_the_clocks_say(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(owner_file, "BEAT_SECONDS", 2.0)
        shop.store.write(".lock/00000004", record(ELSEWHERE, 7200))
        beat = threading.Timer(0.5, lambda: shop.store.write(".lock/00000004", record(ELSEWHERE, 7100)))
        beat.start()
        with pytest.raises(LockHeld):
            shop.publish()
        beat.join()

    def test_a_process_id_that_was_used_again_holds_nothing(self, shop: Shop) -> None:
        me = json.loads(this_owner().to_json())
        shop.store.write(".lock/00000001", record(me | {"began": me["began"] - 1}, 0))
        assert shop.publish().revision == 1

    @pytest.mark.parametrize("torn", [b"{", b"\xff\xfe", b"[]", b"x" * 10_000])
    def test_a_torn_record_stops_nobody(self, shop: Shop, torn: bytes) -> None:
        shop.store.write(".lock/00000009", torn)
        assert warnings_of(shop.publish) == [
            f"the lock of {shop.address} held no readable record of a run; it is taken over"
        ]

    def test_foreign_objects_among_the_records_stop_nobody(self, shop: Shop) -> None:
        for name in (".lock/readme", ".lock/99999999", ".lock/1/2"):
            shop.store.write(name, b"")
        assert [shop.publish().revision, shop.publish().revision] == [1, 1]

    def test_the_heart_beats(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(owner_file, "BEAT_SECONDS", 0.05)
        with locked(shop.machine()):
            until = time.monotonic() + 10
            while json.loads(shop.store.read(".lock/00000001"))["beat"] < 2 and time.monotonic() < until:
                time.sleep(0.05)
            assert json.loads(shop.store.read(".lock/00000001"))["beat"] >= 2

    @pytest.mark.parametrize("taken_by", [record(ELSEWHERE, 0), b"", None])
    def test_a_lost_lock_is_found_out_before_anything_is_shown(self, shop: Shop, taken_by: bytes | None) -> None:
        def overtaken(folder: Path) -> dict[str, int]:
            if taken_by is None:
                shop.store.remove(".lock/00000001")
            else:
                shop.store.write(".lock/00000002", taken_by)
            return writing()(folder)

        with pytest.raises(LockHeld) as lost, locked(shop.machine()) as output:
            publish(output, MONDAY, {}, overtaken, {})
        by = (
            "process 7 on elsewhere, since 2026-11-09 06:00 UTC has taken it"
            if taken_by
            else "its lock was removed or taken"
        )
        assert str(lost.value) == (
            f"{shop.address} was locked by this run, but no longer is: {by}. Nothing was published. "
            "Run again when no other run is at work."
        )
        assert not [name for name in shop.store.listed() if name.endswith(".json")]

    def test_of_many_who_try_at_once_one_gets_it(self, shop: Shop) -> None:
        def hold(number: int) -> None:
            with locked(shop.machine(f"m{number}")):
                time.sleep(3)

        children = [in_child(functools.partial(hold, number)) for number in range(6)]
        codes = [ended(child) for child in children]
        assert sorted(codes) == [0, 14, 14, 14, 14, 14]


class Forgetful(http.server.BaseHTTPRequestHandler):
    """A store before the true one that heeds no conditions, as older ones do."""

    behind = ""
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in ("if-none-match", "expect")
        }
        connection = http.client.HTTPConnection(self.behind.removeprefix("http://"), timeout=10)
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection", "server", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


for _method in ("GET", "PUT", "HEAD", "DELETE", "POST"):
    setattr(Forgetful, f"do_{_method}", Forgetful._pass_on)


class TestOutage:
    def test_a_store_that_heeds_no_conditions_is_refused(
        self, shop: Shop, server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Forgetful, "behind", server)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forgetful) as front:
            threading.Thread(target=front.serve_forever, daemon=True).start()
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{front.server_port}")
            address = f"{shop.address}/forgetful"
            with pytest.raises(ConfigError) as refused:
                Shop(shop.folder, address).publish()
            front.shutdown()
        assert str(refused.value) == (
            f"output.dir asks for {address}, but that store makes an object a second time when it is asked to make it only "
            "once, so that two runs could not be kept apart. Choose another store, or a folder."
        )

    def test_a_store_that_does_not_answer_is_worth_a_retry_and_shows_nothing(
        self, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        address = f"s3://shop/exports/{tmp_path.name}"
        with pytest.raises(Transient) as silent:
            Shop(tmp_path, address).publish()
        assert str(silent.value) == (
            f"The object store of {address} did not answer (EndpointConnectionError). Readers see what they saw before. "
            "Check its address, or try again later."
        )
        assert silent.value.exit_code == 75

    def test_a_bucket_that_is_not_there_is_said(self, tmp_path: Path, server: str) -> None:
        with pytest.raises(ConfigError) as missing:
            Shop(tmp_path, "s3://nowhere/exports").publish()
        assert str(missing.value) == (
            "output.dir asks for s3://nowhere/exports, but the store has no such bucket. Make it, or mend output.dir."
        )

    def test_a_client_that_is_not_installed_or_known_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(
            ConfigError, match=r"gs://b/x, but its client is not installed: .*\. Install kizuna\[s3\], or"
        ):
            Shop(tmp_path, "gs://b/x").machine()
        with pytest.raises(
            ConfigError, match=r"output\.dir asks for nope://b/x, which no client knows: .* Mend output\.dir"
        ):
            Shop(tmp_path, "nope://b/x").machine()

    @pytest.mark.parametrize("call", ["upload", "write"])
    def test_an_outage_in_the_middle_of_sending_shows_the_old_list(
        self, shop: Shop, call: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop.publish()
        before = shop.store.read("latest.json")

        def silent(remote: Remote, *arguments: Any) -> None:
            raise Transient("silent")

        def cut_off(folder: Path) -> dict[str, int]:
            monkeypatch.setattr(Remote, call, silent)
            return writing()(folder)

        with pytest.raises(Transient), locked(shop.machine()) as output:
            publish(output, NEXT_MONDAY, {}, cut_off, {})
        monkeypatch.undo()
        assert shop.store.read("latest.json") == before
        assert published(shop.machine(), NEXT_MONDAY) is None
        assert shop.publish(NEXT_MONDAY).revision == 1


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


def test_a_run_that_ends_by_sigterm_gives_the_lock_back(shop: Shop) -> None:
    def place() -> AbstractContextManager[object]:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
        return locked(shop.machine())

    with holding(place) as child:
        os.kill(child, signal.SIGTERM)
        assert ended(child) == 143
    assert shop.store.read(".lock/00000001") == b""
    assert warnings_of(shop.publish) == []
