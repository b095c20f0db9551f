"""Sweeps: many models and checkpoints, measured alike."""

from .sweep import sweep

__all__ = ["sweep"]
