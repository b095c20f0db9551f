"""The networks of any width and depth."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError, demo


@pytest.mark.parametrize("hidden", [0, 1, 4])
def test_it_has_the_layers_that_were_asked_for_and_uniform_weights(hidden):
    state = torch.get_rng_state()
    model = demo.digits_mlp(hidden, 32, gain=2.0, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    linear = [module for module in model if isinstance(module, nn.Linear)]
    assert len(linear) == hidden + 1
    for layer in linear:
        bound = 2 / math.sqrt(layer.in_features)
        assert 0.9 * bound < layer.weight.abs().max() <= bound
        assert (layer.bias == 0).all()
    assert torch.equal(model[1].weight, demo.digits_mlp(hidden, 32, gain=2.0, seed=3)[1].weight)
    assert not torch.equal(model[1].weight, demo.digits_mlp(hidden, 32, gain=2.0, seed=4)[1].weight)


def test_bad_sizes_are_refused():
    for options in ({"hidden": -1}, {"width": 0}, {"gain": 0}):
        with pytest.raises(DynExplorerError, match=r"`hidden` .* must be at least 0"):
            demo.digits_mlp(**options)
