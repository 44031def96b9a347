"""The page docs/features.md, from the families, their definitions, the rows of the loyalty map and the measured signals.

Usage: python -m docs.features.build (``make docs``). The page depends on files of the repository alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from docs.features.columns import Stem, all_stems

from kizuna.data.contract import COMES_WITH, CONTRACTS, FILLS_IN_LATER
from kizuna.explain.wording import load_wording
from kizuna.features.families import FAMILIES

FOLDER = Path(__file__).parent
PAGE = FOLDER.with_suffix(".md")
SHOPS = {"simulated": "simulated", "online_retail": "online retail", "cdnow": "CDNOW"}
PLACES = {
    "kpi": "KPI",
    "label": "label",
    "model": "model",
    "list": "list",
    "playbook": "playbook",
    "data": "data",
    "none": "not made",
}
TITLES = {
    "purchases": "Purchases: frequency, money, recency, rhythm, discounts, channels",
    "products": "Products: categories, repeats, new products, items, unit price",
    "deliveries": "Deliveries: returns, refunds, promises",
    "first_order": "First order",
    "complaints": "Complaints and how they are handled",
    "engagement": "Engagement: what the customer did",
    "outreach": "Outreach: what the company sent",
    "contact_habits": "Contact at the moments that matter",
    "surveys": "Surveys: what customers said",
    "loyalty": "Loyalty programme",
    "referrals": "Referrals and reviews",
    "subscriptions": "Contracts",
    "profile": "Profile",
    "supplied": "Supplied: features made elsewhere",
}
Definition = Mapping[str, Any]


def build_page() -> str:
    """The whole page as Markdown."""
    stems = all_stems()
    parts = [_head(stems), _rules(), _drivers(stems), *(_family(name, stems) for name in TITLES)]
    parts += [_alone(stems), _left_out(), _contract(), _rows(stems), _every_name(stems)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


@cache
def definitions(name: str) -> Definition:
    """One file of features/definitions, by stem."""
    text = (resources.files("kizuna.features") / "definitions" / f"{name}.yaml").read_text(encoding="utf-8")
    found: Definition = yaml.safe_load(text)
    return found


@cache
def own(name: str) -> Any:
    """One YAML file of this folder."""
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def definition_key(stem: Stem) -> str:
    """The entry that defines a feature: levels of the profile share one."""
    return "{attribute}={level}" if stem.family == "profile" and "=" in stem.key else stem.key


def rows_of(stem: Stem) -> list[str]:
    """The rows of the loyalty map that ask for a feature."""
    return list(definitions(stem.family)[definition_key(stem)]["row"])


def _head(stems: list[Stem]) -> str:
    columns = sum(len(stem.columns) for stem in stems if not stem.is_pattern)
    links = [f"[{name}](#{_anchor(title)})" for name, title in TITLES.items()]
    return f"""
<!-- Made by `make docs` from the families and their definitions. Change those, not this page. -->

# Features

Everything that a model may know of a customer on a day: {columns} columns in {len(FAMILIES)} families with the default
windows, where a shop has all the tables, and further ones for the levels of texts and for columns of the shop's own. This page
is enough to compute every one of them again, to nine digits, from the tables alone.

