"""Which dimension of an activation counts the channels."""

from __future__ import annotations

from torch import nn
from torch.nn.modules import batchnorm, conv, pooling

_LAST = (nn.Linear, nn.Bilinear, nn.Embedding, nn.EmbeddingBag, nn.MultiheadAttention, nn.RNNBase, nn.RNNCellBase)
_FIRST = (
    conv._ConvNd,
    batchnorm._NormBase,
    nn.GroupNorm,
    nn.LocalResponseNorm,
    pooling._MaxPoolNd,
    pooling._AvgPoolNd,
    pooling._LPPoolNd,
    pooling._AdaptiveMaxPoolNd,
    pooling._AdaptiveAvgPoolNd,
    nn.FractionalMaxPool2d,
    nn.FractionalMaxPool3d,
    nn.Upsample,
    nn.PixelShuffle,
    nn.PixelUnshuffle,
    nn.ChannelShuffle,
)


class ChannelDims:
    """Find the channel dimension of each output of one forward, in the order in which the layers finish.

    The kind of a layer tells it where it can. A layer that works element by element takes it from the last layer
    whose output had the same shape. Otherwise the usual layout is assumed: 1 for maps, the last for tokens (n, t, d).

    Example
    -------
    >>> dims = ChannelDims()
    >>> dims.of(nn.Conv1d(2, 4, 1), (8, 4, 10)), dims.of(nn.ReLU(), (8, 4, 10)), dims.of(nn.ReLU(), (8, 10, 4))
    (1, 1, 2)
    """

    def __init__(self) -> None:
        self._by_shape: dict[tuple[int, ...], int] = {}

    def of(self, module: nn.Module, shape: tuple[int, ...]) -> int:
        """Return the channel dimension of an output of `shape`, the samples included in it as dimension 0."""
        dim = _by_kind(module, shape)
        if dim is None:
            dim = self._by_shape.get(shape)
        if dim is None:
            dim = len(shape) - 1 if len(shape) <= 3 else 1
        self._by_shape[shape] = dim
        return dim


def _by_kind(module: nn.Module, shape: tuple[int, ...]) -> int | None:
    if len(shape) < 2:
        return 0
    if isinstance(module, _FIRST):
        return 1
    if isinstance(module, _LAST):
        return len(shape) - 1
    normalized = getattr(module, "normalized_shape", None)
    if isinstance(normalized, (tuple, list)) and len(normalized) == 1:
        return _of_layer_norm(module, normalized[0], shape)
    return None


def _of_layer_norm(module: nn.Module, n_channels: int, shape: tuple[int, ...]) -> int:
    # Vision models derive layer norms that work on (n, c, h, w); some say so in `data_format`.
    if getattr(module, "data_format", None) == "channels_first":
        return 1
    return 1 if shape[-1] != n_channels and shape[1] == n_channels else len(shape) - 1
