"""The panels, in the order of their tabs; a new one is one file and one line here."""

from .base import Card, Panel, Settings
from .basins import BasinsPanel
from .dynamics import DynamicsPanel
from .training import TrainingPanel

PANELS: tuple[type[Panel], ...] = (DynamicsPanel, TrainingPanel, BasinsPanel)

__all__ = ["PANELS", "BasinsPanel", "Card", "DynamicsPanel", "Panel", "Settings", "TrainingPanel"]
