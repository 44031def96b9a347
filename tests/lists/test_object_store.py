"""What only an object store can do to a run: its lock and its outages."""

from __future__ import annotations

import functools
import http.client
import http.server
import json
import os
import re
import signal
import sys
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.children import ended, holding, in_child
from tests.lists.machines import ELSEWHERE, Shop, warnings_of

from kizuna.errors import ConfigError, LockHeld, Transient
from kizuna.lists import owner as owner_file
from kizuna.lists.owner import this_owner
from kizuna.lists.publication import locked, publish, published
from kizuna.lists.remote import Remote
from published import MONDAY, NEXT_MONDAY, writing


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


def test_a_run_that_ends_by_sigterm_gives_the_lock_back(shop: Shop) -> None:
    def place() -> AbstractContextManager[object]:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
        return locked(shop.machine())

    with holding(place) as child:
        os.kill(child, signal.SIGTERM)
        assert ended(child) == 143
    assert shop.store.read(".lock/00000001") == b""
    assert warnings_of(shop.publish) == []
