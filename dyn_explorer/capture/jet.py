"""The jet colours, computed: what the published pipeline writes into its pictures."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

N_COLOURS = 256

# Where each of red, green and blue bends, as (position, value); linear in between.
_BENDS = (
    ((0, 0), (0.35, 0), (0.66, 1), (0.89, 1), (1, 0.5)),
    ((0, 0), (0.125, 0), (0.375, 1), (0.64, 1), (0.91, 0), (1, 0)),
    ((0, 0.5), (0.11, 1), (0.34, 1), (0.65, 0), (1, 0)),
)


@cache
def jet_table() -> torch.Tensor:
    """Return the 256 jet colours.

    Returns
    -------
    torch.Tensor
        Shape (256, 3): red, green and blue as whole numbers 0 to 255, float64.

    Example
    -------
    >>> jet_table()[[0, 128, 255]].tolist()
    [[0.0, 0.0, 127.0], [124.0, 255.0, 121.0], [127.0, 0.0, 0.0]]
    """
    positions = np.linspace(0, 1, N_COLOURS)
    colours = [np.interp(positions, *zip(*bends, strict=True)) for bends in _BENDS]
    # A picture file cuts the fraction off.
    return torch.from_numpy(np.floor(np.stack(colours, axis=1) * 255))


def jet(values: torch.Tensor) -> torch.Tensor:
    """Write values in 0..1 as jet colours.

    Parameters
    ----------
    values : torch.Tensor
        Shape (n_maps, n_positions), in 0..1.

    Returns
    -------
    torch.Tensor
        Shape (n_maps, 3 * n_positions), dtype of `values`, 0 to 255: the red plane, then green, then blue.

    Example
    -------
    >>> jet(torch.tensor([[0.0, 1.0]]))
    tensor([[  0., 127.,   0.,   0., 127.,   0.]])
    """
    # Whole rows of numbers at once: `plane[index]` takes five times as long.
    index = (values * N_COLOURS).clamp_(0, N_COLOURS - 1).int().flatten()
    planes = jet_table().to(values).T.contiguous()
    return torch.cat([plane.index_select(0, index).reshape(values.shape) for plane in planes], dim=1)
