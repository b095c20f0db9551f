"""The panels, in the order of their tabs; a new one is one file and one line here."""

from .base import Card, Panel, Settings
from .dynamics import DynamicsPanel
from .training import TrainingPanel

PANELS: tuple[type[Panel], ...] = (DynamicsPanel, TrainingPanel)

__all__ = ["PANELS", "Card", "DynamicsPanel", "Panel", "Settings", "TrainingPanel"]
