"""What can be chosen in the Classes panel, with a sentence on each."""

from __future__ import annotations

from traitlets import CFloat, CInt, Enum, HasTraits

LABELS = (
    ("given", "As given", "What explore(model, inputs, labels) was given."),
    ("predicted", "Predicted", "The class of the model's largest output: separation of what it says, right or wrong."),
)
RULE_MENU = (
    (
        "quantile",
        "Direction quantile",
        "A hyperedge holds the images at one end of a direction; all are equally large.",
    ),
    ("influence", "Image influence", "A hyperedge holds the images that it leads; read purity beside its size."),
)
POOL_MENU = (
    ("mean", "Mean", "Over positions, as DeepDataProfiler pools."),
    ("signed_max", "Signed maximum", "The value of largest magnitude over positions, with its sign."),
    ("rms", "Root mean square", "Over positions; it has no sign, so a − edge holds the images of least signal."),
)
MOST_DRAWN = 60  # images
MOST_S = 1_000_000
NO_PAIR = -1
PERMUTATIONS = 20
RANDOM_BASES = 4
CONTROL_KINDS = ("channel", *["random"] * RANDOM_BASES)
NO_LABELS = (
    "Separation is measured between classes, and there are no labels here: open the model with "
    "dx.explore(model, images, labels), or choose predicted classes at the left."
)
NO_PREDICTIONS = (
    "This model does not return one score per class and image, so it predicts no classes; give labels: "
    "dx.explore(model, images, labels)."
)
NO_LAYERS = "There is no linear layer or convolution that can be recorded, so there are no directions to read."


class ClassesOptions(HasTraits):
    """How images and directions become a hypergraph, and what of it is looked at."""

    labels = Enum([key for key, _, _ in LABELS], "given")
    rule = Enum([key for key, _, _ in RULE_MENU], "quantile")
    quantile = CFloat(0.1, min=0.01, max=0.5)
    tau = CFloat(0.1, min=0.01, max=0.9)
    directions = CInt(16, min=1, max=64)
    pool = Enum([key for key, _, _ in POOL_MENU], "mean")
    theta = CFloat(0.25, min=0.01, max=1.0)
    s = CInt(1, min=1, max=MOST_S)
    edge = CInt(0, min=0)
    pair = CInt(NO_PAIR, min=NO_PAIR)
