"""The panels, in the order of their tabs; a new one is one file and one line here."""

from .base import Card, Panel, Settings
from .basins import BasinsPanel
from .classes import ClassesPanel
from .dynamics import DynamicsPanel
from .filters import FiltersPanel
from .network import NetworkPanel
from .neurons import NeuronsPanel
from .training import TrainingPanel

PANELS: tuple[type[Panel], ...] = (
    DynamicsPanel,
    FiltersPanel,
    ClassesPanel,
    TrainingPanel,
    NetworkPanel,
    NeuronsPanel,
    BasinsPanel,
)

__all__ = [
    "PANELS",
    "BasinsPanel",
    "Card",
    "ClassesPanel",
    "DynamicsPanel",
    "FiltersPanel",
    "NetworkPanel",
    "NeuronsPanel",
    "Panel",
    "Settings",
    "TrainingPanel",
]
