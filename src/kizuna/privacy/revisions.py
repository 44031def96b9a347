"""One customer taken out of published revisions: files, hashes, rows and counts of the manifest agree again afterwards."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kizuna.errors import ListDamaged
from kizuna.lists.erasure import rewrite_revision
from kizuna.lists.publication import Publication
from kizuna.lists.published import read_listed
from kizuna.lists.selection import LEFT_OUT
from kizuna.privacy.files import Found
from kizuna.scoring.files import contact_rows

if TYPE_CHECKING:
    import pandas as pd

_LIST, _SCORES = "at_risk.csv", "scores.parquet"
_PEOPLE = (".xlsx", ".html")


def erase_from(publication: Publication, found: Mapping[str, Found], was_listed: bool) -> None:
    """Writes the revision anew with what was ``found`` in its files taken out, by relative path.

    A file that was damaged since it was published keeps its line of the manifest, and so is still known to be.
    """
    contents = {name: item.content for name, item in found.items() if item.count}
    sound = {name for name in publication.hashes if _is_sound(publication, name)}
    manifest = dict(publication.manifest)
    manifest["files"] = [
        _described(item, contents, found, was_listed) if item["path"] in sound else item for item in manifest["files"]
    ]
    manifest["erased"] = manifest.get("erased", 0) + 1
    if {_LIST, _SCORES} <= sound and {_LIST, _SCORES} & contents.keys():
        before, _ = _frames(publication, {})
        manifest |= _corrected(manifest, *_frames(publication, contents), before)
    rewrite_revision(publication, contents, manifest)


def _is_sound(publication: Publication, name: str) -> bool:
    with suppress(ListDamaged):
        publication.file(name)
        return True
    return False


def _described(
    item: dict[str, Any], contents: Mapping[str, bytes], found: Mapping[str, Found], was_listed: bool
) -> dict[str, Any]:
    """A file's line of the manifest. Files for people count customers of the list, and others their rows."""
    name = item["path"]
    if name not in contents:
        return item
    gone = int(was_listed) if name.endswith(_PEOPLE) else found[name].count
    rows = None if item["rows"] is None else max(0, item["rows"] - gone)
    return item | {"rows": rows, "sha256": hashlib.sha256(contents[name]).hexdigest()}


def _frames(publication: Publication, contents: Mapping[str, bytes]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The list and the scores, with these contents in the place of what lies there."""
    import pandas as pd

    held = {
        name: contents[name] if name in contents else (publication.folder / name).read_bytes()
        for name in (_LIST, _SCORES)
    }
    return read_listed(io.BytesIO(held[_LIST])), pd.read_parquet(io.BytesIO(held[_SCORES]))


def _corrected(
    manifest: Mapping[str, Any], listed: pd.DataFrame, scores: pd.DataFrame, before: pd.DataFrame
) -> dict[str, Any]:
    """The counts and the summary of a manifest as its files tell them now; what it does not name stays unnamed."""
    found = {"eligible": len(scores), "listed": len(listed), "to_contact": len(contact_rows(listed))}
    found |= {arm: int((listed["arm"] == arm).sum()) for arm in ("target", "control", "exempt")}
    if "left_out" in scores:
        found |= {reason: int((scores["left_out"] == reason).sum()) for reason in LEFT_OUT}
    counts = {name: found.get(name, value) for name, value in manifest.get("counts", {}).items()}
    summary = dict(manifest.get("summary", {}))
    if not summary:
        return {"counts": counts}
    summary |= {name: found[name] for name in ("eligible", "listed", "to_contact")}
    summary["expected_share"] = float(scores["churn_probability"].mean()) if len(scores) else None
    summary["high_share"] = float((scores["risk_band"] == "high").mean()) if len(scores) else None
    if summary.get("value_at_risk") is not None:
        gone = contact_rows(before)
        gone = gone[~gone["customer_id"].isin(listed["customer_id"])]
        summary["value_at_risk"] -= float(sum(float(value) for value in gone["value_at_risk"] if value))
    return {"counts": counts, "summary": summary}
