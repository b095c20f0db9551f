"""A history records beside a training run, and the run is as without it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, History


class Net(nn.Module):
    """Everything that a look at it might disturb: batch statistics, dropout, an in-place activation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4 * 36, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(self.relu(self.norm(self.conv(images)))).flatten(1))


@pytest.fixture
def probe():
    return torch.randn(6, 1, 8, 8), [0, 1, 2, 0, 1, 2]


@pytest.fixture
def history(probe):
    return History(Net(), *probe)


def trained(history_of, epochs: int = 3):
    torch.manual_seed(1)
    model = Net()
    images, labels = torch.randn(24, 1, 8, 8), torch.arange(24) % 3
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = history_of(model)
    model.train()
    for epoch in range(epochs):
        for part in torch.randperm(24).split(8):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images[part]), labels[part])
            loss.backward()
            optimizer.step()
        if history is not None:
            history.record(epoch=epoch, loss=loss)
    return model, torch.get_rng_state(), history


def test_training_is_the_same_bit_for_bit_with_and_without_a_history(probe):
    bare, random_state, _ = trained(lambda model: None)
    watched, watched_random_state, history = trained(lambda model: History(model, *probe, checkpoints=True))
    assert torch.equal(random_state, watched_random_state)
    assert watched.training
    for name, value in bare.state_dict().items():
        assert torch.equal(value, watched.state_dict()[name]), name
    assert history.epochs == (0, 1, 2)
    for name, value in history.state(2).items():
        assert torch.equal(value, bare.state_dict()[name]), name


def test_a_trace_is_the_mean_response_in_eval_mode(probe):
    model, _, history = trained(lambda model: History(model, *probe, dtype="float32"))
    model.eval()
    with torch.no_grad():
        expected = model.conv(probe[0]).mean(dim=(2, 3)).numpy()
        scores = model(probe[0]).numpy()
    assert np.array_equal(history.trace("conv", 2), expected)
    assert np.allclose(history.trace("head", 2), scores, atol=1e-6)
    assert history.trace("conv").shape == (3, 6, 4)
    assert np.array_equal(history.trace("conv")[2], history.trace("conv", 2))
    assert history.layers == ("conv", "norm", "relu", "drop", "head")
    assert history.probe_labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_tokens_are_averaged_and_vectors_are_kept():
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mix = nn.Linear(5, 5)
            self.head = nn.Linear(5, 2)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.head(self.mix(tokens).mean(dim=1))

    history = History(Tokens(), torch.randn(3, 7, 5), dtype="float32")
    history.record(epoch=0)
    assert history.trace("mix").shape == (1, 3, 5)
    assert history.trace("head").shape == (1, 3, 2)


def test_metrics_have_nan_where_an_epoch_has_none(history):
    history.record(epoch=1, loss=torch.tensor(0.5))
    history.record(epoch=2, loss=0.25, accuracy=np.float32(0.5), rate=1)
    assert history.metrics["loss"].tolist() == [0.5, 0.25]
    assert math.isnan(history.metrics["accuracy"][0])
    table = history.table()
    assert table["epoch"].tolist() == [1, 2]
    assert list(table.columns) == ["epoch", "loss", "accuracy", "rate", "checkpoint"]
    assert "2 records, 5 layers, epochs 1 to 2" in repr(history)


def test_a_diverged_loss_is_recorded_as_it_is(history):
    history.record(epoch=0, loss=float("nan"))
    assert math.isnan(history.metrics["loss"][0])


@pytest.mark.parametrize("epoch", [1, 0, -3])
def test_epochs_come_once_and_in_order(history, epoch):
    history.record(epoch=1)
    with pytest.raises(DynExplorerError, match=rf"`epoch` \(={epoch}\) must come after 1, the last one recorded"):
        history.record(epoch=epoch)
    assert history.epochs == (1,)


@pytest.mark.parametrize("epoch", ["1", 1.5, None, True, float("nan")])
def test_an_epoch_is_a_whole_number(history, epoch):
    with pytest.raises(DynExplorerError, match="must be a whole number"):
        history.record(epoch=epoch)


def test_a_metric_is_one_number(history):
    with pytest.raises(DynExplorerError, match=r"metric 'loss' .* must be one number"):
        history.record(epoch=0, loss=torch.zeros(3))
    with pytest.raises(DynExplorerError, match=r"metric 'name' .* must be one number"):
        history.record(epoch=0, name="run 1")
    assert history.epochs == ()


