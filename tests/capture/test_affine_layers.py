"""What a model's layers are as weighted graphs, against the layers' own response to ones."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import function_strength
from dyn_explorer.capture import affine_layers


class Net(nn.Module):
    """Convolutions of every kind, run in another order than they are listed, one of them twice."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4 * 3 * 4, 5)
        self.grouped = nn.Conv2d(4, 4, 3, stride=(3, 2), padding=(1, 0), groups=2)
        self.same = nn.Conv2d(2, 4, (3, 5), padding="same", dilation=(1, 2), bias=False)
        self.twice = nn.Conv2d(4, 4, 1)
        self.unused = nn.Linear(2, 2)
        self.drop = nn.Dropout(0.9)

    def forward(self, images):
        maps = self.drop(self.twice(self.twice(self.same(images))))
        return self.head(self.grouped(maps).flatten(1))


def test_strengths_are_those_of_the_layers_themselves():
    net = Net().double().train()
    found = affine_layers(net, torch.rand(3, 2, 8, 9).double())
    assert list(found) == ["same", "twice", "grouped", "head"]
    assert net.training
    assert not any(module._forward_pre_hooks for module in net.modules())
    for name, layer in found.items():
        into, out_of = function_strength(getattr(net, name), layer.node_shape_in)
        assert layer.node_shape_out == tuple(into.shape)
        torch.testing.assert_close(layer.in_strength(), into)
        torch.testing.assert_close(layer.out_strength(), out_of)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")  # torch's own, and what is tested
def test_what_is_no_fixed_graph_says_why():
    net = nn.Sequential(
        nn.Conv1d(1, 2, 3, padding=1, padding_mode="circular"), nn.Conv1d(2, 2, 4, padding="same"), nn.Conv1d(2, 2, 3)
    )
    found = affine_layers(net, torch.zeros(1, 1, 9))
    assert "padding mode 'circular'" in str(found["0"])
    assert "not the same on both sides" in str(found["1"])
    assert found["2"].node_shape_in == (2, 9)


def test_a_forward_that_fails_is_said():
    with pytest.raises(DynExplorerError, match="the forward of Sequential fails"):
        affine_layers(nn.Sequential(nn.Linear(3, 2)), torch.zeros(1, 4))
