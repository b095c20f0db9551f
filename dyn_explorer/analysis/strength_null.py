"""What the strengths of a graph would be if its weights led elsewhere."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.layer_fluctuation import layer_fluctuation
from dyn_explorer.analysis.layer_graph import LayerGraph
from dyn_explorer.errors import Cancelled, DynExplorerError

APART = 7919  # between the seeds of two shuffles, more than a model has layers


@dataclass(frozen=True, eq=False)
class StrengthNull:
    """Fluctuation, and strengths of one node layer, under shuffled weights.

    Parameters
    ----------
    fluctuation : ndarray (shuffles, n_layers) or (shuffles, 1)
        Of every node layer, or of the one asked for.
    strengths : ndarray (shuffles, n_nodes) or None
        Of the node layer asked for.
    mean, sd : ndarray (n_layers,) or (1,)
        Of `fluctuation` over the shuffles; the standard deviation is the sample's.
    """

    fluctuation: np.ndarray
    strengths: np.ndarray | None

    @property
    def mean(self) -> np.ndarray:
        """Mean over the shuffles."""
        return self.fluctuation.mean(axis=0)

    @property
    def sd(self) -> np.ndarray:
        """Sample standard deviation over the shuffles."""
        return self.fluctuation.std(axis=0, ddof=1)


def strength_null(
    graph: LayerGraph,
    *,
    place: int | None = None,
    shuffles: int = 8,
    seed: int = 0,
    cancel: threading.Event | None = None,
    **options,
) -> StrengthNull:
    """Shuffle the weights within each layer of a graph, and take strengths again.

    The shuffled graph has exactly the link weights of the graph; what differs is where they lead. Sums and average
    pooling have nothing to shuffle.

    Parameters
    ----------
    graph : LayerGraph
    place : int, optional
        Only this node layer, whose strengths are then kept; default: the fluctuation of all.
    shuffles : int, default 8
        Random orders; at least 2.
    seed : int, default 0
        The same seed gives the same orders, for one node layer as for all.
    cancel : threading.Event, optional
        Set it from another thread to stop before the next shuffle.
    **options
        Of `LayerGraph.strength`.

    Returns
    -------
    StrengthNull

    Raises
    ------
    DynExplorerError
        If `shuffles` is less than 2.
    Cancelled
        If `cancel` was set.

    Example
    -------
    >>> import torch
    >>> from dyn_explorer.analysis import AffineLayer
    >>> graph = LayerGraph.chain([AffineLayer(torch.eye(6))])
    >>> strength_null(graph, place=1).strengths.shape
    (8, 6)
    """
    if not is_integer(shuffles) or shuffles < 2:
        raise DynExplorerError(f"`shuffles` (={shuffles!r}) must be a whole number of at least 2")
    fluctuation, kept = [], []
    for draw in range(shuffles):
        if cancel is not None and cancel.is_set():
            raise Cancelled("the shuffles were cancelled")
        drawn = graph.shuffled(seed + APART * draw, near=place)
        strengths = drawn.strengths(**options) if place is None else [drawn.strength(place, **options)]
        fluctuation.append(layer_fluctuation(strengths))
        if place is not None:
            kept.append(strengths[0].numpy().ravel())
    return StrengthNull(np.array(fluctuation), np.array(kept) if kept else None)
