"""Networks without convolutions for the digits, of any width and depth."""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn

from ..errors import DynExplorerError


def digits_mlp(hidden: int = 2, width: int = 64, *, gain: float = 1.0, seed: int = 0) -> nn.Sequential:
    """An untrained ReLU network for the digits; the caller's random numbers are not touched.

    Weights are uniform in ±gain / √fan_in and biases 0: with gain √6 the signal keeps its size through any depth.

    Parameters
    ----------
    hidden : int, default 2
        Hidden layers; 0 is a linear classifier.
    width : int, default 64
        Of each hidden layer.
    gain : float, default 1
    seed : int, default 0

    Returns
    -------
    torch.nn.Sequential
        In float32 on the CPU. It maps images (n, 1, 8, 8) to scores (n, 10).

    Raises
    ------
    DynExplorerError
        For a negative number of layers, or a width or gain that is not positive.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> images, labels = demo.digits("test")
    >>> demo.digits_mlp(hidden=3, width=16)(images[:4]).shape
    torch.Size([4, 10])
    """
    if hidden < 0 or width < 1 or not gain > 0:
        raise DynExplorerError(
            f"`hidden` (={hidden}) must be at least 0, `width` (={width}) at least 1 and `gain` (={gain}) positive"
        )
    sizes = [64, *[width] * hidden, 10]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [part for low, high in itertools.pairwise(sizes) for part in (nn.Linear(low, high), nn.ReLU())][:-1]
        for layer in layers[::2]:
            bound = gain / math.sqrt(layer.in_features)
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(nn.Flatten(), *layers)
