from __future__ import annotations

import json
import math

import numpy as np
import pytest

from kizuna.models.btyd.estimate import Estimate, make_estimate
from kizuna.models.btyd.maximum import Edge, Maximum


def test_errors_of_letters_follow_from_those_of_coordinates():
    # log m = x + y, log n = x; variances .04 and .05 and no covariance: of log m .09, of log n .04.
    top = Maximum(np.zeros(2), -3.0, np.diag([0.04, 0.05]), ())
    found = make_estimate(top, {"m": 10.0, "n": 5.0}, np.array([[1.0, 1.0], [1.0, 0.0]]), -3.0)
    assert found.standard_errors == pytest.approx({"m": 3.0, "n": 1.0})
    assert found.at_boundary == ()
    assert found.warnings == ()


def test_letters_on_an_edge_have_no_error_and_a_warning():
    top = Maximum(np.zeros(2), -3.0, np.diag([0.04, 0.0]), (Edge(1, 0.0, ("m",), "Everybody is alike."),))
    found = make_estimate(top, {"m": 10.0, "n": 5.0}, np.eye(2)[::-1], -3.0)
    assert math.isnan(found.standard_errors["m"])
    assert found.standard_errors["n"] == pytest.approx(1.0)
    assert found.at_boundary == ("m",)
    assert found.warnings == ("Everybody is alike.",)


def test_a_flat_likelihood_is_said():
    top = Maximum(np.zeros(1), -3.0, np.array([[np.nan]]), ())
    found = make_estimate(top, {"m": 10.0}, np.eye(1), -3.0)
    assert found.warnings == (
        "The likelihood is flat around its maximum: these customers do not determine all parameters.",
    )


def test_json_gives_the_same_estimate():
    estimate = Estimate({"m": 0.1 + 0.2}, -1.5, {"m": math.nan}, ("m",), ("Why.",))
    again = Estimate.from_json(json.loads(json.dumps(estimate.to_json(), allow_nan=False)))
    assert again.params == estimate.params
    assert math.isnan(again.standard_errors["m"])
    assert (again.at_boundary, again.warnings, again.log_likelihood) == (("m",), ("Why.",), -1.5)
