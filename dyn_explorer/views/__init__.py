"""Views: a result becomes a Bokeh figure, and the figure follows the next result.

Every view is made once (``view = EigenvalueCircle()``), holds ``view.figure``, and changes only through
``view.update(result)`` and ``view.clear()``. Views know neither PyTorch nor widgets.
"""

from .base import View
from .basin_curve import BasinCurve, NoiseCurve
from .basin_path import BasinPath
from .class_histograms import ClassHistograms
from .class_pairs import ClassPairs
from .class_plane import ClassPlane
from .component_bars import ComponentBars
from .correlation_of import correlation, parallel_coordinates
from .curves import Curve, Curves
from .densities import Densities
from .direction_graph import DirectionGraph, Links
from .distribution import Distribution
from .divergence_map import DivergenceMap
from .eigenvalue_circle import EigenvalueCircle
from .filter_scree import FilterScree
from .half_widths import HalfWidths
from .heat_map import HeatMap
from .hull_graph import HullGraph
from .incidence_matrix import IncidenceMatrix
from .map_row import MapRow
from .mode_energies import ModeEnergies
from .mode_image import ModeImage
from .model_scatter import ModelScatter
from .node_graph import NodeColumn, NodeGraph, Strand
from .noisy_pictures import NoisyPictures
from .parallel_coordinates import ParallelCoordinates
from .phase_wheel import PhaseWheel
from .picture_grid import PictureGrid
from .profile_bars import ProfileBars
from .profile_map import ProfileMap
from .rank_density import RankDensity
from .singular_values import SingularValues
from .spectrum_density import SpectrumDensity
from .strength_maps import StrengthMaps
from .theme import bokeh_theme
from .tile_grid import Tile, TileGrid
from .time_dynamics import TimeDynamics

__all__ = [
    "BasinCurve",
    "BasinPath",
    "ClassHistograms",
    "ClassPairs",
    "ClassPlane",
    "ComponentBars",
    "Curve",
    "Curves",
    "Densities",
    "DirectionGraph",
    "Distribution",
    "DivergenceMap",
    "EigenvalueCircle",
    "FilterScree",
    "HalfWidths",
    "HeatMap",
    "HullGraph",
    "IncidenceMatrix",
    "Links",
    "MapRow",
    "ModeEnergies",
    "ModeImage",
    "ModelScatter",
    "NodeColumn",
    "NodeGraph",
    "NoiseCurve",
    "NoisyPictures",
    "ParallelCoordinates",
    "PhaseWheel",
    "PictureGrid",
    "ProfileBars",
    "ProfileMap",
    "RankDensity",
    "SingularValues",
    "SpectrumDensity",
    "Strand",
    "StrengthMaps",
    "Tile",
    "TileGrid",
    "TimeDynamics",
    "View",
    "bokeh_theme",
    "correlation",
    "parallel_coordinates",
]
