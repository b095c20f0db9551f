"""Where epochs stand on an axis that several cards share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_TICKS = 14


@dataclass(frozen=True)
class EpochAxis:
    """Where epochs stand: evenly where they were recorded evenly, else at ``log2(1 + epoch)``.

    Attributes
    ----------
    is_log : bool
    ticks : tuple of (position, label)
        As many as have room; empty for Bokeh's own.
    """

    is_log: bool = False
    ticks: tuple[tuple[float, str], ...] = ()

    @classmethod
    def of(cls, epochs: Sequence[float]) -> EpochAxis:
        """The axis that suits these epochs."""
        values = np.asarray(epochs, dtype=float)
        steps = np.diff(values)
        if len(values) < 3 or values.min() < 0 or steps.max() < 3 * steps.min():
            return cls()
        places = np.log2(1 + values)
        ticks, room = [], (places[-1] - places[0]) / MOST_TICKS
        for place, value in zip(places, values, strict=True):
            if not ticks or place - ticks[-1][0] >= room:
                ticks.append((float(place), f"{value:g}"))
        return cls(True, tuple(ticks))

    def place(self, epochs: Sequence[float]) -> np.ndarray:
        """Positions of epochs."""
        values = np.asarray(epochs, dtype=float)
        return np.log2(1 + values) if self.is_log else values
