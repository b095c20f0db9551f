"""The Training panel: bundled runs, a run of one's own that grows, and what is said where there is nothing to show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, History
from dyn_explorer.inspector.panels.epoch_axis import EpochAxis


@pytest.fixture
def history(model, digits):
    made = History(model, digits[0][:8], layers=["0"], checkpoints=True)
    for epoch in range(4):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        made.record(epoch=epoch, loss=1 / (epoch + 1), accuracy=epoch / 4)
    return made


def test_without_a_history_it_says_how_to_make_one(open_inspector, model):
    inspector = open_inspector(model).wait(60)
    inspector.panel = "training"
    with pytest.raises(DynExplorerError, match=r"no history of a training run here.*history\.record\(epoch=epoch"):
        inspector.wait(60)
    browser = FakeBrowser(inspector)
    assert "dx.History(model, probe_inputs, checkpoints=True)" in browser.sections["empty"]
    assert "training.runs" in {control["name"] for control in browser.sections["controls"]}
    browser.set(**{"training.runs": "bundled"})
    browser.settle()
    assert browser.sections["empty"] is None
    assert [run.name for run in inspector.results["training"].runs] == ["true labels", "shuffled labels"]


def test_the_bundled_runs_beside_their_nulls(open_inspector):
    images, labels = dx.demo.digits("test")
    inspector = open_inspector(dx.demo.load("trained"), images[:20], labels[:20]).wait(60)
    inspector.load_state({**inspector.state(), "options": {"training": {"runs": "bundled", "images": 3}}})
    inspector.layer = "conv2"
    inspector.panel = "training"
    result = inspector.wait(120).results["training"]
    assert result.layer == "conv2"
    names = {}
    exec(inspector.code(), names)
    for run, labels in zip(result.runs, dx.demo.RUN_LABELS, strict=True):
        epochs, mean, low, high, _ = run.trend("entropy_share")
        assert epochs.tolist() == list(dx.demo.RUN_EPOCHS)
        assert (low <= mean).all()
        assert (mean <= high).all()
        pooled = [names["trends"][labels, seed].groupby("epoch")["entropy_share"].mean() for seed in dx.demo.RUN_SEEDS]
        assert mean == pytest.approx(np.mean(pooled, axis=0), rel=1e-9)
        assert run.null["entropy_share"]["mean"].index.tolist() == list(dx.demo.RUN_EPOCHS)
    # Another model's run: taps choose the panel's own epoch, not the one that every panel shows.
    assert inspector._page.taps["training"]["trend"] == ("training.at", list(dx.demo.RUN_EPOCHS))
    assert FakeBrowser(inspector).sections["table"]["values"] == []


def test_a_run_of_ones_own_is_drawn_tabulated_and_rebuilt_by_its_code(open_inspector, model, digits, history):
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "training"
    result = inspector.wait(60).results["training"]
    table = inspector.table()
    assert table["epoch"].tolist() == [0, 1, 2, 3]
    assert {"loss", "accuracy", "entropy_share", "sd", "shuffled", "shuffled_sd"} <= set(table.columns)
    names = {"model": model, "inputs": digits[0], "history": history}
    exec(inspector.code(), names)
    assert table["entropy_share"].tolist() == pytest.approx(names["curve"].tolist(), rel=1e-10)
    from scipy.stats import spearmanr

    rho, count = result.runs[0].rank_correlation("entropy_share", "run_accuracy")
    assert count == 4
    assert rho == pytest.approx(spearmanr(table["accuracy"], table["entropy_share"]).statistic)


def test_a_metric_is_chosen_without_measuring_again(open_inspector, model, history, monkeypatch):
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "training"
    inspector.wait(60)
    from dyn_explorer.inspector.panels.training import measure

    monkeypatch.setattr(measure, "metrics_trend", lambda *_arguments, **_options: pytest.fail("measured again"))
    inspector.set_by_name("training.metric", "stable_fraction")
    inspector.wait(60)
    assert inspector._panels["training"].views["trend"].figure.yaxis[0].axis_label == "stable fraction"


def test_an_epoch_is_chosen_by_a_row_and_marked(open_inspector, model, history):
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "training"
    inspector.wait(60)
    browser = FakeBrowser(inspector)
    browser.settle()
    assert browser.sections["table"]["chooses"] == "epoch"
    assert browser.sections["table"]["values"] == [0, 1, 2, 3]
    rows = inspector._panels["training"].views["loss"].rows
    browser.touch(rows.selected, indices=[2])
    browser.settle()
    assert inspector.epoch == 2
    assert inspector._panels["training"].views["loss"]._cursor.location == 2
    [stops] = [control for control in browser.sections["controls"] if control["name"] == "epoch"]
    assert stops["values"] == [0, 1, 2, 3, None]
    assert stops["value"] == 2


def test_a_run_grows_step_by_step_and_is_measured_when_it_is_over(open_inspector, model, digits):
    history = History(model, digits[0][:8], layers=["0"], checkpoints=True)
    history.record(epoch=0, loss=1.0)
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "training"
    inspector.wait(60)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in (1, 2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(digits[0]), digits[1]).backward()
        optimizer.step()
        inspector.step(epoch=epoch, loss=0.5)
        result = inspector.wait(60).results["training"]
        assert len(result.runs[0].number("loss")[0]) == epoch + 1
        assert len(result.runs[0].trends[0]["epoch"].unique()) == 1  # nothing runs beside a training loop
    inspector.refresh()
    result = inspector.wait(60).results["training"]
    assert result.runs[0].trends[0]["epoch"].unique().tolist() == [0, 1, 2]


def test_a_history_without_weights_or_numbers_is_explained(open_inspector, model, digits):
    history = History(model, digits[0][:8], layers=["0"])
    for epoch in range(3):
        history.record(epoch=epoch)
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "training"
    result = inspector.wait(60).results["training"]
    views = inspector._panels["training"].views
    assert "holds no weights, so there is no trend" in result.reason
    assert views["trend"].summary == result.reason
    assert "no metric named loss: history.record(loss=...)" in views["loss"].summary
    assert inspector.table()["epoch"].tolist() == [0, 1, 2]


def test_a_layer_without_maps_has_no_trend_but_its_run_is_shown(open_inspector, model, history):
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "training"
    inspector.layer = "5"
    result = inspector.wait(60).results["training"]
    views = inspector._panels["training"].views
    assert result.reason.startswith("Layer '5' has no dynamics to follow: ")
    assert views["trend"].summary == result.reason
    assert views["loss"].summary == "loss against epoch: this run goes from 1 to 0.25."


def test_uneven_epochs_stand_at_logarithms():
    axis = EpochAxis.of([0, 1, 3, 7, 127])
    assert axis.place([0, 1, 3, 7, 127]).tolist() == [0, 1, 2, 3, 7]
    assert [text for _, text in axis.ticks] == ["0", "1", "3", "7", "127"]
    assert EpochAxis.of([0, 2, 4]).ticks == ()
    assert EpochAxis.of([5]).place([5]).tolist() == [5]


def test_bundled_runs_are_measured_at_every_epoch_beside_their_null(open_inspector):
    images, labels = dx.demo.digits("test")
    inspector = open_inspector(dx.demo.load("trained"), images[:8], labels[:8]).wait(60)
    options = {"runs": "bundled", "images": 2, "optimiser": "sgd", "window_epochs": 50, "null": "circular_shift"}
    inspector.load_state({**inspector.state(), "options": {"training": options}})
    inspector.panel = "training"
    result = inspector.wait(120).results["training"]
    names = {}
    exec(inspector.code(), names)
    for run in result.runs:
        synchrony = run.synchrony
        assert synchrony.epochs.tolist() == list(range(121))
        mean, low, high = synchrony.over_seeds("metastability")
        assert np.isnan(mean[:49]).all()
        assert np.isfinite(mean[49:]).all()
        assert (low[49:] <= mean[49:]).all()
        assert (mean[49:] <= high[49:]).all()
        assert all(np.isfinite(synchrony.bands[name][:, 49:]).all() for name in synchrony.bands)
    measured = result.runs[0].synchrony.seeds[0]
    for name in ("alpha", "integration", "metastability", "index", "volatility"):
        np.testing.assert_array_equal(getattr(measured, name), getattr(names["measures"], name))
    signals = dx.analysis.probe_signals(
        [dx.demo.history(optimiser="sgd").trace(layer) for layer in ("relu1", "relu2", "relu3", "head")]
    )
    portrait = result.portraits["true labels"]
    expected = dx.analysis.synchrony(signals.mean(axis=1).T)
    assert portrait.place == "epoch 120"
    assert portrait.phases == pytest.approx(expected.phases[:, -1])
    assert np.nanmean(portrait.order) == pytest.approx(expected.mean)
    views = inspector._panels["training"].views
    assert "4 phases agree to R = " in views["wheel"].summary
    assert "stability index" in views["volatility"].summary

    browser = FakeBrowser(inspector)
    browser.touch(views["metastability"].rows.selected, indices=[70])
    browser.settle()
    assert inspector._panels["training"].options.at == 70
    assert inspector.wait(60).results["training"].portraits["true labels"].place == "epoch 70"
    assert browser.sections["choices"]["epoch"] is None


def test_few_epochs_or_layers_are_said_and_never_drawn_as_numbers(open_inspector, model, digits):
    history = History(model, digits[0][:8], layers=["0"])
    for epoch in range(5):
        history.record(epoch=epoch)
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "training"
    inspector.wait(60)
    views = inspector._panels["training"].views
    assert views["index"].summary == "Integration and metastability need 6 recorded epochs."
    assert views["wheel"].summary == views["index"].summary
    history.record(epoch=5)
    inspector.refresh()
    result = inspector.wait(60).results["training"]
    # One layer is followed, so there is one oscillator over epochs.
    assert "each layer is an oscillator, and 1 is too few" in result.runs[0].synchrony.reason
    assert "1 is too few" in views["metastability"].summary
    inspector.options("training", follow="depth")
    result = inspector.wait(60).results["training"]
    assert result.portraits == {}
    assert not any(np.isfinite(seed.integration).any() for seed in result.runs[0].synchrony.seeds)


def test_depth_is_measured_epoch_by_epoch_in_a_deep_model(open_inspector):
    torch.manual_seed(0)
    deep = nn.Sequential(*(layer for _ in range(26) for layer in (nn.Linear(12, 12), nn.Tanh())))
    inputs = torch.randn(6, 12)
    history = History(deep, inputs)
    for epoch in range(6):
        with torch.no_grad():
            deep[0].weight.add_(0.1 * torch.randn(12, 12))
        history.record(epoch=epoch)
    inspector = open_inspector(deep, inputs, history=history)
    inspector.load_state({**inspector.state(), "options": {"training": {"follow": "depth"}}})
    inspector.panel = "training"
    inspector.epoch = 2
    result = inspector.wait(120).results["training"]
    synchrony, portrait = result.runs[0].synchrony, result.portraits["this run"]
    assert synchrony.seeds[0].steps == 52
    assert np.isfinite(synchrony.seeds[0].integration).all()
    assert "below 256 alpha is uncertain" in synchrony.reason
    assert np.isfinite(synchrony.bands["integration"]).all()
    assert portrait.names == tuple(f"input {index}" for index in range(6))
    assert portrait.place == f"{inspector.layer} at epoch 2"
    assert inspector._panels["training"].views["order"].figure.xaxis[0].axis_label == "layer, counted from 0"
