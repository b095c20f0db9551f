"""Views of the Network panel: what is drawn is what was given, whatever it is, and nothing is left behind."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import components

from dyn_explorer.views import Densities, Distribution, DivergenceMap, NodeColumn, NodeGraph, Strand, StrengthMaps
from dyn_explorer.views.theme import GROWING, SELECTED, STABLE


@pytest.mark.parametrize(
    ("values", "tiles", "side"),
    [
        (np.ones((3, 5, 4)), 3, 2),
        (np.arange(100.0).reshape(100, 1, 1), 64, 8),
        (np.arange(7.0), 7, 3),
        (np.ones(2000), 1024, 32),
    ],
)
def test_a_tile_per_channel(values, tiles, side):
    view = StrengthMaps()
    view.update(values, selected=2)
    assert len(view._images.data["image"]) == tiles
    assert (view.figure.x_range.start, view.figure.x_range.end) == (0, side)
    rows = view.rows.data["row"] - 1
    for image, channel in zip(view._images.data["image"], rows, strict=True):
        assert np.array_equal(image[::-1], values.reshape(len(values), *(values.shape[1:] or (1, 1)))[channel])
    assert [edge == SELECTED for edge in view.rows.data["edge"]] == (rows == 2).tolist()
    components(view.figure)
    view.clear()
    assert view._images.data["image"] == []


def test_the_strongest_of_many_channels_are_shown_with_their_borders():
    values = np.zeros((80, 200, 100))
    values[70:, 0, 0] = -9.0
    view = StrengthMaps()
    view.update(values)
    assert set(range(71, 81)) <= set(view.rows.data["row"])
    last = view._images.data["image"][-1][::-1]
    assert last.shape == (48, 48)
    assert last[0, 0] == -9
    assert view.mapper.low == -9
    assert view.mapper.high == 9
    assert "The strongest 64 of 80 channels of 200 x 100 nodes" in view.summary
    view.update(np.abs(values), signed=False)
    assert view.mapper.low == 0


def test_a_density_with_its_null_and_another():
    edges, density = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.5, 0.3, 0.1])
    view = Distribution()
    view.update(
        edges, density, x_label="s", null=(np.array([-0.1, 0.4, 0.0]), np.array([0.4, 0.5, 0.2])), other=density
    )
    assert view._band.data["low"].min() == 0
    assert "80 % of the nodes lie in bins outside the grey band" in view.summary
    assert view.figure.y_range.end == pytest.approx(1.05 * 0.5)
    components(view.figure)
    view.update(edges, density, x_label="s")
    assert len(view._band.data["x"]) == 0
    view.clear()
    assert len(view._bars.data["top"]) == 0


def test_divergences_stand_in_their_rows():
    values = np.array([[0, 0.2, 0.9], [0.2, 0, 0.5], [0.9, 0.5, 0]])
    view = DivergenceMap()
    view.update(values, ["a", "b", "c"], numbers=[1, 3, 4], selected=3)
    drawn = view.rows.data
    for x, y, row, value in zip(drawn["x"], drawn["y"], drawn["row"], drawn["value"], strict=True):
        assert value == values[int(2.5 - y + 0.5), int(x)]
        assert row == [1, 3, 4][int(2.5 - y + 0.5)] + 1
    assert view._chosen.data["x"][0] == 1.5
    assert view.figure.xaxis[0].major_label_overrides == {0.5: "1", 1.5: "3", 2.5: "4"}
    assert "furthest apart are a and c, 0.9 bits" in view.summary
    components(view.figure)
    view.update(np.zeros((30, 30)), list(map(str, range(30))))
    assert len(view.figure.xaxis[0].ticker.ticks) <= 12
    view.update(np.zeros((1, 1)), ["a"])
    assert view.summary == "One distribution: there is nothing to compare."
    view.clear()
    assert view.rows.data["x"] == []


def test_marks_links_and_joins_of_a_graph():
    columns = [
        NodeColumn("a", np.array([0, 4]), np.array([1.0, -4.0]), 9),
        NodeColumn("b" * 30, np.array([2]), np.array([0.0]), 1, "out (why)"),
    ]
    view = NodeGraph()
    view.update(
        columns, [(0, 1, "b", True), (0, 1, "add", False)], [Strand((0, 4), (1, 2), -2.0, "b")], selected=(1, 2)
    )
    marks = view.rows.data
    assert marks["row"] == [1, 2, 3]
    assert marks["color"] == [GROWING, STABLE, STABLE]
    assert marks["marker"] == ["circle", "square", "square"]
    assert marks["size"][1] > marks["size"][0] > marks["size"][2]
    assert marks["edge"][2] == SELECTED
    line = view._strands.data
    assert (line["xs"], line["ys"]) == ([[0, 1]], [[marks["y"][1], marks["y"][2]]])
    assert line["color"] == [STABLE]
    assert view._arcs.data["name"] == ["b", "add, like to like"]
    assert view._names.data["text"] == ["a\n2 of 9", "…" + 17 * "b"]
    assert view._names.data["note"][1] == "out (why)"
    assert "from a 4 (-2)" in view.summary
    components(view.figure)
    view.rows.selected.indices = [1]
    assert view.take_tap(-1) == 1
    view.update(columns, [], [])
    assert "No node is chosen" in view.summary
    view.clear()
    assert view.rows.data["x"] == []


def test_densities_are_coloured_in_order():
    view = Densities()
    view.update(np.arange(3.0), np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]), ["a", "b", "c"], x_label="s")
    assert view._lines.data["value"] == [0, 1, 2]
    assert view.mapper.high == 2
    assert view._lines.data["ys"][0].tolist() == [1, 1, 0, 0]
    assert view.summary == "Density of s for a, b, c."
    components(view.figure)
    view.clear()
    assert view._lines.data["xs"] == []
