"""The panels, in the order of their tabs; a new one is one file and one line here."""

from .base import Card, Panel, Settings
from .dynamics import DynamicsPanel

PANELS: tuple[type[Panel], ...] = (DynamicsPanel,)

__all__ = ["PANELS", "Card", "DynamicsPanel", "Panel", "Settings"]
