"""A sweep's table becomes marks, lines and a sentence that says the coefficients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bokeh.embed import components

from dyn_explorer import DynExplorerError, analysis, views
from dyn_explorer.views.correlation_of import of_models
from dyn_explorer.views.theme import SELECTED

FEW = {"resamples": 50, "permutations": 50}


@pytest.fixture
def table() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    rows = []
    for model in range(12):
        name, accuracy = f"net {model}", 0.5 + model / 30
        rows.append((name, "", "accuracy", accuracy, 0.1))
        rows.append((name, "", "width", float(generator.integers(4, 9)), np.nan))
        for layer in ("a", "b"):
            rows.append((name, layer, "entropy", accuracy + (layer == "b"), 1.0 + generator.random()))
            rows.append((name, layer, "rank", 3.0 if model else np.nan, np.nan))
    return pd.DataFrame(rows, columns=["model", "layer", "measure", "value", "null"])


def test_a_measure_of_layers_is_their_mean_or_one_of_them(table):
    accuracy = of_models(table, "accuracy")
    np.testing.assert_allclose(of_models(table, "entropy"), accuracy + 0.5)
    np.testing.assert_allclose(of_models(table, "entropy", "b"), accuracy + 1)
    np.testing.assert_allclose(of_models(table, "accuracy", "b"), accuracy)
    assert np.isnan(of_models(table, "rank")[0])


def test_models_are_marks_and_their_nulls_grey(table):
    view = views.correlation(table, "entropy", controls=["width"], selected="net 3", **FEW)
    x = of_models(table, "entropy")
    np.testing.assert_array_equal(view.rows.data["x"], x)
    np.testing.assert_array_equal(view.rows.data["row"], np.arange(1, 13))
    assert [
        name for name, edge in zip(view.rows.data["name"], view.rows.data["edge"], strict=True) if edge == SELECTED
    ] == ["net 3"]
    np.testing.assert_array_equal(view._nulls.data["x"], of_models(table, "entropy", column="null"))
    for axis_range, values in ((view.figure.x_range, x), (view.figure.y_range, of_models(table, "accuracy"))):
        assert axis_range.start < values.min()
        assert values.max() < axis_range.end
    assert view.figure.xaxis.axis_label == "entropy (mean over layers)"
    assert view.figure.title.text.startswith("Spearman 1.00 (1.00 to 1.00), p = 0.0")
    assert "accuracy against entropy (mean over layers) over 12 models: Spearman's coefficient is 1.00" in view.summary
    assert "with width held fixed" in view.summary
    components(view.figure)


def test_a_tap_is_the_row_of_its_model_whichever_are_left_out(table):
    view = views.correlation(table, "rank", **FEW)
    assert "net 0" not in view.rows.data["name"]
    view.rows.selected.indices = [0]
    assert view.take_tap(-1) == 1
    assert view.summary.count("`x` is the same for all 11 models") == 2
    assert view.figure.title.text == "no correlation: `x` is the same for all 11 models"
    view.clear()
    assert len(view.rows.data["x"]) == len(view._nulls.data["x"]) == 0
    assert view.summary == "There is nothing to draw."


def test_parallel_coordinates_run_from_the_least_to_the_largest(table):
    view = views.parallel_coordinates(table, ["entropy", "rank", "width", "accuracy"], selected="net 2")
    heights = np.array(list(view.rows.data["ys"]))
    np.testing.assert_allclose(heights[:, 3], np.linspace(0, 1, 12))
    np.testing.assert_allclose(heights[:, 0], heights[:, 3])
    assert np.isnan(heights[0, 1])
    assert (heights[1:, 1] == 0.5).all()
    np.testing.assert_array_equal(view._chosen.data["ys"][0], heights[2])
    assert view.figure.xaxis[0].major_label_overrides[0.0] == "entropy\n1 to 1.37"
    assert "coloured by accuracy" in view.summary
    view.rows.selected.indices = [5]
    assert view.take_tap(-1) == 5
    components(view.figure)
    view.clear()
    assert view.summary == "There is nothing to draw."


def test_long_names_are_folded_at_their_words(table):
    long = table.replace({"measure": {"entropy": "out_strength_fluctuation"}})
    view = views.parallel_coordinates(long, ["out_strength_fluctuation", "accuracy"])
    assert view.figure.xaxis[0].major_label_overrides[0.0].startswith("out strength\nfluctuation\n")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: views.correlation(t, "entropi"), "no measure 'entropi'; it holds 'accuracy', 'width', 'entropy'"),
        (lambda t: views.correlation(t, "entropy", layer="c"), "not measured in a layer 'c'; layers are 'a', 'b'"),
        (lambda t: views.correlation(t, "entropy", selected="x"), r"`selected` \(='x'\) is none of the models 'net 0'"),
        (lambda t: views.parallel_coordinates(t, []), "`measures` is empty"),
        (lambda t: views.parallel_coordinates(t, ["rank"], selected="x"), r"`selected` \(='x'\)"),
        (
            lambda t: views.correlation(t.drop(columns="null"), "entropy"),
            "must be what dx.sweep returns; it lacks 'null'",
        ),
        (lambda t: views.parallel_coordinates({}, ["rank"]), "it lacks 'layer', 'measure'"),
    ],
)
def test_what_cannot_be_drawn_is_said(table, call, message):
    with pytest.raises(DynExplorerError, match=message):
        call(table)


def test_an_empty_population_is_drawn_as_nothing():
    empty = np.empty(0)
    view = views.ModelScatter()
    view.update(empty, empty, analysis.correlation(empty, empty), names=[], x_label="rank", y_label="accuracy")
    assert "0 models" in view.summary
    assert (view.figure.x_range.start, view.figure.x_range.end) == (0.0, 1.0)
