"""Grids, densities of ranks and histograms of classes show what they are given, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import components

from dyn_explorer.views import ClassHistograms, HeatMap, RankDensity


def grid(values, **options) -> HeatMap:
    view = HeatMap("layer", "epoch", "G")
    values = np.asarray(values, float)
    rows = [f"layer{index}" for index in range(len(values))]
    view.update(values, rows=rows, columns=[str(index) for index in range(values.shape[1])], **options)
    return view


def test_a_grid_is_white_at_zero_and_framed_where_it_is_chosen():
    view = grid([[0.1, -0.4], [np.nan, 0.2]], chance=np.array([[True, False], [True, False]]), selected=(1, 0))
    assert (view.mapper.low, view.mapper.high) == (-0.4, 0.4)
    assert view._chosen.data == {"x": [0], "y": [1]}
    assert view._chance.data["x"].tolist() == [0]  # a cell without a number has no cross
    assert view.rows.data["row"].tolist() == [1, 2, 3, 4]
    assert view.rows.data["row_name"][2:] == ["layer1", "layer1"]
    assert view.figure.y_range.start > view.figure.y_range.end  # the first row stands at the top
    assert view.summary == "G of 2 layers x 2 epochs, from -0.4 to 0.2."
    components(view.figure)


def test_a_tapped_cell_is_its_row_and_column():
    view = grid(np.zeros((3, 4)))
    view.rows.selected.indices = [7]
    assert divmod(view.take_tap(-1), 4) == (1, 3)


def test_many_rows_are_named_sparsely_and_long_names_lose_their_beginning():
    view = grid(np.zeros((40, 1)))
    assert view.figure.yaxis[0].ticker.ticks == [*range(0, 37, 3), 39]
    assert grid(np.zeros((1, 10))).figure.xaxis[0].ticker.ticks == list(range(10))
    assert grid(np.zeros((1, 40))).figure.xaxis[0].ticker.ticks == [*range(0, 36, 4), 39]
    ticker = view.figure.yaxis[0].ticker
    view.update(np.zeros((2, 1)), rows=["layers.0.relu#2", "fc"], columns=["now"])
    assert view.figure.yaxis[0].ticker is ticker
    assert view.figure.yaxis[0].major_label_overrides == {0: "…yers.0.relu#2", 1: "fc"}


@pytest.mark.parametrize("values", [np.empty((0, 3)), np.full((2, 2), np.nan), np.zeros((1, 1))])
def test_a_grid_of_nothing_is_drawn(values):
    view = grid(values, selected=(5, 5))
    assert view.mapper.low < view.mapper.high
    assert view._chosen.data["x"] == []
    components(view.figure)
    view.clear()
    assert view.summary == "There is nothing to show."


def test_a_density_stands_over_its_bands():
    view = RankDensity()
    view.update(np.array([0.5, 1.5]), np.full(2, 0.2), np.array([0.9, 1.1]), np.full(2, 0.1), name="7")
    assert view._bands.data["high"].tolist() == [1.4] * 4
    assert view._bands.data["mean_low"].tolist() == [0.8] * 4
    assert view._bands.data["u"].tolist() == [0, 0.25, 0.75, 1]
    assert view.figure.y_range.start < 0.5
    assert view.figure.y_range.end > 1.5
    components(view.figure)
    blank = np.full(2, np.nan)
    view.update(blank, blank, np.array([0.9, 1.1]), np.full(2, 0.1), name="7")
    assert "of class 7 undefined" in view.summary
    assert np.isfinite([view.figure.y_range.start, view.figure.y_range.end]).all()
    view.clear()
    assert view._points.data["one"] == []


def test_histograms_have_area_one_over_the_same_bins():
    rng = np.random.default_rng(0)
    members = np.arange(100) < 30
    view = ClassHistograms()
    view.update(rng.standard_normal(100) + 2 * members, members, name="4", label="field")
    width = view._source.data["right"] - view._source.data["left"]
    for column in ("own", "others"):
        assert np.sum(view._source.data[column] * width) == pytest.approx(1)
    assert view._source.data["n_own"].sum() == 30
    components(view.figure)


@pytest.mark.parametrize("values", [np.zeros(4), np.array([1e30, -1e30, 0, 1])])
def test_any_values_have_histograms(values):
    view = ClassHistograms()
    view.update(values, np.zeros(4, bool), name="4", label="field")
    assert "0 samples of class 4 have mean n/a" in view.summary
    assert view.figure.x_range.start < view.figure.x_range.end
    components(view.figure)
    view.clear()
    assert view.summary == "No neuron to show."
