"""The panels, in the order of their tabs; a new one is one file and one line here."""

from .base import Card, Panel, Settings
from .dynamics import DynamicsPanel
from .network import NetworkPanel
from .training import TrainingPanel

PANELS: tuple[type[Panel], ...] = (DynamicsPanel, TrainingPanel, NetworkPanel)

__all__ = ["PANELS", "Card", "DynamicsPanel", "NetworkPanel", "Panel", "Settings", "TrainingPanel"]
