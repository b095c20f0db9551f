"""Activations as maps: channels first, tokens laid out on their grid, all on one size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from dyn_explorer.errors import DynExplorerError

_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


@dataclass(frozen=True, eq=False)
class Maps:
    """The maps of one layer for one sample.

    Parameters
    ----------
    values : torch.Tensor
        Shape (n_channels, *grid).
    note : str
        What was done to lay tokens out; empty if nothing.

    Example
    -------
    >>> Maps(torch.zeros(3, 4, 5)).grid
    (4, 5)
    """

    values: torch.Tensor
    note: str = ""

    @property
    def grid(self) -> tuple[int, ...]:
        """Size of a map."""
        return tuple(self.values.shape[1:])

    def resized(self, size: tuple[int, ...]) -> torch.Tensor:
        """Return the maps on another grid, (bi/tri)linearly interpolated, shape (n_channels, *size)."""
        if self.grid == size:
            return self.values
        mode = _MODES[len(size)]
        return functional.interpolate(self.values[None], size=size, mode=mode, align_corners=False)[0]


def to_maps(activation: torch.Tensor, channel_dim: int, layer: str) -> Maps:
    """Bring one sample's activation into the form (n_channels, *grid).

    A sequence of t tokens is laid out as a square if t, or t - 1 without the leading class token, is a square number.

    Parameters
    ----------
    activation : torch.Tensor
        One sample, shape (...), without the sample dimension.
    channel_dim : int
        Dimension of the channels in `activation`.
    layer : str
        For messages.

    Raises
    ------
    DynExplorerError
        If there is only one value per channel.

    Example
    -------
    >>> to_maps(torch.zeros(17, 8), 1, "block").grid
    (4, 4)
    """
    shape = tuple(activation.shape)
    values = activation.movedim(channel_dim, 0) if activation.ndim else activation[None]
    if math.prod(values.shape[1:]) < 2:
        raise DynExplorerError(
            f"layer {layer!r} has one value per channel (shape {shape} per sample), so a channel is no map; use "
            "axis='sample'"
        )
    if values.ndim > 4:
        raise DynExplorerError(
            f"layer {layer!r} has {values.ndim - 1} dimensions beside its channels (shape {shape} per sample); maps "
            "have 1 to 3; use axis='sample'"
        )
    # Half precision has neither an interpolation nor a decomposition on every device.
    values = values.float() if values.element_size() < 4 else values
    if activation.ndim == 2 and channel_dim == 1:
        return _tokens(values)
    return Maps(values)


def common_grid(maps: dict[str, Maps], size: tuple[int, ...] | int | None) -> tuple[int, ...]:
    """Choose the grid for all maps: `size`, else the largest extent along each dimension.

    Raises
    ------
    DynExplorerError
        If the maps have different numbers of dimensions, or `size` does not fit them.

    Example
    -------
    >>> common_grid({"a": Maps(torch.zeros(1, 4, 9)), "b": Maps(torch.zeros(1, 8, 8))}, None)
    (8, 9)
    """
    grids = {name: layer_maps.grid for name, layer_maps in maps.items()}
    dims = {len(grid) for grid in grids.values()}
    if len(dims) > 1:
        shown = ", ".join(f"{name!r} {grid}" for name, grid in grids.items())
        raise DynExplorerError(f"these layers have no common grid: {shown}; choose layers with maps of one kind")
    n_dims = dims.pop()
    if size is None:
        return tuple(max(extents) for extents in zip(*grids.values(), strict=True))
    wanted = (size,) * n_dims if isinstance(size, int) else tuple(size)
    if len(wanted) != n_dims or min(wanted) < 1:
        raise DynExplorerError(f"`size` (={size}) must be {n_dims} positive integers, for maps such as {grids}")
    return wanted


def _tokens(values: torch.Tensor) -> Maps:
    n_channels, n_tokens = values.shape
    for n_special, note in ((0, ""), (1, "the class token is left out")):
        side = math.isqrt(n_tokens - n_special)
        if side > 1 and side * side == n_tokens - n_special:
            return Maps(values[:, n_special:].reshape(n_channels, side, side), note)
    return Maps(values)
