"""Whether the destinations of a config can work, before anything is scored."""

from __future__ import annotations

from collections.abc import Sequence

from kizuna.config import Config
from kizuna.config_exports import CsvExport, DestinationExport, Receiver, WorkbookExport
from kizuna.errors import ConfigError, nearest
from kizuna.exports.destinations.kinds import rules_of
from kizuna.exports.profile import PROFILE, profile_names

CONTACTS = "contacts."


def refuse_exports(config: Config, list_columns: Sequence[str]) -> None:
    """ConfigError with up to three lines for exports that ask for what there is not, or what their destination refuses.

    ``list_columns``: those of at_risk.csv.
    """
    profile, said = profile_names(config), []
    asked = [export for export in config.exports if isinstance(export, DestinationExport)]
    sheets = [export for export in config.exports if isinstance(export, (WorkbookExport, CsvExport))]
    said += [
        f"exports: {sheet.to} has split_by '{sheet.split_by}'; customers have {', '.join(profile)}."
        f"{nearest(str(sheet.split_by), profile)}"
        for sheet in sheets
        if sheet.split_by not in (None, *profile)
    ]
    stems = [e.file_stem for e in config.exports if isinstance(e, Receiver)]
    said += [
        f"exports: two destinations are called '{stem}'. Give one another name."
        for stem in sorted({stem for stem in stems if stems.count(stem) > 1})
    ]
    files = [(e.to, e.encoding if isinstance(e, CsvExport) else "", e.split_by) for e in sheets]
    said += [
        f"exports: two of {' '.join(part for part in file if part)} would write the same files. Keep one of them."
        for file in sorted({file for file in files if files.count(file) > 1}, key=str)
    ]
    for export in asked:
        wrong = [*_mistakes(export, list_columns, profile), *rules_of(export).mistakes(export)]
        said += [
            f"exports: {export.file_stem} {mistake if mistake.endswith('?') else f'{mistake}.'}" for mistake in wrong
        ]
    if said:
        raise ConfigError("\n".join(said[:3]))


def key_of(asked: DestinationExport) -> str:
    """Their column that names the customer; empty where the config has none."""
    made_of_id = (theirs for theirs, ours in asked.columns.items() if ours == "customer_id")
    return asked.key or next(made_of_id, "")


def to_clear(asked: DestinationExport, list_columns: Sequence[str]) -> list[str]:
    """Their columns that are made of the list and so mean nothing any more once a customer has left it."""
    lasting = {"customer_id", *PROFILE}
    return [theirs for theirs, ours in asked.columns.items() if ours in list_columns and ours not in lasting]


def clears(asked: DestinationExport) -> bool:
    """Whether those whom the destination holds and the list does not get a row of clearing values."""
    return bool(asked.clear) or asked.changed_only or rules_of(asked).must_clear


def _mistakes(asked: DestinationExport, list_columns: Sequence[str], profile: Sequence[str]) -> list[str]:
    said = []
    known = [*list_columns, *profile]
    for theirs, ours in asked.columns.items():
        if ours.startswith(CONTACTS):
            if asked.contacts is None:
                said.append(f"makes {theirs} of {ours}, but has no contacts. Say where they come from")
        elif ours not in known:
            said.append(f"makes {theirs} of '{ours}', which the list does not have.{nearest(ours, known)}")
    key, headings = key_of(asked), [*asked.columns, *asked.constants]
    if not key:
        said.append("has no key. Map a column to customer_id, or name it with key")
    elif key not in asked.columns:
        said.append(f"has the key '{key}', which is none of its columns.{nearest(key, asked.columns)}")
    said += [f"has {name} among columns and constants" for name in asked.constants if name in asked.columns]
    said += [f"has a heading {name!r} that is empty or begins or ends in a blank" for name in headings if _frayed(name)]
    lower = [name.casefold() for name in dict.fromkeys(headings)]
    said += [f"has two headings {name!r} but for case" for name in sorted({n for n in lower if lower.count(n) > 1})]
    said += [
        f"clears {name}, which is none of its columns.{nearest(name, asked.columns)}"
        for name in asked.clear
        if name not in asked.columns
    ]
    if clears(asked) or asked.blank == "clear":
        bare = [name for name in to_clear(asked, list_columns) if name not in asked.clear and name != key]
        if bare:
            said.append(
                f"needs a value in clear for {', '.join(bare)}: it stands for nothing any more, "
                "for a blank cell would leave the old value standing"
            )
    return said


def _frayed(heading: str) -> bool:
    return not heading or heading != heading.strip()
