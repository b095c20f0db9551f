"""The untrained copy: a null that shares the architecture and nothing else."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError
from dyn_explorer.capture import untrained_copy


class Scaled(nn.Module):
    """A layer with a parameter of its own that nothing knows how to initialise."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.arange(12.0).reshape(3, 4))

    def forward(self, values):
        return values * self.scale


def trained_model() -> nn.Sequential:
    torch.manual_seed(1)  # with the copy's own seed its "learned" weights would be the fresh ones
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), Scaled(), nn.Dropout())
    model[1].running_mean.fill_(5.0)
    return model


def test_the_model_and_the_random_numbers_stay_as_they_are():
    model = trained_model()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    untrained_copy(model)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_what_was_learned_is_gone():
    model = trained_model()
    fresh = untrained_copy(model)
    assert not torch.equal(fresh[0].weight, model[0].weight)
    assert torch.equal(fresh[1].running_mean, torch.zeros(4))


def test_parameters_without_an_initialisation_keep_their_values_in_another_order():
    model = trained_model()
    scale = untrained_copy(model)[2].scale
    assert not torch.equal(scale, model[2].scale)
    assert torch.equal(scale.flatten().sort().values, torch.arange(12.0))


def test_the_seed_decides():
    model = trained_model()
    first, again, other = (untrained_copy(model, seed=seed)[0].weight for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_stays(training):
    assert untrained_copy(trained_model().train(training)).training is training


def test_a_model_that_cannot_be_copied_says_so():
    model = trained_model()
    model.handle = (value for value in range(3))
    with pytest.raises(DynExplorerError, match="cannot be copied"):
        untrained_copy(model)
