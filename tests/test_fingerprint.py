"""Equal things have equal fingerprints; every small change has another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kizuna.fingerprint import file_sha256, folder_sha256, frame_digest


def folder_of(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_file_is_its_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_folder_is_its_names_and_contents_wherever_it_lies(tmp_path: Path) -> None:
    files = {"model.json": b"{}", "trees/booster.txt": b"tree"}
    here = folder_of(tmp_path / "here", files)
    there = folder_of(tmp_path / "deep/there", dict(reversed(files.items())))
    (there / "empty").mkdir()
    assert folder_sha256(here) == folder_sha256(there)


@pytest.mark.parametrize(
    "files",
    [
        {"model.json": b"{}", "trees/booster.txt": b"trea"},
        {"model.json": b"{}", "trees/booster2.txt": b"tree"},
        {"model.json": b"{}t", "trees/booster.txt": b"ree"},
        {"model.json": b"{}", "trees/booster.txt": b"tree", "more": b""},
        {"model.json": b"{}"},
    ],
)
def test_a_folder_that_differs_in_anything_has_another_fingerprint(tmp_path: Path, files: dict[str, bytes]) -> None:
    same = folder_of(tmp_path / "same", {"model.json": b"{}", "trees/booster.txt": b"tree"})
    assert folder_sha256(folder_of(tmp_path / "other", files)) != folder_sha256(same)


def frame() -> pd.DataFrame:
    rows = 150_000
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:06d}" for number in range(rows)],
            "as_of": pd.Series(pd.date_range("2026-01-01", periods=rows, freq="s")).astype("datetime64[s]"),
            "orders_30d": np.where(np.arange(rows) % 7 == 0, np.nan, np.arange(rows, dtype=float)),
        }
    )


def test_a_frame_is_all_of_its_rows() -> None:
    whole = frame()
    digest = frame_digest(whole)
    assert len(digest) == 32
    assert frame_digest(frame().set_index(np.arange(7, len(whole) + 7))) == digest
    last = frame()
    last.loc[149_999, "orders_30d"] = -1.0
    swapped = frame().iloc[[1, 0, *range(2, len(whole))]]
    renamed = frame().rename(columns={"orders_30d": "orders_90d"})
    typed = frame().astype({"orders_30d": "float32"})
    digests = {digest, *(frame_digest(other) for other in (last, swapped, renamed, typed, whole.iloc[:0]))}
    assert len(digests) == 6
