"""Signals of a whole data set are those of its maps, and the maps are never kept."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from dyn_explorer.analysis import pooled_signals
from dyn_explorer.capture import SignalReader, has_directions, list_layers, record
from dyn_explorer.errors import Cancelled, DynExplorerError


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, groups=2),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(6, 4, 2, bias=False),
        nn.Flatten(),
        nn.Linear(4 * 49, 3),
    ).eval()


@pytest.mark.parametrize("pool", ["mean", "signed_max", "rms"])
def test_streamed_signals_are_those_of_recorded_maps(model, pool):
    inputs, layers = torch.randn(10, 2, 8, 8), ["0", "2", "4"]
    whole = record(model, inputs, layers=layers)
    reader = SignalReader(model, layers, kinds=("svd", "channel", "random", "random"), pool=pool)
    streamed = record(model, inputs, layers=layers, reduce=reader, batch_size=4)
    for name in layers:
        bias = model.get_submodule(name).bias
        for place, basis in enumerate(reader.bases[name]):
            expected = pooled_signals(whole.activations[name], basis.vectors, bias=bias, pool=pool)
            found = torch.as_tensor(reader.signals(streamed, name, place))
            torch.testing.assert_close(found, expected.double(), atol=1e-6, rtol=1e-5)
        assert streamed.activations[name].ndim == 2
        assert reader.signals(streamed, name, 1, directions=2).shape == (10, 2)
    torch.testing.assert_close(streamed.outputs, whole.outputs)


def test_random_draws_differ_and_the_seed_decides(model):
    first, second = (SignalReader(model, ["4"], kinds=("random", "random"), seed=seed).bases["4"] for seed in (0, 1))
    assert (first[1].vectors == second[0].vectors).all()
    assert (first[0].vectors != first[1].vectors).any()


def test_layers_with_directions_are_those_with_a_matrix_or_kernel(model):
    assert [info.name for info in list_layers(model) if has_directions(info)] == ["0", "2", "4"]


def test_layers_without_directions_are_named(model):
    with pytest.raises(DynExplorerError, match=r"layer '1' \(ReLU\) has no directions: choose a linear layer"):
        SignalReader(model, ["1"])
    with pytest.raises(DynExplorerError, match=r"there is no layer 'x'; list_layers\(model\) names them"):
        SignalReader(model, ["x"])


def test_reading_directions_can_be_cancelled(model):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="reading the directions was cancelled"):
        SignalReader(model, ["0"], cancel=cancel)
