"""A model as node layers joined by links: chains, branches, sums, and the places where links are not known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from dyn_explorer.analysis.affine_layer import AffineLayer, check_options
from dyn_explorer.analysis.layer_fluctuation import shuffled_weights
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True)
class NodeLayer:
    """Nodes that stand side by side: the inputs, or what one layer puts out (summed with others where the model sums).

    Parameters
    ----------
    name : str
        Of the layer whose outputs they are; ``inputs`` for those of the model.
    shape : tuple of int
        Of the nodes.
    is_input, is_output : bool
        Whether they are inputs or outputs of the model.
    open_in, open_out : str
        Why some links into, or out of, these nodes have no fixed weight; empty where all are known.
    channel_dim : int
        Which entry of `shape` counts channels: the first, or the last for positions of a sequence.

    Example
    -------
    >>> NodeLayer("conv1", (8, 6, 6)).size
    288
    """

    name: str
    shape: tuple[int, ...]
    is_input: bool = False
    is_output: bool = False
    open_in: str = ""
    open_out: str = ""
    channel_dim: int = 0

    @property
    def size(self) -> int:
        """Number of nodes."""
        return math.prod(self.shape)

    @property
    def channels(self) -> int:
        """Number of channels; nodes without places are channels of one node each."""
        return self.shape[self.channel_dim]


@dataclass(frozen=True, eq=False)
class Link:
    """All links between two node layers that belong to one layer of the model.

    Parameters
    ----------
    source, target : int
        Places in `LayerGraph.nodes`.
    name : str
        Of the layer, or of the module that adds.
    layer : AffineLayer or None
        The weights; None joins each node to its like with a link of weight 1, as a sum of two node layers does.

    Example
    -------
    >>> Link(0, 1, "add").layer is None
    True
    """

    source: int
    target: int
    name: str
    layer: AffineLayer | None = None


@dataclass(frozen=True, eq=False)
class LayerGraph:
    """Node layers and the links between them; `dyn_explorer.capture.layer_graph` reads it from a model.

    Parameters
    ----------
    nodes : sequence of NodeLayer
        In the order of execution.
    links : sequence of Link
        In the order of execution.
    reasons : mapping of str to str
        Why a layer of the model has no links here, by its name.
    notes : sequence of str
        What holds for the whole graph.

    Raises
    ------
    DynExplorerError
        If a link does not fit its nodes.

    Example
    -------
    >>> graph = LayerGraph.chain([AffineLayer(torch.ones(3, 2)), AffineLayer(torch.ones(1, 3))])
    >>> [strength.tolist() for strength in graph.strengths()]
    [[4.0, 4.0], [3.0, 3.0, 3.0], [4.0]]
    """

    nodes: Sequence[NodeLayer]
    links: Sequence[Link]
    reasons: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for link in self.links:
            if link.layer is None:
                continue
            ends = ((link.source, link.layer.node_shape_in), (link.target, link.layer.node_shape_out))
            for place, shape in ends:
                nodes = self.nodes[place]
                if not fits(shape, nodes.shape):
                    raise DynExplorerError(
                        f"layer {link.name!r} has nodes of shape {shape}, and node layer {nodes.name!r} has "
                        f"{nodes.shape}"
                    )

    @classmethod
    def chain(cls, layers: Sequence[AffineLayer], names: Sequence[str] | None = None) -> LayerGraph:
        """The graph of layers that follow one another, as `node_strength` takes them."""
        called = list(names or (f"layer {place}" for place in range(len(layers))))
        last = len(layers) - 1
        nodes = [NodeLayer("inputs", layers[0].node_shape_in, is_input=True)]
        nodes += [
            NodeLayer(name, layer.node_shape_out, is_output=place == last)
            for place, (name, layer) in enumerate(zip(called, layers, strict=True))
        ]
        pairs = zip(called, layers, strict=True)
        links = [Link(place, place + 1, name, layer) for place, (name, layer) in enumerate(pairs)]
        return cls(nodes, links)

    def into(self, place: int) -> list[Link]:
        """Links into a node layer."""
        return [link for link in self.links if link.target == place]

    def out_of(self, place: int) -> list[Link]:
        """Links out of a node layer."""
        return [link for link in self.links if link.source == place]

    def strength(
        self,
        place: int,
        *,
        sign: str = "signed",
        padding: str = "real",
        bias: bool = True,
        boundary_links: bool = True,
    ) -> torch.Tensor:
        """Strength of every node of one node layer; links without a fixed weight count nothing.

        Parameters
        ----------
        place : int
            In `nodes`.
        sign, padding, bias, boundary_links
            As in `node_strength`. Only inputs and outputs of the model have boundary links.

        Returns
        -------
        torch.Tensor
            Shape of the node layer, float64, on the CPU.
        """
        check_options(sign, padding)
        nodes = self.nodes[place]
        total = torch.zeros(nodes.shape, dtype=torch.float64)
        for link in self.into(place):
            total += _spread(link, nodes.shape, lambda a: a.in_strength(sign=sign, padding=padding, bias=bias))
        for link in self.out_of(place):
            total += _spread(link, nodes.shape, lambda a: a.out_strength(sign=sign))
        return total + float(boundary_links) * (nodes.is_input + nodes.is_output)

    def strengths(self, **options) -> list[torch.Tensor]:
        """Strength of every node of every node layer; options as in `strength`."""
        return [self.strength(place, **options) for place in range(len(self.nodes))]

    def shuffled(self, seed: int, *, near: int | None = None) -> LayerGraph:
        """The same graph with the weights of each layer in a random order, and so its biases.

        Parameters
        ----------
        seed : int
            Decides the orders.
        near : int, optional
            Only links that touch this node layer are shuffled, as they would be with all others.
        """

        def drawn(place: int, link: Link) -> Link:
            if link.layer is None or near not in (None, link.source, link.target):
                return link
            return replace(link, layer=shuffled_weights(link.layer, seed + place))

        return replace(self, links=[drawn(place, link) for place, link in enumerate(self.links)])


def fits(shape: tuple[int, ...], nodes: tuple[int, ...]) -> bool:
    """Whether a layer's nodes are these: the same number, or the same at each position of a sequence."""
    return math.prod(shape) == math.prod(nodes) or (len(shape) == 1 and nodes[-1:] == shape)


