"""Gradients on a borrowed model: they say what a response depends on, and the model is given back as it was."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError
from dyn_explorer.capture import maximise, response_gradient
from dyn_explorer.errors import Cancelled


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.Conv2d(6, 4, 3, stride=2), nn.ReLU(True)
    ).train()


def test_a_gradient_covers_the_receptive_field_and_nothing_else(model, fingerprint, changed):
    images = torch.rand(3, 1, 12, 12)
    before = fingerprint(model)
    found = response_gradient(model, images, "3", lambda maps: maps[:, 1, 2, 1])
    assert changed(before, fingerprint(model)) == []
    touched = found[0, 0].nonzero()
    assert touched.min(dim=0).values.tolist() == [4, 2]  # stride 2 times the place
    assert touched.max(dim=0).values.tolist() == [8, 6]  # five pixels: 3 + 3 - 1


def test_a_gradient_is_that_of_the_layer_alone(model):
    images = torch.rand(2, 1, 12, 12)
    found = response_gradient(model, images, "0", lambda maps: maps[:, 2].mean(dim=(1, 2)))
    kernel = model[0].weight[2, 0].detach()
    expected = torch.zeros(12, 12)
    for i in range(10):
        for j in range(10):
            expected[i : i + 3, j : j + 3] += kernel / 100
    assert torch.allclose(found[0, 0], expected, atol=1e-6)


def test_an_image_is_found_within_the_range_and_beats_the_inputs(model, fingerprint, changed):
    images = torch.rand(8, 1, 12, 12)
    before = fingerprint(model)
    seen = []

    def score(maps):
        return maps[:, 1].mean(dim=(1, 2))

    found = maximise(model, images, "0", score, steps=40, progress=lambda done, text: seen.append(done))
    assert changed(before, fingerprint(model)) == []
    assert found.image.shape == (1, 12, 12)
    assert images.min() <= found.image.min()
    assert found.image.max() <= images.max()
    with torch.no_grad():
        assert found.value > float(score(model[0](images)).max())
        assert found.value == pytest.approx(float(score(model[0](found.image[None]))[0]), rel=1e-5)
    assert found.values[-1] > found.values[0]
    assert seen[-1] == 1
    again = maximise(model, images, "0", score, steps=40)
    assert torch.equal(again.image, found.image)


def test_a_shared_layer_is_asked_at_the_run_that_is_named():
    layer = nn.Linear(3, 3, bias=False)

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, values):
            return self.layer(self.layer(values))

    weight = layer.weight.detach()
    for name, matrix in (("layer", weight), ("layer#2", weight @ weight)):
        found = response_gradient(Twice(), torch.randn(1, 3), name, lambda y: y[:, 0])
        assert torch.allclose(found[0], matrix[0], atol=1e-6)


def test_what_cannot_be_done_is_said_and_can_be_cancelled(model):
    images = torch.rand(2, 1, 12, 12)
    with pytest.raises(DynExplorerError, match=r"there is no layer 'conv'; dx\.list_layers"):
        response_gradient(model, images, "conv", lambda maps: maps)
    with pytest.raises(DynExplorerError, match=r"cannot be run with gradients on one tensor of inputs \(RuntimeError"):
        response_gradient(model, images[:, 0, 0], "3", lambda maps: maps)
    with pytest.raises(DynExplorerError, match="layer '3#2' did not run"):
        response_gradient(model, images, "3#2", lambda maps: maps)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="the search for an image was cancelled"):
        maximise(model, images, "0", lambda maps: maps[:, 0, 0, 0], cancel=cancel)
