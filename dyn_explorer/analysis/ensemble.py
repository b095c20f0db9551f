"""Many networks, binned by accuracy: how the densities of their weights and strengths differ from bin to bin."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.distribution_divergence import jensen_shannon
from dyn_explorer.analysis.layer_fluctuation import layer_fluctuation
from dyn_explorer.analysis.layer_graph import LayerGraph
from dyn_explorer.analysis.link_weights import link_weights
from dyn_explorer.analysis.strength_null import strength_null
from dyn_explorer.errors import Cancelled, DynExplorerError


def accuracy_bins(scores: Sequence[float], runs: Sequence[object], edges: Sequence[float]) -> list[list[int]]:
    """Which networks stand for each bin of accuracy: the first of each run that falls into it.

    Snapshots of one run are not independent, so a run counts once per bin.

    Parameters
    ----------
    scores : sequence of float
        Accuracy of each network.
    runs : sequence
        Which run (seed) each network belongs to; earlier snapshots first.
    edges : sequence of float
        Growing; a bin holds its lower edge, and the last one also its upper.

    Returns
    -------
    list of list of int
        Places in `scores`, one list per bin.

    Raises
    ------
    DynExplorerError
        If `scores` and `runs` differ in length, or `edges` do not grow.

    Example
    -------
    >>> accuracy_bins([0.1, 0.9, 0.95, 0.1, 0.97], ["a", "a", "a", "b", "b"], [0, 0.5, 1])
    [[0, 3], [1, 4]]
    """
    if len(scores) != len(runs):
        raise DynExplorerError(f"`runs` has {len(runs)} entries and must have one for each of the {len(scores)} scores")
    steps = np.diff(np.asarray(edges, dtype=float))
    if len(steps) < 1 or not (steps > 0).all():
        raise DynExplorerError(f"`edges` (={list(edges)!r}) must grow, and hold at least two values")
    found: list[dict] = [{} for _ in steps]
    for place, (score, run) in enumerate(zip(scores, runs, strict=True)):
        at = len(steps) - 1 if score == edges[-1] else int(np.digitize(score, edges)) - 1
        if 0 <= at < len(found):
            found[at].setdefault(run, place)
    return [list(members.values()) for members in found]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Pooled densities of the networks of each bin.

    Parameters
    ----------
    names, layers : tuple of str
        Of the node layers, and of the layers with weights.
    counts : tuple of int
        Networks in each bin.
    strengths, weights : tuple of (edges, density)
        Per node layer, per layer: edges (n + 1,) and density (n_bins, n), all nodes of a bin's networks pooled.
    strength_divergence, weight_divergence : ndarray (n_node_layers or n_layers, n_bins, n_bins)
        Jensen-Shannon, in bits.
    fluctuation, ratio : ndarray (n_bins, n_node_layers)
        Mean over a bin's networks of the fluctuation, and of its ratio to that under shuffled weights.
    smallest : int
        Nodes of the smallest pool of each node layer's bins, on which the bias of the divergence depends.
    """

    names: tuple[str, ...]
    layers: tuple[str, ...]
    counts: tuple[int, ...]
    strengths: tuple[tuple[np.ndarray, np.ndarray], ...]
    weights: tuple[tuple[np.ndarray, np.ndarray], ...]
    strength_divergence: np.ndarray
    weight_divergence: np.ndarray
    fluctuation: np.ndarray
    ratio: np.ndarray
    smallest: tuple[int, ...]


