"""Views: a result becomes a Bokeh figure, and the figure follows the next result.

Every view is made once (``view = EigenvalueCircle()``), holds ``view.figure``, and changes only through
``view.update(result)`` and ``view.clear()``. Views know neither PyTorch nor widgets.
"""

from .base import View
from .basin_curve import BasinCurve, NoiseCurve
from .basin_path import BasinPath
from .class_plane import ClassPlane
from .curves import Curve, Curves
from .eigenvalue_circle import EigenvalueCircle
from .half_widths import HalfWidths
from .map_row import MapRow
from .mode_energies import ModeEnergies
from .mode_image import ModeImage
from .noisy_pictures import NoisyPictures
from .singular_values import SingularValues
from .theme import bokeh_theme
from .time_dynamics import TimeDynamics

__all__ = [
    "BasinCurve",
    "BasinPath",
    "ClassPlane",
    "Curve",
    "Curves",
    "EigenvalueCircle",
    "HalfWidths",
    "MapRow",
    "ModeEnergies",
    "ModeImage",
    "NoiseCurve",
    "NoisyPictures",
    "SingularValues",
    "TimeDynamics",
    "View",
    "bokeh_theme",
]
