from __future__ import annotations

from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer
from tests.delivery.week import DROPPED, FIRST, SECOND, config_of, delivered, published_day

from kizuna.delivery.drop import put
from kizuna.delivery.states import delivery_states
from kizuna.errors import DestinationFailed


def test_a_file_is_there_whole_and_once(tmp_path: Path) -> None:
    put(b"Nr\n007\n", "1.csv", tmp_path)
    before = (tmp_path / "1.csv").stat()
    put(b"Nr\n007\n", "1.csv", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["1.csv"]
    assert (tmp_path / "1.csv").stat().st_mtime_ns == before.st_mtime_ns
    assert before.st_mode & 0o777 == 0o600


def test_a_name_is_never_used_for_other_bytes(tmp_path: Path) -> None:
    put(b"one", "1.csv", tmp_path)
    with pytest.raises(DestinationFailed) as caught:
        put(b"other", "1.csv", tmp_path)
    assert str(caught.value) == "in its drop lies another file named 1.csv. Move that one away"
    assert (tmp_path / "1.csv").read_bytes() == b"one"


def test_an_address_that_fsspec_knows() -> None:
    import fsspec

    for _ in range(2):
        put(b"Nr\n", "1.csv", "memory://drop/crm/")
    assert fsspec.filesystem("memory").cat_file("/drop/crm/1.csv") == b"Nr\n"
    with pytest.raises(DestinationFailed, match=r"in its drop lies another file named 1\.csv"):
        put(b"other", "1.csv", "memory://drop/crm/")
    with pytest.raises(DestinationFailed) as caught:
        put(b"", "1.csv", "nosuch://user:secret@there/crm")
    assert str(caught.value) == (
        "its drop could not be written (ValueError). Check its address, the rights, and the network"
    )


def test_a_folder_that_is_missing_is_waited_for_and_gets_the_same_file(tmp_path: Path) -> None:
    config = config_of(tmp_path, DROPPED)
    publication = published_day(config, FIRST, {"a": "high"})
    with pytest.raises(DestinationFailed, match=r"crm: its drop is no folder, or not there\. Make it, or mount it\."):
        delivered(config, publication)
    (tmp_path / "there").mkdir()
    (told,) = delivered(config, publication)
    assert told.attempts == 2
    name = "crm-000001-2026-01-05-r1.csv"
    assert [path.name for path in (tmp_path / "there").iterdir()] == [name]
    assert (tmp_path / "there" / name).read_bytes() == (config.output_dir / "destinations/crm" / name).read_bytes()


def test_an_opt_out_between_the_failure_and_the_retry(tmp_path: Path) -> None:
    """Nobody knows whether the first file was taken in: a is cleared, and everybody else is said again."""
    config = config_of(tmp_path, DROPPED.replace("there,", "there, changed_only: true,"))
    publication = published_day(config, FIRST, {"a": "high", "b": "high"})
    with pytest.raises(DestinationFailed):
        delivered(config, publication)
    (tmp_path / "there").mkdir()
    (told,) = delivered(config, publication, a=0)
    assert (told.state, told.rows, told.opted_out) == ("delivered", 2, 1)
    (file,) = (tmp_path / "there").iterdir()
    assert file.name == "crm-000002-2026-01-05-r1.csv"
    assert file.read_text() == "Nr,Risk\nb,high\na,none\n"


def test_what_was_taken_in_is_not_put_there_again(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    config = config_of(tmp_path, DROPPED)
    publication = published_day(config, FIRST, {"a": "high"})
    delivered(config, publication)
    (tmp_path / "there/crm-000001-2026-01-05-r1.csv").unlink()
    delivered(config, publication)
    assert list((tmp_path / "there").iterdir()) == []
    delivered(config, published_day(config, SECOND, {"a": "high"}))
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["crm-000002-2026-01-12-r1.csv"]


@pytest.mark.slow
def test_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server that speaks S3: not there first, then with one object, put twice."""
    config = config_of(tmp_path, DROPPED.replace("there", "'s3://crm/in'"))
    publication = published_day(config, FIRST, {"a": "high"})
    shop = ThreadedMotoServer(port=0)
    shop.start()
    try:
        for name, value in (
            ("ACCESS_KEY_ID", "shop"),
            ("SECRET_ACCESS_KEY", "secret"),
            ("DEFAULT_REGION", "us-east-1"),
        ):
            monkeypatch.setenv(f"AWS_{name}", value)
        host, port = shop.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        with pytest.raises(DestinationFailed, match=r"crm: its drop could not be written \(FileNotFoundError\)\."):
            delivered(config, publication)
        bucket = s3fs.S3FileSystem(skip_instance_cache=True)
        bucket.mkdir("crm")
        delivered(config, publication)
        put(b"Nr,Risk\na,high\n", "crm-000001-2026-01-05-r1.csv", "s3://crm/in")
        assert bucket.find("crm") == ["crm/in/crm-000001-2026-01-05-r1.csv"]
        assert bucket.cat_file("crm/in/crm-000001-2026-01-05-r1.csv") == b"Nr,Risk\na,high\n"
    finally:
        shop.stop()


def test_two_destinations_may_share_a_drop(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    config = config_of(tmp_path, DROPPED, DROPPED.replace("crm,", "mail,"))
    delivered(config, published_day(config, FIRST, {"a": "high"}))
    names = sorted(path.name for path in (tmp_path / "there").iterdir())
    assert names == ["crm-000001-2026-01-05-r1.csv", "mail-000001-2026-01-05-r1.csv"]


def test_a_newer_list_takes_the_place_of_one_that_failed(tmp_path: Path) -> None:
    """Nobody knows whether a was taken in, so a is cleared."""
    config = config_of(tmp_path, DROPPED)
    for day, customer in ((FIRST, "a"), (SECOND, "b")):
        publication = published_day(config, day, {customer: "high"})
        with pytest.raises(DestinationFailed):
            delivered(config, publication)
    assert [(item.as_of, item.state) for item in delivery_states(config)] == [(SECOND, "failed")]
    (tmp_path / "there").mkdir()
    delivered(config, publication)
    (file,) = (tmp_path / "there").iterdir()
    assert file.name == "crm-000002-2026-01-12-r1.csv"
    assert file.read_text() == "Nr,Risk\nb,high\na,none\n"
