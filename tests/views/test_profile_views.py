"""Profiles drawn: what stands where, what is marked, and what a tap chooses."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import components

from dyn_explorer import views
from dyn_explorer.views.theme import SELECTED, STABLE


def test_bars_are_sorted_by_the_input_and_then_by_its_class():
    bars = views.ProfileBars()
    own = np.array([0.0, 0.7, 0.0, 0.3, 0.0])
    of_class = np.array([0.5, 0.6, 0.4, 0.0, 0.0])
    bars.update(
        ["a", "b", "c", "d", "e"], own, everyone=np.full(5, 0.2), counts=np.arange(5), word="channel", name="input 3",
        of_class=of_class, class_counts=np.array([1, 4, 3, 0, 0]), class_size=4, n_inputs=9, class_name="cat",
        rows=[0, 1, 2, 3, -1], selected=3,
    )  # fmt: skip
    data = bars.rows.data
    # c counts in three of its class and a in one, so c comes first although its weight is smaller; e counts nowhere.
    assert data["name"] == ["channel b", "channel d", "channel c", "channel a"]
    assert data["own"].tolist() == [0.7, 0.3, 0, 0]
    assert data["class_"].tolist() == [0.6, 0, 0.4, 0.5]
    assert data["share"].tolist() == pytest.approx([1, 0.15, 0.15 + 0.85 * 0.75, 0.15 + 0.85 * 0.25])
    assert data["class_text"][0] == "0.600, in 4 of 4"
    assert data["all_text"][1] == "0.200, in 3 of 9"
    assert data["edge"] == [STABLE, SELECTED, STABLE, STABLE]
    assert bars.figure.y_range.end == pytest.approx(1.06 * 0.7)
    bars.rows.selected.indices = [2]
    assert bars.take_tap(0) == 2
    assert bars.summary.endswith("which counts in 100% of the inputs of class cat.")
    components(bars.figure)


def test_bars_of_an_input_without_class_or_without_neurons():
    bars = views.ProfileBars()
    bars.update(["0", "1"], np.array([1.0, 0]), everyone=np.array([0.5, 0.5]), word="position", name="input 0")
    assert bars.rows.data["left"].tolist() == [0]
    assert bars.rows.data["class_text"] == ["n/a"]
    bars.rows.selected.indices = [0]
    assert bars.take_tap(0) is None
    bars.update(["0"], np.zeros(1), everyone=np.zeros(1), word="position", name="input 0")
    assert bars.summary == "Input 0 has no influential neuron: no score is positive."
    assert np.isfinite(bars.figure.y_range.end)
    many = np.full(40, 1 / 40)
    bars.update([f"{k} (10, 12)" for k in range(40)], many, everyone=many, word="element", name="input 0")
    assert len(bars.rows.data["x"]) == 16
    assert bars.figure.xaxis[0].major_label_orientation != "horizontal"
    bars.clear()
    assert len(bars.rows.data["x"]) == 0


def test_the_first_line_of_the_map_is_on_top_and_groups_are_parted():
    view = views.ProfileMap()
    values = np.array([[1.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, np.nan]])
    view.update(
        values, ["a", "a", "b"], names=["input 4", "input 6", "input 1"], rows=[4, 6, 1], selected=1, note="So."
    )
    data = view._map.data
    [image] = data["image"]
    assert (data["y"], data["dh"]) == ([0], [3])
    assert (view.figure.y_range.start, view.figure.y_range.end) == (0, 3)
    # Bokeh draws the last row of an image on top.
    assert image[-1].tolist() == pytest.approx([1.0, 0.5, 0.1])
    assert view._borders.data["x0"].tolist() == [2, 0]
    assert view._borders.data["y0"].tolist() == [0, 1]
    assert view.figure.xaxis[0].ticker.ticks == [1.0, 2.5]
    assert view.figure.xaxis[0].axis_label == "input, by class"
    assert view.figure.yaxis[0].major_label_overrides == {2.0: "a", 0.5: "b"}
    assert view.rows.data["y"].tolist() == [2.5, 1.5, 0.5]
    assert view._chosen.data["y"].tolist() == [0.5]
    assert view.rows.data["row"] == [5, 7, 2]
    view.rows.selected.indices = [1]
    assert view.take_tap(1) == 6
    assert view.summary == "Similarity of 3 profiles in 2 classes. So."
    components(view.figure)
    drawn = view._map.data["image"]
    view.update(values, ["a", "a", "b"], names=["4", "6", "1"], rows=[4, 6, 1], selected=6)
    assert view._map.data["image"] is drawn  # nothing to send again
    assert view._chosen.data["y"].tolist() == [1.5]
    view.update(np.eye(40), [str(k) for k in range(40)], names=["class"] * 40, rows=range(40), word="class")
    assert len(view.figure.xaxis[0].ticker.ticks) <= 16
    assert view.figure.xaxis[0].axis_label == "class"
    assert len(view._borders.data["x0"]) == 0
    view.clear()
    assert len(view.rows.data["row"]) == 0
