"""Views of a class hypergraph: what is drawn, what is marked, and that caps are stated."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import components

from dyn_explorer import views
from dyn_explorer.analysis import class_hypergraph
from dyn_explorer.views.theme import GROWING, NEUTRAL, SELECTED, STABLE


@pytest.fixture
def found():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 40)
    return class_hypergraph(rng.standard_normal((40, 4)) + (labels[:, None] == 1), labels)


def show(view, found, **options):
    view.update(found.weights.toarray(), found.codes, ["a", "b", "c"], found.edge_names(), **options)


def test_the_incidence_has_a_cell_per_membership_sorted_by_class(found):
    view = views.IncidenceMatrix()
    show(view, found, selected=2)
    cells = view.rows.data
    assert len(cells["x"]) == found.incidence.nnz
    order = np.argsort(found.codes, kind="stable")
    for x, y, row, image, label, color, weight in zip(
        *(cells[name] for name in ("x", "y", "row", "image", "label", "color", "weight")), strict=True
    ):
        assert order[int(y)] == image
        assert row == x + 1
        assert found.incidence[image, x] == 1
        assert weight == found.weights[image, x]
        assert label == "abc"[found.codes[image]]
        main = found.class_counts[x].argmax()
        assert color == (STABLE if found.codes[image] == main else GROWING)
    assert view._chosen.data["left"] == [1.5]
    assert view.figure.y_range.start == 40
    own = cells["color"].count(STABLE)
    assert f"{own} of {found.incidence.nnz} cells are of the main class" in view.summary
    components(view.figure)


def test_memberships_of_weight_zero_are_drawn_too():
    view = views.IncidenceMatrix()
    view.update(np.zeros((2, 1)), np.array([0, 1]), ["a", "b"], ["+0"], incidence=np.ones((2, 1)))
    assert len(view.rows.data["x"]) == 2


def test_too_many_cells_are_capped_in_words(found, monkeypatch):
    monkeypatch.setattr("dyn_explorer.views.incidence_matrix.MOST_CELLS", 5)
    view = views.IncidenceMatrix()
    show(view, found)
    assert view.rows.data["weight"].min() == np.sort(found.weights.data)[-5:].min()
    assert "; the 5 of largest weight are drawn" in view.summary


def test_pairs_are_drawn_in_both_orders_and_marked():
    view = views.ClassPairs()
    values = np.array([[0.5, 0.1, np.nan], [0.1, 0.4, 0.2], [np.nan, 0.2, np.nan]])
    view.update(values, ["a", "b", "c"], label="J", selected=(0, 1))
    cells = view.rows.data
    np.testing.assert_array_equal(cells["value"], values.ravel())
    assert list(cells["row"]) == list(range(1, 10))
    assert sorted(zip(view._chosen.data["x"], view._chosen.data["y"], strict=True)) == [(0, 1), (1, 0)]
    assert view.mapper.high == 0.5
    assert view.mapper.nan_color == NEUTRAL
    assert "b and c are closest with 0.2" in view.summary
    components(view.figure)


def test_of_many_classes_some_are_drawn_and_rows_still_name_the_pair():
    view = views.ClassPairs()
    view.update(np.eye(50), [str(k) for k in range(50)], label="J", selected=(45, 2))
    assert len(view.rows.data["x"]) == 40 * 40
    first = list(view.rows.data["first"]).index("3")
    assert divmod(view.rows.data["row"][first] - 1, 50) == (3, 0)
    assert "(the first 40 are drawn)" in view.summary
    assert view._chosen.data["x"] == []
    assert len(view.figure.xaxis[0].ticker.ticks) <= 20


def test_pairs_without_any_number_have_no_closest():
    view = views.ClassPairs()
    view.update(np.full((2, 2), np.nan), ["a", "b"], label="J")
    assert view.summary == "J of 2 x 2 classes."


def test_bars_run_from_death_to_birth_and_those_at_s_are_blue(found):
    view, barcode = views.ComponentBars(), found.barcode
    s = int(barcode.death.max())
    view.update(barcode, found.edge_names(), s=s, selected=int(barcode.edge[1]))
    bars = view.rows.data
    np.testing.assert_array_equal(bars["left"], barcode.death)
    np.testing.assert_array_equal(bars["right"], barcode.birth)
    assert bars["color"].count(STABLE) == barcode.count(s)
    assert bars["line"].index(SELECTED) == 1
    assert view._cursor.location == s
    assert view.summary.startswith(f"{barcode.count(s)} components of hyperedges that share at least {s} images")
    components(view.figure)


def test_many_bars_are_capped_in_words(found, monkeypatch):
    monkeypatch.setattr("dyn_explorer.views.component_bars.MOST_BARS", 3)
    view = views.ComponentBars()
    view.update(found.barcode, found.edge_names(), s=1)
    assert len(view.rows.data["y"]) == 3
    assert "The 3 longest of 8 bars are drawn." in view.summary


def test_tiles_stand_in_reading_order_and_one_is_marked():
    view = views.PictureGrid(2, 2)
    tiles = [np.full((3, 3, 3), value, np.uint8) for value in range(5)]
    view.update(tiles, list("abcde"), rows=[9, 8, 7, 6, 5], title="images of +0", selected=7)
    data = view.rows.data
    assert list(data["row"]) == [10, 9, 8, 7]
    assert data["x"][0] < data["x"][1]
    assert data["y"][0] > data["y"][2]
    assert data["edge"].index(SELECTED) == 2
    assert view.summary == "images of +0: 5 pictures, the first 4 drawn."
    components(view.figure)


def test_inputs_that_are_no_pictures_have_tiles_with_captions():
    view = views.PictureGrid(2, 2)
    view.update([None, None], ["a", "b"], rows=[0, 1], title="images")
    assert view._images.data["image"] == []
    assert view.rows.data["caption"] == ["a", "b"]
    view.update([], [], rows=[], title="images")
    assert view.summary == "No pictures to show."


@pytest.mark.parametrize(
    "view", [views.IncidenceMatrix(), views.ClassPairs(), views.ComponentBars(), views.PictureGrid(2, 2)]
)
def test_cleared_views_hold_nothing(view, found):
    if isinstance(view, views.IncidenceMatrix):
        show(view, found)
    view.clear()
    assert all(not len(column) for column in view.rows.data.values())
    assert view.summary.startswith("No ")
