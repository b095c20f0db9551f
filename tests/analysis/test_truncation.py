"""Truncation against networks whose modules are replaced one by one."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError, analysis, demo
from dyn_explorer.analysis.stand_in import StandIn
from dyn_explorer.errors import Cancelled


@pytest.fixture(scope="module")
def data():
    images, labels = demo.digits("test")
    return images[:200], labels[:200]


def accuracy(model, inputs, labels) -> float:
    with torch.no_grad():
        return (model(inputs).argmax(dim=1) == labels).double().mean().item()


def test_it_is_the_accuracy_of_a_network_with_modules_replaced(data):
    model = demo.load("trained")
    found = analysis.truncation(model, *data, batch_size=64)
    names = ["relu1", "relu2", "relu3"]
    slow = copy.deepcopy(model)
    for place in (2, 1, 0):
        setattr(slow, names[place], nn.Identity())
        assert found.accuracy[place] == accuracy(slow, *data)
        agrees = (slow(data[0]).argmax(1) == model(data[0]).argmax(1)).double().mean().item()
        assert found.agreement[place] == agrees
    assert found.full_accuracy == accuracy(model, *data)
    assert [hidden.layer for hidden in found.activations] == ["conv1", "conv2", "conv3"]
    assert np.array_equal(analysis.truncation_accuracy(model, *data), found.accuracy)
    slow.pool2 = slow.pool3 = nn.AvgPool2d(2)
    linear = analysis.truncation(model, *data, pooling="average")
    assert linear.accuracy[0] == accuracy(slow, *data)
    difference = (slow(data[0]) - model(data[0])).double()
    scores = model(data[0]).double()
    size = torch.linalg.norm(scores - scores.mean(dim=0))
    assert linear.relative_error[0] == pytest.approx((torch.linalg.norm(difference) / size).item(), rel=1e-5)


def test_a_network_of_identities_keeps_its_accuracy_at_every_layer(data):
    flat = data[0].flatten(1), data[1]
    layers = [part for _ in range(5) for part in (nn.Linear(64, 64), nn.Identity())]
    found = analysis.truncation(nn.Sequential(*layers, nn.Linear(64, 10)), *flat)
    assert found.accuracy.tolist() == [found.full_accuracy] * 5
    assert found.relative_error.tolist() == [0.0] * 5
    positive = nn.Sequential(nn.Linear(64, 64, bias=False), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    with torch.no_grad():
        for part in (positive[0].weight, positive[2].weight, positive[2].bias):
            part.abs_()
    assert analysis.truncation_accuracy(positive, *flat).tolist() == [accuracy(positive, *flat)] * 2
    assert analysis.truncation_accuracy(nn.Sequential(nn.Linear(64, 10)), *flat).shape == (0,)


class Block(nn.Module):
    """Shared and functional activations, a skip connection, and a softmax at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = (nn.Linear(64, 64) for _ in range(3))
        self.act = nn.Tanh()
        self.head = nn.Linear(64, 10)

    def forward(self, values):
        kept = self.act(self.first(values))
        values = self.second(kept)
        values += kept
        values = torch.relu(self.third(self.act(values)) + kept)
        return torch.sigmoid(self.head(values))


def test_activations_are_found_in_the_order_in_which_they_run():
    hidden = StandIn(Block()).hidden(torch.randn(5, 64))
    assert [(one.layer, one.kind, one.is_input) for one in hidden] == [
        ("first", "tanh", True),
        ("act#2", "tanh", False),
        (None, "relu", False),
    ]
    network = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3), nn.Sigmoid()), nn.ReLU())
    assert [one.layer for one in StandIn(network).hidden(torch.randn(2, 3))] == ["1.0"]


def test_batch_statistics_are_those_of_all_inputs(data):
    flat = data[0].flatten(1), data[1]
    network = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10)).train()
    before = copy.deepcopy(network.state_dict())
    found = analysis.truncation(network, *flat, bn_stats="batch", batch_size=7)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    slow = copy.deepcopy(network)
    assert found.full_accuracy == accuracy(slow, *flat)
    slow[2] = nn.Identity()
    assert found.accuracy[0] == accuracy(slow, *flat)
    assert analysis.truncation(network, *flat).full_accuracy == accuracy(network.eval(), *flat)


