"""The computations behind the Network panel, each made once per recording and choice of how links count."""

from __future__ import annotations

import numpy as np
import torch

from dyn_explorer import analysis, capture
from dyn_explorer.analysis import LayerGraph, NodeLayer
from dyn_explorer.errors import Cancelled, DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import SEED, Memo
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .options import EPOCH_SHUFFLES, SHUFFLES, options_of
from .result import Comparison, Epochs, Measured


def measured(graph: LayerGraph, options: dict) -> Measured:
    """Sum the links of every node, and keep what is small."""
    strengths = graph.strengths(**options)
    means = [_channel_means(values, nodes) for values, nodes in zip(strengths, graph.nodes, strict=True)]
    return Measured(
        graph,
        np.array([float(values.mean()) for values in strengths]),
        analysis.layer_fluctuation(strengths),
        tuple(means),
        analysis.jensen_shannon(strengths),
    )


def _channel_means(strengths: torch.Tensor, nodes: NodeLayer) -> np.ndarray:
    by_channel = strengths.movedim(nodes.channel_dim, 0)
    return by_channel.reshape(nodes.channels, -1).mean(dim=1).numpy()


def weight_divergence(graph: LayerGraph) -> tuple[np.ndarray, tuple[str, ...], list[int]]:
    """Jensen-Shannon divergence of the link weights of each two layers, their names, and where they lead."""
    weighted = [link for link in graph.links if link.layer is not None]
    values = [analysis.link_weights(link.layer.weight, link.layer.bias).values for link in weighted]
    return analysis.jensen_shannon(values), tuple(link.name for link in weighted), [link.target for link in weighted]


def place_of(graph: LayerGraph, layer: str, order: list[str]) -> tuple[int, str]:
    """The node layer that a layer of the model stands for, and in words, why it is another one.

    Parameters
    ----------
    graph : LayerGraph
    layer : str
        The chosen layer.
    order : list of str
        All layers in the order of execution.
    """
    names = {nodes.name: place for place, nodes in enumerate(graph.nodes)}
    names |= {link.name: link.target for link in graph.links}
    if layer in names:
        return names[layer], ""
    before = order[: order.index(layer)] if layer in order else []
    found = next((name for name in reversed(before) if name in names), "")
    place = names[found] if found else 0
    shown = graph.nodes[place].name
    why = graph.reasons.get(layer, "it has no links of its own")
    return place, f"{layer}: {why}. Shown are the nodes of {shown}."


def as_maps(strengths: np.ndarray, nodes: NodeLayer) -> np.ndarray:
    """Strengths as one picture per channel; nodes without places stay a vector."""
    by_channel = np.moveaxis(strengths, nodes.channel_dim, 0)
    if by_channel.ndim == 1:
        return by_channel
    return by_channel.reshape(len(by_channel), -1, by_channel.shape[-1])


class Kept:
    """What the comparisons are made of, each made once: whole graphs are large, numbers of an epoch are not."""

    def __init__(self) -> None:
        self.untrained = Memo(1)
        self.nulls = Memo(4)
        self.epochs = Memo(4096)
        self.many = Memo(4)


def comparison(
    source: Source, graph: LayerGraph, place: int, settings: Settings, kept: Kept, key: tuple, job: Job
) -> Comparison:
    """The nulls of a graph, and of one of its node layers."""
    options = options_of(settings)
    shuffle = {"shuffles": SHUFFLES, "seed": SEED, "cancel": job.cancel, **options}
    null = kept.nulls.get(key, lambda: analysis.strength_null(graph, **shuffle))
    near = kept.nulls.get((key, place), lambda: analysis.strength_null(graph, place=place, **shuffle))
    untrained, strengths, reason = None, None, ""
    try:
        fresh = kept.untrained.get(
            ("untrained", settings.fold_bn, id(source.live_model)), lambda: _untrained(source, settings, job)
        )
        if [nodes.shape for nodes in fresh.nodes] != [nodes.shape for nodes in graph.nodes]:
            raise DynExplorerError("the untrained copy takes another way for these inputs.")
        untrained = analysis.layer_fluctuation(fresh.strengths(**options))
        strengths = fresh.strength(place, **options).numpy().ravel()
    except Cancelled:
        raise
    except DynExplorerError as error:
        reason = str(error)
    run = epochs_of(source, place, settings, kept.epochs, job)
    return Comparison(null.mean, null.sd, near.strengths, untrained, strengths, reason, run)


def _untrained(source: Source, settings: Settings, job: Job) -> LayerGraph:
    copy = capture.untrained_copy(source.live_model, seed=SEED)
    return source.layer_graph(copy, fold_bn=settings.fold_bn, job=job)


def epochs_of(source: Source, place: int, settings: Settings, memo: Memo, job: Job) -> Epochs | None:
    """Fluctuation of one node layer at every epoch whose weights were kept, beside its null; None without any."""
    history = source.history
    if history is None or not history.checkpoint_epochs or source.held:
        return None
    options = options_of(settings)

    def at(epoch: int) -> tuple[float, float, float]:
        model = capture.copy_with(source.live_model, history.state(epoch), f"epoch {epoch}")
        graph = source.layer_graph(model, fold_bn=settings.fold_bn, job=job)
        null = analysis.strength_null(
            graph, place=place, shuffles=EPOCH_SHUFFLES, seed=SEED, cancel=job.cancel, **options
        )
        return float(graph.strength(place, **options).std(correction=0)), float(null.mean[0]), float(null.sd[0])

    epochs = list(history.checkpoint_epochs)
    common = (id(history), place, settings.fold_bn, *options.values())
    rows = np.array([memo.get((epoch, *common), lambda epoch=epoch: at(epoch)) for epoch in epochs])
    return Epochs(np.array(epochs), *rows.T)
