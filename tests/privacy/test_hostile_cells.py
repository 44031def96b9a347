"""Hostile texts in every text column of every table, ids among them: trained on, scored and exported through the commands."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml

from commands import kizuna
from kizuna.data.simulate import simulate

pytestmark = pytest.mark.slow
AS_OF = "2025-12-22"
CELLS = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "=cmd|' /C calc'!A0", "＝1+1", "＋1", "－1", "＠x"),
    *('=HYPERLINK("http://x.test")', "a\x00b", "a\r\nb", 'a"b', "a,b;c", "http://x.test", "mailto:a@b.c"),
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '"><b>',
        "&lt;b&gt;",
        "{{ 7 * 7 }}",
        "${HOME}",
        "%s{0}",
    ),
    *("../../x", "/etc/passwd", "'; DROP TABLE at_risk; --", "CON", "\u202egnp.exe", "\u200b", "\ufeffx", "🙂" * 30),
    *("x" * 100_000, "é" * 1000, "山田", "null", "NaN", "true", "_x0041_", "\x1b[31m", "]]>", "\ud7ff\ue000"),
]
TEXTS = ("str", "object", "string")


@pytest.fixture(scope="module", params=["parquet", "csv"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config of a shop in which every fifth text is hostile, and so are the ids of the best customers."""
    folder = tmp_path_factory.mktemp("hostile") / "shop"
    simulate(folder, customers=600, days=500, seed=5)
    best = pd.read_parquet(folder / "purchases.parquet")["customer_id"].value_counts().index[: len(CELLS)]
    renamed = dict(zip(best, CELLS, strict=True))
    for path in folder.glob("*.parquet"):
        frame = pd.read_parquet(path)
        if path.stem == "complaints":
            frame = frame.assign(text="a", tone="b")
        frame["customer_id"] = frame["customer_id"].map(lambda name: renamed.get(name, name))
        for column in frame.columns.drop("customer_id"):
            values = frame[column].dropna()
            if frame[column].dtype in TEXTS and column != "currency" and values.map(lambda v: isinstance(v, str)).all():
                places = range(len(frame))
                cells = [CELLS[place // 5 % len(CELLS)] if place % 5 == 0 else None for place in places]
                frame[column] = [one or old for one, old in zip(cells, frame[column], strict=True)]
        if request.param == "csv":
            path.unlink()
            frame.to_csv(path.with_suffix(".csv"), index=False, quoting=csv.QUOTE_NONNUMERIC)
        else:
            frame.to_parquet(path, index=False)
    config = folder / "config.yaml"
    tree = yaml.safe_load(config.read_text())
    if request.param == "csv":
        tree["data"]["tables"] = {name: {"path": f"{name}.csv"} for name in tree["data"]["tables"]}
    tree["data"]["tables"]["customers"]["attributes"] = ["acquisition_channel"]
    tree["at_risk"] |= {"min_probability": 0.0, "size": 400}
    tree["exports"] = [
        {"to": "workbook", "split_by": "acquisition_channel"},
        {"to": "workbook"},
        {"to": "report"},
        {"to": "csv", "split_by": "market"},
        {"to": "csv", "encoding": "cp932", "unencodable": "translit"},
        {
            "to": "destination",
            "name": "calls",
            "columns": {"who": "customer_id", "why": "reason_1_text", "m": "market"},
        },
    ]
    config.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return config


def test_it_is_trained_scored_and_exported_and_nothing_comes_alive(shop: Path) -> None:
    above = {path for path in shop.parents[1].iterdir()}
    inside = {path.name for path in shop.parent.iterdir()}
    for command in (
        ("check",),
        ("train", "--as-of", "2025-12-15"),
        ("score", "--as-of", AS_OF),
        ("monitor", "--as-of", AS_OF),
    ):
        code, out, err = kizuna(command[0], shop, *command[1:])
        assert code == 0, err
        assert "\x1b" not in out + err
    code, _, err = kizuna("kpi", shop, "--from", "2025-06-01", "--to", "2025-12-21")
    assert code == 0, err
    assert {path for path in shop.parents[1].iterdir()} == above
    made = {path.name for path in shop.parent.iterdir()} - inside
    assert {name for name in made if not name.startswith(".mlflow")} == {"mlflow.db", "artifacts", "exports"}
    folder = shop.parent / "exports" / AS_OF
    listed = pd.read_csv(folder / "at_risk.csv", dtype=str, keep_default_na=False, lineterminator="\n")
    assert len(set(CELLS) & set(listed["customer_id"])) > 20
    for path in folder.glob("*.xlsx"):
        book = openpyxl.load_workbook(path)
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                assert all(cell.data_type != "f" and cell.hyperlink is None for cell in row), (path, sheet.title)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script(?! )|img|b>|iframe)", page.split("</head>", 1)[1].split("<script", 1)[0])
    for path in folder.glob("at_risk_*.csv"):
        text = path.read_bytes().decode("cp932" if path.name == "at_risk_cp932.csv" else "utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        starts = tuple("=+@\t\r＝＋＠")
        assert not [cell for cell in cells if cell.startswith(starts) or re.match("[-－][^0-9]", cell)], path.name


def test_hostile_customers_can_be_explained_and_forgotten(shop: Path) -> None:
    folder = shop.parent / "exports" / AS_OF
    listed = pd.read_csv(folder / "at_risk.csv", dtype=str, keep_default_na=False, lineterminator="\n")
    found = [name for name in CELLS if name in set(listed["customer_id"]) and "\x00" not in name and len(name) < 100]
    for name in found[:4]:
        code, out, err = kizuna("explain", shop, "--as-of", AS_OF, "--", name)
        assert code == 0, err
        assert "\x1b" not in out
    for name in found[:6]:
        code, out, err = kizuna("forget", shop, "--", name)
        assert code == 0, out + err
        listed = pd.read_csv(folder / "at_risk.csv", dtype=str, keep_default_na=False, lineterminator="\n")
        assert name not in set(listed["customer_id"])
