"""The curves as pictures: what the title says, and that nothing runs off the paper."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest

from kizuna.evaluation.definition.return_curve import EVERYONE, ORDER_SEGMENTS, Curve
from kizuna.evaluation.plots.curves import contract_figure, return_figure
from kizuna.evaluation.plots.evidence import png_bytes

DAYS = 500


def shop(chance: float, stays: float, silences: int = 3000) -> dict[str, list[Curve]]:
    """Silences that end with a chance per day, or, for a share, never; by order the chance rises."""
    generator = np.random.default_rng(4)
    groups = []
    for place, name in enumerate(ORDER_SEGMENTS):
        gap = generator.geometric(chance * (1 + place / 2), silences)
        gap[generator.random(silences) > stays] = 10_000
        followed = generator.integers(1, DAYS, silences)
        ended = np.bincount(gap[gap <= followed], minlength=DAYS)
        groups.append(Curve(name, ended, np.bincount(followed[gap > followed], minlength=DAYS)))
    total = Curve(EVERYONE, sum(c.ended for c in groups), sum(c.still_open for c in groups))  # type: ignore[arg-type]
    return {"all": [total], "orders": groups, "market": []}


def contracts(names: list[str]) -> dict[str, list[Curve]]:
    generator = np.random.default_rng(5)
    plans = []
    for name in names:
        length, followed = generator.geometric(0.004, 200), generator.integers(1, DAYS, 200)
        ended = np.bincount(length[length <= followed], minlength=DAYS)
        plans.append(Curve(name, ended, np.bincount(followed[length > followed], minlength=DAYS)))
    total = Curve("all contracts", sum(c.ended for c in plans), sum(c.still_open for c in plans))  # type: ignore[arg-type]
    return {"all": [total], "plan": plans, "period": []}


def words(figure: Any) -> list[str]:
    found = figure.findobj(lambda item: hasattr(item, "get_text"))
    return [text.get_text().replace("\u00a0", " ") for text in found]


def title(figure: Any) -> str:
    return " ".join(text.get_text() for text in figure.texts[:-1]).replace("\u00a0", " ")


FIGURES = {
    "levels": lambda: return_figure(shop(0.02, 0.6), 90),
    "never below": lambda: return_figure(shop(0.02, 1.0), 90),
    "low from the start": lambda: return_figure(shop(0.02, 0.05), 90),
    "short horizon": lambda: return_figure(shop(0.02, 0.6), 1),
    "too few": lambda: return_figure(shop(0.02, 0.6, 5), 90),
    "contracts": lambda: contract_figure(contracts(["basic", "plus", "a plan with a very long name 絆 indeed"])),
    "one contract": lambda: contract_figure({"all": [Curve("all contracts", *np.eye(2, dtype=int))], "plan": []}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_bytes_and_nothing_runs_off_the_paper(name: str) -> None:
    from PIL import Image

    picture = png_bytes(FIGURES[name]())
    assert picture == png_bytes(FIGURES[name]())
    with Image.open(BytesIO(picture)) as opened:
        assert opened.width == 1500
        edge = np.asarray(opened.convert("L"))
        assert min(edge[:, 0].min(), edge[:, -1].min(), edge[0].min(), edge[-1].min()) == 255


def test_the_title_says_from_which_silence_on_half_and_one_in_ten_come_back() -> None:
    curves = shop(0.02, 0.6)
    everyone = curves["all"][0]
    half, tenth = (everyone.falls_below(90, level) for level in (0.5, 0.1))
    figure = return_figure(curves, 90)
    assert title(figure) == f"Silent {half} days: half buy within 90 days. Silent {tenth} days: 1 in 10"
    shown = words(figure)
    assert f"{half} days: half" in shown
    assert f"{tenth} days: 1 in 10" in shown
    assert f"after any order  {100 * everyone.ends_within(90)[0][0]:.0f} %" in shown
    assert any(text.startswith("after 6+ orders  ") for text in shown)
    assert "days since the last order" in shown


def test_titles_of_shops_that_never_fall_silent_or_always_are() -> None:
    everyone = shop(0.02, 1.0)["all"][0]
    share = everyone.ends_within(90)[0]
    last = np.flatnonzero(~np.isnan(share))[-1]
    found = title(return_figure(shop(0.02, 1.0), 90))
    assert found == f"Even after {last} silent days, {100 * share[last]:.0f} % buy within 90 days"
    low = shop(0.02, 0.05)["all"][0].ends_within(90)[0][0]
    assert title(return_figure(shop(0.02, 0.05), 90)) == f"Right after an order, {100 * low:.0f} % buy within 90 days"


def test_too_few_silences_are_said_and_not_drawn() -> None:
    curves = shop(0.02, 0.6, 5)
    figure = return_figure(curves, 90)
    assert title(figure) == "Too little data for a chance within 90 days"
    everyone = curves["all"][0]
    assert f"20 silences, the longest followed for {everyone.followed_days} days" in words(figure)
    assert "30 silences followed for 90 days are needed" in words(figure)


def test_contracts_say_when_half_have_ended() -> None:
    curves = contracts(["basic", "plus"])
    half = int(np.flatnonzero(curves["all"][0].surviving < 0.5)[0])
    figure = contract_figure(curves)
    assert title(figure) == f"Half of all contracts end within {half} days"
    assert any(text.endswith("all contracts") for text in words(figure))
    none = Curve("all contracts", np.zeros(40, dtype=np.int64), np.bincount([39, 39, 20], minlength=40))
    assert title(contract_figure({"all": [none], "plan": []})) == "After 39 days 100 % of contracts still run"
