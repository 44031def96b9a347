from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kizuna.config import TABLES
from kizuna.errors import ConfigError, ModelError
from kizuna.features.extra import load_extra
from kizuna.features.families import FAMILIES, families_of
from kizuna.features.frame import build_frame
from kizuna.features.plan import UNITS, FeaturePlan
from kizuna.features.planning import make_plan
from kizuna.project import Project
from kizuna.timeline import day_of

LOUD = """
from kizuna.features import Feature

TABLE = "complaints"
DEFINITIONS = {"loud_complaints_{w}d": {"en": "Complaints by phone in {w:day|days}", "ja": "{w}日間の電話での苦情"}}


def features(h, settings):
    for w in settings.windows_days:
        yield Feature(f"loud_complaints_{w}d", "COMPLAINT_OPEN", "count", h.count(w, h.equals("channel", "phone")))
    if settings.fits(20):
        yield Feature("loud_complaints_20d", "COMPLAINT_OPEN", "count", h.count(20, h.equals("channel", "phone")))
    if settings.fits(2000):
        yield Feature("loud_complaints_2000d", "COMPLAINT_OPEN", "count", h.count(2000, h.equals("channel", "phone")))
"""
DAY = date(2026, 4, 1)


def table(header: str, *lines: str) -> pd.DataFrame:
    names = header.split()
    return pd.DataFrame([[None if word == "-" else word for word in line.split()] for line in lines], columns=names)


def shop() -> dict[str, pd.DataFrame]:
    return {
        "purchases": table(
            "customer_id occurred_at amount", "a 2026-01-01 5", "b 2026-01-01 5", "c 2026-01-01 5", "a 2026-04-20 9"
        ),
        "complaints": table(
            "customer_id occurred_at resolved_at channel",
            "a 2026-03-30 - phone",
            "a 2026-03-01 2026-05-01 phone",
            "a 2026-03-30 - mail",
            "b 2026-04-01 - phone",
            "b 2026-03-02 2026-03-20 phone",
        ),
    }


def project(folder: Path, *files: str, **sections: Any) -> Project:
    """The shop with families of these files, which lie in the folder."""
    features = {"windows_days": [7, 30], "extra": [str(folder / name) for name in files]} | sections.pop("features", {})
    tree = {"name": "shop", "data": {"tables": {name: {} for name in shop()}}, "features": features, **sections}
    return Project(tree, shop(), today=date(2040, 1, 1))


def built(one: Project) -> pd.DataFrame:
    return one.features([DAY]).set_index("customer_id").drop(columns="as_of")


