"""The panels, in the order of their tabs; a new one is one file and one line here."""

from .base import Card, Panel, Settings
from .classes import ClassesPanel
from .basins import BasinsPanel
from .dynamics import DynamicsPanel
from .filters import FiltersPanel
from .training import TrainingPanel

PANELS: tuple[type[Panel], ...] = (DynamicsPanel, FiltersPanel, TrainingPanel)

__all__ = ["PANELS", "Card", "DynamicsPanel", "FiltersPanel", "Panel", "Settings", "TrainingPanel"]
PANELS: tuple[type[Panel], ...] = (DynamicsPanel, ClassesPanel, TrainingPanel)

__all__ = ["PANELS", "Card", "ClassesPanel", "DynamicsPanel", "Panel", "Settings", "TrainingPanel"]
PANELS: tuple[type[Panel], ...] = (DynamicsPanel, TrainingPanel, BasinsPanel)

__all__ = ["PANELS", "BasinsPanel", "Card", "DynamicsPanel", "Panel", "Settings", "TrainingPanel"]
from .neurons import NeuronsPanel
from .training import TrainingPanel

PANELS: tuple[type[Panel], ...] = (DynamicsPanel, TrainingPanel, NeuronsPanel)

__all__ = ["PANELS", "Card", "DynamicsPanel", "NeuronsPanel", "Panel", "Settings", "TrainingPanel"]
