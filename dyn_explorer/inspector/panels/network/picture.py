"""Which channels the drawing of the graph shows, and the strongest links of the chosen one."""

from __future__ import annotations

import numpy as np

from dyn_explorer.analysis import LayerGraph, NodeLayer, channel_links
from dyn_explorer.views import NodeColumn, Strand

from .options import COLUMNS, LINKS, MARKS
from .result import Measured, Picture


def picture(measured: Measured, place: int, node: str) -> Picture:
    """The node layers around a place.

    Parameters
    ----------
    measured : Measured
    place : int
        The chosen node layer.
    node : str
        The chosen channel, as `node_name` calls it; where it is not there, or was chosen beside another node layer, the
        strongest of the chosen one.
    """
    graph = measured.graph
    first = max(0, min(place - COLUMNS, len(graph.nodes) - 2 * COLUMNS - 1))
    places = range(first, min(len(graph.nodes), first + 2 * COLUMNS + 1))
    at, channel = chosen(measured, place, node, places)
    strands = [
        strand
        for link in graph.links
        if link.source in places and link.target in places and at in (link.source, link.target)
        for strand in _strongest(link, graph, at, channel, first)
    ]
    ends = {end for strand in strands for end in (strand.source, strand.target)} | {(at - first, channel)}
    columns = tuple(_column(measured, number, first, ends) for number in places)
    joins = tuple(
        (link.source - first, link.target - first, link.name, link.layer is not None)
        for link in graph.links
        if link.source in places and link.target in places
    )
    here = graph.nodes[place].name
    nodes = tuple(node_name(column.name, int(mark), here) for column in columns for mark in column.channels)
    return Picture(columns, joins, tuple(strands), (at - first, channel), nodes)


def node_name(layer: str, channel: int, beside: str) -> str:
    """How the option ``node`` names a channel of a node layer that was chosen while another was looked at."""
    return f"{layer}:{channel}@{beside}"


def chosen(measured: Measured, place: int, node: str, places: range) -> tuple[int, int]:
    """Node layer and channel that an option names, or the strongest channel of the place."""
    here = measured.graph.nodes[place].name
    for at in places:
        nodes = measured.graph.nodes[at]
        number = node.removeprefix(f"{nodes.name}:").removesuffix(f"@{here}")
        if number.isdigit() and int(number) < nodes.channels and node == node_name(nodes.name, int(number), here):
            return at, int(number)
    return place, int(np.argmax(np.abs(measured.channel_means[place])))


def _strongest(link, graph: LayerGraph, at: int, channel: int, first: int) -> list[Strand]:
    table = channel_links(link, graph).numpy()
    source, target = link.source - first, link.target - first
    found = []
    if link.target == at:
        row = table[channel]
        found += [Strand((source, int(k)), (target, channel), float(row[k]), link.name) for k in _top(row)]
    if link.source == at:
        column = table[:, channel]
        found += [Strand((source, channel), (target, int(k)), float(column[k]), link.name) for k in _top(column)]
    return found


def _top(weights: np.ndarray) -> list[int]:
    order = np.argsort(-np.abs(weights), kind="stable")[:LINKS]
    return [int(k) for k in order if weights[k] != 0]


def _column(measured: Measured, place: int, first: int, ends: set[tuple[int, int]]) -> NodeColumn:
    """The strongest channels, and those at an end of a link that is drawn."""
    means, nodes = measured.channel_means[place], measured.graph.nodes[place]
    wanted = {channel for column, channel in ends if column == place - first}
    for channel in np.argsort(-np.abs(means), kind="stable"):
        if len(wanted) >= MARKS:
            break
        wanted.add(int(channel))
    shown = np.array(sorted(wanted))
    return NodeColumn(nodes.name, shown, means[shown], nodes.channels, open_note(nodes))


def open_note(nodes: NodeLayer) -> str:
    """On which sides links are not known, in words."""
    sides = [f"in ({nodes.open_in})"] * bool(nodes.open_in) + [f"out ({nodes.open_out})"] * bool(nodes.open_out)
    return "; ".join(sides)
