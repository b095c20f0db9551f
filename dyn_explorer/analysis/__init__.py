"""Pure measures: tensors or arrays in, frozen results out. No widgets, no plots, no globals."""

from dyn_explorer.analysis.affine_layer import AffineLayer
from dyn_explorer.analysis.background import BackgroundForeground, background_foreground
from dyn_explorer.analysis.class_hypergraph import ClassHypergraph, class_hypergraph
from dyn_explorer.analysis.component_barcode import Barcode
from dyn_explorer.analysis.compress import CompressedSnapshots, compress
from dyn_explorer.analysis.dfa import DFAResult, dfa
from dyn_explorer.analysis.direction_basis import DirectionBasis, direction_basis
from dyn_explorer.analysis.direction_signals import direction_signals, strongest_first
from dyn_explorer.analysis.direction_synapses import DirectionSynapses, direction_synapses
from dyn_explorer.analysis.distribution_divergence import jensen_shannon
from dyn_explorer.analysis.dmd import dmd
from dyn_explorer.analysis.dmd_fit import MethodInfo
from dyn_explorer.analysis.dmd_methods import DMD_METHODS
from dyn_explorer.analysis.dmd_result import DMDResult
from dyn_explorer.analysis.dynamics_metrics import DynamicsMetrics, dynamics_metrics, zero_amplitude_modes
from dyn_explorer.analysis.eigenvalue_metrics import eigenvalue_entropy, spectral_gap
from dyn_explorer.analysis.filter_svd import FilterSVD, filter_svd
from dyn_explorer.analysis.hypergraph import Hypergraph
from dyn_explorer.analysis.layer_fluctuation import (
    FluctuationNull,
    fluctuation_null,
    layer_fluctuation,
    shuffled_weights,
)
from dyn_explorer.analysis.link_weights import LinkWeights, link_weights, unrolled_moments
from dyn_explorer.analysis.node_strength import function_strength, node_strength
from dyn_explorer.analysis.operator_spectrum import operator_spectrum
from dyn_explorer.analysis.pooled_signals import pooled_signals
from dyn_explorer.analysis.random_matrix_fit import (
    RandomMatrixFit,
    marchenko_pastur_density,
    marchenko_pastur_median,
    random_matrix_fit,
)
from dyn_explorer.analysis.residuals import Pseudospectrum, mode_residuals, pseudospectrum
from dyn_explorer.analysis.seeds import SeedInterval, seed_interval
from dyn_explorer.analysis.separation_null import SeparationNull, separation, separation_null
from dyn_explorer.analysis.shuffled_columns import ShuffledColumnsNull, shuffled_columns_null
from dyn_explorer.analysis.stability import (
    StabilityIndex,
    convergence_epoch,
    integration,
    stability_index,
    volatility,
)
from dyn_explorer.analysis.stable import stable_modes
from dyn_explorer.analysis.surrogates import surrogates
from dyn_explorer.analysis.svd_heat_map import SVDHeatMap, svd_heat_map
from dyn_explorer.analysis.synchrony import (
    Synchrony,
    independent_metastability,
    metastability,
    order_parameter,
    phases,
    synchrony,
)
from dyn_explorer.analysis.training_measures import TrainingMeasures, probe_signals, training_measures

__all__ = [
    "DMD_METHODS",
    "AffineLayer",
    "BackgroundForeground",
    "Barcode",
    "ClassHypergraph",
    "CompressedSnapshots",
    "DFAResult",
    "DMDResult",
    "DirectionBasis",
    "DirectionSynapses",
    "DynamicsMetrics",
    "FilterSVD",
    "FluctuationNull",
    "Hypergraph",
    "LinkWeights",
    "MethodInfo",
    "Pseudospectrum",
    "RandomMatrixFit",
    "SVDHeatMap",
    "SeedInterval",
    "SeparationNull",
    "ShuffledColumnsNull",
    "StabilityIndex",
    "Synchrony",
    "TrainingMeasures",
    "background_foreground",
    "class_hypergraph",
    "compress",
    "convergence_epoch",
    "dfa",
    "direction_basis",
    "direction_signals",
    "direction_synapses",
    "dmd",
    "dynamics_metrics",
    "eigenvalue_entropy",
    "filter_svd",
    "fluctuation_null",
    "function_strength",
    "independent_metastability",
    "integration",
    "jensen_shannon",
    "layer_fluctuation",
    "link_weights",
    "marchenko_pastur_density",
    "marchenko_pastur_median",
    "metastability",
    "mode_residuals",
    "node_strength",
    "operator_spectrum",
    "order_parameter",
    "phases",
    "pooled_signals",
    "probe_signals",
    "pseudospectrum",
    "random_matrix_fit",
    "seed_interval",
    "separation",
    "separation_null",
    "shuffled_columns_null",
    "shuffled_weights",
    "spectral_gap",
    "stability_index",
    "stable_modes",
    "strongest_first",
    "surrogates",
    "svd_heat_map",
    "synchrony",
    "training_measures",
    "unrolled_moments",
    "volatility",
    "zero_amplitude_modes",
]
