"""Curves are drawn where they are finite, nulls in grey, and ranges are set here."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import components
from bokeh.models import FixedTicker

from dyn_explorer.views import Curve, Curves
from dyn_explorer.views.theme import GROWING, NEUTRAL, STABLE


def line(y, **options) -> Curve:
    y = np.asarray(y, float)
    return Curve("run", np.arange(len(y), dtype=float), y, **options)


def test_runs_have_colours_and_nulls_are_grey_without_marks():
    view = Curves()
    null = line([1, 1], low=np.zeros(2), high=np.ones(2) * 2, is_null=True)
    view.update([null, line([1, 2]), line([3, 4], run=1)], x_label="epoch", y_label="loss")
    assert view._lines.data["color"] == [NEUTRAL, STABLE, GROWING]
    assert view._bands.data["color"] == [NEUTRAL]
    assert len(view.rows.data["x"]) == 4
    assert set(view.rows.data["marker"]) == {"circle", "triangle"}
    assert "run (grey) goes from 1 to 1; run goes from 1 to 2" in view.summary
    components(view.figure)


@pytest.mark.parametrize("y", [[np.nan, np.nan], [], [np.inf, 1.0], [2.0], [3.0, 3.0], [1e300, -1e300]])
def test_any_curve_is_drawn_in_finite_ranges(y):
    view = Curves()
    view.update([line(y)], x_label="epoch", y_label="loss", cursor=0.0)
    for axis_range in (view.figure.x_range, view.figure.y_range):
        assert np.isfinite([axis_range.start, axis_range.end]).all()
        assert axis_range.start < axis_range.end
    components(view.figure)


def test_nothing_is_said_in_words_and_cleared():
    view = Curves()
    view.update([], x_label="epoch", y_label="loss")
    assert view.summary == "There is nothing to draw yet."
    view.update([line([1, 2])], x_label="epoch", y_label="loss", cursor=1.0)
    assert view._cursor.visible
    view.clear()
    assert len(view.rows.data["x"]) == 0
    assert not view._cursor.visible


def test_a_tap_is_the_row_of_its_epoch():
    view = Curves()
    view.update([line([1, 2, 3]), line([3, 4, 5], run=1)], x_label="epoch", y_label="loss")
    view.rows.selected.indices = [4]
    assert view.take_tap(-1) == 1


def test_ticks_of_ones_own_and_back():
    view = Curves()
    own = view.figure.xaxis[0].ticker
    view.update([line([1, 2])], x_label="epoch", y_label="loss", ticks=[(0.0, "0"), (1.0, "8")])
    assert isinstance(view.figure.xaxis[0].ticker, FixedTicker)
    assert view.figure.xaxis[0].major_label_overrides == {0.0: "0", 1.0: "8"}
    view.update([line([1, 2])], x_label="epoch", y_label="loss")
    assert view.figure.xaxis[0].ticker is own
