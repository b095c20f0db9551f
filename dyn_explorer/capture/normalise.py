"""Maps and columns brought to one scale."""

from __future__ import annotations

import torch

ROUNDINGS = 4


def softmax_maps(maps: torch.Tensor) -> torch.Tensor:
    """Take the softmax of each map over all its positions.

    Parameters
    ----------
    maps : torch.Tensor
        Shape (n_maps, *grid).

    Returns
    -------
    torch.Tensor
        The same shape; every map sums to 1.

    Example
    -------
    >>> softmax_maps(torch.zeros(1, 2, 2))
    tensor([[[0.2500, 0.2500],
             [0.2500, 0.2500]]])
    """
    return torch.softmax(maps.flatten(1), dim=1).reshape(maps.shape)


def unit_length(rows: torch.Tensor) -> torch.Tensor:
    """Divide each row by its L2 norm; rows of zeros stay zero.

    Parameters
    ----------
    rows : torch.Tensor
        Shape (n_rows, n_values).

    Example
    -------
    >>> unit_length(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    # By the largest value first: squares of large float32 values overflow, those of small ones vanish.
    largest = torch.maximum(rows.amax(dim=1, keepdim=True), -rows.amin(dim=1, keepdim=True))
    scaled = rows / _nonzero(largest)
    return scaled.div_(_nonzero(torch.linalg.vector_norm(scaled, dim=1, keepdim=True)))


def stretch(rows: torch.Tensor) -> torch.Tensor:
    """Bring each row to 0..1; rows that are constant up to rounding become zero.

    Parameters
    ----------
    rows : torch.Tensor
        Shape (n_rows, n_values). A row is constant if its values spread over at most four roundings of the largest:
        resizing a constant map leaves as much on some processors, and stretched it would look like a picture.

    Example
    -------
    >>> stretch(torch.tensor([[1.0, 2.0, 5.0], [7.0, 7.0, 7.0]]))
    tensor([[0.0000, 0.2500, 1.0000],
            [0.0000, 0.0000, 0.0000]])
    """
    lowest, highest = rows.amin(dim=1, keepdim=True), rows.amax(dim=1, keepdim=True)
    spread = highest - lowest
    rounding = ROUNDINGS * torch.finfo(rows.dtype).eps * torch.maximum(lowest.abs(), highest.abs())
    return (rows - lowest).div_(torch.where(spread > rounding, spread, torch.inf))


def _nonzero(scale: torch.Tensor) -> torch.Tensor:
    return torch.where(scale == 0, torch.ones_like(scale), scale)
