"""The Basins panel: how much noise the inputs and the weights bear."""

from .panel import BasinsPanel
from .result import BasinsResult

__all__ = ["BasinsPanel", "BasinsResult"]
