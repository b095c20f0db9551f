"""The only part of the package that touches a live model."""

from .guard import borrow
from .layers import LayerInfo, list_layers, unwrap
from .recording import Recording, RecordingError, record
from .snapshots import Snapshots, snapshots

__all__ = [
    "LayerInfo",
    "Recording",
    "RecordingError",
    "Snapshots",
    "borrow",
    "list_layers",
    "record",
    "snapshots",
    "unwrap",
]
