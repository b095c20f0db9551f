"""Views: a result becomes a Bokeh figure, and the figure follows the next result.

Every view is made once (``view = EigenvalueCircle()``), holds ``view.figure``, and changes only through
``view.update(result)`` and ``view.clear()``. Views know neither PyTorch nor widgets.
"""

from .base import View
from .curves import Curve, Curves
from .densities import Densities
from .distribution import Distribution
from .divergence_map import DivergenceMap
from .eigenvalue_circle import EigenvalueCircle
from .map_row import MapRow
from .mode_energies import ModeEnergies
from .mode_image import ModeImage
from .node_graph import NodeColumn, NodeGraph, Strand
from .singular_values import SingularValues
from .strength_maps import StrengthMaps
from .theme import bokeh_theme
from .time_dynamics import TimeDynamics

__all__ = [
    "Curve",
    "Curves",
    "Densities",
    "Distribution",
    "DivergenceMap",
    "EigenvalueCircle",
    "MapRow",
    "ModeEnergies",
    "ModeImage",
    "NodeColumn",
    "NodeGraph",
    "SingularValues",
    "Strand",
    "StrengthMaps",
    "TimeDynamics",
    "View",
    "bokeh_theme",
]
