from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kizuna.exports import charts
from kizuna.wording.words import load_words


def test_the_scatter_holds_every_customer_and_names_only_listed_ones(build_pack):
    pack = build_pack("en")
    drawn = charts.scatter(pack, load_words("en"))
    assert len(drawn.dots) == 300
    listed = set(pack.at_risk["customer_id"])
    assert {dot.label.rsplit(": ", 1)[0] for dot in drawn.dots} == listed
    assert not any(identifier in "".join(drawn.crowd) for identifier in ("C0", "N"))
    inside = [
        dot for dot in drawn.dots if charts.LEFT <= dot.x <= charts.RIGHT and charts.TOP <= dot.y <= charts.BOTTOM
    ]
    assert len(inside) == 300
    # Every dot of the crowd stands for at least one customer who is not listed.
    assert 0 < "".join(drawn.crowd).count("M") <= len(pack.scores) - 300


def test_dots_stand_where_risk_and_value_put_them(build_pack):
    pack = build_pack("en", listed=2)
    rows = pack.at_risk.assign(churn_probability=[0.5, 1.0], list_rank=[1, 2])
    dots = charts.scatter(replace(pack, at_risk=rows), load_words("en")).dots
    assert [dot.x for dot in dots] == [charts.RIGHT, (charts.LEFT + charts.RIGHT) / 2]


def test_listed_customers_lie_on_or_above_the_edge(build_pack):
    pack = build_pack("en")
    points = charts.scatter(pack, load_words("en")).edge[1:].split("L")
    x, y = np.array([[float(part) for part in point.split()] for point in points]).T
    for dot in charts.scatter(pack, load_words("en")).dots:
        if dot.x >= x[0]:
            assert dot.y <= np.interp(dot.x, x, y) + 0.5


def test_another_ranking_has_no_edge(build_pack):
    assert charts.scatter(build_pack("en", rank_by="churn_probability"), load_words("en")).edge == ""


def test_the_crowd_of_a_large_shop_stays_small(build_pack):
    pack = build_pack("en")
    many = pd.concat([pack.scores] * 25, ignore_index=True)
    noise = np.random.default_rng(3).lognormal(0, 0.5, len(many))
    many = many.assign(customer_id=[f"X{k}" for k in range(len(many))], value_if_kept=many["value_if_kept"] * noise)
    crowd = "".join(charts.scatter(replace(pack, scores=many), load_words("en")).crowd)
    assert len(crowd) < 400_000


def test_without_values_there_is_a_histogram(build_pack):
    pack = build_pack("en", values=False)
    assert charts.scatter(pack, load_words("en")) is None
    bins = charts.histogram(pack).bins
    counts = np.histogram(pack.scores["churn_probability"], np.linspace(0, 1, 21))[0]
    heights = np.array([charts.BOTTOM - top for _, _, top, _ in bins])
    assert heights / heights.max() == pytest.approx(counts / counts.max(), abs=1e-3)


def test_nobody_eligible_draws_nothing(build_pack):
    pack = build_pack("en", listed=0)
    nobody = replace(pack, scores=pack.scores.head(0))
    assert charts.scatter(nobody, load_words("en")) is None
    assert charts.histogram(nobody) is None


def test_bars_are_as_long_as_their_share(build_pack):
    drawn = charts.bars(build_pack("en"), load_words("en"))
    assert [bar.name for bar in drawn] == ["kizuna", "RFM logistic", "Longest silent", "Purchase rate", "Random"]
    assert [bar.figures for bar in drawn][:2] == ["231 (77%)", "214 (71%)"]
    assert drawn[0].length / drawn[1].length == pytest.approx(231 / 214, abs=1e-3)
    assert [bar.main for bar in drawn] == [True, False, False, False, False]
    assert charts.bars(build_pack("en", answer=None), load_words("en")) == ()
