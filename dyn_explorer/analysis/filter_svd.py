"""The singular value decomposition of a layer's filters, group by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from dyn_explorer.analysis.affine_layer import exact
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError

COMPUTE = ("vectors", "values")
# A single-precision Gram matrix pays from here on, and only where the matrix is not square: square ones are
# ill-conditioned.
LARGE_SIDE = 128
# With a larger condition number its smallest values would be further than some 5e-6 of the largest from the truth.
SAFE_CONDITION = 25


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
        Input patterns in the shape of a filter; (groups, r, c) for a linear layer. With `keep`, `left` and `right` hold
        that many directions and `singular_values` all.
    shape : tuple of int
        Rows and columns of the matrix of one group.
    """

    left: np.ndarray | None
    singular_values: np.ndarray
    right: np.ndarray | None
    shape: tuple[int, int]


def filter_svd(
    weight: object,
    *,
    groups: int = 1,
    transposed: bool = False,
    compute: str = "vectors",
    keep: int | None = None,
) -> FilterSVD:
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
        "values" takes the eigenvalues of the smaller Gram matrix: several times faster. In float64 they are good to
        about 1e-8 of the largest; large single-precision weights stay in single precision where their condition number
        keeps every value within 1e-5 of the largest.
    keep : int, optional
        Return only so many of the strongest directions of each group, found through the Gram matrix in float64. Values
        and directions below about 1e-8 of the largest value are then noise; use it for the strong ones.

    Returns
    -------
    FilterSVD
        In float64.

    Raises
    ------
    DynExplorerError
        If the weight is no matrix or kernel, holds NaN or infinite values, `groups` does not divide its channels, or
        `keep` is no whole number of at least 1.

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
    if keep is not None and (not is_integer(keep) or keep < 1):
        raise DynExplorerError(f"`keep` (={keep!r}) must be a whole number of at least 1, or None for all directions")
    blocks = by_group(weight, groups, transposed)
    matrices = blocks.flatten(2)
    shape = (matrices.shape[1], matrices.shape[2])
    if compute == "values":
        return FilterSVD(None, _values(matrices, _is_single(weight)).cpu().numpy(), None, shape)
    left, values, right = (
        torch.linalg.svd(matrices, full_matrices=False) if keep is None else _strongest(matrices, keep)
    )
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


def _is_single(weight: object) -> bool:
    return isinstance(weight, torch.Tensor) and weight.dtype in (torch.float32, torch.float16, torch.bfloat16)


def _values(matrices: torch.Tensor, is_single: bool) -> torch.Tensor:
    smaller, larger = sorted(matrices.shape[1:])
    if is_single and smaller >= LARGE_SIDE and larger >= 2 * smaller:
        values = torch.linalg.eigvalsh(_gram(matrices.float())).flip(-1).clamp(min=0).sqrt()
        if bool((values[:, 0] < SAFE_CONDITION * values[:, -1]).all()):
            return values.double()
    return torch.linalg.eigvalsh(_gram(matrices)).flip(-1).clamp(min=0).sqrt()


def _gram(matrices: torch.Tensor) -> torch.Tensor:
    """Products of all pairs of rows, or of columns where they are fewer."""
    is_wide = matrices.shape[1] <= matrices.shape[2]
    return matrices @ matrices.transpose(1, 2) if is_wide else matrices.transpose(1, 2) @ matrices


def _strongest(matrices: torch.Tensor, keep: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The leading vectors of both sides with all singular values."""
    squares, vectors = torch.linalg.eigh(_gram(matrices))
    values = squares.flip(-1).clamp(min=0).sqrt()
    first = vectors.flip(-1)[:, :, :keep]
    is_wide = matrices.shape[1] <= matrices.shape[2]
    other = matrices.transpose(1, 2) @ first if is_wide else matrices @ first
    other = torch.nn.functional.normalize(other, dim=1)  # finite where the value is zero
    left, right = (first, other) if is_wide else (other, first)
    return left, values, right.transpose(1, 2)
