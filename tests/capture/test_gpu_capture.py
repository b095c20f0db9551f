"""Capture on a CUDA device: nothing is moved, and the CUDA generators stay."""

import pytest
import torch
from torch import nn

from dyn_explorer.capture import record, snapshots
from dyn_explorer.errors import DynExplorerError

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture
def model(small_cnn):
    return nn.Sequential(*small_cnn, nn.Dropout(0.5)).cuda().train()


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_a_gpu_model_is_recorded_where_it_is(training, model, images, fingerprint, changed):
    model.train(training)
    torch.rand(1, device="cuda")
    before = fingerprint(model)
    assert "rng.cuda" in before
    recording = record(model, images.cuda(), batch_size=4)
    assert changed(before, fingerprint(model)) == []
    assert {tensor.device.type for tensor in recording.activations.values()} == {"cuda"}
    assert snapshots(recording, "4").matrix.device.type == "cuda"


def test_inputs_on_the_cpu_are_refused_or_moved_on_request(model, images):
    with pytest.raises(DynExplorerError, match=r'use inputs.to\("cuda:0"\), or device="cuda:0"'):
        record(model, images)
    assert record(model, images, device="cuda:0").inputs.device.type == "cuda"
    assert record(model, images.numpy()).inputs.device.type == "cuda"


def test_beyond_the_budget_activations_lie_on_the_cpu(model, images):
    recording = record(model.eval(), images.cuda(), batch_size=2, memory_budget=20_000)
    assert {tensor.device.type for tensor in recording.activations.values()} == {"cuda", "cpu"}
    expected = record(model, images.cuda(), batch_size=2)
    for name, activation in recording.activations.items():
        torch.testing.assert_close(activation.cpu(), expected.activations[name].cpu())


def test_a_full_device_halves_the_batch(model, images):
    sizes = []

    class Hungry(nn.Module):
        def forward(self, x):
            sizes.append(len(x))
            if len(x) > 2:
                torch.empty(2**50, dtype=torch.uint8, device="cuda")
            return x

    assert record(nn.Sequential(model.eval(), Hungry()), images.cuda()).complete
    assert sizes[0] == 6
    assert max(sizes[-2:]) <= 2


def test_the_seed_covers_cuda_and_is_undone(model, images):
    before = torch.cuda.get_rng_state()
    first = record(model, images.cuda(), seed=3).activations["8"]
    assert torch.equal(torch.cuda.get_rng_state(), before)
    assert torch.equal(first, record(model, images.cuda(), seed=3).activations["8"])
    assert not torch.equal(first, record(model, images.cuda(), seed=4).activations["8"])
