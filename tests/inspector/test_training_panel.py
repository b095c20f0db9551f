"""The Training panel: bundled runs, a run of one's own that grows, and what is said where there is nothing to show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, History
from dyn_explorer.inspector.panels.training.result import positions


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
    # Taps and rows choose epochs of the model's own history only.
    assert inspector._taps["training"]["trend"] == ("epoch", [])


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
    inspector._set_option("training", "metric", "stable_fraction")
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


def test_a_layer_without_maps_is_refused_in_words(open_inspector, model, history):
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "training"
    inspector.layer = "5"
    with pytest.raises(DynExplorerError, match="layer '5' has no dynamics to follow"):
        inspector.wait(60)


def test_uneven_epochs_stand_at_logarithms():
    place, ticks = positions([0, 1, 3, 7, 127])
    assert place.tolist() == [0, 1, 2, 3, 7]
    assert [text for _, text in ticks] == ["0", "1", "3", "7", "127"]
    assert positions([0, 2, 4])[1] == []
    assert positions([5])[0].tolist() == [5]
