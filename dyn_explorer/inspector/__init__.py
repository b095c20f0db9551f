"""The inspector: one widget that shows a live model as a dynamical system."""

from .board import SweepBoard, explore_sweep
from .opening import explore
from .widget import Inspector

__all__ = ["Inspector", "SweepBoard", "explore", "explore_sweep"]
