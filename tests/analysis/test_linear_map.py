"""Linear maps against products of weights and against autograd on networks that are linear by construction."""

from __future__ import annotations

import copy
import threading

import pytest
import torch
from torch import nn
from torch.nn import functional

from dyn_explorer import DynExplorerError, analysis


class Residual(nn.Module):
    """A block with a shared, in-place activation and a skip connection, as in ResNet-18."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)

    def forward(self, maps):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(maps)))))
        out += maps
        return self.relu(out)


def convolutional() -> nn.Sequential:
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), Residual(3), nn.Flatten(), nn.Linear(27, 4)
    ).double()
    with torch.no_grad():
        for _ in range(5):
            network(torch.randn(20, 1, 8, 8).double())  # gives BatchNorm something to remember
    return network


def made_linear(network: nn.Module) -> nn.Module:
    """The same network with modules replaced: the slow and obvious way."""
    linear = copy.deepcopy(network).eval()
    linear[2], linear[3], linear[4].relu = nn.Identity(), nn.AvgPool2d(2), nn.Identity()
    return linear


def jacobian(above, at) -> torch.Tensor:
    return torch.autograd.functional.jacobian(above, at).reshape(4, -1)


def test_it_is_the_product_of_weights_with_batch_norm_between():
    network = nn.Sequential(
        nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.BatchNorm1d(4), nn.GELU(), nn.Dropout(), nn.Linear(4, 3)
    ).double()
    for _ in range(3):
        network(torch.randn(30, 6).double())
    norm = network[3]
    factor = torch.diag(norm.weight / torch.sqrt(norm.running_var + norm.eps))
    torch.testing.assert_close(analysis.linear_map(network, "3", (6,)), network[6].weight.detach())
    expected = network[6].weight @ factor @ network[2].weight
    for name in ("0", "1"):
        torch.testing.assert_close(analysis.linear_map(network, name, (6,)), expected.detach())


@pytest.mark.parametrize("stop", range(6))
def test_it_is_the_jacobian_of_the_network_with_modules_replaced(stop):
    network = convolutional()
    linear = made_linear(network)
    found = analysis.linear_map(network, str(stop), (1, 8, 8))
    at = linear[: stop + 1](torch.zeros(1, 1, 8, 8).double())
    torch.testing.assert_close(found, jacobian(linear[stop + 1 :], at))


def test_several_layers_in_one_pass_and_the_second_run_of_a_shared_one():
    network = convolutional()
    names = ["0", "1", "2", "4.bn1", "4.relu", "4.relu#2", "5"]
    together = analysis.linear_maps(network, names, (1, 8, 8))
    for name in names:
        torch.testing.assert_close(together[name], analysis.linear_map(network, name, (1, 8, 8)))
    torch.testing.assert_close(together["4.relu#2"], network[6].weight.detach())
    through = made_linear(network)[4]
    inner = jacobian(
        lambda maps: network[6](network[5](through.bn2(through.conv2(maps)))), torch.zeros(1, 3, 3, 3).double()
    )
    torch.testing.assert_close(together["4.bn1"], inner)


def test_batch_statistics_are_those_of_the_unchanged_network():
    network, inputs = convolutional(), 3 + torch.randn(12, 1, 8, 8).double()
    watched, seen = copy.deepcopy(network).train(), []
    norms = [part for part in watched.modules() if isinstance(part, nn.BatchNorm2d)]
    for part in norms:
        part.register_forward_pre_hook(lambda _module, given: seen.append(given[0].detach()))
    watched(inputs)
    for part, maps in zip(norms, seen, strict=True):
        part.running_var.copy_(maps.var((0, 2, 3), correction=0))
    found = analysis.linear_map(network, "0", (1, 8, 8), bn_stats="batch", inputs=inputs)
    torch.testing.assert_close(found, analysis.linear_map(watched, "0", (1, 8, 8)))
    assert (found - analysis.linear_map(network, "0", (1, 8, 8))).abs().max() > 0.01


@pytest.mark.parametrize(
    "activation",
    [nn.ReLU(), nn.ReLU(inplace=True), nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.SiLU(inplace=True), nn.PReLU(), nn.Mish(),
     nn.Softplus(), nn.Hardswish(), nn.ELU(), nn.LeakyReLU(), nn.Tanhshrink(), nn.Threshold(0.1, 0.0), nn.RReLU()],
)  # fmt: skip
def test_any_activation_of_pytorch_is_made_the_identity(activation):
    network = nn.Sequential(nn.Linear(3, 4), activation, nn.Linear(4, 2))
    torch.testing.assert_close(analysis.linear_map(network, "0", (3,)), network[2].weight.detach())


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "relu_", "sigmoid"])
def test_functions_and_methods_count_as_activations(name):
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.third = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, values):
            function = getattr(functional, name, None) or getattr(torch, name)
            values = function(self.first(values))
            values = self.second(values).clone()
            values = getattr(values, name)() if hasattr(values, name) else function(values)
            return functional.log_softmax(self.third(values), dim=1)

    network = Functional()
    expected = network.third.weight @ network.second.weight
    torch.testing.assert_close(analysis.linear_map(network, "first", (3,)), expected.detach())


class Bump(nn.Module):
    """A non-monotone activation of the person's own."""

    def forward(self, fields):
        return torch.exp(-(torch.relu(fields) ** 2))


