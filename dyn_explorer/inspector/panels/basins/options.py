"""What can be chosen in the Basins panel, with a sentence on each."""

from __future__ import annotations

import numpy as np
from traitlets import CFloat, CInt, Enum, HasTraits, validate

LOWEST, HIGHEST = 1e-2, 16.0
POINTS = ((17, "17", "A fifth of a decade apart."), (33, "33", "A tenth of a decade apart; twice the time."))
TARGETS = (
    ("label", "The label", "As in the paper; undefined where the accuracy without noise is below the threshold."),
    ("prediction", "The answer without noise", "Ours: needs no labels, and is defined for every model."),
)
# Amplitudes at which the noisy input can be looked at; few digits, because they are read.
CURSORS = tuple(float(f"{sigma:.2g}") for sigma in np.geomspace(LOWEST, HIGHEST, 33))


class BasinsOptions(HasTraits):
    """How basins are measured, and at which amplitude the noisy input is looked at."""

    sigma = CFloat(0.5)
    threshold = CFloat(None, allow_none=True, min=0.02, max=0.98)
    target = Enum([key for key, _, _ in TARGETS], "label")
    images = CInt(128, min=1, max=256)
    draws = CInt(4, min=1, max=16)
    points = Enum([key for key, _, _ in POINTS], 17)
    seed = CInt(0, min=0, max=99)

    @validate("sigma")
    def _nearest(self, proposal) -> float:
        # The slider has stops; a value between two of them would leave it without a place.
        positive = max(proposal["value"], LOWEST)
        return min(CURSORS, key=lambda stop: abs(np.log(stop / positive)))


def sigmas(points: int) -> np.ndarray:
    """The grid of amplitudes."""
    return np.geomspace(LOWEST, HIGHEST, points)
