"""What can be chosen in the Dynamics panel, with a sentence on each."""

from __future__ import annotations

import numpy as np
from traitlets import Bool, CFloat, CInt, Enum, HasTraits, TraitError, validate

from dyn_explorer.analysis import DMD_METHODS

AXES = (
    ("channel", "Channels", "One image; each snapshot is one channel's map, channel after channel."),
    ("layer", "Layers", "One image; each snapshot is one layer's mean map, so that depth is time."),
    ("sample", "Inputs", "One layer; each snapshot is its whole response to one input."),
    ("position", "Positions", "One image; each snapshot is one pixel or token, with its channels as features."),
    ("path", "A path of images", "One image on its way, in even steps: a true time."),
    ("epoch", "Checkpoints", "The inputs through one checkpoint after another: training as time."),
)
NORMALISE = (
    ("none", "None", "Activations as they are."),
    ("l2", "L2 norm", "Every column has length 1."),
    ("minmax", "Min to max", "Every column runs from 0 to 1; amplitudes are lost."),
    ("softmax", "Softmax", "Each map as a distribution over its positions; small activations become nearly constant."),
)
ORDERS = (
    ("natural", "Natural", "Layer after layer, channel after channel."),
    ("lexicographic", "By name", "0, 1, 10, 11, 2, as file names are sorted; what the published code does."),
    ("random", "Random", "A permutation that the seed decides; channels have no order of their own."),
)
PATHS = (
    ("rotate", "Turned", "Once around."),
    ("shift", "Shifted", "Sideways."),
    ("morph", "Into the next input", "A straight line between two inputs."),
)
PRESETS = (
    ("none", "None", "The choices here."),
    (
        "dmd_xai",
        "dmd_xai (published)",
        "The published code: softmax, 128 x 128, jet, all convolutions by name; All is full rank.",
    ),
)
MOST_COLUMNS = 1024  # where a person sets no limit; a deep network has tens of thousands of channels
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
SHUFFLES = 20
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
    normalise = Enum([key for key, _, _ in NORMALISE], "none")
    centre = Bool(False)
    order = Enum([key for key, _, _ in ORDERS], "natural")
    seed = CInt(0, min=0, max=99)
    max_columns = CInt(MOST_COLUMNS, min=3, max=MOST_COLUMNS)
    preset = Enum([key for key, _, _ in PRESETS], "none")
    path = Enum([key for key, _, _ in PATHS], "rotate")
    steps = CInt(32, min=3, max=128)

    @validate("opacity", "stable_tol", "most_residual")
    def _finite(self, proposal) -> float:
        if np.isnan(proposal["value"]):
            raise TraitError("it is not a number")
        return proposal["value"]
