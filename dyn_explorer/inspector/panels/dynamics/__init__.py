"""The Dynamics panel: dynamic mode decomposition of feature maps."""

from .panel import DynamicsPanel
from .result import DynamicsResult

__all__ = ["DynamicsPanel", "DynamicsResult"]
