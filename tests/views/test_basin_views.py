"""The views of basins: what is undefined or beyond the grid has a mark and words of its own."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import components

from dyn_explorer import views
from dyn_explorer.views.class_plane import _inside

SIGMAS = np.geomspace(0.01, 16, 9)


def curve(half_width=0.5, sigmas=SIGMAS):
    accuracy = np.linspace(1, 0.1, len(sigmas))
    return views.NoiseCurve(sigmas, accuracy, accuracy - 0.02, accuracy + 0.02, half_width)


@pytest.fixture
def basin_curve():
    return views.BasinCurve("S50", "noise amplitude σ (input units)", "#0072B2", "circle")


def test_a_curve_has_its_threshold_crossing_cursor_and_null(basin_curve):
    basin_curve.update(curve(), threshold=0.5, null=curve(0.2), cursor=0.3)
    assert basin_curve._threshold.location == 0.5
    assert (basin_curve._crossing.visible, basin_curve._crossing.location) == (True, 0.5)
    assert (basin_curve._cursor.visible, basin_curve._cursor.location) == (True, 0.3)
    assert len(basin_curve._sources["null"].data["x"]) == 9
    assert "crosses 0.5 at S50 = 0.5" in basin_curve.summary
    basin_curve.update(curve(np.nan), threshold=0.5)
    assert not basin_curve._crossing.visible
    assert not basin_curve._cursor.visible
    assert "S50 is undefined" in basin_curve.summary
    basin_curve.update(curve(np.inf), threshold=0.05)
    assert "does not fall below 0.05" in basin_curve.summary
    basin_curve.update(curve(np.nan, SIGMAS[:0]), threshold=0.5)
    assert basin_curve.summary == "No amplitude was looked at: S50 is undefined."
    basin_curve.update(curve(sigmas=np.array([0.0, 1.0, 2.0])), threshold=0.5)
    assert basin_curve._sources["curve"].data["x"].tolist() == [1, 2]
    components(basin_curve.figure)
    basin_curve.clear()
    assert not len(basin_curve._sources["curve"].data["x"])


def test_bars_show_what_is_undefined_and_what_lies_beyond():
    bars = views.HalfWidths("W50", "layer", "W50 (sd)", "#009E73")
    bars.update(["conv1", "conv2", "head"], [1.0, np.nan, np.inf], overall=0.8)
    assert bars._bars.data["top"].tolist() == pytest.approx([1.0, 0.0, 1.12])
    assert bars._marks.data["marker"] == ["x", "triangle"]
    assert bars._overall.location == 0.8
    assert bars.summary == (
        "W50 of 3: smallest 1 (conv1), largest 1 (conv1); undefined for conv2; beyond the grid for head."
    )
    bars.update([str(index) for index in range(100)], np.full(100, np.nan))
    assert len(bars._bars.data["x"]) == views.half_widths.MOST_BARS
    assert len(bars.figure.xaxis[0].ticker.ticks) <= 24
    assert not bars._overall.visible
    components(bars.figure)
    bars.clear()
    assert bars.summary == "No W50 to show yet."


def test_a_plane_names_its_regions_and_draws_the_radius():
    classes = np.ones((9, 9), int)
    classes[:, 6:] = 12
    plane = views.ClassPlane()
    plane.update(np.linspace(-2, 2, 9), classes, radius=0.75, names={12: "twelve"})
    assert sorted(plane._names.data["text"]) == ["1", "twelve"]
    for x, y, text in zip(*(plane._names.data[name] for name in ("x", "y", "text")), strict=True):
        row, column = (round((value + 2) / 0.5) for value in (y, x))
        assert classes[row, column] == {"1": 1, "twelve": 12}[text]
    assert plane._circle.data["width"] == [1.5]
    assert plane._image.data["image"][0].max() < 10
    assert plane._image.data["label"][0].max() == 12
    assert plane.summary.startswith("The sample is taken for class 1; in the plane: class 1 67 %, class twelve 33 %.")
    plane.update(np.linspace(-2, 2, 9), classes, radius=np.inf)
    assert not plane._circle.data["x"]
    assert "no radius" in plane.summary
    components(plane.figure)
    plane.clear()
    assert not plane._image.data["image"]


def test_a_label_lies_inside_its_region():
    mask = np.zeros((12, 12), bool)
    mask[2:9, 3:8] = True
    assert _inside(mask) == (5, 5)
    ring = np.zeros((5, 5), bool)
    ring[0] = True
    assert ring[_inside(ring)]


def test_noisy_pictures_say_whether_the_answer_is_right():
    row = views.NoisyPictures(6)
    picture = np.zeros((8, 8, 3), np.uint8)
    row.update([("clean: 3", picture, True), ("5", picture, False)])
    assert row._frames.data["caption"] == ["clean: 3 ✓", "5 ✗"]
    assert len(set(row._frames.data["edge"])) == 2
    components(row.figure)
    row.update([])
    assert row.summary == "These inputs are no pictures."
    row.clear()
    assert row.summary == "No pictures to show."


def test_a_path_leaves_out_what_has_no_size_and_taps_mean_epochs():
    path = views.BasinPath()
    epochs, sizes = np.array([0, 4, 8]), np.array([np.nan, 0.4, 0.5])
    path.update(epochs, sizes, 2 * sizes, np.array([0.1, 0.8, 0.9]), chosen=8)
    assert path.rows.data["row"].tolist() == [2, 3]
    assert path.rows.data["edge"][1] != path.rows.data["edge"][0]
    path.rows.selected.indices = [1]
    assert path.take_tap(-1) == 2
    assert "no point for epoch 0" in path.summary
    path.update(epochs[:1], sizes[:1], sizes[:1], sizes[:1])
    assert path.summary == "No epoch has both basins; no point for epoch 0."
    components(path.figure)
    path.clear()
    assert path.summary == "There is no run to show."
