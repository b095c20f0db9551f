"""Pure measures: tensors or arrays in, frozen results out. No widgets, no plots, no globals."""

from dyn_explorer.analysis.background import BackgroundForeground, background_foreground
from dyn_explorer.analysis.compress import CompressedSnapshots, compress
from dyn_explorer.analysis.dmd import dmd
from dyn_explorer.analysis.dmd_fit import MethodInfo
from dyn_explorer.analysis.dmd_methods import DMD_METHODS
from dyn_explorer.analysis.dmd_result import DMDResult
from dyn_explorer.analysis.dynamics_metrics import DynamicsMetrics, dynamics_metrics, zero_amplitude_modes
from dyn_explorer.analysis.eigenvalue_metrics import eigenvalue_entropy, spectral_gap
from dyn_explorer.analysis.residuals import Pseudospectrum, mode_residuals, pseudospectrum
from dyn_explorer.analysis.shuffled_columns import ShuffledColumnsNull, shuffled_columns_null
from dyn_explorer.analysis.stable import stable_modes
from dyn_explorer.analysis.svd_heat_map import SVDHeatMap, svd_heat_map

__all__ = [
    "DMD_METHODS",
    "BackgroundForeground",
    "CompressedSnapshots",
    "DMDResult",
    "DynamicsMetrics",
    "MethodInfo",
    "Pseudospectrum",
    "SVDHeatMap",
    "ShuffledColumnsNull",
    "background_foreground",
    "compress",
    "dmd",
    "dynamics_metrics",
    "eigenvalue_entropy",
    "mode_residuals",
    "pseudospectrum",
    "shuffled_columns_null",
    "spectral_gap",
    "stable_modes",
    "svd_heat_map",
    "zero_amplitude_modes",
]
