"""What can be chosen in the Neurons panel, with a sentence on each."""

from __future__ import annotations

from traitlets import CInt, Enum, HasTraits, Int

BN_STATS = (
    ("running", "running", "BatchNorm divides by its running statistics; early in training they lag behind."),
    ("batch", "of these inputs", "BatchNorm divides by the statistics of the inputs, all in one batch."),
)
POOLING = (
    ("average", "mean (linear)", "Max-pooling above takes the mean of its window, so that what is left is linear."),
    ("max", "max (as it is)", "Only activations become the identity; max-pooling stays as it is."),
)
MOST_NEURONS = 2000
MOST_COLUMNS = 24
ABOUT = (
    "Rank alignment (the gradient of the rank probability density, in our normalisation): every activation above a "
    "layer is made the identity, which leaves one matrix A that reads the layer. The field of each neuron, times the "
    "sign of its weight in A, is ranked over all samples; G = 2 AUC - 1 says how far the samples of a class stand "
    "above all others. Low G is unaligned or cooperating and does not say which; no neuron is called one or the other. "
    "Two nulls: permuted labels, and readout weights with random signs. Random features tell classes apart already, so "
    "single neurons of an untrained network lie beyond the first null on both sides; only layers are a claim. A is a "
    "substitution, not a derivative: how well it stands for the network is the truncation figure. With running "
    "statistics, BatchNorm makes early steps look untrained: switch it to the statistics of the inputs. Definitions "
    "after a digest of arXiv:2501.02436, whose estimator of the gradient is not known; scaling, nulls, convolutions "
    "and pooling are ours."
)
NO_LABELS = (
    "There are no labels, and rank alignment asks how neurons rank the samples of a class against all others. Open the "
    "model with its labels: dx.explore(model, inputs, labels)."
)
NO_CLASSES = (
    "The model puts out {shape} for {count} samples, and this needs one row of at least two class scores per sample. "
    "Wrap the model so that it returns them."
)


class NeuronsOptions(HasTraits):
    """Which class and neuron are looked at, and how the network is made linear.

    `neuron` is a place in the layer's flattened output, `start` the number of the first activation that is made the
    identity; None is the neuron that the class reads most strongly, and the network as it is.
    """

    category = CInt(0, min=0)
    neuron = Int(None, allow_none=True, min=0)
    bn_stats = Enum([key for key, _, _ in BN_STATS], "running")
    start = Int(None, allow_none=True, min=0)
    pooling = Enum([key for key, _, _ in POOLING], "average")
