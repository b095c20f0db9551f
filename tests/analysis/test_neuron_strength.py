"""Neuron strength over data: a reconstruction, whose sums are checked by hand and against node strength."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import AffineLayer, neuron_strength, node_strength


def test_inputs_of_ones_give_the_in_strength():
    layer = nn.Linear(4, 3).double()
    z = layer(torch.ones(5, 4, dtype=torch.float64))
    found = neuron_strength(z)
    assert torch.allclose(found.mean, AffineLayer(layer.weight, layer.bias).in_strength(), rtol=0, atol=1e-12)
    assert torch.allclose(found.sd, torch.zeros(3, dtype=torch.float64), atol=1e-12)


def test_neurons_that_send_ones_have_their_node_strength():
    first, second = nn.Conv2d(1, 2, 3).double(), nn.Linear(2 * 4 * 4, 3).double()
    layers = [AffineLayer(first.weight, first.bias, (1, 6, 6)), AffineLayer(second.weight)]
    z = first(torch.ones(1, 1, 6, 6, dtype=torch.float64))
    found = neuron_strength(z, activations=torch.ones_like(z), following=layers[1])
    assert torch.allclose(found.mean, node_strength(layers)[1], rtol=0, atol=1e-12)


def test_moments_over_data():
    z = torch.randn(50, 2, 3)
    found = neuron_strength(z, activations=z.relu(), following=AffineLayer(torch.ones(2, 6)))
    expected = z.double() + 2 * z.double().relu()
    assert torch.allclose(found.mean, expected.mean(dim=0))
    assert torch.allclose(found.sd, expected.std(dim=0, correction=0))


def test_what_does_not_fit_is_refused():
    with pytest.raises(DynExplorerError, match="`following` needs `activations`"):
        neuron_strength(torch.ones(2, 3), following=AffineLayer(torch.ones(1, 3)))
    with pytest.raises(DynExplorerError, match=r"of shape \(2, 4\) and a following layer of 3 inputs do not fit"):
        neuron_strength(torch.ones(2, 3), activations=torch.ones(2, 4), following=AffineLayer(torch.ones(1, 3)))
    with pytest.raises(DynExplorerError, match="`outputs` holds 1 NaN"):
        neuron_strength([[float("nan")]])
