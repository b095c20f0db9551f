"""What can be chosen in the Dynamics panel, with a sentence on each."""

from __future__ import annotations

import numpy as np
from traitlets import Bool, CFloat, CInt, Enum, HasTraits, TraitError, validate

from dyn_explorer.analysis import DMD_METHODS

AXES = (
    ("channel", "Channels", "One image; each snapshot is one channel's map, channel after channel."),
    ("layer", "Layers", "One image; each snapshot is one layer's mean map, so that depth is time."),
    ("sample", "Inputs", "One layer; each snapshot is its whole response to one input."),
)
METHODS = tuple((key, info.label, info.helps) for key, info in DMD_METHODS.items())
PARTS = (
    ("magnitude", "Magnitude |φ|", "How strongly each place takes part in the mode."),
    ("real", "Real part Re φ", "With its sign; colours diverge from zero."),
)
RANK_PRESETS = (
    (None, "All", "Every direction above 1e-10 of the largest singular value."),
    (0.99, "99 %", "The smallest rank that keeps 99 % of the energy."),
    (0.9, "90 %", "The smallest rank that keeps 90 % of the energy."),
)
ALL_RESIDUALS = 2.0  # a filter at its right end hides nothing


class DynamicsOptions(HasTraits):
    """How the Dynamics panel draws what it computed."""

    opacity = CFloat(0.7, min=0, max=1)
    part = Enum([key for key, _, _ in PARTS], "magnitude")
    stable_tol = CFloat(0.05, min=0, max=1)
    most_residual = CFloat(ALL_RESIDUALS, min=0, max=ALL_RESIDUALS)
    pseudospectrum = Bool(False)
    step = CInt(0, min=0)
    terms = CInt(0, min=0)

    @validate("opacity", "stable_tol", "most_residual")
    def _finite(self, proposal) -> float:
        if np.isnan(proposal["value"]):
            raise TraitError("it is not a number")
        return proposal["value"]
