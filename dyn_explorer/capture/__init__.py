"""The only part of the package that touches a live model."""

from .affine_layers import affine_layers
from .copies import copy_with
from .epochs import EpochRecording, record_epochs
from .guard import borrow
from .history import History
from .layer_graph import layer_graph
from .layers import LayerInfo, list_layers, unwrap
from .paths import path_inputs, record_path
from .presets import PRESETS, dmd_xai_snapshots
from .receptive_field import ReceptiveField, receptive_field
from .recording import Recording, RecordingError, record
from .responses import Maximised, maximise, response_gradient
from .select import select_layers
from .signals import SignalReader, has_directions
from .snapshots import Snapshots, snapshots
from .untrained import untrained_copy
from .weights import LayerWeight, layer_weight, layer_weights

__all__ = [
    "PRESETS",
    "EpochRecording",
    "History",
    "LayerInfo",
    "LayerWeight",
    "Maximised",
    "ReceptiveField",
    "Recording",
    "RecordingError",
    "SignalReader",
    "Snapshots",
    "affine_layers",
    "borrow",
    "copy_with",
    "dmd_xai_snapshots",
    "has_directions",
    "layer_graph",
    "layer_weight",
    "layer_weights",
    "list_layers",
    "maximise",
    "path_inputs",
    "receptive_field",
    "record",
    "record_epochs",
    "record_path",
    "response_gradient",
    "select_layers",
    "snapshots",
    "untrained_copy",
    "unwrap",
]
