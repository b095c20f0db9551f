"""What a training run did, epoch by epoch: numbers, responses to a fixed probe batch, and weights."""

from .history import History

__all__ = ["History"]
