"""What can be chosen in the Network panel, with a sentence on each."""

from __future__ import annotations

from traitlets import Bool, Enum, HasTraits, Unicode

from ..base import Settings

SIGNS = (
    ("signed", "Signed", "Links of opposite sign cancel; what the published code sums."),
    ("absolute", "Absolute", "Magnitudes of weights."),
    ("squared", "Squared", "Squares of weights."),
)
PADDINGS = (
    ("real", "No links", "Taps on padding are no links, so nodes at a border have fewer."),
    ("repo", "Counted", "Taps on padding count as links into a node, as in the published code."),
)
MEASURES = (
    ("fluctuation", "Y", "Standard deviation of the strengths of a node layer."),
    ("ratio", "Y / Y shuffled", "The same over its mean under shuffled weights; 1 is what chance gives."),
)
COMPARED = (
    ("strengths", "Strengths", "Of the nodes of each node layer."),
    ("weights", "Link weights", "Of each layer, its biases among them; a kernel counts once."),
)
SHOWN = (
    ("strength", "Node strength", "Links in and out; no data."),
    (
        "neuron_strength",
        "Neuron strength",
        "What the layer puts out for the inputs, before its activation: our reconstruction of a measure of the "
        "follow-up papers.",
    ),
    ("neuron_activation", "Neuron activation", "The same after its activation: our reconstruction, too."),
)
ENSEMBLES = (
    ("none", "None", "Only the model that is looked at."),
    ("own", "This run", "The epochs of the history whose weights were kept: one run, so one network per bin."),
    ("bundled", "Bundled (digits)", "The demo network trained on the digits, three seeds."),
)
EDGES = (0.0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.97, 1.0)  # of the bins of accuracy
SCORES = ("test_accuracy", "accuracy")
MOST_VALUES = 20_000_000  # neurons times inputs that a distribution over data is of
SHUFFLES = 8
EPOCH_SHUFFLES = 4
BINS = 48
LINKS = 8  # strongest links on each side of a node
MARKS = 16  # channels of a column
COLUMNS = 3  # node layers on each side of the chosen one


class NetworkOptions(HasTraits):
    """How links are counted, and what of the strengths is drawn."""

    sign = Enum([key for key, _, _ in SIGNS], "signed")
    padding = Enum([key for key, _, _ in PADDINGS], "real")
    bias = Bool(True)
    boundary = Bool(True)
    fold_bn = Bool(False)
    shown = Enum([key for key, _, _ in SHOWN], "strength")
    measure = Enum([key for key, _, _ in MEASURES], "fluctuation")
    compare = Enum([key for key, _, _ in COMPARED], "strengths")
    ensemble = Enum([key for key, _, _ in ENSEMBLES], "none")
    node = Unicode("")


def options_of(settings: Settings) -> dict:
    """How links count, as `LayerGraph.strength` takes it."""
    return {
        "sign": settings.sign, "padding": settings.padding, "bias": settings.bias, "boundary_links": settings.boundary,
    }  # fmt: skip
