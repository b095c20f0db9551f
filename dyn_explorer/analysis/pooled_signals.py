"""One number per image and direction: signals of a layer pooled over its positions."""

from __future__ import annotations

import torch

from dyn_explorer.errors import DynExplorerError

POOLS = ("mean", "signed_max", "rms")


def pooled_signals(
    outputs: object, vectors: object, *, bias: object = None, pool: str = "mean", channel_dim: int = 1
) -> torch.Tensor:
    """Signals ``u_i . (y - b)`` of a batch, pooled over positions.

    The mean costs one product with the outputs' means, the others one 1x1 convolution.

    Parameters
    ----------
    outputs : tensor or array (n_samples, ...)
        What a layer put out, before anything that follows it.
    vectors : tensor or array (n_channels, r)
        Directions as columns, such as those of `direction_basis`.
    bias : tensor or array, optional
        Shape (n_channels,); the layer's bias, which is taken off first.
    pool : {"mean", "signed_max", "rms"}
        Over positions: the mean, the value of largest magnitude with its sign, or the root of the mean square, which
        has no sign.
    channel_dim : int, default 1
        Dimension of `outputs` that counts channels.

    Returns
    -------
    torch.Tensor (n_samples, r)
        On the device of `outputs`, float64 where they are, else float32.

    Raises
    ------
    DynExplorerError
        If shapes do not fit together, or there is no such pooling.

    Example
    -------
    >>> maps = torch.tensor([[[1.0, -3.0], [0.0, 2.0]]])  # one sample, two channels, two positions
    >>> pooled_signals(maps, torch.eye(2)).tolist(), pooled_signals(maps, torch.eye(2), pool="signed_max").tolist()
    ([[-1.0, 1.0]], [[-3.0, 2.0]])
    """
    if pool not in POOLS:
        raise DynExplorerError(f"`pool` (={pool!r}) must be one of {', '.join(map(repr, POOLS))}")
    values, basis = torch.as_tensor(outputs).detach(), torch.as_tensor(vectors).detach()
    if not -values.ndim <= channel_dim < values.ndim or basis.ndim != 2 or values.shape[channel_dim] != len(basis):
        raise DynExplorerError(
            f"`outputs` of shape {tuple(values.shape)} must have in dimension `channel_dim` (={channel_dim}) the "
            f"{len(basis)} channels of `vectors` of shape {tuple(basis.shape)}"
        )
    values = values.movedim(channel_dim, -1).flatten(1, -2) if values.ndim > 2 else values.unsqueeze(1)
    values = values if values.dtype == torch.float64 else values.float()
    basis = basis.to(values)
    offset = 0.0 if bias is None else torch.as_tensor(bias).detach().to(values) @ basis
    if pool == "mean":
        return values.mean(dim=1) @ basis - offset
    signals = values @ basis - offset
    if pool == "rms":
        return signals.square().mean(dim=1).sqrt()
    peak = signals.abs().argmax(dim=1, keepdim=True)
    return signals.gather(1, peak).squeeze(1)
