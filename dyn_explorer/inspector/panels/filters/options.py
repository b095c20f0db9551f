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
KINDS = (
    ("channel", "Channels", "Each with its largest value over positions."),
    ("svd", "Singular directions", "Each with the magnitude of its mean signal over positions."),
    ("element", "Elements", "The place of each channel's largest value."),
    ("spatial", "Positions", "Each with the norm of its channels; the top 3 %, at most 100, are looked at."),
    ("off", "Off", "No profiles."),
)
COMPARED = (
    ("images", "Inputs", "Each with each, sorted by class."),
    ("classes", "Classes", "The profile of each class with that of each other."),
)
PERMUTATIONS = 20
ASCENDING = {"alpha", "stable_rank"}


class FiltersOptions(HasTraits):
    """Which direction is looked at, and of which weight."""

    direction = CInt(0, min=0)
    part = Unicode("")
    fold_batchnorm = Bool(False)
    make_image = Bool(False)
    order = Enum([key for key, _, _ in ORDERS], "layer")
    profile = Enum([key for key, _, _ in KINDS], "channel")
    tau = CFloat(0.5, min=0.01, max=0.99)
    compare = Enum([key for key, _, _ in COMPARED], "images")
    opacity = CFloat(0.7, min=0, max=1)
