"""Singular values of a convolution as a linear map from images to images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.filter_svd import by_group
from dyn_explorer.errors import DynExplorerError


def operator_spectrum(
    weight: object, input_size: Sequence[int], *, stride: int | Sequence[int] = 1, groups: int = 1
) -> np.ndarray:
    """Every singular value of a convolution with circular padding, exactly.

    In Fourier space a convolution acts on each frequency by a small matrix; a stride s joins s frequencies per axis.
    The largest value is the layer's gain (its Lipschitz constant), which the spectrum of `filter_svd` is not: for
    stride 1 it lies between that spectrum's largest value and ``sqrt(k_h k_w)`` times it.

    Parameters
    ----------
    weight : tensor or array
        Shape (C_out, C_in / groups, k_h, k_w), or with another number of kernel axes.
    input_size : sequence of int
        Height and width of the inputs, one size per kernel axis.
    stride : int or sequence of int, default 1
        Must divide the input size.
    groups : int, default 1
        As in `torch.nn.Conv2d`.

    Returns
    -------
    ndarray of float64
        Descending, with multiplicity: for each of the outputs' positions and each group, the smaller of its outputs
        and its inputs times the product of strides.

    Raises
    ------
    DynExplorerError
        If the kernel is larger than the inputs, or the stride does not divide their size.

    Notes
    -----
    Layers that pad with zeros differ a little, at the border of the image.

    References
    ----------
    Sedghi, Gupta & Long (2019), *The Singular Values of Convolutional Layers*, arXiv:1805.10408; strides and groups
    are ours.

    Example
    -------
    >>> operator_spectrum(torch.ones(1, 1, 1, 2) / 2, (1, 4)).round(3).tolist()
    [1.0, 0.707, 0.707, 0.0]
    """
    blocks = by_group(weight, groups, transposed=False)
    kernel, sizes = blocks.shape[3:], tuple(input_size)
    if len(sizes) != len(kernel) or not kernel:
        raise DynExplorerError(
            f"`input_size` (={input_size!r}) must have one size per kernel axis, and the weight has {len(kernel)}"
        )
    steps = tuple(stride) if isinstance(stride, Sequence) else (stride,) * len(sizes)
    _check(kernel, sizes, steps)
    transformed = torch.fft.fftn(blocks, s=sizes, dim=tuple(range(3, blocks.ndim)))
    matrices, counts = _half(_aliased(transformed, sizes, steps), sizes, steps)
    values = torch.linalg.svdvals(matrices) / math.sqrt(math.prod(steps))
    repeated = values.repeat_interleave(counts.to(values.device), dim=1)
    return np.sort(repeated.flatten().cpu().numpy())[::-1].copy()


def _check(kernel: Sequence[int], sizes: tuple, steps: tuple) -> None:
    for axis, (taps, size, step) in enumerate(zip(kernel, sizes, steps, strict=True)):
        if not is_integer(size) or size < taps:
            raise DynExplorerError(
                f"`input_size` {sizes} is smaller than the kernel {tuple(kernel)} along axis {axis}; "
                f"give at least {taps}"
            )
        if not is_integer(step) or step < 1 or size % step:
            raise DynExplorerError(
                f"`stride` (={step!r}) must divide the input size {size} along axis {axis}; crop or pad the inputs"
            )


def _aliased(transformed: torch.Tensor, sizes: tuple, steps: tuple) -> torch.Tensor:
    """Frequencies that a stride cannot tell apart side by side: (groups, outputs frequencies ..., d, c * aliases)."""
    groups, outputs, inputs = transformed.shape[:3]
    split = [part for size, step in zip(sizes, steps, strict=True) for part in (step, size // step)]
    spread = transformed.reshape(groups, outputs, inputs, *split)
    aliases, kept = range(3, spread.ndim, 2), range(4, spread.ndim, 2)
    ordered = spread.permute(0, *kept, 1, 2, *aliases)
    return ordered.reshape(groups, *(size // step for size, step in zip(sizes, steps, strict=True)), outputs, -1)


def _half(matrices: torch.Tensor, sizes: tuple, steps: tuple) -> tuple[torch.Tensor, torch.Tensor]:
    """One of each pair of mirrored frequencies, whose values are the same, and how many it stands for."""
    counts = [size // step for size, step in zip(sizes, steps, strict=True)]
    index = torch.arange(math.prod(counts)).reshape(counts)
    mirrored = index
    for axis, count in enumerate(counts):
        mirrored = mirrored.index_select(axis, (-torch.arange(count)) % count)
    flat, other = index.flatten(), mirrored.flatten()
    chosen = flat[flat <= other]
    flattened = matrices.reshape(matrices.shape[0], -1, *matrices.shape[-2:])
    return flattened[:, chosen.to(matrices.device)], torch.where(other[chosen] == chosen, 1, 2)
