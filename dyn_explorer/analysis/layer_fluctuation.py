"""How much the strengths of a layer's nodes differ, and how much shuffled weights would make them differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from dyn_explorer.analysis.affine_layer import AffineLayer
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.node_strength import node_strength
from dyn_explorer.errors import DynExplorerError


def layer_fluctuation(strengths: Sequence[object]) -> np.ndarray:
    """Population standard deviation of the strengths of each layer's nodes.

    The authors call it Layers Fluctuation; it is no standard disparity, which signed weights make ill-behaved.

    Parameters
    ----------
    strengths : sequence of tensors or arrays
        One per node layer, any shape, as `node_strength` returns them.

    Returns
    -------
    ndarray (n_layers,) of float64

    Raises
    ------
    DynExplorerError
        If a layer has no nodes.

    References
    ----------
    La Malfa, La Malfa, Nicosia & Latora (2021), arXiv:2110.02628, as its public code has it.

    Example
    -------
    >>> layer_fluctuation([[1.0, 3.0], [[2.0], [2.0]]]).tolist()
    [1.0, 0.0]
    """
    arrays = [np.asarray(torch.as_tensor(values).detach().cpu().double()) for values in strengths]
    empty = [index for index, values in enumerate(arrays) if values.size == 0]
    if empty:
        raise DynExplorerError(f"layer {empty[0]} of `strengths` has no nodes")
    return np.array([values.std() for values in arrays])


@dataclass(frozen=True, eq=False)
class FluctuationNull:
    """Layer fluctuation under shuffled weights.

    Parameters
    ----------
    values : ndarray (n_layers,)
        Of the layers as they are.
    mean, sd : ndarray (n_layers,)
        Over the shuffles; the standard deviation is the sample's.
    ratio : ndarray (n_layers,)
        ``values / mean``; nan where shuffled weights do not fluctuate at all.
    shuffles, seed : int
        How many, and from which seed.
    """

    values: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    ratio: np.ndarray
    shuffles: int
    seed: int


def shuffled_weights(layer: AffineLayer, seed: int) -> AffineLayer:
    """The same weights in a random order within the matrix or kernel, and the same biases in a random order.

    Its `link_weights` are exactly those of `layer`; only where they lead is lost.

    Parameters
    ----------
    layer : AffineLayer
    seed : int
        Decides the order.

    Returns
    -------
    AffineLayer

    Example
    -------
    >>> layer = AffineLayer([[1.0, 2.0, 3.0]])
    >>> sorted(shuffled_weights(layer, seed=0).weight.flatten().tolist())
    [1.0, 2.0, 3.0]
    """
    generator = torch.Generator().manual_seed(seed)

    def shuffled(values: torch.Tensor | None) -> torch.Tensor | None:
        if values is None:
            return None
        order = torch.randperm(values.numel(), generator=generator).to(values.device)
        return values.flatten()[order].reshape(values.shape)

    return replace(layer, weight=shuffled(layer.weight), bias=shuffled(layer.bias))


def fluctuation_null(layers: Sequence[AffineLayer], *, shuffles: int = 20, seed: int = 0, **options) -> FluctuationNull:
    """Compare the fluctuation of a chain's node strengths with that of shuffled weights.

    Parameters
    ----------
    layers : sequence of AffineLayer
        As for `node_strength`.
    shuffles : int, default 20
        Random orders; at least 2.
    seed : int, default 0
        The same seed gives the same orders.
    **options
        Further options of `node_strength`.

    Returns
    -------
    FluctuationNull

    Raises
    ------
    DynExplorerError
        If `shuffles` is less than 2, or `node_strength` refuses the layers.

    Example
    -------
    >>> torch.manual_seed(0).initial_seed()
    0
    >>> null = fluctuation_null([AffineLayer(torch.randn(30, 40))])
    >>> null.ratio.shape
    (2,)
    """
    if not is_integer(shuffles) or shuffles < 2:
        raise DynExplorerError(f"`shuffles` (={shuffles!r}) must be a whole number of at least 2")
    values = layer_fluctuation(node_strength(layers, **options))
    drawn = np.array(
        [
            layer_fluctuation(
                node_strength(
                    [shuffled_weights(layer, seed + 7919 * draw + place) for place, layer in enumerate(layers)],
                    **options,
                )
            )
            for draw in range(shuffles)
        ]
    )
    mean = drawn.mean(axis=0)
    ratio = np.divide(values, mean, out=np.full(len(values), np.nan), where=mean > 0)
    return FluctuationNull(values, mean, drawn.std(axis=0, ddof=1), ratio, shuffles, seed)
