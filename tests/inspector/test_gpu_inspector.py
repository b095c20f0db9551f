"""The inspector on a model that lives on a GPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dyn_explorer as dx

pytestmark = pytest.mark.gpu


@pytest.fixture
def on_gpu():
    images, labels = dx.demo.digits("test")
    model = dx.demo.load("trained").cuda()
    return model, images[:40].cuda(), labels[:40]


@pytest.mark.parametrize("axis", ["channel", "layer", "sample", "position", "path"])
def test_a_gpu_model_is_looked_at_where_it_is(on_gpu, axis):
    model, images, labels = on_gpu
    state = torch.cuda.get_rng_state()
    with dx.explore(model, images, labels) as inspector:
        inspector.axis = axis
        result = inspector.wait(120).results["dynamics"]
        assert result.snapshots.matrix.is_cuda
        assert result.comparison.untrained is not None
        names = {"model": model, "inputs": images}
        exec(inspector.code(), names)
        np.testing.assert_allclose(names["eigenvalues"], result.eigenvalues, atol=1e-10)
    assert {parameter.device.type for parameter in model.parameters()} == {"cuda"}
    assert torch.equal(torch.cuda.get_rng_state(), state)


def test_the_gpu_and_the_cpu_agree(on_gpu):
    _, images, labels = on_gpu
    spectra = []
    for device in ("cuda", "cpu"):
        with dx.explore(dx.demo.load("trained").to(device), images.to(device), labels) as inspector:
            inspector.rank = 6
            spectra.append(np.sort_complex(inspector.wait(120).results["dynamics"].eigenvalues))
    np.testing.assert_allclose(*spectra, atol=1e-3)


def test_inputs_on_the_cpu_can_be_sent_along(on_gpu):
    model, images, labels = on_gpu
    with dx.explore(model, images.cpu(), labels, device="cuda") as inspector:
        assert inspector.wait(120).results["dynamics"].snapshots.matrix.is_cuda
