"""An inspector with a history: looking at past epochs, and recording from inside a training loop."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, History


@pytest.fixture
def trained(model, digits):
    """A history of three epochs with weights at the first two records of every three."""
    history = History(model, digits[0][:8], checkpoints=2)
    for epoch in range(3):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(1.5)
        history.record(epoch=epoch, loss=1 / (epoch + 1))
    return history


def scale(inspector) -> float:
    return float(inspector.results["dynamics"].snapshots.matrix.norm())


def test_a_past_epoch_is_looked_at_through_a_copy(open_inspector, model, digits, trained):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    inspector = open_inspector(model, history=trained)
    now = scale(inspector.wait(60))
    inspector.epoch = 0
    then = scale(inspector.wait(60))
    recording = dx.record(dx.capture.copy_with(model, trained.state(0), "epoch 0"), digits[0], inspector.layer)
    expected = dx.snapshots(recording, inspector.layer, axis="channel").matrix
    assert np.isclose(then, float(expected.norm()), rtol=1e-5)
    assert then < now / 2
    inspector.epoch = 2
    assert np.isclose(scale(inspector.wait(60)), now, rtol=1e-6)
    inspector.epoch = None
    assert np.isclose(scale(inspector.wait(60)), now, rtol=1e-6)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_an_epoch_without_weights_shows_the_model_as_it_is_and_says_so(open_inspector, model, trained):
    from fake_browser import FakeBrowser

    inspector = open_inspector(model, history=trained)
    now = scale(inspector.wait(60))
    browser = FakeBrowser(inspector)
    browser.settle()
    inspector.epoch = 1
    inspector.wait(60)
    browser.settle()
    assert scale(inspector) == now
    assert "Epoch 1 has no checkpoint" in browser.status["text"]
    inspector.epoch = 0
    inspector.wait(60)
    browser.settle()
    assert browser.sections["header"]["facts"][0] == "weights of epoch 0"


def test_epochs_that_are_not_there_are_refused(open_inspector, model, trained):
    plain = open_inspector(model)
    with pytest.raises(
        DynExplorerError, match=r"there is no history; open the model with explore\(model, inputs, hist"
    ):
        plain.epoch = 0
    inspector = open_inspector(model, history=trained)
    with pytest.raises(DynExplorerError, match=r"`epoch` \(=7\) must be None or an epoch of the history: 0, 1, 2\."):
        inspector.epoch = 7
    assert inspector.epoch is None
    trained.record(epoch=7)
    inspector.epoch = 7
    assert inspector.epoch == 7


def test_something_else_than_a_history_is_refused(model, digits):
    with pytest.raises(DynExplorerError, match=r"`history` \(='run'\) must be a History: make one with dx\.History"):
        dx.explore(model, digits[0], history="run")


def test_the_epoch_is_part_of_the_state_and_of_undo(open_inspector, model, trained):
    inspector = open_inspector(model, history=trained).wait(60)
    inspector.epoch = 2
    inspector.wait(60)
    saved = inspector.state()
    inspector.undo()
    assert inspector.epoch is None
    inspector.load_state(saved)
    assert inspector.epoch == 2


def test_step_records_into_the_history(open_inspector, model, digits):
    history = History(model, digits[0][:8], layers=["0"])
    inspector = open_inspector(model, history=history).wait(60)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(digits[0]), digits[1])
        loss.backward()
        optimizer.step()
        if epoch == 1:
            history.record(epoch=epoch, loss=loss)  # by the loop itself
        inspector.step(epoch=epoch, loss=loss.item())
    inspector.step(loss=0.5)
    assert history.epochs == (0, 1, 2, 3)
    assert history.metrics["loss"][3] == 0.5
    inspector.wait(60)


def test_a_past_epoch_waits_while_a_loop_is_running(open_inspector, model, trained):
    inspector = open_inspector(model, history=trained).wait(60)
    inspector.step(epoch=3)
    inspector.wait(60)
    inspector.epoch = 0
    with pytest.raises(DynExplorerError, match="no forward pass runs beside a training loop"):
        inspector.wait(60)
    inspector.refresh()
    inspector.wait(60)
    assert inspector.epoch == 0


def test_epochs_that_end_while_drawing_rests_are_drawn_together(open_inspector, model, digits, monkeypatch):
    history = History(model, digits[0][:8], layers=["0"])
    history.record(epoch=0, loss=1.0)
    inspector = open_inspector(model, history=history).wait(60)
    inspector.panel = "training"
    inspector.wait(60)
    panel, drawn = inspector._panels["training"], []
    show = panel.show

    def note(result, settings):
        drawn.append(len(result.runs[0].histories[0].epochs))
        show(result, settings)

    monkeypatch.setattr(panel, "show", note)
    inspector._renderer._rest_until = time.monotonic() + 60
    for epoch in range(1, 6):
        inspector.step(epoch=epoch, loss=1 / epoch)
    assert drawn == []
    inspector.wait(60)
    assert drawn == [6]
    assert inspector._renderer._rest_until > time.monotonic()  # a drawing is followed by its rest
    inspector._renderer._rest_until = time.monotonic() + 60
    inspector.step(epoch=6, loss=0.1)
    inspector.layer = "0"  # the hand does not wait
    deadline = time.monotonic() + 30
    while drawn == [6] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert drawn[1] == 7


def test_a_step_in_the_training_panel_runs_the_probe_only(open_inspector, model, digits, monkeypatch):
    history = History(model, digits[0][:8], layers=["0"])
    inspector = open_inspector(model, history=history).wait(60)
    history.record(epoch=0)
    inspector.panel = "training"
    inspector.wait(60)
    monkeypatch.setattr(inspector._source, "record", lambda *_arguments: pytest.fail("ran the inputs"))
    inspector.step(epoch=1)
    assert inspector.wait(60).results["training"].epochs.tolist() == [0, 1]


def test_an_epoch_whose_weights_are_damaged_is_said_and_the_others_are_shown(open_inspector, model, digits, tmp_path):
    history = History(model, digits[0][:8], layers=["2"], checkpoints=True, folder=tmp_path / "run")
    for epoch in range(3):
        history.record(epoch=epoch, loss=1.0)
    (damaged,) = (tmp_path / "run").glob("weights_*1.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:1000])
    inspector = open_inspector(model, history=history).wait(60)
    inspector.options("training", images=2, scalar="stable_rank")
    inspector.panel = "training"
    result = inspector.wait(60).results["training"]
    assert result.trend_epochs.tolist() == [0, 2]
    assert result.reason.startswith("Epoch 1 could not be measured: weights_000001.safetensors has 1000 bytes")
    views = inspector._panels["training"].views
    assert "Epoch 1 has no value: weights_000001.safetensors has 1000 bytes" in views["scalar"].summary
    inspector.epoch = 1
    assert inspector.wait(60).results["training"].epoch == 1
    assert (
        "Epoch 1 cannot be looked at, so this is the model as it is now" in inspector._outbox.sections["status"]["text"]
    )
    inspector.epoch = 2
    inspector.wait(60)
    assert inspector._source.epoch == 2
