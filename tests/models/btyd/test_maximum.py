from __future__ import annotations

import numpy as np
import pytest

from kizuna.models.btyd.maximum import Edge, Surface, climb, find_maximum

BOX = np.array([-5.0, -5.0]), np.array([5.0, 5.0])


def bowl(top, curvature):
    """A concave surface with its top where asked; its exact covariance is the inverse of the curvature."""

    def slope(point):
        away = point - top
        return 7.0 - float(away @ curvature @ away) / 2, -curvature @ away

    return Surface(slope, *BOX, customers=10.0)


def ridge(decay):
    """Best at 1 in the first coordinate; in the second higher and higher, without ever gaining more than ``decay``."""

    def slope(point):
        loss = decay * np.exp(-2 * (point[1] + 5))
        return -float((point[0] - 1) ** 2 + loss), np.array([-2 * (point[0] - 1), 2 * loss])

    return Surface(slope, *BOX, customers=1.0)


def test_the_top_of_a_bowl_and_its_covariance():
    curvature = np.array([[3.0, 1.0], [1.0, 2.0]])
    surface = bowl(np.array([0.4, -1.3]), curvature)
    found = find_maximum(surface, [np.zeros(2), np.array([4.0, 4.0])], [Edge(0, 5.0, ("a",), "far")], surface)
    np.testing.assert_allclose(found.point, [0.4, -1.3], atol=1e-10)
    assert found.log_likelihood == pytest.approx(7.0)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(curvature), rtol=1e-6)
    assert found.edges == ()


def test_a_ridge_without_end_is_one_point_on_its_edge():
    edge = Edge(1, 5.0, ("b",), "it runs off")
    surface = ridge(40.0)
    for start in (np.zeros(2), np.array([3.0, 2.0])):
        found = find_maximum(surface, [start], [edge], surface)
        assert found.edges == (edge,)
        np.testing.assert_allclose(found.point, [1.0, 5.0], atol=1e-9)
        np.testing.assert_allclose(found.covariance, [[0.5, 0.0], [0.0, 0.0]], rtol=1e-6)


def test_a_coordinate_that_no_longer_matters_is_put_where_the_edge_says():
    edge = Edge(1, 5.0, ("b",), "it runs off", {0: 2.0})
    flat = Surface(
        lambda point: (-np.exp(-2 * point[1]), np.array([0.0, 2 * np.exp(-2 * point[1])])), *BOX, customers=1.0
    )
    assert find_maximum(flat, [np.zeros(2)], [edge], flat).point.tolist() == [2.0, 5.0]


def test_a_flat_surface_has_no_covariance():
    flat = Surface(lambda point: (0.0, np.zeros(2)), *BOX, customers=1.0)
    found = find_maximum(flat, [np.array([1.0, 2.0])], [], flat)
    assert found.point.tolist() == [1.0, 2.0]
    assert np.isnan(found.covariance).all()


def test_a_coordinate_can_be_held():
    surface = bowl(np.array([0.4, -1.3]), np.array([[3.0, 1.0], [1.0, 2.0]]))
    # With the first held at 1, the second answers: −1.3 − (1 − 0.4) · 1 / 2.
    np.testing.assert_allclose(climb(surface, np.zeros(2), np.array([1.0, np.nan])), [1.0, -1.6], atol=1e-6)
