"""Pure measures: tensors or arrays in, frozen results out. No widgets, no plots, no globals."""

from dyn_explorer.analysis.compress import CompressedSnapshots, compress
from dyn_explorer.analysis.dmd import dmd
from dyn_explorer.analysis.dmd_methods import DMD_METHODS, MethodInfo
from dyn_explorer.analysis.dmd_result import DMDResult
from dyn_explorer.analysis.stable import stable_modes

__all__ = [
    "DMD_METHODS",
    "CompressedSnapshots",
    "DMDResult",
    "MethodInfo",
    "compress",
    "dmd",
    "stable_modes",
]
