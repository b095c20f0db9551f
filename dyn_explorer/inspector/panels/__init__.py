"""The panels, in the order of their tabs; a new one is one file and one line here."""

from .base import Card, Panel, Settings
from .dynamics import DynamicsPanel
from .filters import FiltersPanel
from .training import TrainingPanel

PANELS: tuple[type[Panel], ...] = (DynamicsPanel, FiltersPanel, TrainingPanel)

__all__ = ["PANELS", "Card", "DynamicsPanel", "FiltersPanel", "Panel", "Settings", "TrainingPanel"]
