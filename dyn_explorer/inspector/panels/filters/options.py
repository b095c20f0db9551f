"""What can be chosen in the Filters panel, with a sentence on each."""

from __future__ import annotations

from traitlets import Bool, CFloat, CInt, Enum, HasTraits, Unicode

KEPT = 20  # directions of each group that are looked at
LINKED = 10  # directions per column of the graph
EXCITED, SUPPRESSED = 8, 4
SHUFFLES = 10
LEVEL = 0.99
STEPS = 128  # of the search for an image
ORDERS = (
    ("layer", "As they run", "Every layer with weights, in the order of execution."),
    ("alpha", "α, smallest first", "The heaviest tails on top; layers without an exponent last."),
    ("spikes", "Spikes, most first", "Eigenvalues beyond the Marchenko-Pastur edge."),
    ("stable_rank", "Stable rank, smallest first", "Where the fewest directions carry the weight."),
    ("spectral_norm", "Spectral norm, largest first", "Largest singular value of the unfolded weight."),
)
ASCENDING = {"alpha", "stable_rank"}


class FiltersOptions(HasTraits):
    """Which direction is looked at, and of which weight."""

    direction = CInt(0, min=0)
    part = Unicode("")
    fold_batchnorm = Bool(False)
    make_image = Bool(False)
    order = Enum([key for key, _, _ in ORDERS], "layer")
    opacity = CFloat(0.7, min=0, max=1)
