"""The views of the Filters panel draw any spectrum, mark what is chosen, and pass taps on."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import components
from bokeh.models import Range1d

from dyn_explorer import views
from dyn_explorer.analysis import random_matrix_fit
from dyn_explorer.views.spectrum_density import _ticks
from dyn_explorer.views.theme import GROWING, SELECTED, STABLE


def fitted(values, shape):
    return random_matrix_fit(np.asarray(values, float), shape)


GAUSSIAN = np.linalg.svd(np.random.default_rng(0).normal(size=(60, 240)), compute_uv=False)
SPECTRA = {
    "gaussian": (GAUSSIAN, (60, 240)),
    "spiked": (np.concatenate([[60, 45], GAUSSIAN[2:]]), (60, 240)),
    "square": (np.linalg.svd(np.random.default_rng(0).normal(size=(60, 60)), compute_uv=False), (60, 60)),
    "equal": (np.ones(20), (20, 30)),
    "one": ([2.0], (1, 9)),
    "rank one": ([3.0, 0, 0, 0], (4, 9)),
    "tiny": (1e-150 * GAUSSIAN, (60, 240)),
}


def check_ranges(view) -> None:
    for axis_range in (view.figure.x_range, view.figure.y_range):
        assert type(axis_range) is Range1d
        assert np.isfinite([axis_range.start, axis_range.end]).all()
        assert axis_range.start != axis_range.end


@pytest.mark.parametrize("name", SPECTRA)
def test_any_spectrum_is_a_density_of_the_right_mass(name):
    values, shape = SPECTRA[name]
    fit = fitted(values, shape)
    view = views.SpectrumDensity()
    view.update(fit, ratio=min(shape) / max(shape), shuffled=np.stack([fit.eigenvalues] * 2), selected=0)
    check_ranges(view)
    bars = view._bars.data
    mass = float(np.sum(bars["top"] * np.log10(np.divide(bars["right"], bars["left"]))))
    assert mass == pytest.approx((fit.eigenvalues > 1e-6 * fit.eigenvalues[0]).mean())
    assert view._null.data["top"] == pytest.approx(bars["top"])
    assert len(view.rows.data["x"]) == fit.spikes
    assert view._chosen.visible
    components(view.figure)
    view.clear()
    assert len(view.rows.data["x"]) == len(view._bars.data["top"]) == 0
    assert not view._chosen.visible


def test_the_law_and_the_tail_have_the_mass_of_what_they_describe():
    for name in ("gaussian", "square"):
        values, shape = SPECTRA[name]
        fit = fitted(values, shape)
        view = views.SpectrumDensity()
        view.update(fit, ratio=min(shape) / max(shape))
        x, y = np.log10(view._law.data["x"]), view._law.data["y"]
        if name == "gaussian":
            assert np.trapezoid(y, x) == pytest.approx(1, abs=0.01)
        assert view._law.data["x"][-1] == pytest.approx(fit.edge)
    x, y = np.log10(view._tail.data["x"]), view._tail.data["y"]
    share = fit.tail_points / len(fit.eigenvalues)
    expected = share * (1 - (fit.eigenvalues[0] / fit.x_min) ** (1 - fit.alpha))
    assert np.trapezoid(y, x) == pytest.approx(expected, rel=1e-3)


def test_a_spike_can_be_tapped_and_is_marked():
    values, shape = SPECTRA["spiked"]
    view = views.SpectrumDensity()
    view.update(fitted(values, shape), ratio=0.25, selected=1)
    assert view.rows.data["color"] == [GROWING, SELECTED]
    view.rows.selected.indices = [0]
    assert view.take_tap(1) == 0
    assert "2 beyond the Marchenko-Pastur edge" in view.summary


@pytest.mark.parametrize(("low", "high"), [(0.9, 1.3), (0.1, 10), (1e-6, 1e3), (3e-300, 7e-300), (1.01, 1.02)])
def test_ticks_are_few_and_inside(low, high):
    ticks = _ticks(low, high)
    assert len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)


def test_the_scree_marks_what_is_beyond_the_edge_and_what_is_chosen():
    view = views.FilterScree()
    sigma = np.array([5.0, 2, 1])
    view.update(sigma, edge=3.0, shuffled=np.array([[2.5, 2, 1.5], [2.7, 2, 1.3]]), selected=1)
    assert view.rows.data["marker"] == ["triangle", "circle", "circle"]
    assert view.rows.data["color"] == [GROWING, STABLE, STABLE]
    assert view._ring.data == {"index": [2], "sigma": [2.0]}
    assert view._band.data["low"].tolist() == [2.5, 2, 1.3]
    view.rows.selected.indices = [2]
    assert view.take_tap(1) == 2
    check_ranges(view)
    view.update(np.zeros(3), edge=np.nan)
    assert not view._edge.visible
    check_ranges(view)
    components(view.figure)
    view.clear()
    assert len(view.rows.data["row"]) == 0


def test_tiles_keep_their_proportions_their_sign_and_their_marks():
    grid = views.TileGrid(2, 2, aspect=1.0)
    picture = np.zeros((4, 8, 3), np.uint8)
    grid.update(
        [
            views.Tile("a", np.array([[2.0, -4.0], [np.nan, 0.0]]), 5),
            views.Tile("b", picture, -1, mark=(0.5, 0.25), frame=(0.5, 0.5, 1.0, 1.0)),
            views.Tile("c", np.zeros((3, 3)), 7),
        ],
        selected=7,
    )
    [first, zero] = grid._maps.data["image"]
    assert first[::-1].tolist()[0] == [0.5, -1.0]
    assert np.isnan(first[::-1][1, 0])
    assert not zero.any()
    assert grid._pictures.data["dw"][0] == pytest.approx(2 * grid._pictures.data["dh"][0])
    assert grid._marks.data["x"] == [pytest.approx(1.5)]
    frame = {name: values[0] for name, values in grid._frames.data.items()}
    assert frame["left"] == pytest.approx(1.5)
    assert frame["top"] == pytest.approx(-0.5)
    assert frame["right"] - frame["left"] == pytest.approx(2 * (frame["top"] - frame["bottom"]))
    assert grid._marks.data["y"][0] > -0.5  # a quarter from the top is above the middle
    assert grid.rows.data["edge"][2] == SELECTED
    assert grid.rows.data["edge"][0] != SELECTED
    assert grid.rows.data["y"][2] < grid.rows.data["y"][0]
    grid.rows.selected.indices = [1]
    assert grid.take_tap(0) is None
    grid.rows.selected.indices = [2]
    assert grid.take_tap(0) == 7
    grid.update([views.Tile(str(k), np.eye(2), k) for k in range(9)])
    assert len(grid.rows.data["row"]) == 4
    check_ranges(grid)
    components(grid.figure)
    grid.update([views.Tile("alone", np.eye(2), 0)])
    assert grid.figure.y_range.start == pytest.approx(-1.22)  # as large as the figure allows
    grid.clear()
    assert grid.summary == "Nothing to show."


def test_links_beyond_the_null_are_drawn_and_those_of_the_chosen_are_dark():
    graph = views.DirectionGraph()
    first = views.Links(np.array([[0.9, 0.1], [0.2, 0.3]]), np.ones((2, 2)), np.array([[True, False], [True, True]]))
    second = views.Links(np.array([[0.5, 0.4]]), np.ones((1, 2)), np.array([[True, True]]))
    sigmas = [np.array([2.0, 1]), np.array([3.0, 2]), np.array([1.0])]
    graph.update(["a", "b", "a.very.long.name.of.a.layer"], sigmas, [first, second], chosen=1, selected=0)
    data = graph._edges.data
    dark = {
        (tuple(xs), tuple(ys))
        for xs, ys, color in zip(data["xs"], data["ys"], data["color"], strict=True)
        if color == STABLE
    }
    assert dark == {((0, 1), (1, 1)), ((1, 2), (1, 1))}
    assert len(data["xs"]) == 5
    assert max(data["width"]) == pytest.approx(4.5)
    assert graph.figure.xaxis[0].major_label_overrides[2].startswith("…")
    graph.rows.selected.indices = [1]
    assert graph.take_tap(0) == 1
    assert graph.summary.startswith("a to b: 3 of 4 links beyond the null; b to …")
    check_ranges(graph)
    components(graph.figure)
    graph.update(["b"], [np.array([3.0])], [], chosen=0)
    assert graph.summary == "No layer here feeds this one or is fed by it alone."
    graph.clear()
    assert len(graph.rows.data["row"]) == 0
