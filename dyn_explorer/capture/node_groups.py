"""The graph of node layers while a forward pass draws it: links, sums, and where links are not known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from dyn_explorer.analysis import AffineLayer, LayerGraph, Link, NodeLayer

SUMMED = "these values are also used apart from the sum that they go into, which is not followed"


@dataclass(eq=False)
class Group:
    """A node layer in the making."""

    nodes: NodeLayer
    values: list[Value] = field(default_factory=list)


@dataclass(eq=False)
class Edge:
    """Links in the making."""

    source: Group
    target: Group
    name: str
    layer: AffineLayer | None


@dataclass(eq=False)
class Value:
    """What a tensor of the forward pass holds.

    Parameters
    ----------
    group : Group
        Its nodes, perhaps in another shape.
    fresh : bool
        Whether nothing but links has acted since: then it can still be summed or scaled into its nodes.
    stale : bool
        Whether its nodes have become a sum that this tensor is not.
    """

    group: Group
    fresh: bool
    stale: bool = False


class Groups:
    """Groups and edges, in the order in which they come up."""

    def __init__(self) -> None:
        self._groups: list[Group] = []
        self._edges: list[Edge] = []

    def new(self, nodes: NodeLayer, *, fresh: bool = False) -> Value:
        """A tensor with nodes of its own."""
        group = Group(nodes)
        self._groups.append(group)
        return self._value(group, fresh)

    def _value(self, group: Group, fresh: bool) -> Value:
        value = Value(group, fresh)
        group.values.append(value)
        return value

    def passed(self, value: Value, *, fresh: bool) -> Value:
        """The same nodes after a function that acts on each by itself."""
        return self._value(value.group, value.fresh and fresh) if not value.stale else value

    def linked(self, value: Value, name: str, layer: AffineLayer, nodes: NodeLayer) -> Value:
        """Nodes that links of a layer lead into."""
        made = self.new(nodes, fresh=True)
        self._edges.append(Edge(self._source(value, name), made.group, name, layer))
        return made

    def opened(self, values: list[Value], nodes: NodeLayer) -> Value:
        """Nodes that links without fixed weights lead into; the reason is theirs."""
        for value in values:
            self._open(value.group, nodes.open_in)
        return self.new(nodes)

    def summed(self, one: Value, other: Value, name: str, nodes: NodeLayer) -> Value:
        """Nodes that are the sum of two others, like to like."""
        for first, second in ((one, other), (other, one)):
            if self._is_loose(first) and first.group is not second.group:
                return self._add_into(first, second, name)
        made = self.new(nodes, fresh=True)
        self._edges += [Edge(self._source(value, name), made.group, name, None) for value in (one, other)]
        return made

    def _add_into(self, target: Value, other: Value, name: str) -> Value:
        into, from_ = target.group, other.group
        loose = self._is_loose(other)
        for value in (*into.values, *(from_.values if loose else ())):
            value.stale = True
        if loose:
            for edge in self._edges:
                edge.target = into if edge.target is from_ else edge.target
            self._groups.remove(from_)
        else:
            self._edges.append(Edge(self._source(other, name), into, name, None))
        # In the order of execution the sum stands where its last part was made.
        self._groups.remove(into)
        self._groups.append(into)
        return self._value(into, True)

    def _is_loose(self, value: Value) -> bool:
        """Whether these nodes are nothing yet but links that lead in."""
        group = value.group
        nodes = group.nodes
        used = nodes.is_input or nodes.is_output or nodes.open_in or nodes.open_out
        return (
            value.fresh
            and not value.stale
            and not used
            and not any(edge.source is group for edge in self._edges)
            and any(edge.target is group for edge in self._edges)
        )

    def folded(self, value: Value, scale: torch.Tensor, shift: torch.Tensor) -> str:
        """Scale the only links into fresh nodes, channel by channel; why not, or nothing."""
        edges = [edge for edge in self._edges if edge.target is value.group]
        if not self._is_loose(value) or len(edges) != 1 or edges[0].layer is None:
            return "no layer with weights ends right before it, so it is not folded"
        layer = edges[0].layer
        first = layer.groups if layer.transposed else layer.weight.shape[0]
        per_group = layer.weight.shape[1] if layer.transposed else 1
        if scale.numel() != first * per_group or value.group.nodes.channel_dim != 0:
            return "its channels are not those of the layer before it, so it is not folded"
        ones = [1] * (layer.weight.ndim - 2)
        if layer.transposed:
            apart = layer.weight.reshape(first, -1, *layer.weight.shape[1:])
            weight = (apart * scale.reshape(first, 1, per_group, *ones)).reshape(layer.weight.shape)
        else:
            weight = layer.weight * scale.reshape(-1, 1, *ones)
        bias = torch.zeros_like(scale) if layer.bias is None else layer.bias
        edges[0].layer = replace(layer, weight=weight, bias=bias * scale + shift)
        return ""

    def output(self, value: Value) -> None:
        """These nodes are outputs of the model."""
        if not value.stale:
            value.group.nodes = replace(value.group.nodes, is_output=True)

    def _source(self, value: Value, name: str) -> Group:
        """Where links out of a tensor begin."""
        if not value.stale:
            return value.group
        self._open(value.group, SUMMED)
        nodes = value.group.nodes
        lost = NodeLayer(f"{name} in", nodes.shape, open_in=SUMMED, channel_dim=nodes.channel_dim)
        return self.new(lost).group

    def _open(self, group: Group, reason: str) -> None:
        group.nodes = replace(group.nodes, open_out=group.nodes.open_out or reason)

    def graph(self, reasons: dict[str, str], notes: list[str]) -> LayerGraph:
        """What was found; node layers without any link are left out."""
        ends = {id(group) for edge in self._edges for group in (edge.source, edge.target)}
        kept = [group for group in self._groups if id(group) in ends]
        place = {id(group): number for number, group in enumerate(kept)}
        links = [Link(place[id(e.source)], place[id(e.target)], e.name, e.layer) for e in self._edges]
        return LayerGraph(tuple(group.nodes for group in kept), tuple(links), reasons, tuple(notes))
