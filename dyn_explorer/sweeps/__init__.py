"""Sweeps: many models and checkpoints, measured alike."""

from .compare import sweep
from .named_model import named_model

__all__ = ["named_model", "sweep"]
