"""Pure measures: tensors or arrays in, frozen results out. No widgets, no plots, no globals."""

from dyn_explorer.analysis.affine_layer import AffineLayer
from dyn_explorer.analysis.background import BackgroundForeground, background_foreground
from dyn_explorer.analysis.basin import Basin
from dyn_explorer.analysis.basin_plane import BasinPlane, basin_plane, predicted_classes
from dyn_explorer.analysis.class_hypergraph import ClassHypergraph, class_hypergraph
from dyn_explorer.analysis.component_barcode import Barcode
from dyn_explorer.analysis.compress import CompressedSnapshots, compress
from dyn_explorer.analysis.correlation import Coefficient, Correlation, correlation
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
from dyn_explorer.analysis.ensemble import Ensemble, accuracy_bins, ensemble
from dyn_explorer.analysis.filter_svd import FilterSVD, filter_svd
from dyn_explorer.analysis.hypergraph import Hypergraph
from dyn_explorer.analysis.hypergraph_export import to_hif, to_hypernetx, to_xgi
from dyn_explorer.analysis.input_mismatch import input_mismatch
from dyn_explorer.analysis.layer_fields import hidden_activations, layer_fields
from dyn_explorer.analysis.layer_fluctuation import (
    FluctuationNull,
    fluctuation_null,
    layer_fluctuation,
    shuffled_weights,
)
from dyn_explorer.analysis.layer_graph import LayerGraph, Link, NodeLayer, channel_links
from dyn_explorer.analysis.linear_map import linear_map, linear_maps
from dyn_explorer.analysis.link_weights import LinkWeights, link_weights, unrolled_moments
from dyn_explorer.analysis.neuron_strength import NeuronStrength, neuron_strength
from dyn_explorer.analysis.node_strength import function_strength, node_strength
from dyn_explorer.analysis.operator_spectrum import operator_spectrum
from dyn_explorer.analysis.pooled_signals import pooled_signals
from dyn_explorer.analysis.profile_separation import ProfileSeparation, profile_separation
from dyn_explorer.analysis.profiles import Profiles, class_profiles, prefix_weights, profile_similarity, profiles
from dyn_explorer.analysis.random_matrix_fit import (
    RandomMatrixFit,
    marchenko_pastur_density,
    marchenko_pastur_median,
    random_matrix_fit,
)
from dyn_explorer.analysis.rank_alignment import rank_alignment
from dyn_explorer.analysis.rank_alignment_result import RankAlignment
from dyn_explorer.analysis.residuals import Pseudospectrum, mode_residuals, pseudospectrum
from dyn_explorer.analysis.sample_basin import noisy_inputs, sample_basin
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
from dyn_explorer.analysis.stand_in import HiddenActivation
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
from dyn_explorer.analysis.tall_factor import tall_factor
from dyn_explorer.analysis.training_measures import TrainingMeasures, probe_signals, training_measures
from dyn_explorer.analysis.truncation import Truncation, truncation, truncation_accuracy
from dyn_explorer.analysis.weight_basin import weight_basin, weight_layers
from dyn_explorer.analysis.weight_spectrum import WeightSpectrum, spectrum_verdict, weight_spectrum

__all__ = [
    "DMD_METHODS",
    "AffineLayer",
    "BackgroundForeground",
    "Barcode",
    "Basin",
    "BasinPlane",
    "ClassHypergraph",
    "Coefficient",
    "CompressedSnapshots",
    "Correlation",
    "DFAResult",
    "DMDResult",
    "DirectionBasis",
    "DirectionSynapses",
    "DynamicsMetrics",
    "Ensemble",
    "FilterSVD",
    "FluctuationNull",
    "HiddenActivation",
    "Hypergraph",
    "LayerGraph",
    "Link",
    "LinkWeights",
    "MethodInfo",
    "NeuronStrength",
    "NodeLayer",
    "ProfileSeparation",
    "Profiles",
    "Pseudospectrum",
    "RandomMatrixFit",
    "RankAlignment",
    "SVDHeatMap",
    "SeedInterval",
    "SeparationNull",
    "ShuffledColumnsNull",
    "StabilityIndex",
    "StrengthNull",
    "Synchrony",
    "TrainingMeasures",
    "Truncation",
    "WeightSpectrum",
    "accuracy_bins",
    "background_foreground",
    "basin_plane",
    "channel_links",
    "class_hypergraph",
    "class_profiles",
    "compress",
    "convergence_epoch",
    "correlation",
    "dfa",
    "direction_basis",
    "direction_signals",
    "direction_synapses",
    "dmd",
    "dynamics_metrics",
    "eigenvalue_entropy",
    "ensemble",
    "filter_svd",
    "fluctuation_null",
    "function_strength",
    "hidden_activations",
    "independent_metastability",
    "input_mismatch",
    "integration",
    "jensen_shannon",
    "layer_fields",
    "layer_fluctuation",
    "linear_map",
    "linear_maps",
    "link_weights",
    "marchenko_pastur_density",
    "marchenko_pastur_median",
    "metastability",
    "mode_residuals",
    "neuron_strength",
    "node_strength",
    "noisy_inputs",
    "operator_spectrum",
    "order_parameter",
    "phases",
    "pooled_signals",
    "predicted_classes",
    "prefix_weights",
    "probe_signals",
    "profile_separation",
    "profile_similarity",
    "profiles",
    "pseudospectrum",
    "random_matrix_fit",
    "rank_alignment",
    "sample_basin",
    "seed_interval",
    "separation",
    "separation_null",
    "shuffled_columns_null",
    "shuffled_weights",
    "spectral_gap",
    "spectrum_verdict",
    "stability_index",
    "stable_modes",
    "strength_null",
    "strongest_first",
    "surrogates",
    "svd_heat_map",
    "synchrony",
    "tall_factor",
    "to_hif",
    "to_hypernetx",
    "to_xgi",
    "training_measures",
    "truncation",
    "truncation_accuracy",
    "unrolled_moments",
    "volatility",
    "weight_basin",
    "weight_layers",
    "weight_spectrum",
    "zero_amplitude_modes",
]
