"""Pure measures: tensors or arrays in, frozen results out. No widgets, no plots, no globals."""

from dyn_explorer.analysis.affine_layer import AffineLayer
from dyn_explorer.analysis.background import BackgroundForeground, background_foreground
from dyn_explorer.analysis.compress import CompressedSnapshots, compress
from dyn_explorer.analysis.dfa import DFAResult, dfa
from dyn_explorer.analysis.distribution_divergence import jensen_shannon
from dyn_explorer.analysis.dmd import dmd
from dyn_explorer.analysis.dmd_fit import MethodInfo
from dyn_explorer.analysis.dmd_methods import DMD_METHODS
from dyn_explorer.analysis.dmd_result import DMDResult
from dyn_explorer.analysis.dynamics_metrics import DynamicsMetrics, dynamics_metrics, zero_amplitude_modes
from dyn_explorer.analysis.eigenvalue_metrics import eigenvalue_entropy, spectral_gap
from dyn_explorer.analysis.ensemble import Ensemble, accuracy_bins, ensemble
from dyn_explorer.analysis.layer_fluctuation import (
    FluctuationNull,
    fluctuation_null,
    layer_fluctuation,
    shuffled_weights,
)
from dyn_explorer.analysis.layer_graph import LayerGraph, Link, NodeLayer, channel_links
from dyn_explorer.analysis.link_weights import LinkWeights, link_weights, unrolled_moments
from dyn_explorer.analysis.neuron_strength import NeuronStrength, neuron_strength
from dyn_explorer.analysis.node_strength import function_strength, node_strength
from dyn_explorer.analysis.residuals import Pseudospectrum, mode_residuals, pseudospectrum
from dyn_explorer.analysis.seeds import SeedInterval, seed_interval
from dyn_explorer.analysis.shuffled_columns import ShuffledColumnsNull, shuffled_columns_null
from dyn_explorer.analysis.stability import (
    StabilityIndex,
    convergence_epoch,
    integration,
    stability_index,
    volatility,
)
from dyn_explorer.analysis.stable import stable_modes
from dyn_explorer.analysis.strength_null import StrengthNull, strength_null
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
    "CompressedSnapshots",
    "DFAResult",
    "DMDResult",
    "DynamicsMetrics",
    "Ensemble",
    "FluctuationNull",
    "LayerGraph",
    "Link",
    "LinkWeights",
    "MethodInfo",
    "NeuronStrength",
    "NodeLayer",
    "Pseudospectrum",
    "SVDHeatMap",
    "SeedInterval",
    "ShuffledColumnsNull",
    "StabilityIndex",
    "StrengthNull",
    "Synchrony",
    "TrainingMeasures",
    "accuracy_bins",
    "background_foreground",
    "channel_links",
    "compress",
    "convergence_epoch",
    "dfa",
    "dmd",
    "dynamics_metrics",
    "eigenvalue_entropy",
    "ensemble",
    "fluctuation_null",
    "function_strength",
    "independent_metastability",
    "integration",
    "jensen_shannon",
    "layer_fluctuation",
    "link_weights",
    "metastability",
    "mode_residuals",
    "neuron_strength",
    "node_strength",
    "order_parameter",
    "phases",
    "probe_signals",
    "pseudospectrum",
    "seed_interval",
    "shuffled_columns_null",
    "shuffled_weights",
    "spectral_gap",
    "stability_index",
    "stable_modes",
    "strength_null",
    "surrogates",
    "svd_heat_map",
    "synchrony",
    "training_measures",
    "unrolled_moments",
    "volatility",
    "zero_amplitude_modes",
]
