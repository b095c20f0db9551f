"""Columns that carry nothing: constant ones, and those that repeat another."""

from __future__ import annotations

import numpy as np
import torch

# Rounding in float32 leaves about 1e-7 of the largest value; what differs by less than this is not a difference.
_TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


def find_idle_columns(matrix: torch.Tensor) -> dict[int, str]:
    """Find constant and repeated columns, by relative tolerance.

    A column is constant if its values spread by less than 1e-6 (float64: 1e-12) of the larger of its own largest value
    and 1e-6 (1e-12) of the matrix's. It repeats another if no entry differs by more than that share of the largest.

    Parameters
    ----------
    matrix : torch.Tensor
        Finite, shape (n_features, n_columns).

    Returns
    -------
    dict of int to str
        Column index to reason; a repeated column's reason ends in the index of the first one, as ``{index}`` of a
        format string.

    Example
    -------
    >>> find_idle_columns(torch.tensor([[1.0, 1.0, 2.0], [1.0, 3.0, 6.0], [1.0, 2.0, 4.0]]))
    {0: 'constant'}
    """
    if matrix.numel() == 0:
        return {}
    # Two passes: torch.aminmax along the rows is ten times slower than both together.
    lowest, highest = matrix.amin(dim=0), matrix.amax(dim=0)
    largest = torch.maximum(lowest.abs(), highest.abs())
    idle = dict.fromkeys(_constant(highest - lowest, largest), "constant")
    kept = [index for index in range(matrix.shape[1]) if index not in idle]
    for index, first in _repeated(matrix, kept, largest.tolist()).items():
        idle[index] = f"the same as {{{first}}}"
    return dict(sorted(idle.items()))


def _constant(spread: torch.Tensor, largest: torch.Tensor) -> list[int]:
    tolerance = _TOLERANCE[spread.dtype]
    flat = spread <= tolerance * torch.maximum(largest, tolerance * largest.max())
    return flat.nonzero().flatten().tolist()


def _repeated(matrix: torch.Tensor, columns: list[int], largest: list[float]) -> dict[int, int]:
    # One projection on random numbers sorts like columns next to each other, so only neighbours need comparing.
    weights = np.random.default_rng(0).standard_normal(matrix.shape[0])
    weights = torch.from_numpy(weights / np.abs(weights).sum()).to(matrix)
    tolerance = _TOLERANCE[matrix.dtype]
    shadows = (weights @ matrix).tolist()
    order = sorted(columns, key=shadows.__getitem__)
    # NumPy's one thread: on a busy machine two threads of torch wait for each other longer than a comparison takes.
    rows = matrix.T.detach().numpy() if matrix.device.type == "cpu" else matrix.T
    repeated: dict[int, int] = {}
    for position, index in enumerate(order):
        if index in repeated:
            continue
        for later in range(position + 1, len(order)):
            other = order[later]
            reach = 4 * tolerance * max(largest[index], largest[other])
            if shadows[other] - shadows[index] > reach:
                break
            if other not in repeated and _alike(rows[index], rows[other], tolerance * largest[index]):
                repeated[other] = index
    return _by_first(repeated)


def _alike(left: torch.Tensor | np.ndarray, right: torch.Tensor | np.ndarray, tolerance: float) -> bool:
    return bool(abs(left - right).max() <= tolerance)


def _by_first(repeated: dict[int, int]) -> dict[int, int]:
    groups: dict[int, list[int]] = {}
    for index, representative in repeated.items():
        groups.setdefault(representative, [representative]).append(index)
    return {index: min(group) for group in groups.values() for index in group if index != min(group)}
