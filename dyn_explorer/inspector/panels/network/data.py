"""Neuron strength and neuron activation: what the recorded layers put out, as a measure of their nodes."""

from __future__ import annotations

import numpy as np

from dyn_explorer import analysis
from dyn_explorer.analysis import LayerGraph
from dyn_explorer.errors import DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.source import Source

from .options import BINS, MOST_VALUES
from .result import OverData

SHAPING = ("Dropout", "Flatten", "Identity", "Unflatten")


def over_data(source: Source, graph: LayerGraph, place: int, shown: str, job: Job) -> OverData:
    """The chosen nodes over the inputs.

    Raises
    ------
    DynExplorerError
        If the nodes are not what a layer of the model puts out, or have no activation that is a layer.
    """
    nodes = graph.nodes[place]
    layer = nodes.name if shown == "neuron_strength" else _activation(source, graph, nodes.name)
    if layer not in source.layers:
        raise DynExplorerError(f"The nodes of {layer!r} are not what one layer puts out; choose the nodes of a layer.")
    outputs = source.record((layer,), job).activations[layer]
    if outputs[0].numel() != nodes.size:
        raise DynExplorerError(f"Layer {layer!r} has no value for each of the nodes of {nodes.name!r}; choose others.")
    found = analysis.neuron_strength(outputs[: max(1, MOST_VALUES // nodes.size)])
    values = found.values.cpu().numpy()
    counts, edges = np.histogram(values, BINS)
    density = counts / (values.size * np.diff(edges))
    label = f"{shown.replace('_', ' ')} of {layer}"
    return OverData(layer, label, found.mean.reshape(nodes.shape).cpu().numpy(), edges, density, len(values))


def _activation(source: Source, graph: LayerGraph, name: str) -> str:
    """The first layer after the nodes that acts on each by itself."""
    order, links = list(source.layers), {link.name for link in graph.links}
    for layer in order[order.index(name) + 1 :] if name in order else []:
        if layer in links:
            break
        acts = graph.reasons.get(layer, "").startswith("it acts on each node")
        if acts and not source.layers[layer].kind.startswith(SHAPING):
            return layer
    raise DynExplorerError(
        f"No activation that is a layer of its own follows the nodes of {name!r}; choose neuron strength, or others."
    )
