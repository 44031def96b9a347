import sys
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.measures.intervals import calibration_interval, evaluation_rows
from kizuna.evaluation.measures.metrics import calibration_table
from kizuna.evaluation.plots import evidence as plots

CUSTOMERS = 600


@pytest.fixture(scope="module")
def shop():
    generator = np.random.default_rng(1)
    p = generator.beta(2, 3, CUSTOMERS)
    return (generator.random(CUSTOMERS) < p).astype(float), p


@pytest.fixture(scope="module")
def explained():
    generator = np.random.default_rng(2)
    features = pd.DataFrame(
        {
            "days_since_purchase": generator.integers(1, 180, CUSTOMERS) * 1.0,
            "open_complaints": (generator.random(CUSTOMERS) < 0.1) * 1.0,
            "days_since_complaint": np.where(generator.random(CUSTOMERS) < 0.8, np.nan, 30.0),
            "spend_in_$_and_$": generator.gamma(1, 100, CUSTOMERS),
            "market": ["jp", "de"] * (CUSTOMERS // 2),
        }
    )
    pushes = [features["days_since_purchase"] / 90 - 1, 0.6 * features["open_complaints"], np.zeros(CUSTOMERS)]
    rest = generator.normal(0, 0.05, (CUSTOMERS, 2))
    return np.column_stack([*pushes, rest]), features


def words(figure):
    return [text.get_text().replace("\u00a0", " ") for text in figure.findobj(lambda item: hasattr(item, "get_text"))]


def title(figure):
    return " ".join(text.get_text() for text in figure.texts[:-1]).replace("\u00a0", " ")


def every_figure(shop, explained):
    y, p = shop
    return [
        plots.calibration_figure(y, p, calibration_interval(evaluation_rows(y), p)),
        plots.lift_figure(y, {"kizuna": p, "recency": p.round(1)}, 100),
        plots.decile_figure(y * p * 9000, p * 5000, "JPY"),
        plots.contribution_figure(*explained),
        plots.beeswarm_figure(*explained),
    ]


def test_the_same_figure_is_the_same_bytes_and_names_no_software(shop, explained):
    first = [plots.png_bytes(figure) for figure in every_figure(shop, explained)]
    assert first == [plots.png_bytes(figure) for figure in every_figure(shop, explained)]
    for picture in first:
        assert picture.startswith(b"\x89PNG")
        assert b"Software" not in picture
        assert b"matplotlib" not in picture.lower()


def test_wide_enough_to_read(shop, explained):
    from PIL import Image

    for figure in every_figure(shop, explained):
        with Image.open(BytesIO(plots.png_bytes(figure))) as picture:
            assert picture.width == 1500
            # Nothing but white along the edge: no word runs out of the paper.
            edge = np.asarray(picture.convert("L"))
            assert min(edge[:, 0].min(), edge[:, -1].min(), edge[0].min(), edge[-1].min()) == 255


def test_global_state_is_left_alone(shop, explained):
    import matplotlib

    before = dict(matplotlib.rcParams)
    for figure in every_figure(shop, explained):
        plots.png_bytes(figure)
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_calibration_says_what_was_said_and_what_happened():
    p = np.full(1000, 0.4)
    y = np.repeat([1.0, 0.0], [390, 610])
    assert title(plots.calibration_figure(y, p)) == "Said 40.0 %, happened 39.0 %"
    rows = evaluation_rows(y)
    assert title(plots.calibration_figure(y, p, calibration_interval(rows, p))) == (
        "Said 40.0 %, happened 39.0 %: no error beyond chance"
    )
    wrong = calibration_interval(rows, p + 0.2)
    assert title(plots.calibration_figure(y, p + 0.2, wrong)) == (
        "Said 60.0 %, happened 39.0 %: off by 21.0 points on average"
    )


@pytest.mark.parametrize("shift", [-0.3, -0.1, 0.0, 0.1, 0.3])
@pytest.mark.parametrize(("a", "b"), [(2, 2), (1, 6), (8, 1.2)])
def test_the_name_of_the_diagonal_hides_no_point(a, b, shift):
    random = np.random.default_rng(3)
    p = random.beta(a, b, 2000)
    y = (random.random(2000) < np.clip(p + shift, 0, 1)).astype(float)
    figure = plots.calibration_figure(y, p)
    axes = figure.axes[0]
    name = next(text for text in axes.texts if text.get_text() == "said = happened")
    box = name.get_window_extent(figure.canvas.get_renderer())
    assert name.get_bbox_patch() is None
    points = next(line for line in axes.lines if line.get_marker() == "o")
    table = calibration_table(y, p)
    seen = [points.get_xydata(), table[["predicted_mean", "observed_low"]], table[["predicted_mean", "observed_high"]]]
    for x, height in axes.transData.transform(np.concatenate(seen)):
        assert not box.padded(4).contains(x, height)


def test_lift_says_how_many_of_those_named_churned():
    y = np.repeat([1.0, 0.0, 1.0, 0.0], [75, 25, 125, 775])
    ranked = np.arange(1000.0, 0.0, -1.0)
    figure = plots.lift_figure(y, {"kizuna": ranked, "random": np.zeros(1000)}, 100)
    said = words(figure)
    assert title(figure) == "Of the 100 named first, 75 % churned; of everyone, 20 %"
    assert {"75 %  kizuna", "20 %  random", "20 %  everyone", "list of 100"} <= set(said)
    short = plots.lift_figure([1.0, 0.0, 0.0, 0.0], {"kizuna": [4, 3, 2, 1]}, 500)
    assert title(short) == "A list of 500 names all 4, of whom 25 % churned"


def test_deciles_say_what_the_top_brings():
    predicted = np.arange(100.0)
    actual = np.where(predicted >= 90, 60.0, 4.4)
    figure = plots.decile_figure(actual, predicted, "JPY")
    assert title(figure) == "The top 10 % bring 60 % of the value; the forecast is 397 % too high"
    assert "Mean value per customer in JPY, 100 rows" in words(figure)
    assert title(plots.decile_figure([0.0, 0.0], [1.0, 2.0])) == "Predicted and actual value by tenth of customers"
    assert title(plots.decile_figure([1.0, 2.0], [1.0, 2.0])).endswith("the forecast is right")


def test_contributions_are_ranked_by_their_mean_size(explained):
    contributions, features = explained
    figure = plots.contribution_figure(contributions, features, top=2)
    share = np.abs(contributions).mean(axis=0)
    assert title(figure) == (
        f"days_since_purchase makes up {share[0] / share.sum() * 100:.0f} % of what moves the prediction"
    )
    said = words(figure)
    assert said.index("days_since_purchase") < said.index("open_complaints")
    assert "market" not in said
    assert any(text.startswith("mean size of the contribution; 3 other features share ") for text in said)


def test_the_swarm_says_which_way_the_first_feature_pushes(explained):
    contributions, features = explained
    assert title(plots.beeswarm_figure(contributions, features)) == "High days_since_purchase raises churn risk most"
    low = plots.beeswarm_figure(-contributions, features, outcome="value", unit="JPY")
    assert title(low) == "Low days_since_purchase raises value most"
    assert "contribution to value (JPY)" in words(low)


def test_odd_inputs_still_draw():
    y, p = np.array([1.0]), np.array([0.3])
    feature = pd.DataFrame({"市場_with_a_name_that_is_longer_than_forty_letters": [np.nan]})
    for figure in (
        plots.calibration_figure(y, p),
        plots.lift_figure(y, {"kizuna": p}, 1),
        plots.decile_figure([-5.0, -5.0], [1.0, 1.0]),
        plots.contribution_figure([[0.0]], feature),
        plots.beeswarm_figure([[0.0]], feature),
    ):
        assert len(plots.png_bytes(figure)) > 5_000


def test_contributions_must_fit_the_features():
    with pytest.raises(ValueError, match=r"^contributions of shape \(1, 2\) for features of shape \(1, 1\)$"):
        plots.contribution_figure([[1.0, 2.0]], pd.DataFrame({"a": [1.0]}))
