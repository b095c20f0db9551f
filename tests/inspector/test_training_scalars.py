"""A measure of another panel as a further line of the Training panel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, History
from dyn_explorer.inspector.panels import Settings


@pytest.fixture
def history(model, digits):
    made = History(model, *(part[:30] for part in digits), layers=["0", "2"], checkpoints=2)
    for epoch in range(4):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        made.record(epoch=epoch, loss=1 / (epoch + 1), learning_rate=0.1 / (epoch + 1))
    return made


@pytest.fixture
def opened(open_inspector, model, digits, history):
    inspector = open_inspector(model, labels=digits[1], history=history).wait(60)
    inspector.layer = "2"
    inspector.options("training", images=2)
    inspector.panel = "training"
    return inspector.wait(60)


def line(inspector):
    (found,) = inspector.wait(60).results["training"].scalars
    return found


@pytest.mark.parametrize("measure", ["stable_rank", "rank_alignment", "entropy_share", "accuracy"])
def test_it_is_the_measure_of_the_sweep_at_every_epoch_with_weights(opened, model, digits, history, measure):
    opened.options("training", scalar=measure)
    found = line(opened)
    assert found.epochs.tolist() == [0, 2]
    names = {"model": model, "inputs": digits[0], "labels": digits[1], "history": history}
    exec(opened.code(), names)
    (trend,) = names["scalars"].values()
    assert found.values[0].tolist() == pytest.approx(trend["value"].tolist(), rel=1e-10)
    assert found.nulls[0].tolist() == pytest.approx(trend["null"].tolist(), rel=1e-10)
    view = opened._panels["training"].views["scalar"]
    assert len(view.rows.data["x"]) == 4
    assert "(grey) goes from" in view.summary
    table = opened.table().set_index("epoch")
    column = measure if measure != "entropy_share" else "entropy_share_beside"
    assert table.loc[[0, 2], column].tolist() == pytest.approx(found.values[0].tolist())
    assert table.loc[[1, 3], column].isna().all()


def test_what_is_read_from_responses_is_there_at_every_epoch_and_needs_no_weights(opened, history):
    opened.options("training", scalar="unit_purity")
    found = line(opened)
    assert found.epochs.tolist() == [0, 1, 2, 3]
    expected = [
        dx.analysis.class_hypergraph(history.trace("2", epoch), history.probe_labels).mean_purity for epoch in range(4)
    ]
    assert found.values[0].tolist() == pytest.approx(expected)
    label = opened._panels["training"].views["scalar"].figure.yaxis[0].axis_label
    assert label == "purity of units, 2"


def test_a_number_of_the_loop_can_be_drawn_too(opened):
    browser = FakeBrowser(opened)
    [menu] = [control for control in browser.sections["controls"] if control["name"] == "training.scalar"]
    assert menu["options"][-1]["value"] == "run_learning_rate"
    assert {"alpha", "sample_half_width", "purity"} <= {option["value"] for option in menu["options"]}
    browser.set(**{"training.scalar": "run_learning_rate"})
    browser.settle()
    view = opened._panels["training"].views["scalar"]
    assert view.summary == "learning_rate against epoch: this run goes from 0.1 to 0.025."


def test_why_there_is_no_line_is_said(opened, open_inspector, model, digits):
    view = opened._panels["training"].views["scalar"]
    assert view.summary.startswith("Choose a measure of another panel at the left")
    opened.options("training", scalar="stable_rank")
    opened.layer = "1"
    opened.wait(60)
    assert view.summary.startswith("stable rank is measured in a linear layer or convolution, and '1' is none; choose")
    opened.options("training", scalar="run_speed")
    opened.wait(60)
    assert view.summary == "this run has no metric named speed."
    with pytest.raises(DynExplorerError, match=r"option 'scalar' of panel 'training' cannot be 'alhpa'.*alpha"):
        opened.options("training", scalar="alhpa")

    bare = History(model, digits[0][:8], layers=["0"])
    bare.record(epoch=0, loss=1.0)
    inspector = open_inspector(model, history=bare).wait(60)
    inspector.panel = "training"
    view = inspector.wait(60)._panels["training"].views["scalar"]
    inspector.options("training", scalar="alpha")
    inspector.wait(60)
    assert "this history holds no weights, and power-law exponent α needs them" in view.summary
    inspector.options("training", scalar="unit_purity")
    inspector.wait(60)
    assert "no labels of its probe inputs" in view.summary


def test_an_epoch_is_measured_once_and_scrubbing_measures_nothing(opened, monkeypatch):
    from dyn_explorer.inspector.panels.training import scalars

    measured, measure = [], scalars.findings_at

    def note(history, epoch, *arguments, **options):
        measured.append(epoch)
        return measure(history, epoch, *arguments, **options)

    monkeypatch.setattr(scalars, "findings_at", note)
    opened.options("training", scalar="link_std")
    opened.wait(60)
    for epoch in (2, 0, None):
        opened.epoch = epoch
        opened.wait(60)
    opened.options("training", scalar="in_strength_fluctuation")  # found together with the other
    opened.wait(60)
    assert measured == [0, 2]


def test_what_was_measured_before_a_cancel_is_kept(opened, monkeypatch):
    from dyn_explorer.inspector.panels.training import scalars

    measure, panel = scalars.findings_at, opened._panels["training"]

    def cancel_after_one(history, epoch, *arguments, **options):
        found = measure(history, epoch, *arguments, **options)
        opened.cancel()
        return found

    monkeypatch.setattr(scalars, "findings_at", cancel_after_one)
    opened.options("training", scalar="stable_rank")
    opened.wait(60)
    settings = Settings.of(panel, opened)
    assert panel._scalars.known(opened.results["training"].runs, "2", settings)[0].epochs.tolist() == [0]
    monkeypatch.setattr(scalars, "findings_at", measure)
    opened.refresh()
    assert line(opened).epochs.tolist() == [0, 2]


def test_bundled_runs_have_their_seeds_and_a_band_of_nulls(open_inspector, monkeypatch):
    from dyn_explorer.inspector.panels.training import panel

    monkeypatch.setattr(panel, "with_null", lambda run, *_given: run)  # slow, and of the other cards
    images, labels = dx.demo.digits("test")
    inspector = open_inspector(dx.demo.load("trained"), images[:8], labels[:8]).wait(60)
    options = {"runs": "bundled", "images": 2, "scalar": "stable_rank"}
    inspector.load_state({**inspector.state(), "options": {"training": options}})
    inspector.layer = "conv1"
    inspector.panel = "training"
    true, shuffled = inspector.wait(200).results["training"].scalars
    assert true.values.shape == shuffled.values.shape == (3, 9)
    assert np.isfinite(true.nulls).all()
    (start,) = [line for line in inspector.code().splitlines() if "runs[name], 'stable_rank'" in line]
    assert start.strip() == "model, runs[name], 'stable_rank', inputs, labels, layer, samples=2"
    test_images, test_labels = (part[:256] for part in dx.demo.digits("test"))
    trend = dx.measure_trend(
        dx.demo.small_cnn(), dx.demo.history("true", 1), "stable_rank", test_images, test_labels, "conv1", samples=2
    )
    assert true.values[1].tolist() == pytest.approx(trend["value"].tolist(), rel=1e-10)
    view = inspector._panels["training"].views["scalar"]
    assert len(view._bands.data["xs"]) == 4  # two runs, each with a null
    assert view.figure.x_range is inspector._panels["training"].views["loss"].figure.x_range
