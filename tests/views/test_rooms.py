"""Figures that show nothing ask for no room, and what stands beside marks is readable."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.document import Document

from dyn_explorer import views


@pytest.mark.parametrize(
    ("view", "something"),
    [
        (views.MapRow(3, "no maps"), lambda view: view.update([("one", np.eye(3))])),
        (views.TileGrid(3, 1, aspect=2.0), lambda view: view.update([views.Tile("one", np.eye(3), 0)])),
        (views.NoisyPictures(2), lambda view: view.update([("one", np.zeros((4, 4, 3), np.uint8), True)])),
        (views.DivergenceMap(), lambda view: view.update(np.zeros((2, 2)), ["a", "b"])),
        (views.Densities(), lambda view: view.update([0.0, 1.0], [[1.0]], ["a"], x_label="x")),
        (views.BasinPath(), lambda view: view.update(*(np.arange(2.0),) * 4)),
        (views.Curves(), lambda view: view.update([], x_label="x", y_label="y")),
        (views.ClassPlane(), lambda view: view.update(np.linspace(-1, 1, 5), np.zeros((5, 5), int), radius=1.0)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_blank_figure_asks_for_no_room_until_it_shows_something(view, something):
    view.blank("There is none, because.")
    assert (view.figure.visible, view.summary) == (False, "There is none, because.")
    something(view)
    assert view.figure.visible


@pytest.mark.parametrize("view", [views.MapRow(3), views.TileGrid(3, 1, aspect=2.0), views.NoisyPictures(2)])
def test_a_row_of_no_pictures_asks_for_no_room(view):
    view.update([])
    assert not view.figure.visible


def test_an_input_that_is_no_picture_shows_its_number():
    grid = views.PictureGrid(3, 1)
    grid.update([None, np.zeros((4, 4, 3), np.uint8), None], ["a", "b", "c"], rows=[7, 8, 9], title="Inputs")
    assert grid._numbers.data["text"] == ["7", "9"]
    grid.clear()
    assert len(grid._numbers.data["text"]) == 0


def test_one_or_two_tiles_of_a_line_that_grows_fill_it():
    tiles = [views.Tile("1", np.eye(3), 0), views.Tile("2", np.eye(3), 1)]
    fixed, growing = (views.TileGrid(3, 1, aspect=1.8, grows=grows) for grows in (False, True))
    for grid in (fixed, growing):
        grid.update(tiles)
    width = [grid.figure.x_range.end - grid.figure.x_range.start for grid in (fixed, growing)]
    assert width[1] < width[0] == 3
    growing.update([])
    assert growing.summary == "Nothing to show."


def test_names_that_would_run_into_each_other_are_slanted():
    pairs = views.ClassPairs()
    pairs.update(np.eye(3), ["0", "1", "2"], label="index")
    assert pairs.figure.xaxis[0].major_label_orientation == "horizontal"
    pairs.update(np.eye(3), ["cultivar one", "cultivar two", "cultivar three"], label="index")
    assert pairs.figure.xaxis[0].major_label_orientation != "horizontal"
    curves = views.Curves()
    for names, slanted in ((["conv1", "head"], False), (["a rather long name"] * 3, True)):
        curve = views.Curve("a", np.arange(float(len(names))), np.zeros(len(names)))
        curves.update([curve], x_label="x", y_label="y", ticks=[(float(k), name) for k, name in enumerate(names)])
        assert (curves.figure.xaxis[0].major_label_orientation != "horizontal") is slanted


def test_divergences_are_named_at_the_axes_where_names_are_short_and_few():
    view = views.DivergenceMap(named=True)
    view.update(np.zeros((2, 2)), ["conv1", "head"])
    assert view.figure.xaxis[0].major_label_overrides == {0.5: "conv1", 1.5: "head"}
    assert view.figure.xaxis[0].axis_label is None
    view.update(np.zeros((2, 2)), ["features.0.conv1", "head"])
    assert view.figure.xaxis[0].major_label_overrides == {0.5: "0", 1.5: "1"}
    assert view.figure.xaxis[0].axis_label == "place in the table"


def test_long_names_of_layers_leave_room_for_the_figure():
    names = [f"net.encoder.stages.{k}.layers.1.dwconv" for k in range(12)]
    bars = views.HalfWidths("W50", "layer", "W50 (sd)", "#009E73")
    bars.update(names, [np.nan] * 12)
    assert bars.figure.xaxis[0].major_label_overrides[11] == "….1.dwconv"
    assert bars.summary.endswith("…s.4.layers.1.dwconv and 7 more.")


def test_a_vector_has_labelled_axes_and_no_colour_bar():
    image = views.ModeImage()
    image.update(np.arange(4.0), entries="input")
    assert (image.figure.xaxis[0].axis_label, image._bar.visible) == ("input", False)
    image.update(np.eye(4))
    assert image._bar.visible
    assert not image.figure.xaxis[0].visible


def test_glyphs_with_text_have_the_font_of_the_page():
    grid = views.TileGrid(1, 1, aspect=1.0)
    grid.update([views.Tile("1", np.eye(3), 0)])
    document = Document(theme=views.bokeh_theme("light"))
    document.add_root(grid.figure)
    fonts = [glyph.text_font for glyph in (r.glyph for r in grid.figure.renderers) if hasattr(glyph, "text_font")]
    assert [font.value for font in fonts] == [views.theme.FONT]
