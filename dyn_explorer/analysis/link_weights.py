"""The distribution of a layer's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.affine_layer import AffineLayer, exact


@dataclass(frozen=True, eq=False)
class LinkWeights:
    """The weights of a layer as one multiset.

    Parameters
    ----------
    values : ndarray (n_weights + n_biases,) of float64
        Every entry once; a kernel is not unrolled over positions.
    mean, std : float
        Mean and population standard deviation of `values`.
    """

    values: np.ndarray
    mean: float
    std: float


def link_weights(weight: object, bias: object = None) -> LinkWeights:
    """Pool all weights of a layer, its biases among them.

    Parameters
    ----------
    weight : tensor or array
        Any shape.
    bias : tensor or array, optional
        Any shape.

    Returns
    -------
    LinkWeights
        The pooled values with their mean and standard deviation.

    Raises
    ------
    DynExplorerError
        If there are no weights, or NaN or infinite ones.

    References
    ----------
    La Malfa, La Malfa, Nicosia & Latora (2021), arXiv:2110.02628, as its public code has it.

    Example
    -------
    >>> link_weights([[1.0, 3.0]], [2.0]).mean
    2.0
    """
    parts = [exact(weight, "weight")] + ([] if bias is None else [exact(bias, "bias")])
    values = np.concatenate([part.cpu().numpy().ravel() for part in parts])
    return LinkWeights(values, float(values.mean()), float(values.std()))


def unrolled_moments(layer: AffineLayer) -> tuple[float, float]:
    """Mean and population standard deviation over all links, where a kernel entry counts once per link.

    Without padding this is the kernel's own; with it, entries near the kernel's border stand for fewer links. Biases
    are left out.

    Parameters
    ----------
    layer : AffineLayer
        A convolution; a matrix has each entry once.

    Returns
    -------
    tuple of float
        Mean and standard deviation.

    Example
    -------
    >>> import torch
    >>> kernel = torch.tensor([[[0.0, 1.0, 0.0]]])
    >>> mean, _ = unrolled_moments(AffineLayer(kernel, input_shape=(1, 4), padding=1))
    >>> round(mean, 3)  # 4 links of weight 1, 3 + 3 of weight 0
    0.4
    """
    counts = layer.tap_counts().to(layer.weight.device).expand_as(layer.weight)
    total = counts.sum()
    mean = (counts * layer.weight).sum() / total
    variance = (counts * (layer.weight - mean).square()).sum() / total
    return float(mean), float(variance.sqrt())
