"""The singular value decomposition of a layer's filters, group by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from dyn_explorer.analysis.affine_layer import exact
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError

COMPUTE = ("vectors", "values")


@dataclass(frozen=True, eq=False)
class FilterSVD:
    """Singular directions of an unfolded weight: what goes in, how much it is amplified, what comes out.

    Parameters
    ----------
    left : ndarray (groups, d, r) or None
        Output directions; in each, the entry of largest magnitude is positive. None where only values were computed.
    singular_values : ndarray (groups, r)
        Descending; r is the smaller of d outputs and c k... inputs of a group.
    right : ndarray (groups, r, c, k, ...) or None
        Input patterns in the shape of a filter; (groups, r, c) for a linear layer.
    shape : tuple of int
        Rows and columns of the matrix of one group.
    """

    left: np.ndarray | None
    singular_values: np.ndarray
    right: np.ndarray | None
    shape: tuple[int, int]


def filter_svd(weight: object, *, groups: int = 1, transposed: bool = False, compute: str = "vectors") -> FilterSVD:
    """Decompose a layer's weight, one row per filter.

    With ``y`` an output of the layer and ``b`` its bias, ``left[:, i] . (y - b)`` at a position is
    ``singular_values[i] * (right[i] . patch)``, the response of "SVD neuron" i.

    Parameters
    ----------
    weight : tensor or array
        Linear: (n_out, n_in). Convolution in any number of dimensions: (C_out, C_in / groups, k, ...). Transposed
        convolution: (C_in, C_out / groups, k, ...).
    groups : int, default 1
        As in `torch.nn.Conv2d`; each group is decomposed by itself, because its outputs see no other inputs.
    transposed : bool, default False
        Whether the weight is that of a transposed convolution; rows are then a group's output channels, and `right` is
        not flipped.
    compute : {"vectors", "values"}
        "values" takes the eigenvalues of the smaller Gram matrix in float64: several times faster, and good to about
        1e-8 of the largest value.

    Returns
    -------
    FilterSVD
        In float64.

    Raises
    ------
    DynExplorerError
        If the weight is no matrix or kernel, holds NaN or infinite values, or `groups` does not divide its channels.

    References
    ----------
    Praggastis, Brown, Ortiz Marrero, Purvine, Shapiro & Wang (2022), *The SVD of Convolutional Weights: A CNN
    Interpretability Framework*, arXiv:2208.06894; that each group is decomposed by itself is ours.

    Example
    -------
    >>> found = filter_svd(torch.diag(torch.tensor([3.0, -2.0])))
    >>> found.singular_values.tolist(), found.left[0, :, 0].tolist()
    ([[3.0, 2.0]], [1.0, 0.0])
    """
    if compute not in COMPUTE:
        raise DynExplorerError(f"`compute` (={compute!r}) must be one of {', '.join(map(repr, COMPUTE))}")
    blocks = by_group(weight, groups, transposed)
    matrices = blocks.flatten(2)
    shape = (matrices.shape[1], matrices.shape[2])
    if compute == "values":
        return FilterSVD(None, _values(matrices), None, shape)
    left, values, right = torch.linalg.svd(matrices, full_matrices=False)
    peak = left.gather(1, left.abs().argmax(dim=1, keepdim=True))
    sign = torch.where(peak < 0, -1.0, 1.0)
    left, right = left * sign, right * sign.transpose(1, 2)
    patterns = right.reshape(*right.shape[:2], *blocks.shape[2:])
    return FilterSVD(left.cpu().numpy(), values.cpu().numpy(), patterns.cpu().numpy(), shape)


def by_group(weight: object, groups: int, transposed: bool) -> torch.Tensor:
    """A weight as (groups, outputs of a group, inputs of a group, kernel ...), in float64.

    Raises
    ------
    DynExplorerError
        As `filter_svd` does.
    """
    tensor = exact(weight, "weight")
    if tensor.ndim < 2:
        raise DynExplorerError(
            f"`weight` of shape {tuple(tensor.shape)} is no matrix and no kernel; give (outputs, inputs, ...)"
        )
    if not is_integer(groups) or groups < 1 or tensor.shape[0] % groups:
        channels = "input" if transposed else "output"
        raise DynExplorerError(f"`groups` (={groups!r}) must divide the {tensor.shape[0]} {channels} channels")
    grouped = tensor.reshape(int(groups), -1, *tensor.shape[1:])
    return grouped.transpose(1, 2) if transposed else grouped


def _values(matrices: torch.Tensor) -> np.ndarray:
    wide = matrices.shape[1] <= matrices.shape[2]
    gram = matrices @ matrices.transpose(1, 2) if wide else matrices.transpose(1, 2) @ matrices
    squares = torch.linalg.eigvalsh(gram).flip(-1)
    return squares.clamp(min=0).sqrt().cpu().numpy()
