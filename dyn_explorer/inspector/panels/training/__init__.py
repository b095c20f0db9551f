"""The Training panel: a run, and the metrics of its dynamics from epoch to epoch."""

from .panel import TrainingPanel
from .result import TrainingResult

__all__ = ["TrainingPanel", "TrainingResult"]
