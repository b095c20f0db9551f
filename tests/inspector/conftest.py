"""Models, data and inspectors that the inspector's tests share."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import dyn_explorer as dx


@pytest.fixture(scope="session")
def digits():
    """Forty digits with their labels."""
    images, labels = dx.demo.digits("test")
    return images[:40], labels[:40]


@pytest.fixture
def model():
    """A network of two convolutions; a new one for every test."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 12, 3),
        nn.ReLU(),
        nn.Conv2d(12, 20, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(20 * 4 * 4, 10),
    ).eval()


@pytest.fixture
def open_inspector(digits):
    """Open inspectors that are closed at the end."""
    opened = []

    def open_one(model, inputs=None, labels=None, **options):
        inspector = dx.explore(model, digits[0] if inputs is None else inputs, labels, **options)
        opened.append(inspector)
        return inspector

    yield open_one
    for inspector in opened:
        inspector.close()


@pytest.fixture
def inspector(open_inspector, model, digits):
    """An inspector of the small network, with its first result."""
    return open_inspector(model, labels=digits[1]).wait(60)
