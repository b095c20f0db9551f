"""The Filters panel: a layer's singular directions, their random-matrix null, and what each of them sees."""

from .panel import FiltersPanel
from .result import FiltersResult

__all__ = ["FiltersPanel", "FiltersResult"]
