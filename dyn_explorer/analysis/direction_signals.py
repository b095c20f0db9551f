"""What a singular direction of a layer answers to inputs."""

from __future__ import annotations

import numpy as np
import torch

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.filter_svd import FilterSVD
from dyn_explorer.errors import DynExplorerError


def strongest_first(found: FilterSVD) -> np.ndarray:
    """Group and place of each direction that is kept, strongest first over all groups.

    Parameters
    ----------
    found : FilterSVD
        With vectors.

    Returns
    -------
    ndarray (n_directions, 2) of int

    Example
    -------
    >>> from dyn_explorer.analysis import filter_svd
    >>> strongest_first(filter_svd(torch.tensor([[1.0], [2.0]]), groups=2)).tolist()
    [[1, 0], [0, 0]]
    """
    if found.right is None:
        raise DynExplorerError('this decomposition holds values only; make it with compute="vectors"')
    values = found.singular_values[:, : found.right.shape[1]]
    order = np.argsort(-values, axis=None, kind="stable")
    return np.stack(np.unravel_index(order, values.shape), axis=1)


def direction_signals(
    outputs: object,
    found: FilterSVD,
    direction: int,
    *,
    bias: object = None,
    scale: object = None,
    channel_dim: int = 1,
) -> torch.Tensor:
    """The response of one direction at every position: ``u . (y - b)``, which is ``sigma v . patch``.

    Parameters
    ----------
    outputs : tensor or array (n_samples, ...)
        What the layer put out, before anything that follows it.
    found : FilterSVD
        Of the layer's weight, with vectors.
    direction : int
        Counted from the strongest of all groups, from 0, as `strongest_first` lists them.
    bias : tensor or array, optional
        Shape (n_channels,); the layer's bias, which is taken off first.
    scale : tensor or array, optional
        Shape (n_channels,); what the outputs are multiplied with first, where `found` is of a weight with the scale of
        a batch normalisation in it. `bias` is that of the scaled outputs.
    channel_dim : int, default 1
        Dimension of `outputs` that counts channels.

    Returns
    -------
    torch.Tensor (n_samples, ...)
        The shape of `outputs` without its channels, float64 where they are, else float32; with a gradient where
        `outputs` have one.

    Raises
    ------
    DynExplorerError
        If there is no such direction, or the outputs do not have the channels of the decomposition.

    References
    ----------
    Praggastis et al. (2022), arXiv:2208.06894; their code takes the bias off as well.

    Example
    -------
    >>> from dyn_explorer.analysis import filter_svd
    >>> layer = torch.nn.Linear(3, 2)
    >>> found = filter_svd(layer.weight)
    >>> patch = torch.ones(1, 3)
    >>> signal = direction_signals(layer(patch).detach(), found, 0, bias=layer.bias)
    >>> bool(abs(signal[0] - found.singular_values[0, 0] * found.right[0, 0].sum()) < 1e-6)
    True
    """
    order = strongest_first(found)
    if not is_integer(direction) or not 0 <= direction < len(order):
        raise DynExplorerError(f"`direction` (={direction!r}) must lie in 0..{len(order) - 1}; choose another")
    values = torch.as_tensor(outputs)
    channels = found.left.shape[0] * found.left.shape[1]
    if not -values.ndim <= channel_dim < values.ndim or values.shape[channel_dim] != channels:
        raise DynExplorerError(
            f"`outputs` of shape {tuple(values.shape)} must have {channels} channels in dimension `channel_dim` "
            f"(={channel_dim})"
        )
    group, place = order[direction]
    mine = slice(int(group) * found.left.shape[1], (int(group) + 1) * found.left.shape[1])
    own = values.movedim(channel_dim, -1)[..., mine]
    own = own if own.dtype == torch.float64 else own.float()
    vector = torch.as_tensor(found.left[group, :, place]).to(own)
    scaled = vector if scale is None else vector * torch.as_tensor(scale).detach().to(own)[mine]
    offset = 0.0 if bias is None else torch.as_tensor(bias).detach().to(own)[mine] @ vector
    return own @ scaled - offset
