"""The metrics of a training run's dynamics are those of a model with each epoch's weights."""

from __future__ import annotations

import threading

import pytest
import torch

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.errors import Cancelled


@pytest.fixture(scope="module")
def images():
    return dx.demo.digits("test")[0][:3]


def test_each_epoch_is_measured_with_its_own_weights(images):
    history = dx.demo.history("true", 1)
    trend = dx.metrics_trend(dx.demo.small_cnn(), history, images, "conv2", rank=5)
    model = dx.demo.small_cnn()
    for epoch in (0, 16):
        model.load_state_dict(history.state(epoch))
        expected = dx.metrics_table(model, images, "conv2", rank=5)
        part = trend[trend["epoch"] == epoch].reset_index(drop=True)
        assert part["entropy_share"].tolist() == pytest.approx(expected["entropy_share"].tolist(), rel=1e-9)
        accuracy = history.metrics["accuracy"][history.epochs.index(epoch)]
        assert part["run_accuracy"].tolist() == [accuracy] * 3


def test_the_bundled_runs_learned_what_they_were_given():
    images, labels = dx.demo.digits("test")
    for seed in dx.demo.RUN_SEEDS:
        true, shuffled = dx.demo.history("true", seed), dx.demo.history("shuffled", seed)
        assert true.metrics["test_accuracy"][-1] > 0.97
        assert shuffled.metrics["accuracy"][-1] > 0.97
        assert shuffled.metrics["test_accuracy"][-1] < 0.2
        model = dx.capture.copy_with(dx.demo.small_cnn(), true.state(120), "epoch 120")
        assert dx.demo.accuracy(model.eval(), images, labels) == pytest.approx(
            true.metrics["test_accuracy"][-1], abs=0.01
        )


def test_some_epochs_only_and_the_model_is_left_alone(images):
    model = dx.demo.small_cnn()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    told = []
    trend = dx.metrics_trend(
        model, dx.demo.history(), images, "conv3", epochs=[4, 64], progress=lambda done, text: told.append((done, text))
    )
    assert sorted(set(trend["epoch"])) == [4, 64]
    assert told == [(0.5, "measured epoch 4"), (1.0, "measured epoch 64")]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_what_cannot_be_measured_is_said(images):
    model = dx.demo.small_cnn()
    history = dx.History(model, images)
    history.record(epoch=0)
    with pytest.raises(DynExplorerError, match="holds no weights, and a trend of the dynamics needs them"):
        dx.metrics_trend(model, history, images, "conv3")
    with pytest.raises(DynExplorerError, match="epoch 3 has no checkpoint; epochs with one: 0, 1, 2, 4"):
        dx.metrics_trend(model, dx.demo.history(), images, "conv3", epochs=[3])
    with pytest.raises(DynExplorerError, match="epoch 300 was not recorded"):
        dx.metrics_trend(model, dx.demo.history(), images, "conv3", epochs=[300])
    with pytest.raises(DynExplorerError, match="epoch 0 does not fit the model"):
        dx.metrics_trend(torch.nn.Linear(3, 2), dx.demo.history(), torch.zeros(2, 3))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        dx.metrics_trend(model, dx.demo.history(), images, "conv3", cancel=cancel)
    with pytest.raises(DynExplorerError, match=r"`labels` \(='random'\) is none of 'true', 'shuffled'"):
        dx.demo.history("random")
    with pytest.raises(DynExplorerError, match=r"`seed` \(=7\) is none of 0, 1, 2"):
        dx.demo.history(seed=7)
