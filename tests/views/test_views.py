"""Every view draws every result: finite where it can be, explained where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bokeh.embed import components
from bokeh.models import ColumnDataSource, Range1d

from dyn_explorer import analysis, views
from dyn_explorer.views.base import log_bounds
from dyn_explorer.views.eigenvalue_circle import REACH, row_of_each
from dyn_explorer.views.mode_energies import MOST_BARS, row_shares
from dyn_explorer.views.theme import GROWING, MARKERS, SELECTED

RESULT_VIEWS = [views.EigenvalueCircle, views.ModeEnergies, views.SingularValues, views.TimeDynamics]


def made_up(eigenvalues, strengths, singular_values=None, *, steps: int = 9) -> SimpleNamespace:
    """What views read of a DMD, with any numbers in it."""
    eigenvalues, strengths = np.asarray(eigenvalues, complex), np.asarray(strengths, float)
    count = len(eigenvalues)
    with np.errstate(over="ignore", under="ignore"):
        energies = strengths**2
    return SimpleNamespace(
        eigenvalues=eigenvalues,
        strengths=strengths,
        energies=energies,
        amplitudes=strengths.astype(complex),
        norms=np.ones(count),
        rows=np.flatnonzero(~(eigenvalues.imag < 0)),
        singular_values=np.linspace(1, 0.1, count) if singular_values is None else np.asarray(singular_values, float),
        rank=count,
        window=(0, steps),
    )


DEGENERATE = {
    "one mode": made_up([0.9], [1]),
    "one pair": made_up([0.5 + 0.5j, 0.5 - 0.5j], [1, 1]),
    "eigenvalue zero": made_up([0, 0], [1, 0]),
    "all equal": made_up([0.9] * 3, [1] * 3, [1] * 3),
    "no strength": made_up([0.9, 0.5], [0, 0]),
    "hardly any strength": made_up([0.9, 0.5], [1e-200, 1e-300]),
    "huge strength": made_up([1.1, 0.9], [1e160, 1e-160]),
    "huge eigenvalues": made_up([2e300, 1e200], [1, 1]),
    "long growth": made_up([1.5, 1], [1e100, 1], steps=3000),
    "strength not a number": made_up([0.9, 0.5], [np.nan, 1]),
    "infinite strength": made_up([0.9, 0.5], [np.inf, 1]),
    "eigenvalue not a number": made_up([np.nan, 0.5], [1, 1]),
    "infinite eigenvalue": made_up([np.inf, 0.5], [1, 1]),
    "singular value zero": made_up([0.5, 0.4], [1, 1], [1, 0]),
    "singular values all zero": made_up([0.5, 0.4], [1, 1], [0, 0]),
    "tiny singular values": made_up([0.5, 0.4], [1, 1], [1e-200, 1e-210]),
    "huge singular values": made_up([0.5, 0.4], [1, 1], [1e200, 1e160]),
    "very many": made_up(np.linspace(1, 0.1, 300), np.linspace(1, 0.1, 300)),
}


def sources(view) -> list[ColumnDataSource]:
    return [model for model in view.figure.references() if isinstance(model, ColumnDataSource) and model.data]


def check_ranges(view) -> None:
    for axis_range in (view.figure.x_range, view.figure.y_range):
        assert type(axis_range) is Range1d
        start, end = axis_range.start, axis_range.end
        assert np.isfinite([start, end]).all()
        assert start < end
        assert (axis_range.reset_start, axis_range.reset_end) in ((start, end), (None, None))


@pytest.mark.parametrize("kind", RESULT_VIEWS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", DEGENERATE)
def test_any_result_is_drawn_in_finite_ranges_and_summed_up(kind, name):
    view = kind()
    view.update(DEGENERATE[name])
    check_ranges(view)
    assert view.summary.endswith(".")
    for source in sources(view):
        assert len({len(column) for column in source.data.values()}) == 1
    assert any(len(next(iter(source.data.values()))) for source in sources(view))


@pytest.mark.parametrize("kind", [*RESULT_VIEWS, views.ModeImage], ids=lambda kind: kind.__name__)
def test_clear_leaves_nothing_of_a_result(kind):
    view = kind()
    constant = {id(source) for source in sources(view) if len(next(iter(source.data.values())))}
    view.update(np.ones((4, 4)) if kind is views.ModeImage else DEGENERATE["one pair"])
    view.clear()
    for source in sources(view):
        if id(source) not in constant:
            assert all(len(column) == 0 for column in source.data.values())
    assert view.summary.startswith("No ")
    check_ranges(view)


@pytest.mark.parametrize("kind", RESULT_VIEWS, ids=lambda kind: kind.__name__)
def test_real_results_are_drawn_and_embed_without_warnings(kind):
    result = analysis.dmd(np.random.default_rng(0).normal(size=(50, 9)), rank=5)
    view = kind()
    view.update(result)
    check_ranges(view)
    script, _ = components(view.figure)
    assert view.figure.id in script


@pytest.mark.parametrize("kind", RESULT_VIEWS, ids=lambda kind: kind.__name__)
def test_a_zoom_survives_the_next_result_and_reset_leads_home(kind):
    view = kind()
    view.update(made_up([0.9, 0.5], [1, 2]))
    view.figure.x_range.update(start=0.25, end=0.5)
    view.update(made_up([1.6, 1.5, 1.4, 0.3], [9, 3, 2, 1], steps=20))
    assert (view.figure.x_range.start, view.figure.x_range.end) == (0.25, 0.5)
    home = view.figure.x_range.reset_start, view.figure.x_range.reset_end
    view.figure.x_range.update(start=home[0], end=home[1])
    view.update(made_up([0.9], [1], steps=5))
    assert (view.figure.x_range.start, view.figure.x_range.end) != home
    check_ranges(view)


# ---------------------------------------------------------------- the eigenvalue circle


def test_the_circle_tells_growing_decaying_and_stable_apart_in_colour_and_shape():
    circle = views.EigenvalueCircle()
    circle.update(made_up([1.2, 1.0, 0.5, 7], [4, 3, 2, 1]))
    data = circle.rows.data
    assert data["kind"] == ["growing", "stable", "decaying", "growing, off the scale"]
    assert len(set(data["color"])) == len(set(data["marker"])) == 4
    assert data["marker"] == [MARKERS[color] for color in data["color"]]
    assert data["color"][0] == GROWING
    assert data["modulus"][3] == 7
    assert np.hypot(data["x"][3], data["y"][3]) == pytest.approx(REACH)


def test_the_band_is_as_wide_as_asked():
    circle = views.EigenvalueCircle()
    circle.update(made_up([1.1], [1]), tol=0.05)
    assert circle.rows.data["kind"] == ["growing"]
    circle.update(made_up([1.1], [1]), tol=0.2)
    assert circle.rows.data["kind"] == ["stable"]
    assert "1 within 0.2 of the unit circle" in circle.summary


def test_both_members_of_a_pair_carry_its_row_and_its_mark():
    result = made_up([0.9, 0.5 + 0.5j, 0.5 - 0.5j, 0.1], [4, 3, 3, 1])
    assert row_of_each(result).tolist() == [0, 1, 1, 2]
    circle = views.EigenvalueCircle()
    circle.update(result, selected=1)
    assert list(circle.rows.data["row"]) == [1, 2, 2, 3]
    assert sorted(circle._mark.data["y"]) == pytest.approx([-0.5, 0.5])


def test_what_is_not_finite_is_counted_in_words():
    circle = views.EigenvalueCircle()
    circle.update(made_up([np.nan, np.inf, 0.5], [1, 1, 1]))
    assert "2 not finite and not drawn" in circle.summary
    assert np.isnan(circle.rows.data["x"]).tolist() == [True, True, False]


# ---------------------------------------------------------------- taps


@pytest.mark.parametrize("kind", [views.EigenvalueCircle, views.ModeEnergies], ids=lambda kind: kind.__name__)
def test_a_tap_is_the_row_of_what_was_tapped_and_only_once(kind):
    view = kind()
    view.update(made_up([0.9, 0.5 + 0.5j, 0.5 - 0.5j, 0.1], [4, 3, 3, 1]))
    assert view.take_tap(0) is None
    last = len(view.rows.data["row"]) - 1
    view.rows.selected.indices = [last]
    assert view.take_tap(0) == 2
    assert view.rows.selected.indices == []
    assert view.take_tap(0) is None


def test_a_tap_on_overlapping_marks_goes_on_to_the_next():
    circle = views.EigenvalueCircle()
    circle.update(made_up([0.9, 0.9, 0.9, 0.1], [4, 3, 3, 1]))
    chosen, visited = 3, []
    for _ in range(4):
        circle.rows.selected.indices = [0, 1, 2]
        chosen = circle.take_tap(chosen)
        visited.append(chosen)
    assert visited == [0, 1, 2, 0]


def test_a_tap_on_a_mark_that_is_gone_is_nothing():
    circle = views.EigenvalueCircle()
    circle.update(made_up([0.9], [4]))
    circle.rows.selected.indices = [5]
    assert circle.take_tap(0) is None
    assert circle.rows.selected.indices == []


@pytest.mark.parametrize("kind", [views.SingularValues, views.TimeDynamics, views.ModeImage])
def test_views_without_rows_take_no_taps(kind):
    assert kind().take_tap(0) is None


# ---------------------------------------------------------------- energies


def test_shares_count_both_members_of_a_pair_and_sum_to_one():
    shares = row_shares(made_up([0.9, 0.5 + 0.5j, 0.5 - 0.5j], [2, 1, 1]))
    assert shares.tolist() == pytest.approx([4 / 6, 2 / 6])


@pytest.mark.parametrize(
    ("name", "why"),
    [("no strength", "all zero"), ("strength not a number", "not all finite"), ("infinite strength", "not all finite")],
)
def test_undefined_shares_are_nan_and_say_why(name, why):
    assert np.isnan(row_shares(DEGENERATE[name])).all()
    bars = views.ModeEnergies()
    bars.update(DEGENERATE[name])
    assert f"undefined, because they are {why}" in bars.summary


def test_bars_stand_on_the_log_axis_and_keep_the_true_energy():
    bars = views.ModeEnergies()
    bars.update(made_up([0.9, 0.5, 0.2], [2, 0, np.nan]), selected=1)
    data = bars.rows.data
    assert (np.asarray(data["top"]) >= data["bottom"]).all()
    assert data["energy"][:2].tolist() == [4, 0]
    assert [edge == SELECTED for edge in data["edge"]] == [False, True, False]


def test_no_more_bars_than_can_be_seen():
    bars = views.ModeEnergies()
    bars.update(DEGENERATE["very many"], selected=200)
    assert len(bars.rows.data["row"]) == MOST_BARS
    assert f"the first {MOST_BARS} are drawn" in bars.summary


@pytest.mark.parametrize("values", [[], [0], [np.nan], [1e-320], [1.7e308], [1e-300, 1e300], [3, 3], [np.inf, 2]])
def test_log_bounds_hold_more_than_two_decades(values):
    low, high = log_bounds(np.array(values, float), floor=1e-12)
    assert 0 < low < high < np.inf
    assert high / low > 100


# ---------------------------------------------------------------- singular values and course


def test_the_cut_stands_after_the_rank():
    scree = views.SingularValues()
    result = made_up([0.5] * 4, [1] * 4, [8, 4, 2, 1])
    result.rank = 2
    scree.update(result)
    assert scree._cut.location == 2.5
    assert scree._cut.visible
    assert scree._values.data["kept"] == ["kept", "kept", "cut", "cut"]
    assert "rank 2 keeps 94.12% of the energy, condition number 2." in scree.summary
    scree.clear()
    assert not scree._cut.visible


def test_the_course_is_that_of_the_pair():
    course = views.TimeDynamics()
    value = 0.9 * np.exp(0.7j)
    course.update(made_up([value, value.conjugate()], [2, 2]), labels=["first"])
    steps = np.arange(9)
    assert course._course.data["value"] == pytest.approx(2 * 2 * 0.9**steps * np.cos(0.7 * steps))
    assert course._course.data["label"] == ["first"] + [""] * 8
    assert "decays: a factor of 0.9 per snapshot" in course.summary


def test_a_course_that_overflows_is_cut_and_says_so():
    course = views.TimeDynamics()
    course.update(DEGENERATE["long growth"])
    values = np.asarray(course._course.data["value"])
    assert np.isfinite(values[0])
    assert np.isnan(values[-1])
    assert f"only the first {int(np.isfinite(values).sum())} are finite and drawn" in course.summary


# ---------------------------------------------------------------- the mode as a picture

MAPS = {
    "zero": np.zeros((4, 4)),
    "one pixel": np.ones((1, 1)),
    "one row": np.ones((1, 9)),
    "not a number": np.full((4, 4), np.nan),
    "partly": np.array([[1.0, np.nan], [np.inf, 2.0]]),
    "huge": np.full((4, 4), 1e300),
    "large": np.ones((300, 200)),
    "vector": np.arange(5.0),
    "vector not a number": np.full(5, np.nan),
    "one entry": np.ones(1),
    "huge vector": np.array([1e300, -1e300]),
    "nothing": np.zeros(0),
}


@pytest.mark.parametrize("options", [{}, {"picture": np.zeros((8, 5, 3), np.uint8)}, {"signed": True}], ids=str)
@pytest.mark.parametrize("name", MAPS)
def test_any_map_is_drawn(name, options):
    image = views.ModeImage()
    image.update(MAPS[name], **options)
    check_ranges(image)
    assert np.isfinite([image.mapper.low, image.mapper.high]).all()
    assert image.mapper.low < image.mapper.high
    assert ("not finite" in image.summary) == bool(np.sum(~np.isfinite(MAPS[name])))


def test_a_map_lies_the_right_way_up_over_its_picture():
    image = views.ModeImage()
    values = np.zeros((4, 4))
    values[0, 3] = 5  # top right
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[0, 7] = 255
    image.update(values, picture=picture, opacity=0.3)
    (drawn,) = image._map.data["image"]
    (under,) = image._picture.data["image"]
    assert np.unravel_index(drawn.argmax(), drawn.shape)[0] > drawn.shape[0] // 2  # Bokeh's rows grow upwards
    assert np.unravel_index(drawn.argmax(), drawn.shape)[1] > drawn.shape[1] // 2
    assert under[-1, -1] == 0xFFFFFFFF
    assert under[0, 0] == 0xFF000000
    assert (image._map.data["dw"], image._map.data["dh"]) == ([8], [8])
    assert image._overlay.glyph.global_alpha == 0.3
    image.update(values, opacity=0.3)
    assert image._overlay.glyph.global_alpha == 1
    assert image._picture.data["image"] == []


def test_signed_colours_have_zero_in_the_middle():
    image = views.ModeImage()
    image.update(np.array([[-1.0, 3.0], [0.0, 2.0]]), signed=True)
    assert (image.mapper.low, image.mapper.high) == (-3, 3)


def test_a_map_after_a_vector_hides_the_line_and_the_other_way_round():
    image = views.ModeImage()
    image.update(np.arange(5.0))
    assert len(image._line.data["x"]) == 5
    image.update(np.ones((3, 3)))
    assert len(image._line.data["x"]) == 0
    assert len(image._map.data["image"]) == 1
    image.update(np.arange(5.0))
    assert image._map.data["image"] == []


def test_views_do_not_import_torch_themselves():
    code = (
        "import sys, types\n"
        "package = types.ModuleType('dyn_explorer'); package.__path__ = [sys.argv[1]]\n"
        "sys.modules['dyn_explorer'] = package\n"  # without the package's own imports
        "import dyn_explorer.views\n"
        "found = {'torch', 'ipywidgets', 'matplotlib'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(views.__file__).parents[1])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
