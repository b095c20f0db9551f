"""The only part of the package that touches a live model."""

from .guard import borrow
from .layers import LayerInfo, list_layers, unwrap

__all__ = ["LayerInfo", "borrow", "list_layers", "unwrap"]
