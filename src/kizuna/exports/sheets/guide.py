"""The last sheet: what each sheet is for, what the words mean, and which way the numbers point."""

from __future__ import annotations

from kizuna.exports.figures import dated_key
from kizuna.exports.pack import ListPack
from kizuna.exports.sheets.how_many import costs_of
from kizuna.exports.sheets.paper import ACCENT, LINE, MUTED, Paper, line_count, open_sheet, row_height
from kizuna.wording.catalog import languages
from kizuna.wording.words import load_words, share_text

_SHEETS = (
    *("cover", "list", "service", "apart", "changes", "groups", "matrix", "how_many", "past", "kpi", "kpi_groups"),
    *("results", "quality"),
)
# Terms of a sheet that may be missing.
_PAST = (
    "effect",
    "verdict",
    "kept",
    "winsorised",
    "executed",
    "needed",
    "said",
    "lift",
    "level_gap",
    "tenth",
    "holm",
    "interval",
)
_KPI = ("change", "trend", "reference", "not_final", "restated", "stages")
_TERMS = (
    "rank",
    "as_of",
    "churn",
    "probability",
    "percentile",
    "band",
    "value_at_risk",
    "cltv",
    "cltv_formula",
    "reason",
    "strength",
    "facts",
    "act_by",
    "expected_next_purchase",
    "slow_rhythm",
    "offer_max_cost",
    "call_hours",
    "stage",
    "status",
    "overdue",
    "arm",
    "paused",
    "unknown_consent",
    "eligible",
    "listed_share",
    "reached",
    "at_random",
    "wasted",
    "break_even",
    "left",
    *_PAST,
    *_KPI,
    "auc",
    "feedback",
)
# Of what nothing is known on this list, nothing is explained.
_NEEDS = {
    "value_at_risk": "value_at_risk",
    "cltv": "cltv",
    "cltv_formula": "cltv_formula",
    "expected_next_purchase": "expected_next_purchase",
    "slow_rhythm": "usual_gap_days",
    "overdue": "overdue_ratio",
    "offer_max_cost": "offer_max_cost",
    "call_hours": "call_hours",
    "strength": "reason_1_strength",
    "stage": "lifecycle_stage",
}
_WIDTHS, _OTHER_WIDTH = (30, 110), 30


def write_guide(paper: Paper) -> None:
    """Adds the guide: sheets, terms with this list's own numbers, the caveat, and how to handle personal data."""
    words, pack = paper.words, paper.pack
    sheet = open_sheet(paper, "guide", MUTED)
    for position, width in enumerate(_WIDTHS):
        sheet.set_column(position, position, width)
    numbers: dict[str, object] = {
        "as_of": words.day(pack.as_of, weekday=True),
        "span": words.span(pack.first_day, pack.last_day),
        "days": pack.horizon_days,
        "outcome": words.code("outcome_ahead", pack.definition),
        "high": share_text(pack.bands[0]),
        "medium": share_text(pack.bands[1]),
        "least": share_text(pack.min_probability),
        "active": pack.active_within_days,
        "value_days": pack.cltv_horizon_days or words("none"),
        "timezone": pack.timezone,
        "name": pack.name,
        "reference": "30" if pack.kpi is None else pack.kpi.settings["reference_below"],
        "rank_by": words.code("rank_by", pack.rank_by),
    }
    row = 0
    there = {sheet.get_name() for sheet in paper.book.worksheets()}
    sheets = tuple(key for key in _SHEETS if words(f"sheet.{key}") in there)
    absent = {*(() if "past" in sheets else _PAST), *(() if "kpi" in sheets else _KPI)}
    costs = costs_of(pack)
    absent |= set() if costs.contact is not None else {"break_even", "left"}
    absent |= set() if costs.save_rate is not None else {"left"}
    terms = tuple(
        term for term in _TERMS if term not in absent and (term not in _NEEDS or _is_known(pack, _NEEDS[term]))
    )
    parts = (
        ("begin", ("read", "ask")),
        ("sheets", sheets),
        ("terms", terms),
        ("care", ("caveat", "personal", "spreadsheet")),
    )
    others = [load_words(language) for language in languages() if language != pack.language]
    for position in range(len(others)):
        sheet.set_column(len(_WIDTHS) + position, len(_WIDTHS) + position, _OTHER_WIDTH)
    for part, keys in parts:
        # What a sheet or a term is called in the other languages, for teams that work in several.
        beside = others if part in ("sheets", "terms") else []
        sheet.set_row(row, 26)
        sheet.write_string(row, 0, words(f"guide.{part}"), paper.format(bold=True, font_size=13, font_color=ACCENT))
        for position, other in enumerate(beside, start=len(_WIDTHS)):
            sheet.write_string(row, position, other("guide.language"), paper.format(font_color=MUTED, valign="bottom"))
        row += 1
        for key in keys:
            name = f"sheet.{key}" if part == "sheets" else f"guide_{part}.{key}_name"
            text = words(f"guide_{part}.{_variant(pack, key)}", **numbers)
            rule: dict[str, object] = {"top": 1, "top_color": LINE, "text_wrap": True}
            sheet.write_string(row, 0, words(name), paper.format(**rule, bold=True))
            sheet.write_string(row, 1, text, paper.format(**rule))
            for position, other in enumerate(beside, start=len(_WIDTHS)):
                sheet.write_string(row, position, other(name), paper.format(**rule, font_color=MUTED))
            sheet.set_row(row, row_height(max(line_count(words(name), _WIDTHS[0]), line_count(text, _WIDTHS[1]))))
            row += 1
        row += 1


def _variant(pack: ListPack, key: str) -> str:
    """The term as it is meant on this list."""
    if key == "churn":
        return dated_key(pack, key)
    if key == "eligible":
        return f"{key}_{pack.definition if pack.dated else 'undated'}"
    return "act_by_known" if key == "act_by" and not _is_known(pack, "expected_next_purchase") else key


def _is_known(pack: ListPack, column: str) -> bool:
    """Whether any listed customer has a value there; of an empty list everything is explained."""
    return pack.at_risk.empty or (column in pack.at_risk and bool(pack.at_risk[column].notna().any()))
