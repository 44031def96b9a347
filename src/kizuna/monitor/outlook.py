"""What is promised of lists and how the promise was kept, and drift, as lines in a language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kizuna.monitor.drift import Drift
from kizuna.monitor.pack import MonitorPack
from kizuna.wording.words import Words, share_text

_FEATURES_SHOWN = 5


def promised(row: Mapping[str, Any], words: Words, manner: str = "within") -> dict[str, str]:
    """What is expected of a list, as texts with their intervals, by name: precision, base, lift, auc.

    ``manner``: the text of a number and its ends.
    """

    def text(name: str, share: bool) -> str:
        ends = [row[f"{name}{end}"] for end in ("", "_low", "_high")]
        if any(end is None for end in ends):
            return words("none")
        said, low, high = (share_text(end) if share else f"{end:.2f}" for end in ends)
        return words(f"promise.{manner}", said=said, low=low, high=high)

    shares = {"precision": text("predicted", True), "base": text("predicted_base_rate", True)}
    return shares | {name: text(f"predicted_{name}", False) for name in ("lift", "auc")}


def promise_lines(pack: MonitorPack, words: Words) -> list[str]:
    """How often what came lay within what had been promised, and how far off it was; none before the first matured list."""
    kept = pack.promises
    if kept.empty:
        return []
    gap = 100 * float((kept["predicted"] - kept["precision"]).astype("float64").mean())
    lines = [
        "  "
        + words(
            "promise.kept",
            inside=f"{int(kept['as_predicted'].astype(bool).sum()):,}",
            count=f"{len(kept):,}",
            gap=f"{gap:+.1f}",
        )
    ]
    if pack.below_promise >= 2:
        lines.append("  " + words("promise.below", count=f"{pack.below_promise:,}"))
    return lines


def drift_lines(drift: Drift, words: Words) -> list[str]:
    """The probabilities' drift, and that of the features that moved most."""
    if drift.why_not is not None:
        return [words("drift.title"), "  " + words("drift.why_not", why=drift.why_not)]
    trained = words("drift.undated") if drift.trained_on is None else words.day(drift.trained_on)
    said = {"model": drift.model, "trained": trained, "customers": f"{drift.customers:,}"}
    lines = [words("drift.title"), "  " + words("drift.measured", **said)]
    if (found := drift.probability) is not None:
        state = words("drift.state_moved" if found["moved"] else "drift.state_same")
        lines.append("  " + words("drift.probability", psi=f"{found['psi']:.2f}", state=state))
    moved, limit = drift.moved, f"{drift.limit:g}"
    if moved.empty:
        return [*lines, "  " + words("drift.nothing", count=f"{len(drift.measured):,}", limit=limit)]
    lines.append("  " + words("drift.moved", moved=f"{len(moved):,}", count=f"{len(drift.measured):,}", limit=limit))
    for row in moved.head(_FEATURES_SHOWN).to_dict("records"):
        texts = {name: f"{row[name]:.2f}" for name in ("psi", "usual")}
        missing = {name: share_text(float(row[name])) for name in ("missing_then", "missing_now")}
        lines.append("    " + words("drift.feature", feature=row["feature"], **texts, **missing))
    return lines
