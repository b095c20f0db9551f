"""Builders and measures that other processes can import."""

from __future__ import annotations

import os
import time

import torch
from torch import nn


def small(seed: int = 0, channels: int = 4) -> nn.Sequential:
    """A network whose dynamics take milliseconds."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, 6, 3), nn.Flatten(), nn.Linear(216, 3)
        )


def slow_sum(model: nn.Module, inputs: torch.Tensor, labels: object) -> float:
    """A measure that leaves time to kill whoever computes it."""
    time.sleep(0.1)
    return float(sum(parameter.sum() for parameter in model.parameters()))


def die(model: nn.Module, inputs: torch.Tensor, labels: object) -> float:
    """A measure that ends its process, as running out of memory does."""
    os._exit(3)