def test_a_layer_that_changes_size_is_said_and_the_epochs_before_are_kept(history):
    history.record(epoch=0)
    history._model.conv = nn.Conv2d(1, 5, 3)
    history._model.norm = nn.BatchNorm2d(5)
    history._model.head = nn.Linear(5 * 36, 3)
    with pytest.raises(DynExplorerError, match=r"at epoch 1 the response of layer '\w+' is \(6, 5\).*was \(6, 4\)"):
        history.record(epoch=1)
    assert history.epochs == (0,)
    assert history.trace("conv").shape == (1, 6, 4)


def test_unknown_names_and_epochs_are_answered_in_words(history, probe):
    with pytest.raises(DynExplorerError, match="unknown layer 'convv'; the nearest names are: conv"):
        History(Net(), *probe, layers=["convv"])
    with pytest.raises(DynExplorerError, match=r"`dtype` \(='int8'\) is unknown; choose one of: float16, float32"):
        History(Net(), *probe, dtype="int8")
    with pytest.raises(DynExplorerError, match=r"`checkpoints` \(='all'\) must be True, False, every how many records"):
        History(Net(), *probe, checkpoints="all")
    with pytest.raises(DynExplorerError, match="epoch 3 was not recorded; recorded are none yet"):
        history.state(3)
    history.record(epoch=0)
    with pytest.raises(DynExplorerError, match="there is no layer 'cov'"):
        history.trace("cov")
    with pytest.raises(DynExplorerError, match="epoch 0 has no checkpoint; epochs with one: none"):
        history.state(0)


def test_every_nth_epoch_keeps_its_weights(probe):
    history = History(Net(), *probe, checkpoints=2)
    for epoch in range(5):
        history.record(epoch=epoch)
    assert history.checkpoint_epochs == (0, 2, 4)


def test_chosen_epochs_keep_their_weights_in_half_precision(probe):
    model = Net()
    history = History(model, *probe, checkpoints={1, 3}, checkpoint_dtype="float16")
    for epoch in range(5):
        history.record(epoch=epoch)
    assert history.checkpoint_epochs == (1, 3)
    kept = history.state(3)
    assert torch.equal(kept["conv.weight"], model.conv.weight.half())
    assert kept["norm.num_batches_tracked"].dtype == torch.int64
    dx.capture.copy_with(model, kept, "epoch 3")(probe[0])


def test_beyond_the_budget_only_numbers_are_kept_and_training_goes_on(probe):
    history = History(Net(), *probe, memory_budget=300, layers=["conv", "head"])
    history.record(epoch=0, loss=1.0)  # 6 inputs, 4 + 3 units, 2 bytes: 84
    history.record(epoch=1, loss=0.9)
    history.record(epoch=2, loss=0.8)
    with pytest.warns(UserWarning, match="epoch 3 would go beyond `memory_budget`"):
        history.record(epoch=3, loss=0.7)
    history.record(epoch=4, loss=0.6)
    assert history.metrics["loss"].tolist() == [1.0, 0.9, 0.8, 0.7, 0.6]
    assert np.isnan(history.trace("conv")).all(axis=(1, 2)).tolist() == [False, False, False, True, True]


def test_values_that_float16_cannot_hold_are_kept_in_float32():
    model = nn.Sequential(nn.Linear(2, 3))
    with torch.no_grad():
        model[0].weight.fill_(1e6)
    history = History(model, torch.ones(4, 2))
    history.record(epoch=0)
    assert np.isfinite(history.trace("0")).all()
    assert np.allclose(history.trace("0"), 2e6, rtol=1e-5)


def test_a_probe_that_does_not_fit_is_said_and_nothing_is_recorded():
    history = History(Net(), torch.randn(2, 3, 8, 8))
    with pytest.raises(DynExplorerError, match="conv"):
        history.record(epoch=0)
    assert history.epochs == ()


def test_it_is_public():
    assert dx.History is History


@pytest.mark.parametrize(
    ("device", "message"),
    [("nowhere", "`device` .='nowhere'. is no device; give 'cpu' or 'cuda'"), (1.5, "is no device")],
)
def test_a_device_that_is_none_is_said_before_training_begins(probe, device, message):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(DynExplorerError, match=message):
        History(model, torch.zeros(2, 1, 8, 8), device=device)
    with pytest.raises(DynExplorerError, match=message):
        dx.record(model, torch.zeros(2, 1, 8, 8), device=device)


def test_a_probe_batch_on_another_device_is_said_and_nothing_is_recorded():
    history = History(nn.Sequential(nn.Linear(3, 2)), torch.zeros(4, 3, device="meta"))
    with pytest.raises(DynExplorerError, match=r"`inputs` are on meta but the model is on cpu; use inputs.to"):
        history.record(epoch=0)
    assert history.epochs == ()
