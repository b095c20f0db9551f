"""The Neurons panel: whether neurons rank the samples of a class as the layers above read them, and what is linear."""

from .panel import NeuronsPanel
from .result import NeuronsResult

__all__ = ["NeuronsPanel", "NeuronsResult"]
