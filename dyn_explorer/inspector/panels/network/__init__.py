"""The Network panel: a model as a weighted graph, and the strengths of its nodes."""

from .panel import NetworkPanel
from .result import NetworkResult

__all__ = ["NetworkPanel", "NetworkResult"]
