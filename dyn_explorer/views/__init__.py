"""Views: a result becomes a Bokeh figure, and the figure follows the next result.

Every view is made once (``view = EigenvalueCircle()``), holds ``view.figure``, and changes only through
``view.update(result)`` and ``view.clear()``. Views know neither PyTorch nor widgets.
"""

from .base import View
from .class_pairs import ClassPairs
from .component_bars import ComponentBars
from .basin_curve import BasinCurve, NoiseCurve
from .basin_path import BasinPath
from .class_plane import ClassPlane
from .class_histograms import ClassHistograms
from .correlation_of import correlation, parallel_coordinates
from .curves import Curve, Curves
from .direction_graph import DirectionGraph, Links
from .eigenvalue_circle import EigenvalueCircle
from .filter_scree import FilterScree
from .hull_graph import HullGraph
from .incidence_matrix import IncidenceMatrix
from .map_row import MapRow
from .mode_energies import ModeEnergies
from .mode_image import ModeImage
from .picture_grid import PictureGrid
from .half_widths import HalfWidths
from .map_row import MapRow
from .mode_energies import ModeEnergies
from .mode_image import ModeImage
from .noisy_pictures import NoisyPictures
from .heat_map import HeatMap
from .map_row import MapRow
from .mode_energies import ModeEnergies
from .mode_image import ModeImage
from .rank_density import RankDensity
from .model_scatter import ModelScatter
from .parallel_coordinates import ParallelCoordinates
from .singular_values import SingularValues
from .spectrum_density import SpectrumDensity
from .theme import bokeh_theme
from .tile_grid import Tile, TileGrid
from .time_dynamics import TimeDynamics

__all__ = [
    "ClassPairs",
    "ComponentBars",
    "BasinCurve",
    "BasinPath",
    "ClassPlane",
    "ClassHistograms",
    "Curve",
    "Curves",
    "DirectionGraph",
    "EigenvalueCircle",
    "FilterScree",
    "Links",
    "HullGraph",
    "IncidenceMatrix",
    "MapRow",
    "ModeEnergies",
    "ModeImage",
    "PictureGrid",
    "HalfWidths",
    "MapRow",
    "ModeEnergies",
    "ModeImage",
    "NoiseCurve",
    "NoisyPictures",
    "HeatMap",
    "MapRow",
    "ModeEnergies",
    "ModeImage",
    "RankDensity",
    "ModelScatter",
    "ParallelCoordinates",
    "SingularValues",
    "SpectrumDensity",
    "Tile",
    "TileGrid",
    "TimeDynamics",
    "View",
    "bokeh_theme",
    "correlation",
    "parallel_coordinates",
]
