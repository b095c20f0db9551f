"""A random plane through a sample, as the model divides it into classes."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch
from torch import nn

from dyn_explorer.analysis.basin_search import MEMORY_BUDGET, normal, stream
from dyn_explorer.analysis.classifier import Classifier
from dyn_explorer.analysis.classifier_inputs import checked_inputs
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class BasinPlane:
    """Predicted classes over a plane.

    Parameters
    ----------
    axis : ndarray (g,), float64
        Coordinates along both directions, in units of the amplitude σ; the sample lies at 0.
    classes : ndarray (g, g), int64
        Predicted class at ``sample + axis[column] first + axis[row] second``.
    n_classes : int
    seed : int
    """

    axis: np.ndarray
    classes: np.ndarray
    n_classes: int
    seed: int


def basin_plane(
    model: nn.Module,
    sample: object,
    *,
    extent: float,
    grid: int = 33,
    seed: int = 0,
    memory_budget: int = MEMORY_BUDGET,
) -> BasinPlane:
    """Predicted class at every point of a square in a random plane through one sample.

    The two directions are draws of standard normal noise, not of unit length: every point at distance σ from the
    middle is then the sample with noise of amplitude σ, so a circle of radius S50 passes through what its basin's edge
    is measured on. The paper projects basins by PCA; this plane is ours.

    Parameters
    ----------
    model : torch.nn.Module
        Gives one score per class; run in eval mode and not touched.
    sample : Tensor or array (...)
        One input without a batch dimension, floating.
    extent : float
        Half the side of the square, in units of σ.
    grid : int, default 33
        Points per side; an odd number has the sample itself in the middle.
    seed : int, default 0
        Of the directions, which are draws 0 and 1 of this seed.
    memory_budget : int
        Bytes of activations at a time; default 512 MiB.

    Returns
    -------
    BasinPlane

    Raises
    ------
    DynExplorerError
        As `sample_basin`, or for a bad extent or grid.

    Example
    -------
    >>> from dyn_explorer import analysis, demo
    >>> images, labels = demo.digits("test")
    >>> plane = analysis.basin_plane(demo.load("trained"), images[0], extent=0.5, grid=5)
    >>> plane.classes.shape, int(plane.classes[2, 2]) == int(labels[0])
    ((5, 5), True)
    """
    if isinstance(extent, bool) or not isinstance(extent, Real) or not 0 < extent < np.inf:
        raise DynExplorerError(f"`extent` (={extent!r}) must be a positive number, in units of the noise's amplitude")
    if not is_integer(grid) or grid < 2:
        raise DynExplorerError(f"`grid` (={grid!r}) must be a whole number of at least 2")
    middle = checked_inputs(sample, model, floating=True)
    axis = np.linspace(-extent, extent, int(grid))
    first, second = (normal(stream(seed, draw), tuple(middle.shape), middle) for draw in (0, 1))
    along = torch.from_numpy(axis).to(middle.device, middle.dtype).view(-1, *[1] * middle.ndim)
    points = middle + along[None] * first + along[:, None] * second
    classifier = Classifier(model, points.flatten(0, 1), memory_budget)
    return BasinPlane(axis, classifier.predictions.numpy().reshape(grid, grid), classifier.n_classes, int(seed))


def predicted_classes(model: nn.Module, inputs: object, *, memory_budget: int = MEMORY_BUDGET) -> np.ndarray:
    """The class that a model gives each input, in eval mode and without touching it.

    Parameters
    ----------
    model : torch.nn.Module
    inputs : Tensor or array (P, ...)
    memory_budget : int
        Bytes of activations at a time; default 512 MiB.

    Returns
    -------
    ndarray (P,) of int64

    Raises
    ------
    DynExplorerError
        As `sample_basin`.

    Example
    -------
    >>> from dyn_explorer import analysis, demo
    >>> images, labels = demo.digits("test")
    >>> bool((analysis.predicted_classes(demo.load("trained"), images[:5]) == labels[:5].numpy()).all())
    True
    """
    given = checked_inputs(inputs, model, floating=False)
    return Classifier(model, given, memory_budget).predictions.numpy()
