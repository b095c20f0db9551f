"""Phases on a circle, and the length of their mean."""

from __future__ import annotations

import numpy as np
import pytest

from dyn_explorer import analysis, views


def test_the_bar_has_the_length_of_the_order_parameter():
    phases = np.random.default_rng(0).uniform(-np.pi, np.pi, 12)
    view = views.PhaseWheel()
    view.update(phases, tuple("abcdefghijkl"), independent=0.25)
    order = analysis.order_parameter(phases[:, None])[0]
    x, y = (view._mean.data[name][1] for name in ("x", "y"))
    assert np.hypot(x, y) == pytest.approx(order)
    assert np.hypot(view._chance.data["x"], view._chance.data["y"]) == pytest.approx(0.25)
    assert np.hypot(view._dots.data["x"], view._dots.data["y"]) == pytest.approx(1.0)
    assert len(set(view._dots.data["color"])) == 12
    assert view.summary == f"12 phases agree to R = {order:.3g}; independent ones would to 0.25 on average."


def test_nothing_stays_when_it_is_cleared():
    view = views.PhaseWheel()
    view.update(np.array([0.0, 1.0]), ("a", "b"), independent=0.6)
    view.clear()
    assert all(not len(column) for source in (view._dots, view._mean, view._chance) for column in source.data.values())
    assert view.summary == "There are no phases to show."
