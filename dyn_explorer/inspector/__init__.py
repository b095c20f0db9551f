"""The inspector: one widget that shows a live model as a dynamical system."""

from .widget import Inspector, explore

__all__ = ["Inspector", "explore"]