def ensemble(
    bins: Sequence[Sequence[LayerGraph]],
    *,
    resolution: int = 64,
    shuffles: int = 4,
    seed: int = 0,
    cancel: threading.Event | None = None,
    **options,
) -> Ensemble:
    """Pool the weights and strengths of the networks of each bin, and compare the bins.

    Alike densities do not mean that weights carry no information: the spread of one network's weights may tell bins
    apart where pooled densities do not.

    Parameters
    ----------
    bins : sequence of sequences of LayerGraph
        Networks of one architecture, trained from one initialiser by one optimiser; see `accuracy_bins`.
    resolution : int, default 64
        Equal bins of each density, between the least and the greatest value of all networks.
    shuffles, seed
        As in `strength_null`, for each network.
    cancel : threading.Event, optional
        Set it from another thread to stop before the next network.
    **options
        Of `LayerGraph.strength`.

    Returns
    -------
    Ensemble

    Raises
    ------
    DynExplorerError
        If there are fewer than two bins, one is empty, or architectures differ.
    Cancelled
        If `cancel` was set.

    References
    ----------
    La Malfa, La Malfa, Nicosia & Latora (2021), arXiv:2110.02628; the bins, one network per run and bin, and the null
    are our choices.

    Example
    -------
    >>> import torch
    >>> from dyn_explorer.analysis import AffineLayer
    >>> made = [[LayerGraph.chain([AffineLayer(sd * torch.randn(20, 30))])] for sd in (1.0, 9.0)]
    >>> ensemble(made).weight_divergence.shape
    (1, 2, 2)
    """
    _check(bins)
    first = bins[0][0]
    weighted = [place for place, link in enumerate(first.links) if link.layer is not None]
    strengths, weights, fluctuation, ratio = [], [], [], []
    for members in bins:
        own, null = [], []
        for graph in members:
            if cancel is not None and cancel.is_set():
                raise Cancelled("the comparison of networks was cancelled")
            own.append(layer_fluctuation(graph.strengths(**options)))
            null.append(strength_null(graph, shuffles=shuffles, seed=seed, cancel=cancel, **options).mean)
        strengths.append(
            [_pooled([graph.strength(k, **options) for graph in members]) for k in range(len(first.nodes))]
        )
        weights.append([_pooled([_weights(graph, place) for graph in members]) for place in weighted])
        fluctuation.append(np.mean(own, axis=0))
        null = np.array(null)
        ratio.append(np.divide(own, null, out=np.full(null.shape, np.nan), where=null > 0).mean(axis=0))
    by_layer, by_link = list(zip(*strengths, strict=True)), list(zip(*weights, strict=True))
    return Ensemble(
        names=tuple(nodes.name for nodes in first.nodes),
        layers=tuple(first.links[place].name for place in weighted),
        counts=tuple(len(members) for members in bins),
        strengths=tuple(_densities(pool, resolution) for pool in by_layer),
        weights=tuple(_densities(pool, resolution) for pool in by_link),
        strength_divergence=np.array([jensen_shannon(pool, bins=resolution) for pool in by_layer]),
        weight_divergence=np.array([jensen_shannon(pool, bins=resolution) for pool in by_link]),
        fluctuation=np.array(fluctuation),
        ratio=np.array(ratio),
        smallest=tuple(min(map(len, pool)) for pool in by_layer),
    )


def _pooled(parts: list) -> np.ndarray:
    return np.concatenate([np.asarray(part).ravel() for part in parts])


def _weights(graph: LayerGraph, place: int) -> np.ndarray:
    layer = graph.links[place].layer
    return link_weights(layer.weight, layer.bias).values


def _densities(pool: Sequence[np.ndarray], resolution: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = min(values.min() for values in pool), max(values.max() for values in pool)
    edges = np.linspace(low, high if high > low else low + 1.0, resolution + 1)
    return edges, np.array([np.histogram(values, edges)[0] / (values.size * np.diff(edges)) for values in pool])


def _check(bins: Sequence[Sequence[LayerGraph]]) -> None:
    sizes = [len(members) for members in bins]
    if len(bins) < 2 or not all(sizes):
        raise DynExplorerError(f"`bins` holds {sizes} networks; give at least two bins, and none that is empty")
    shapes = [[nodes.shape for nodes in graph.nodes] for members in bins for graph in members]
    if any(shape != shapes[0] for shape in shapes):
        raise DynExplorerError("the networks of `bins` differ in their node layers; give networks of one architecture")
