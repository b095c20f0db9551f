"""Views: a result becomes a Bokeh figure, and the figure follows the next result.

Every view is made once (``view = EigenvalueCircle()``), holds ``view.figure``, and changes only through
``view.update(result)`` and ``view.clear()``. Views know neither PyTorch nor widgets.
"""

from .base import View
from .curves import Curve, Curves
from .direction_graph import DirectionGraph, Links
from .eigenvalue_circle import EigenvalueCircle
from .filter_scree import FilterScree
from .map_row import MapRow
from .mode_energies import ModeEnergies
from .mode_image import ModeImage
from .singular_values import SingularValues
from .spectrum_density import SpectrumDensity
from .theme import bokeh_theme
from .tile_grid import Tile, TileGrid
from .time_dynamics import TimeDynamics

__all__ = [
    "Curve",
    "Curves",
    "DirectionGraph",
    "EigenvalueCircle",
    "FilterScree",
    "Links",
    "MapRow",
    "ModeEnergies",
    "ModeImage",
    "SingularValues",
    "SpectrumDensity",
    "Tile",
    "TileGrid",
    "TimeDynamics",
    "View",
    "bokeh_theme",
]