def test_activations_of_ones_own_are_named():
    network = nn.Sequential(nn.Linear(3, 4), Bump(), nn.Linear(4, 2))
    with pytest.raises(DynExplorerError, match=r"above layer '0' is not linear even with its activations"):
        analysis.linear_map(network, "0", (3,))
    for given in ([Bump], ["1"]):
        found = analysis.linear_map(network, "0", (3,), activations=given)
        torch.testing.assert_close(found, network[2].weight.detach())
    with pytest.raises(DynExplorerError, match="`activations` names GRU, and the model has no such module"):
        analysis.linear_map(network, "0", (3,), activations=[nn.GRU])


def test_the_model_and_the_random_numbers_are_untouched():
    network = convolutional().train()
    calls, lock = [], threading.Lock()

    class Owner:
        def __init__(self) -> None:
            self.lock = lock  # cannot be copied

        def see(self, *_seen) -> None:
            calls.append(1)

    network[2].register_forward_hook(Owner().see)
    network[0].register_forward_pre_hook(lambda *_: calls.append(2))
    before, state = copy.deepcopy(network.state_dict()), torch.get_rng_state()
    analysis.linear_map(network, "0", (1, 8, 8), bn_stats="batch", inputs=torch.randn(5, 1, 8, 8))
    torch.randn(3)
    torch.set_rng_state(state)
    analysis.linear_map(network, "0", (1, 8, 8))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.training
    assert network[2].training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert calls == []


def test_weight_norm_of_either_kind_still_computes_its_weight():
    for norm in (nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm):
        network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), norm(nn.Linear(4, 2))).eval()
        torch.testing.assert_close(analysis.linear_map(network, "0", (3,)), network[2].weight.detach())


@pytest.mark.parametrize(
    ("network", "layer", "message"),
    [
        (nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), "fc", "there is no layer 'fc'; the nearest names are"),
        (nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)), "0", "above layer '0' is not linear"),
        (nn.Sequential(nn.Linear(3, 4), nn.GLU(), nn.Linear(2, 2)), "0", "above layer '0' is not linear"),
        (nn.Sequential(nn.Linear(7, 4), nn.ReLU()), "0", r"cannot be run on inputs of shape \(3,\)"),
        (nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, (2, 2))), "0", "and this needs one row of class scores"),
        (nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, track_running_stats=False)), "0", "no running statistics"),
        (torch.relu, "0", "`model` must be a torch.nn.Module"),
    ],
)  # fmt: skip
def test_what_has_no_linear_map_is_refused_in_words(network, layer, message):
    with pytest.raises(DynExplorerError, match=message):
        analysis.linear_map(network, layer, (3,))


def test_a_model_that_takes_more_than_a_tensor_is_refused_in_words():
    class Two(nn.Module):
        def forward(self, first, second):
            return first + second

    with pytest.raises(DynExplorerError, match=r"shape \(3,\): .*missing 1 required.*wrap a model that takes more"):
        analysis.truncation(Two(), torch.zeros(4, 3), torch.zeros(4, dtype=int))


def test_options_are_checked():
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with pytest.raises(DynExplorerError, match=r"`bn_stats` \(='mean'\) must be one of 'running', 'batch'"):
        analysis.linear_map(network, "0", (3,), bn_stats="mean")
    with pytest.raises(DynExplorerError, match=r"`bn_stats` \(='batch'\) needs `inputs`"):
        analysis.linear_map(network, "0", (3,), bn_stats="batch")
