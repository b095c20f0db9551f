"""A model's layers as weighted graphs, each layer for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from torch import nn

from ...analysis import AffineLayer, fluctuation_null, link_weights
from ...errors import DynExplorerError
from ..finding import Finding
from ..look import Look
from .family import WEIGHTED, Family
from .words import Words

UNTRAINED, SHUFFLED = "an untrained copy", "the weights in other orders"
WORDS = {
    "link_mean": Words("mean link weight", "Over the layer's links.", UNTRAINED),
    "link_std": Words("standard deviation of link weights", "Over the layer's links.", UNTRAINED),
    "out_strength_fluctuation": Words(
        "fluctuation of strengths out", "Standard deviation over the nodes that the layer reads.", SHUFFLED
    ),
    "in_strength_fluctuation": Words(
        "fluctuation of strengths in", "Standard deviation over the nodes that the layer feeds.", SHUFFLED
    ),
}
MEASURES = tuple(WORDS)


def network(look: Look) -> Iterable[Finding]:
    """Link weights and the fluctuation of node strengths, layer by layer.

    Each layer is a graph of its own, so that no assumption is made about what follows it: fluctuation is that of the
    strengths out of its inputs, and into its outputs (our choice; the papers join neighbouring layers). The null of a
    fluctuation is the mean over shuffled weights; that of the link weights, which shuffling leaves alone, is the same
    layer of an untrained copy.

    References
    ----------
    La Malfa, La Malfa, Nicosia & Latora (2021), arXiv:2110.02628.
    """
    copies = dict(look.untrained.named_modules())
    for name, layer in look.wanted_affine.items():
        look.check_cancelled()
        try:
            if isinstance(layer, DynExplorerError):
                raise layer
            yield from (*_links(name, layer, copies[name]), *_fluctuations(name, layer, look))
        except DynExplorerError as error:
            yield from (Finding(measure, layer=name, error=str(error)) for measure in MEASURES)


def _links(name: str, layer: AffineLayer, copy: nn.Module) -> Iterator[Finding]:
    links, null = link_weights(layer.weight, layer.bias), link_weights(copy.weight, copy.bias)
    yield Finding("link_mean", links.mean, null.mean, len(links.values), name)
    yield Finding("link_std", links.std, null.std, len(links.values), name)


def _fluctuations(name: str, layer: AffineLayer, look: Look) -> Iterator[Finding]:
    shuffles, seed = look.options.shuffles, look.seed("network", name)
    null = fluctuation_null([layer], shuffles=shuffles, seed=seed, boundary_links=False)
    for row, (measure, shape) in enumerate(
        (("out_strength_fluctuation", layer.node_shape_in), ("in_strength_fluctuation", layer.node_shape_out))
    ):
        yield Finding(measure, float(null.values[row]), float(null.mean[row]), int(np.prod(shape)), name)


NETWORK = Family("network", MEASURES, network, by_default=True, title="Network", words=WORDS, where=WEIGHTED)
