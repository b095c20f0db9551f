"""Fully connected networks on the digits, and the loop that counts steps."""

from __future__ import annotations

import pytest
import torch

from dyn_explorer import DynExplorerError, demo


def test_a_fully_connected_network_has_the_weights_it_was_asked_for():
    network = demo.mlp((64, 32, 16, 10), activation="tanh", batch_norm=True, gain=2.0, seed=3)
    assert [type(layer).__name__ for layer in network] == ["Linear", "BatchNorm1d", "Tanh"] * 2 + ["Linear"]
    assert 0.9 * 2 / 8 < network[0].weight.abs().max() <= 2 / 8
    assert torch.equal(demo.mlp((64, 32, 16, 10), gain=2.0, seed=3)[0].weight, network[0].weight)
    linear = demo.mlp((64, 32, 10), activation="identity")
    assert [type(layer).__name__ for layer in linear] == ["Linear", "Identity", "Linear"]


def test_steps_are_counted_and_batches_are_full():
    images, labels = demo.digits("train")
    network, seen = demo.mlp((64, 16, 10), batch_norm=True), []
    network[0].register_forward_hook(lambda module, given, _out: module.training and seen.append(len(given[0])))
    steps = []
    demo.train_steps(
        network, images.flatten(1), labels, steps=13, batch_size=128, after_step=lambda *a: steps.append(a[0])
    )
    assert steps == list(range(1, 14))
    assert seen == [128] * 13
    assert not network.training


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: demo.mlp((64,)), r"`widths` \(=\(64,\)\) needs at least the inputs and the outputs"),
        (lambda: demo.mlp((64, 10), activation="gelu"), r"`activation` \(='gelu'\) must be one of 'relu'"),
        (
            lambda: demo.train_steps(demo.mlp((2, 2)), torch.zeros(3, 2), torch.zeros(3).long(), steps=1, batch_size=4),
            r"`batch_size` \(=4\) must lie in 1..3",
        ),
        (
            lambda: demo.train_steps(
                demo.mlp((2, 2)), torch.zeros(3, 2), torch.zeros(3).long(), steps=1, optimizer="x"
            ),
            r"`optimizer` \(='x'\) must be one of 'adam', 'sgd'",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(call, message):
    with pytest.raises(DynExplorerError, match=message):
        call()