def _spread(link: Link, nodes: tuple[int, ...], measure) -> torch.Tensor:
    if link.layer is None:
        return torch.ones(nodes, dtype=torch.float64)
    strength = measure(link.layer).cpu()
    return strength.reshape(nodes) if strength.numel() == math.prod(nodes) else strength.expand(nodes)


def channel_links(link: Link, graph: LayerGraph) -> torch.Tensor:
    """Total weight of the links between each two channels, per node of the target channel.

    Summed over the sources, and times the nodes of the target channel, it is the strength of the links into that
    channel without the bias.

    Parameters
    ----------
    link : Link
        Of `graph`.
    graph : LayerGraph

    Returns
    -------
    torch.Tensor
        Shape (target channels, source channels), float64, on the CPU; nodes without places are channels of one node.

    Example
    -------
    >>> graph = LayerGraph.chain([AffineLayer(torch.ones(2, 3, 1, 1), input_shape=(3, 4, 4))])
    >>> channel_links(graph.links[0], graph).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    source, target = graph.nodes[link.source], graph.nodes[link.target]
    if link.layer is None:
        return torch.eye(target.channels, dtype=torch.float64)
    layer, weight = link.layer, link.layer.weight.cpu()
    if layer.input_shape is None:
        per_node = weight.shape[0] / target.channels if weight.shape[0] == target.size else 1
        return _by_channel(_by_channel(weight, source).T, target).T / per_node
    total = (weight * layer.tap_counts()).flatten(2).sum(dim=2)
    dense = torch.block_diag(*total.chunk(layer.groups))
    return (dense.T if layer.transposed else dense) / math.prod(layer.node_shape_out[1:])


def _by_channel(weight: torch.Tensor, nodes: NodeLayer) -> torch.Tensor:
    """Sum the columns of a matrix that belong to one channel."""
    if weight.shape[1] != nodes.size:
        return weight
    apart = weight.reshape(len(weight), *nodes.shape).movedim(nodes.channel_dim % len(nodes.shape) + 1, 1)
    return apart.flatten(2).sum(dim=2) if apart.ndim > 2 else apart
