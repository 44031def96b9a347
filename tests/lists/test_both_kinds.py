"""What a folder promises, an address in an object store promises as well: the same tests over both, with a real server."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.children import die_at_change, ended, holding, in_child

from kizuna.errors import ConfigError, LockHeld
from kizuna.lists.links import home_of
from kizuna.lists.output import fetch_output
from kizuna.lists.publication import Publication, lists_before, locked, publish, published, restore
from kizuna.lists.remote import Remote
from kizuna.lists.revision import read_revision
from published import INPUTS, MONDAY, NEXT_MONDAY, publish_text, writing

_AS_ANYBODY = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261109/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
}


@dataclass(frozen=True)
class Place:
    """Where lists are published. ``machine`` numbers the machines that work there; a folder has one."""

    folder: Path
    server: str = ""
    prefix: str = ""
    machine: int = 1

    def there(self) -> Path:
        """The output folder of this machine, up to date."""
        if not self.server:
            return self.folder
        copy = self.folder / f"machine{self.machine}"
        fetch_output(f"s3://shop/{self.prefix}", copy)
        return copy

    def read(self, name: str) -> bytes | None:
        """A file as a reader without kizuna finds it."""
        if not self.server:
            path = self.folder / name
            return path.read_bytes() if path.is_file() else None
        url = f"{self.server}/shop/{self.prefix}/{urllib.parse.quote(name)}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=_AS_ANYBODY)) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def shown(self, name: str) -> str | None:
        """The revision that a day or ``latest`` shows, resolved once."""
        if not self.server:
            path = self.folder / name
            return os.readlink(path) if path.is_symlink() else None
        pointer = self.read(f"{name}.json")
        return None if pointer is None else str(json.loads(pointer)["revision"])

    def look(self, name: str) -> str | None:
        """The text of the list that a reader finds, after he has found everything whole; None without one."""
        revision = self.shown(name)
        if revision is None:
            return None
        manifest, success = self.read(f"{revision}/manifest.json"), self.read(f"{revision}/_SUCCESS")
        assert (manifest is not None, success) == (True, b"")
        for item in json.loads(manifest or b"")["files"]:
            content = self.read(f"{revision}/{item['path']}")
            assert content is not None
            assert hashlib.sha256(content).hexdigest() == item["sha256"]
        return (self.read(f"{revision}/at_risk.csv") or b"").decode().split()[1]


@pytest.fixture(params=["folder", "address"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(tmp_path)
    return Place(tmp_path, request.getfixturevalue("server"), f"exports/{tmp_path.name}")


def publish_once(place: Place, *what: Any, **how: Any) -> Publication:
    return publish_text(place.there(), *what, **how)


def test_a_published_day_is_found_whole_by_its_day_and_as_the_latest(place: Place) -> None:
    assert place.look("latest") is None
    assert publish_once(place).revision == 1
    assert place.shown("2026-11-09") == place.shown("latest") == ".revisions/2026-11-09/r1"
    assert place.look("latest") == "c1"


def test_the_same_inputs_are_a_no_op_wherever_they_are_scored_again(place: Place) -> None:
    publish_once(place)
    again = publish_once(Place(place.folder, place.server, place.prefix, machine=2), text="other text")
    assert again.revision == 1
    assert place.look("latest") == "c1"


def test_other_inputs_for_a_published_day_are_refused_with_the_difference(place: Place) -> None:
    publish_once(place, inputs={"purchases": "a" * 64, "churn_model": "shop-churn/3", "surveys": "77"})
    with pytest.raises(ConfigError) as refused:
        publish_once(place, text="c2", inputs={"purchases": "b" * 64, "churn_model": "shop-churn/4", "config": "5e"})
    assert str(refused.value) == (
        "2026-11-09 was asked for, but it is published already (r1) from other inputs: churn_model changed "
        "(shop-churn/3 to shop-churn/4); config is new (5e); purchases changed (aaaaaaaaaaaa… to bbbbbbbbbbbb…); "
        "surveys is gone (77).\nLeave it, or add a revision with --republish, which keeps r1."
    )
    assert refused.value.exit_code == 2
    assert place.look("2026-11-09") == "c1"


def test_republish_keeps_the_first_and_restore_goes_back_on_another_machine(place: Place) -> None:
    publish_once(place)
    first = place.read(".revisions/2026-11-09/r1/manifest.json")
    assert publish_once(place, text="c2", inputs={"purchases": "bb22"}, republish=True).revision == 2
    assert place.look("latest") == "c2"
    with locked(Place(place.folder, place.server, place.prefix, machine=2).there()) as output:
        assert restore(output, MONDAY, 1).revision == 1
    assert (place.look("latest"), place.look("2026-11-09")) == ("c1", "c1")
    assert place.read(".revisions/2026-11-09/r1/manifest.json") == first
    assert publish_once(place, text="c3", republish=True).revision == 3


def test_latest_is_the_greatest_day_whatever_was_published_last(place: Place) -> None:
    publish_once(place, NEXT_MONDAY, "c2")
    publish_once(place, MONDAY, "c1")
    assert (place.look("latest"), place.look("2026-11-09")) == ("c2", "c1")


def test_earlier_lists_are_known_to_every_machine(place: Place) -> None:
    for day in (NEXT_MONDAY, MONDAY, date(2026, 11, 23)):
        publish_once(place, day)
    there = Place(place.folder, place.server, place.prefix, machine=3).there()
    assert [one.as_of for one in lists_before(there, date(2026, 11, 23))] == [MONDAY, NEXT_MONDAY]
    assert lists_before(there, NEXT_MONDAY)[0].file("at_risk.csv").read_text() == "customer_id\nc1\n"


def files_here(place: Place) -> list[Path]:
    """Every file and link on this machine."""
    return sorted(path for path in place.folder.rglob("*") if path.is_symlink() or not path.is_dir())


@pytest.mark.parametrize("error", [OSError("No space left on device"), SystemExit(143), KeyboardInterrupt()])
def test_a_failure_while_writing_leaves_nothing_visible(place: Place, error: BaseException) -> None:
    def write(folder: Path) -> dict[str, int]:
        (folder / "at_risk.csv").write_text("half a li")
        raise error

    publish_once(place)
    before = files_here(place)
    with pytest.raises(type(error)), locked(place.there()) as output:
        publish(output, NEXT_MONDAY, INPUTS, write, {})
    assert files_here(place) == before
    assert place.shown("2026-11-16") is None
    assert place.look("latest") == "c1"
    assert publish_once(place, NEXT_MONDAY).revision == 1


def test_of_two_machines_that_start_together_one_publishes(place: Place) -> None:
    def run(machine: int) -> Callable[[], Any]:
        def slow(folder: Path) -> dict[str, int]:
            time.sleep(1.5)
            return writing(f"c{machine}")(folder)

        def work() -> None:
            with locked(Place(place.folder, place.server, place.prefix, machine).there()) as output:
                publish(output, MONDAY, INPUTS, slow, {})

        return work

    children = [in_child(run(1)), in_child(run(2))]
    codes = [ended(child) for child in children]
    assert sorted(codes) == [0, 14]
    assert place.look("latest") == f"c{codes.index(0) + 1}"


def test_the_lock_of_a_killed_run_is_taken_over_at_once_by_any_machine(place: Place) -> None:
    other = Place(place.folder, place.server, place.prefix, machine=2)
    with (
        holding(lambda: locked(place.there())) as child,
        pytest.raises(
            LockHeld, match=rf"another run holds it: process {child} on .*, last sign of life \d+ s ago\. Wait"
        ),
    ):
        publish_once(other)
    assert publish_once(other).revision == 1


def require_complete(folder: Path) -> None:
    found = read_revision(folder)
    assert found is not None
    found.require_whole()


def die_at_call(number: int) -> None:
    """Arms this process: SIGKILL just before or after a call to the store, the n-th of these moments."""
    seen = 0

    def step() -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def around(*arguments: Any) -> Any:
            step()
            answer = call(*arguments)
            step()
            return answer

        return around

    for name in ("write", "create", "upload", "remove"):
        setattr(Remote, name, watched(getattr(Remote, name)))


@pytest.mark.parametrize("place", ["folder", pytest.param("address", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.parametrize("day_was_published", [False, True])
def test_a_run_killed_at_any_step_shows_old_or_new_and_the_next_run_heals(
    place: Place, day_was_published: bool
) -> None:
    seen: set[str | None] = set()
    for number in range(1, 400):
        here = Place(place.folder / str(number), place.server, f"{place.prefix}/{number}")
        here.folder.mkdir()
        publish_once(here, date(2026, 11, 2), "older")
        if day_was_published:
            publish_once(here, text="old")

        def work(number: int = number, here: Place = here) -> None:
            output_dir = here.there()
            die_at_call(number) if here.server else die_at_change(number, output_dir)
            with locked(output_dir) as output:
                publish(output, MONDAY, {"purchases": "bb22"}, writing("new"), {}, True)

        child = in_child(work)
        done, status = 0, 0
        while not done:
            done, status = os.waitpid(child, os.WNOHANG)
            seen.add(here.look("2026-11-09"))
            assert here.look("latest") in ("older", "old", "new")
        for success in here.folder.rglob("r*/_SUCCESS"):
            require_complete(success.parent)
        before = here.look("2026-11-09")
        # The next run is on another machine every other time.
        again = Place(here.folder, here.server, here.prefix, 1 + number % 2)
        healed = publish_once(again, text="new", inputs={"purchases": "bb22"}, republish=True)
        assert healed.revision == int(day_was_published) + 1 + (before == "new")
        assert here.look("2026-11-09") == here.look("latest") == "new"
        assert not [*home_of(again.there(), MONDAY).glob(".s*"), *again.there().glob(".link-*")]
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert status == 0
    assert number > 20
    assert seen == {"old" if day_was_published else None, "new"}


@pytest.mark.slow
def test_readers_never_see_a_torn_list_while_lists_are_published_again_and_again(place: Place) -> None:
    publish_once(place, text="v0")

    def work() -> None:
        for number in range(1, 15):
            publish_once(place, text=f"v{number}", inputs={"purchases": str(number)}, republish=True)

    child = in_child(work)
    done, seen = 0, []
    while not done:
        done, status = os.waitpid(child, os.WNOHANG)
        seen.append(place.look("latest"))
    assert os.waitstatus_to_exitcode(status) == 0
    versions = [int(str(text)[1:]) for text in seen]
    assert versions == sorted(versions)
    assert versions[-1] == 14
    assert len(set(versions)) > 3
    assert published(place.there(), MONDAY) is not None
