"""The Classes panel: hypergraphs of images and directions, and how far each layer separates classes."""

from .panel import ClassesPanel
from .result import ClassesResult

__all__ = ["ClassesPanel", "ClassesResult"]
