"""Views: a result becomes a Bokeh figure, and the figure follows the next result.

Every view is made once (``view = EigenvalueCircle()``), holds ``view.figure``, and changes only through
``view.update(result)`` and ``view.clear()``. Views know neither PyTorch nor widgets.
"""

from .base import View
from .curves import Curve, Curves
from .eigenvalue_circle import EigenvalueCircle
from .map_row import MapRow
from .mode_energies import ModeEnergies
from .mode_image import ModeImage
from .phase_wheel import PhaseWheel
from .singular_values import SingularValues
from .theme import bokeh_theme
from .time_dynamics import TimeDynamics

__all__ = [
    "Curve",
    "Curves",
    "EigenvalueCircle",
    "MapRow",
    "ModeEnergies",
    "ModeImage",
    "PhaseWheel",
    "SingularValues",
    "TimeDynamics",
    "View",
    "bokeh_theme",
]