Contents: [general rules](#general-rules) ·
{f" ·{chr(10)}".join(links)} ·
[what a feature says alone](#what-a-feature-says-alone) · [what is left out](#what-is-left-out) ·
[further columns of the tables](#further-columns-of-the-tables) · [rows of the map](#where-the-rows-of-the-map-went) ·
[all names](#all-names)"""


def _rules() -> str:
    codes = [f"`{t.name}.{f.name}`" for t in CONTRACTS.values() for f in t.fields if f.kind == "code"]
    later = [
        f"`{t.name}.{f.name}`"
        for t in CONTRACTS.values()
        for f in t.fields
        if f.name in FILLS_IN_LATER and f.name not in COMES_WITH
    ]
    comes = " and ".join(f"`{value}` is seen with `{day}`" for value, day in COMES_WITH.items())
    text = (FOLDER / "rules.md").read_text(encoding="utf-8")
    places = {"codes": _wrapped(codes, 4), "fills_in_later": _wrapped(later, 3), "comes_with": comes + "."}
    for place, words in places.items():
        text = text.replace("{" + place + "}", words)
    return text


def _drivers(stems: list[Stem]) -> str:
    en, ja = load_wording("en").drivers, load_wording("ja").drivers
    used = dict.fromkeys(stem.driver for stem in stems)
    lines = [[f"`{driver}`", en[driver], ja[driver], sum(s.driver == driver for s in stems)] for driver in used]
    return "## Drivers\n\n" + _table(["driver", "cause", "要因", "definitions"], lines)


def _family(name: str, stems: list[Stem]) -> str:
    mine = [stem for stem in stems if stem.family == name]
    table = next(family.table for family in FAMILIES if family.name == name)
    shops = [f"alone: {shop}" for shop in SHOPS.values()]
    lines = [
        [
            f"`{stem.name}`",
            _windows(stem),
            stem.driver,
            stem.unit,
            " and ".join(_needed(group, table) for group in stem.needs),
            ", ".join(rows_of(stem)),
            *(_signal(stem, shop) for shop in SHOPS),
        ]
        for stem in mine
    ]
    said: dict[str, list[Stem]] = {}
    for stem in mine:
        said.setdefault(definition_key(stem), []).append(stem)
    meanings = [
        [
            "<br>".join(f"`{stem.name}`" for stem in group),
            *(group[0].filled(_text(name, key, lang)) for lang in ("en", "ja")),
        ]
        for key, group in said.items()
    ]
    columns = sum(len(stem.columns) for stem in mine if not stem.is_pattern)
    further = ", and those that the shop's own texts and columns give" if any(s.is_pattern for s in mine) else ""
    return "\n\n".join(
        [
            f"## {TITLES[name]}",
            f"Family `{name}`, table `{table}`: {columns} columns{further}.",
            _table(["feature", "window, days", "driver", "unit", "needs", "rows", *shops], lines),
            _table(["feature", "exact meaning", "定義"], meanings),
        ]
    )


def _text(family: str, key: str, language: str) -> str:
    return str(definitions(family)[key][language])


def _windows(stem: Stem) -> str:
    days = ", ".join(map(str, stem.windows_days))
    return f"{days} *config*" if stem.of_config else days


def _needed(group: tuple[str, ...], table: str) -> str:
    return " or ".join(f"`{item.removeprefix(table + '.')}`" for item in group)


def _signal(stem: Stem, shop: str) -> str:
    """The AUC alone on a shop, with the window where there are several; a dot where the shop has no such column."""
    found = own("signals").get(stem.key, {})
    if shop not in found:
        return "·"
    if found[shop] is None:
        return "one value"
    auc, column = found[shop]
    window = f" ({column[len(stem.key) - len('{w}d') : -1]})" if len(stem.windows_days) > 1 else ""
    return f"{auc:.3f}".lstrip("0") + window


def _alone(stems: list[Stem]) -> str:
    signals = own("signals")
    unwritten = [s for s in stems if "simulated" not in signals.get(s.key, {}) and not s.is_pattern]
    constant = [s for s in stems if "simulated" in signals.get(s.key, {}) and signals[s.key]["simulated"] is None]
    return f"""
## What a feature says alone

The columns *alone* hold the AUC of a feature that ranks churn all by itself, out of time: on the training snapshots of a fold the
churn rate in each of about 20 bins of its values is learned (null is a bin of its own, so that the relation may have any
shape), and the rows of the fold's later test snapshot are ranked by the rate of their bin; the mean over three folds. 0.5 is
chance; below it, what earlier snapshots taught did not hold on the later one. Of several windows the best is shown, which
flatters it slightly. "·": the shop does not have the column; "one value": all its rows have the same.

- *simulated*: 5,000 customers, 1,095 days, seed 7, all nine tables, a known truth. No real person, and no proof for real ones.
- *online retail*: invoice lines of a British gift wholesaler, 2010–2011, with the customer's country (UCI Online Retail).
- *CDNOW*: purchases of CDs, 1997–1998, of customers who all came in one quarter; what depends on the beginning of a
  relationship is therefore alike in its later snapshots. Neither real shop recorded more than purchases, so they speak for
  those families only.

A feature near 0.5 alone can still matter in company: what a complaint says depends on who complains, and a model with
interactions reads both. A feature far above it need not cause anything: many move with how often the customer buys, and those of
our own conduct (CONTACT_GAP, NO_THANKS, FATIGUE) show whom the company chose to write to.

The simulated shop cannot show these, as it does not write what they need:
{_wrapped(_quoted(unwritten))}

It has the columns of these, but nothing of their kind ever happens in it:
{_wrapped(_quoted(constant))}

They are here because the literature names them and shops record them; measure them on your own data with
`benchmarks/signals.py`, which made these numbers."""


def _left_out() -> str:
    lines = [[f"`{name}`", words["en"], words["ja"]] for name, words in definitions("left_out").items()]
    intro = (
        "Signals that the literature names and that are no column of their own: near-duplicates of what is here, or nothing "
        "that a table can carry."
    )
    return f"## What is left out\n\n{intro}\n\n" + _table(["signal", "why", "理由"], lines)


def _contract() -> str:
    lines = [
        [f"`{row['column']}`", row["kind"] + (", fills in later" if row.get("later") else ""), row["en"], row["ja"]]
        for row in own("contract")
    ]
    intro = "Columns that a table may have so that some of these features exist. None is required."
    return f"## Further columns of the tables\n\n{intro}\n\n" + _table(["column", "kind", "meaning", "意味"], lines)


def _rows(stems: list[Stem]) -> str:
    lines = []
    for row in own("loyalty_rows"):
        named = [place for _, places in names_of(row) for place in places]
        features = [stem for stem in stems if row["row"] in rows_of(stem) or {*stem.columns, stem.name} & {*named}]
        without = [f"`{place}`" for place in dict.fromkeys(named) if place in definitions("left_out")]
        elsewhere = [f"**{PLACES[place]}**: {row[place]}" for place in PLACES if place in row]
        elsewhere += [f"**left out**: {', '.join(without)}"] if without else []
        asks = f"{row['en']}<br>{row['ja']}"
        lines.append([row["row"], asks, ", ".join(_quoted(features)), "<br>".join(elsewhere)])
    names = [
        [row["row"], f"`{name}`", ", ".join(f"`{place}`" for place in places if place not in definitions("left_out"))]
        for row in own("loyalty_rows")
        for name, places in names_of(row)
    ]
    return f"""
## Where the rows of the map went

The loyalty map gathers what five articles on customer relationships, loyalty and retention name: metrics (M), mistakes (X),
strategies (S0, S1, S2), practices (S3) and further advice (S4), {len(lines)} rows. A KPI is a figure of a group of customers and
no column of one customer; those named here are not built yet. A01 to A15 are actions of the playbook.

{_table(["row", "asks for", "features", "elsewhere"], lines)}

What the map calls a feature, by its name there, and where it is here (nowhere: left out, with the reason above):

{_table(["row", "in the map", "here"], names)}"""


def names_of(row: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What the map calls a feature in a row, and for each name the columns or entries of left_out.yaml."""
    named = row.get("names", {})
    return [(name, [places] if isinstance(places, str) else places) for name, places in named.items()]


def _every_name(stems: list[Stem]) -> str:
    lines = [[name, ", ".join(f"`{c}`" for s in stems if s.family == name for c in s.columns)] for name in TITLES]
    return "## All names\n\n" + _table(["family", "columns"], lines)


def _wrapped(names: list[str], indent: int = 0) -> str:
    blank = " " * indent
    text = ", ".join(names) + "."
    return textwrap.fill(text, 118, initial_indent=blank, subsequent_indent=blank, break_on_hyphens=False)


def _quoted(stems: Iterable[Stem]) -> list[str]:
    return [f"`{stem.name}`" for stem in stems]


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _table(head: list[str], lines: Iterable[Iterable[object]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell).strip().replace("|", "\\|") for cell in row) + " |" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(build_page(), encoding="utf-8")
