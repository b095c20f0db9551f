"""Listing layers, and the models that are looked through or refused."""

import time

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from dyn_explorer.capture import list_layers, unwrap
from dyn_explorer.errors import DynExplorerError


def test_every_module_but_the_root_in_order():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Sequential(nn.ReLU(), nn.Flatten()))
    layers = list_layers(model)
    assert [layer.name for layer in layers] == ["0", "1", "1.0", "1.1"]
    assert [layer.kind for layer in layers] == ["Conv2d", "Sequential", "ReLU", "Flatten"]
    assert [layer.weight_shape for layer in layers] == [(4, 1, 3, 3), None, None, None]
    assert [layer.n_parameters for layer in layers] == [40, 0, 0, 0]
    assert [layer.is_leaf for layer in layers] == [True, False, True, True]
    assert all(layer.disabled_because is None for layer in layers)


def test_a_module_with_two_names_is_one_layer():
    shared = nn.Linear(3, 3)
    assert [layer.name for layer in list_layers(nn.Sequential(shared, nn.ReLU(), shared))] == ["0", "1"]


@pytest.mark.parametrize(
    "holder",
    [nn.ModuleList([nn.ReLU()]), nn.ModuleDict({"a": nn.ReLU()}), nn.ParameterList([nn.Parameter(torch.ones(1))])],
    ids=lambda holder: type(holder).__name__,
)
def test_holders_are_disabled(holder):
    layers = {layer.name: layer for layer in list_layers(nn.ModuleDict({"holder": holder, "relu": nn.ReLU()}))}
    assert "only holds other layers" in layers["holder"].disabled_because
    assert layers["relu"].disabled_because is None


def test_a_parametrized_layer_is_a_leaf_and_listing_does_not_run_it():
    model = nn.Sequential(spectral_norm(nn.Conv2d(2, 3, 3))).train()
    before = model[0].parametrizations.weight[0]._u.clone()
    layers = {layer.name: layer for layer in list_layers(model)}
    assert layers["0"].is_leaf
    assert layers["0"].weight_shape == (3, 2, 3, 3)
    assert "computes a weight" in layers["0.parametrizations.weight.0"].disabled_because
    assert torch.equal(model[0].parametrizations.weight[0]._u, before)


def test_listing_a_thousand_layers_is_fast():
    model = nn.Sequential(*[nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.ReLU()) for _ in range(250)])

    def once():
        start = time.perf_counter()
        assert len(list_layers(model)) == 1000
        return time.perf_counter() - start

    assert min(once() for _ in range(10)) < 0.02


def test_wrappers_are_looked_through():
    model = nn.Sequential(nn.Linear(3, 2))
    assert unwrap(model) is model
    assert unwrap(nn.DataParallel(model)) is model
    assert unwrap(torch.compile(model, backend="eager")) is model
    assert unwrap(nn.DataParallel(torch.compile(model, backend="eager"))) is model
    assert [layer.name for layer in list_layers(nn.DataParallel(model))] == ["0"]


class FullyShardedDataParallel(nn.Module):
    """Stands for the real one, which needs a process group."""


class DTensor(nn.Parameter):
    """Stands for the real one, which needs a process group."""


def sharded_parameter():
    model = nn.Linear(2, 2)
    model._parameters["weight"] = DTensor(torch.zeros(2, 2))
    return model


def scripted():
    with pytest.warns(DeprecationWarning, match="script"):
        return torch.jit.script(nn.ReLU())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: 3, "must be a torch.nn.Module, got int"),
        (lambda: nn.ReLU, r"is the class ReLU; make one first: ReLU\(\.\.\.\)"),
        (lambda: nn.Sequential(scripted()), "'0' is scripted.*the Python module it was scripted from"),
        (lambda: nn.Sequential(FullyShardedDataParallel()), "'0' is sharded.*full state dict"),
        (lambda: nn.Sequential(sharded_parameter()), "sharded parameter 'weight'.*full state dict"),
        (lambda: nn.Linear(2, 2, device="meta"), "'weight' on the meta device.*to_empty"),
        (lambda: nn.Sequential(nn.LazyLinear(2)), "'weight' that is not initialised; run one batch"),
        (lambda: nn.Linear(2, 2), r"no layer that can be recorded.*torch.nn.Sequential\(model\)"),
        (lambda: nn.Sequential(nn.ModuleList()), "no layer that can be recorded"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_cannot_be_looked_at_is_refused(make, message):
    with pytest.raises(DynExplorerError, match=message):
        list_layers(make())