def test_the_model_and_the_random_numbers_are_untouched(data):
    model = demo.load("trained").train()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    analysis.truncation_accuracy(model, *data)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_progress_is_told_and_cancel_is_heard(data):
    told, cancel = [], threading.Event()
    analysis.truncation(demo.load("trained"), *data, progress=lambda done, text: told.append(done))
    assert told == pytest.approx([1 / 3, 2 / 3, 1])
    cancel.set()
    with pytest.raises(Cancelled, match="the truncation was cancelled"):
        analysis.truncation(demo.load("trained"), *data, cancel=cancel)


@pytest.mark.parametrize(
    ("network", "labels", "options", "message"),
    [
        (nn.Linear(3, 2), None, {}, r"`labels` \(=None\): this compares classes"),
        (nn.Linear(3, 1), torch.zeros(4, dtype=int), {}, "a regression or a single logit"),
        (nn.Linear(3, 2), torch.zeros(4), {}, "`labels` of dtype float32 must be whole numbers"),
        (nn.Linear(3, 2), torch.full((4,), 2), {}, "`labels` run from 2 to 2, and there are 2 classes"),
        (nn.Unflatten(1, (3, 1)), torch.zeros(4, dtype=int), {}, "needs one row of class scores per sample"),
        (nn.Linear(3, 2), torch.zeros(4, dtype=int), {"pooling": "min"}, r"`pooling` \(='min'\) must be one of"),
        (nn.Linear(3, 2), torch.zeros(4, dtype=int), {"batch_size": 0}, r"`batch_size` \(=0\) must be a whole number"),
        (nn.Linear(3, 2), torch.zeros(4, dtype=int), {"bn_stats": None}, r"`bn_stats` \(=None\) must be one of"),
    ],
)
def test_bad_input_is_refused_in_words(network, labels, options, message):
    with pytest.raises(DynExplorerError, match=message):
        analysis.truncation(network, torch.randn(4, 3), labels, **options)


def test_fields_are_what_layers_put_out(data):
    model = demo.load("trained")
    found = analysis.layer_fields(model, data[0], ["conv1", "relu3"], most=50, batch_size=64)
    with torch.no_grad():
        maps = model.conv1(model.enlarge(data[0])).flatten(1)
    fields, places = found["conv1"]
    torch.testing.assert_close(fields, maps[:, places])
    assert (fields.shape, len(set(places))) == ((200, 50), 50)
    again = analysis.layer_fields(model, data[0][:5], ["conv1"], most=50)["conv1"][1]
    assert np.array_equal(places, again)
    assert analysis.layer_fields(model, data[0][:5], ["head"])["head"][1].tolist() == list(range(10))
    assert (found["relu3"][0] >= 0).all()


def test_fields_under_batch_statistics(data):
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10)).train()
    found = analysis.layer_fields(network, data[0], ["2"], bn_stats="batch", batch_size=7)["2"][0]
    torch.testing.assert_close(found, copy.deepcopy(network)[:3](data[0]).detach())
    assert network[2].num_batches_tracked == 0


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        (["conv9"], {}, "there is no layer 'conv9'; the nearest names are 'conv3', 'conv2', 'conv1'"),
        (["relu1#2"], {}, "layer 'relu1#2' was not executed in this forward pass"),
        (["relu1"], {"most": 0}, r"`most` \(=0\) must be a whole number of at least 1"),
    ],
)
def test_fields_that_are_not_there(data, layers, options, message):
    with pytest.raises(DynExplorerError, match=message):
        analysis.layer_fields(demo.load("trained"), data[0], layers, **options)


def test_the_callers_modes_do_not_matter(data):
    model = demo.load("trained")
    expected = analysis.truncation_accuracy(model, *data)
    with torch.inference_mode():
        assert np.array_equal(analysis.truncation_accuracy(model, *data), expected)
        inside = analysis.linear_map(model, "conv3", (1, 8, 8))
        fields = analysis.layer_fields(model, data[0], ["conv3"])["conv3"][0]
    torch.testing.assert_close(inside, analysis.linear_map(model, "conv3", (1, 8, 8)))
    torch.testing.assert_close(fields, analysis.layer_fields(model, data[0], ["conv3"])["conv3"][0])
