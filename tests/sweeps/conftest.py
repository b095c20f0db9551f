"""Small networks that a sweep compares."""

from __future__ import annotations

import pytest
import torch
from nets import small
from torch import nn


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.arange(12) % 3


@pytest.fixture
def models() -> dict[str, nn.Module]:
    return {f"net {seed}": small(seed) for seed in range(3)}