def family(body: str, table: str = "complaints") -> str:
    """A file whose features are this body, each line under the function."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    head = f'import numpy as np\nfrom kizuna.features import Family, Feature, ratio\nTABLE = "{table}"\n'
    return f"{head}def features(h, settings):\n{lines}\n"


def test_a_family_of_the_users_own_stands_beside_ours(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    frame = built(project(tmp_path, "loud.py"))
    mine = frame[[name for name in frame if name.startswith("loud")]]
    assert {name: mine[name].tolist() for name in mine} == {
        "loud_complaints_7d": [1, 0, 0],
        "loud_complaints_30d": [1, 1, 0],
        "loud_complaints_20d": [1, 0, 0],
    }
    pd.testing.assert_frame_equal(frame.drop(columns=list(mine)), built(project(tmp_path)))


def test_a_file_may_hold_several_families_and_those_without_a_table_yield_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from kizuna.features import Family, Feature\n"
        "def orders(h, settings): yield Feature('rows', 'FREQ_DOWN', 'count', h.count())\n"
        "def points(h, settings): yield Feature('points_rows', 'LOYALTY_INACTIVE', 'count', h.count())\n"
        "FAMILIES = [Family('volume', 'purchases', orders), Family('points', 'loyalty', points)]\n"
    )
    assert [f.name for f in load_extra([tmp_path / "mine.py"])] == ["volume", "points"]
    assert list(built(project(tmp_path, "mine.py", features={"families": ["volume"]}))) == ["rows"]
    assert "points_rows" not in built(project(tmp_path, "mine.py"))


def test_the_levels_of_its_text_columns_travel_with_the_plan(tmp_path: Path) -> None:
    (tmp_path / "ways.py").write_text(
        family(
            'for level in settings.vocabularies["complaints.channel"]:\n    yield Feature(f"last={level}", "PROFILE", '
            '"flag", h.last(h.equals("channel", level).astype(np.float64)))'
        )
        + "def text_columns(h): return ['channel']\n"
    )
    tables = shop()
    many = [f"c{n:02} 2026-03-01 - mail" for n in range(25)] + ["x 2026-03-01 - fax"]
    tables["complaints"] = table("customer_id occurred_at resolved_at channel", *many)
    tables["purchases"] = table("customer_id occurred_at amount", *(f"c{n:02} 2026-01-01 5" for n in range(25)))
    tree = project(tmp_path, "ways.py").config
    frame = built(Project(tree, tables, today=date(2040, 1, 1)))
    assert frame["last=mail"].tolist() == [1.0] * 25
    assert "last=fax" not in frame


def test_relative_paths_start_at_the_configs_folder(tmp_path: Path) -> None:
    from kizuna.config_file import load_config

    (tmp_path / "loud.py").write_text(LOUD)
    (tmp_path / "shop.yaml").write_text(
        "name: shop\ndata: {tables: {complaints: {path: c.csv}}}\nfeatures: {extra: [loud.py], families: [purchases, loud]}"
    )
    assert [f.name for f in families_of(load_config(tmp_path / "shop.yaml"))] == [*(f.name for f in FAMILIES), "loud"]


BROKEN = {
    "TABL = 'complaints'\ndef features(h, settings): yield": (
        'mine.py has no TABLE. A family is TABLE = "complaints" and a function features(h, settings) that yields '
        "Feature(name, driver, unit, values)."
    ),
    "TABLE = 'complaint'\ndef features(h, settings): yield": (
        f"mine.py: TABLE is 'complaint', which is no table. Did you mean 'complaints'? Tables are {', '.join(TABLES)}."
    ),
    "TABLE = 'complaints'\nfeatures = 3": "mine.py: features is no function; found 3.",
    "FAMILIES = ['purchases']": ("mine.py: FAMILIES must be a list of kizuna.features.Family; found ['purchases']."),
    "import numpy\n\nTABLE = 1 / 0": (
        "mine.py, line 3 cannot be imported: ZeroDivisionError: division by zero. Mend the file; --debug shows where."
    ),
    "TABLE = 'complaints'\ndef features(h, settings)\n": (
        "mine.py, line 2 cannot be imported: SyntaxError: expected ':' (mine.py, line 2). "
        "Mend the file; --debug shows where."
    ),
    LOUD.replace("{w}日間の電話での苦情", "{x}"): (
        "mine.py: the meaning of loud_complaints_{w}d in ja leaves {x} open. Only {w} can be filled, and only where the "
        'name has it, as in DEFINITIONS = {"loud_complaints_{w}d": {"en": "…", "ja": "…"}}.'
    ),
    family("yield 3"): (
        "mine.py, family mine: features yields 3, which is no Feature. Yield Feature(name, driver, unit, values) from "
        "kizuna.features."
    ),
    family('yield Feature("x", "complaint", "count", h.count())'): (
        "mine.py, family mine: column 'x' is given the driver 'complaint'. Drivers are written like COMPLAINT_OPEN."
    ),
    family('yield Feature("x", "RECENCY", "counts", h.count())'): (
        "mine.py, family mine: column 'x' is given the unit 'counts'. Did you mean 'count'? "
        f"Units are {', '.join(UNITS)}."
    ),
    family('yield Feature("as_of", "RECENCY", "count", h.count())'): (
        "mine.py, family mine: column 'as_of' is not a usable name. Use a text other than customer_id and as_of."
    ),
    family('yield Feature("x", "RECENCY", "flag", h.count() > 0)'): (
        "mine.py, family mine: column 'x' is bool, not float64. "
        "Write values.astype(np.float64), with NaN for what is unknown."
    ),
    family('with np.errstate(divide="ignore"):\n    yield Feature("x", "RECENCY", "count", 1 / h.count())'): (
        "mine.py, family mine: column 'x' is infinite on 1 of 3 rows. kizuna.features.ratio gives NaN instead."
    ),
    family('yield Feature("x", "RECENCY", "count", h.events.day.astype(np.float64))'): (
        "mine.py, family mine: column 'x' is of shape (5,) where (3,) is needed: one value for each row of h.rows. "
        "h.count, h.sum and their like give that; h.numbers and h.days have one value per event."
    ),
    family('yield Feature("x", "RECENCY", "count", h.count())\nyield Feature("x", "RECENCY", "count", h.count())'): (
        "mine.py, family mine: column 'x' is yielded twice."
    ),
    family('for level in h.texts("channel").levels:\n    yield Feature(level, "RECENCY", "count", h.count())'): (
        "mine.py: which columns there are depends on the rows ('mail' comes and goes). Columns may depend on h.has(...) "
        "and on settings alone: write the values to count into the file."
    ),
    family('yield Feature("x", "RECENCY", "days", h.days_until("resolved_at"))'): (
        "mine.py, line 5: resolved_at fills in later; read it on its own timeline: h.on('resolved_at')."
    ),
    family('yield Feature("x", "RECENCY", "count", h.count(7, h.equals("chanel", "mail")))'): (
        "mine.py, line 5: the table has no column 'chanel' of this kind. Did you mean 'channel'? It has channel, "
        'occurred_at, resolved_at. Ask h.has("chanel") first.'
    ),
    family('yield Feature("x", "RECENCY", "count", h.count() + {}["y"])'): (
        "mine.py, line 5 fails in mine: KeyError: 'y'. Mend the file; --debug shows where."
    ),
    family("return 3"): (
        "mine.py fails in mine: TypeError: 'int' object is not iterable. Mend the file; --debug shows where."
    ),
    family('yield Feature("complaints", "RECENCY", "count", h.count())'): (
        "mine.py: family mine yields a column 'complaints', but family complaints has one of that name. Give it another."
    ),
}


@pytest.mark.parametrize("source", BROKEN, ids=range(len(BROKEN)))
def test_what_is_wrong_with_a_file_is_said_in_its_terms(source: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(source)
    with pytest.raises(ConfigError) as raised:
        built(project(tmp_path, "mine.py"))
    assert str(raised.value) == BROKEN[source]


def test_files_and_names_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    (tmp_path / "surveys.py").write_text(LOUD)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "loud.py").write_text(LOUD)
    (tmp_path / "again.py").write_text(LOUD)
    names = ", ".join([*(f.name for f in FAMILIES), "loud"])
    for files, families, said in (
        (["no.py"], "all", f"features.extra names no.py, but there is no such file (looked at {tmp_path}/no.py). "
                           "Relative paths start at the config's folder."),
        (["surveys.py"], "all", "features.extra: surveys.py brings a family 'surveys', but there is one already. "
                                "A family is called by its file's name: rename the file, or the Family."),
        (["loud.py", "other/loud.py"], "all", "features.extra names loud.py twice. Files need different names, whatever "
                                              "their folders."),
        (["loud.py", "again.py"], "all", "again.py: family again yields a column 'loud_complaints_7d', but family loud has "
                                         "one of that name. Give it another."),
        (["loud.py"], ["lood"], f"features.families has no family 'lood'. Did you mean 'loud'? Families are {names}."),
    ):  # fmt: skip
        with pytest.raises(ConfigError) as raised:
            built(project(tmp_path, *files, features={"families": families}))
        assert str(raised.value) == said


def test_what_a_file_does_to_a_mask_stays_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        family('mask = h.kinds("complaint")\nmask[:] = False\nyield Feature("x", "RECENCY", "count", h.count(7, mask))')
    )
    frame = built(project(tmp_path, "mine.py"))
    pd.testing.assert_frame_equal(frame.drop(columns="x"), built(project(tmp_path)))


def everyone(tables: Any, rows: Any) -> np.ndarray:
    return np.ones(len(rows), dtype=bool)


def test_a_model_asks_for_the_very_file_it_was_trained_with(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    (tmp_path / "unused.py").write_text(LOUD.replace("loud_", "soft_"))
    one = project(tmp_path, "loud.py", "unused.py", features={"families": ["complaints", "loud"]})
    made = make_plan(one.store, one.config, [day_of(DAY)], everyone)
    plan = FeaturePlan.from_json(made.to_json())
    assert plan == made
    assert plan.extras == {"loud.py": hashlib.sha256(LOUD.encode()).hexdigest()}
    assert plan.meanings["loud_complaints_{w}d"]["en"] == "Complaints by phone in {w:day|days}"

    def values(later: Project) -> np.ndarray:
        return build_frame(later.store, plan, [day_of(DAY)], everyone).values

    again = values(one)
    (tmp_path / "moved").mkdir()
    (tmp_path / "loud.py").rename(tmp_path / "moved" / "loud.py")
    # Another folder, another config, and a file that is broken but not the model's.
    (tmp_path / "unused.py").write_text("1 / 0")
    np.testing.assert_array_equal(values(project(tmp_path, "moved/loud.py", "unused.py")), again)
    asked = "The model was trained with the families of loud.py, but this file "
    for files, said in (
        ([], "is not under features.extra. Bring it back, or train again."),
        (["loud.py"], "is not there. Bring it back, or train again."),
    ):
        with pytest.raises(ModelError) as raised:
            values(project(tmp_path, *files))
        assert str(raised.value) == asked + said
    (tmp_path / "loud.py").write_text(LOUD + "# a word\n")
    with pytest.raises(ModelError) as raised:
        values(project(tmp_path, "loud.py"))
    assert str(raised.value) == asked + "has changed since. Bring the old file back, or train again."
