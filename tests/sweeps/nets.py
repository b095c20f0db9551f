"""Builders and measures that other processes can import."""

from __future__ import annotations

import torch
from torch import nn


def small(seed: int = 0, channels: int = 4) -> nn.Sequential:
    """A network whose dynamics take milliseconds."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, 6, 3), nn.Flatten(), nn.Linear(216, 3)
        )
