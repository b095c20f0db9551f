"""A layer as links between nodes: which weights lead into a node and which lead out of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import torch

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError

SIGNS = ("signed", "absolute", "squared")
PADDINGS = ("real", "repo")


@dataclass(frozen=True, eq=False)
class AffineLayer:
    """A linear layer, or a convolution (plain or transposed) over inputs of a known shape.

    Parameters
    ----------
    weight : tensor or array
        Linear: shape (n_out, n_in). Convolution: (C_out, C_in / groups, k_1, ...), with as many kernel axes as the
        inputs have spatial ones. Transposed convolution: (C_in, C_out / groups, k_1, ...).
    bias : tensor or array, optional
        Shape (n_out,) or (C_out,).
    input_shape : tuple of int, optional
        Shape of one input, channels first: (C, H, W). It makes the layer a convolution.
    stride, padding, dilation : int or tuple of int
        As in `torch.nn.Conv2d`, with zeros as padding.
    groups : int
        As in `torch.nn.Conv2d`.
    transposed : bool
        Whether it is a transposed convolution; its links are those of a plain one, turned round.
    output_padding : int or tuple of int
        As in `torch.nn.ConvTranspose2d`; 0 for any other layer.

    Attributes
    ----------
    node_shape_in, node_shape_out : tuple of int
        Shapes of the node layers on both sides.

    Raises
    ------
    DynExplorerError
        If shapes do not fit together, or weights are not finite.

    Example
    -------
    >>> layer = AffineLayer(torch.ones(4, 1, 3, 3), input_shape=(1, 8, 8), padding=1)
    >>> layer.node_shape_out, layer.in_strength()[0, 0, :3].tolist()
    ((4, 8, 8), [4.0, 6.0, 6.0])
    """

    weight: torch.Tensor
    bias: torch.Tensor | None = None
    input_shape: tuple[int, ...] | None = None
    stride: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] = 0
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    transposed: bool = False
    output_padding: int | tuple[int, ...] = 0
    node_shape_in: tuple[int, ...] = field(init=False)
    node_shape_out: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "weight", exact(self.weight, "weight"))
        put(self, "bias", None if self.bias is None else exact(self.bias, "bias"))
        if self.input_shape is None:
            self._check_linear()
            put(self, "node_shape_in", (self.weight.shape[1],))
            put(self, "node_shape_out", (self.weight.shape[0],))
        else:
            put(self, "input_shape", tuple(int(size) for size in self.input_shape))
            for name in ("stride", "padding", "dilation", "output_padding"):
                put(self, name, self._per_axis(name, 1 if name in ("stride", "dilation") else 0))
            self._check_convolution()
            put(self, "node_shape_in", self.input_shape)
            sizes = (self._large(axis) if self.transposed else self._steps(axis) for axis in self._axes)
            put(self, "node_shape_out", (self._n_out, *sizes))
        if self.bias is not None and tuple(self.bias.shape) != (self._n_out,):
            raise DynExplorerError(
                f"`bias` has shape {tuple(self.bias.shape)} and must have one entry per output: ({self._n_out},)"
            )

    def _check_linear(self) -> None:
        if self.weight.ndim != 2:
            raise DynExplorerError(
                f"`weight` of shape {tuple(self.weight.shape)} is no matrix; a convolution needs the shape of its "
                "inputs, such as input_shape=(3, 32, 32)"
            )

    def _check_convolution(self) -> None:
        if self.weight.ndim != len(self.input_shape) + 1 or self.weight.ndim < 3:
            raise DynExplorerError(
                f"`weight` of shape {tuple(self.weight.shape)} has {self.weight.ndim - 2} kernel axes, and "
                f"`input_shape` (={self.input_shape}) has {len(self.input_shape) - 1} spatial ones; both must be the "
                "same and at least 1"
            )
        first, per_group = self.weight.shape[:2]
        if not is_integer(self.groups) or self.groups < 1 or first % self.groups:
            side = "input" if self.transposed else "output"
            raise DynExplorerError(f"`groups` (={self.groups!r}) must divide the {first} {side} channels")
        taken = f"{first}" if self.transposed else f"{per_group} x {self.groups} (groups)"
        if (first if self.transposed else per_group * self.groups) != self.input_shape[0]:
            raise DynExplorerError(
                f"`weight` takes {taken} input channels, and `input_shape` (={self.input_shape}) has "
                f"{self.input_shape[0]}"
            )
        for axis in self._axes:
            if self._steps(axis) < 1 or self._large(axis) < 1:
                raise DynExplorerError(
                    f"the kernel of size {self.weight.shape[axis + 2]} does not fit into inputs of size "
                    f"{self.input_shape[axis + 1]} along axis {axis}"
                )

    def _per_axis(self, name: str, least: int) -> tuple[int, ...]:
        given, count = getattr(self, name), len(self.input_shape) - 1
        values = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,) * count
        if len(values) != count or not all(is_integer(value) and value >= least for value in values):
            raise DynExplorerError(f"`{name}` (={given!r}) must be {count} whole numbers of at least {least}, or one")
        return tuple(int(value) for value in values)

    @property
    def _n_out(self) -> int:
        return self.weight.shape[1] * self.groups if self.transposed else self.weight.shape[0]

    @property
    def _axes(self) -> range:
        return range(0 if self.input_shape is None else len(self.input_shape) - 1)

    def _reach(self, axis: int) -> int:
        return self.dilation[axis] * (self.weight.shape[axis + 2] - 1) + 1

    def _large(self, axis: int) -> int:
        """Size of the side on which the kernel lies: the inputs, or the outputs of a transposed convolution."""
        size = self.input_shape[axis + 1]
        if not self.transposed:
            return size
        start = (size - 1) * self.stride[axis] - 2 * self.padding[axis]
        return start + self._reach(axis) + self.output_padding[axis]

    def _steps(self, axis: int) -> int:
        """How many places the kernel is laid at: the size of the other side."""
        size = self.input_shape[axis + 1]
        if self.transposed:
            return size
        return (size + 2 * self.padding[axis] - self._reach(axis)) // self.stride[axis] + 1

    # ---------------------------------------------------------------- strengths

    def in_strength(self, *, sign: str = "signed", padding: str = "real", bias: bool = True) -> torch.Tensor:
        """Sum of the links into every output node.

        Parameters
        ----------
        sign : {"signed", "absolute", "squared"}
            What is summed of each weight.
        padding : {"real", "repo"}
            Whether taps that fall on padding are no links (real), or count as the authors' code counts them. A
            transposed convolution has no such taps.
        bias : bool
            Whether the bias is a link into its node.

        Returns
        -------
        torch.Tensor
            Shape `node_shape_out`, float64.
        """
        check_options(sign, padding)
        weight = signed_as(self.weight, sign)
        strength = self._scattered(weight) if self.transposed else self._gathered(weight, padding)
        if bias and self.bias is not None:
            strength = strength + signed_as(self.bias, sign).reshape(-1, *[1] * (strength.ndim - 1))
        return strength

    def out_strength(self, *, sign: str = "signed") -> torch.Tensor:
        """Sum of the links out of every input node: shape `node_shape_in`, float64."""
        check_options(sign, "real")
        weight = signed_as(self.weight, sign)
        return self._gathered(weight, "real") if self.transposed else self._scattered(weight)

    def _gathered(self, weight: torch.Tensor, padding: str) -> torch.Tensor:
        """Of each place of the kernel: the sum of its links."""
        strength = weight.sum(dim=1)
        for axis in self._axes:
            strength = _along(strength, self._at_places(axis, padding), axis + 1)
        return strength

    def _scattered(self, weight: torch.Tensor) -> torch.Tensor:
        """Of each node under the kernel: the sum of its links over all places."""
        strength = weight.reshape(self.groups, -1, *weight.shape[1:]).sum(dim=1).flatten(0, 1)
        for axis in self._axes:
            strength = _along(strength, self._under(axis), axis + 1)
        return strength

    def tap_counts(self) -> torch.Tensor:
        """How many links each kernel entry stands for: shape of the kernel (k_1, ...), float64; 1 for a matrix."""
        counts = [self._at_places(axis, "real").sum(dim=0) for axis in self._axes]
        return reduce(lambda product, axis: product.unsqueeze(-1) * axis, counts, torch.ones((), dtype=torch.float64))

    def _at_places(self, axis: int, padding: str) -> torch.Tensor:
        """1 where the kernel at place i has a link through tap a, (places, taps)."""
        place = self._places(axis)
        inside = (place >= 0) & (place < self._large(axis))
        return (inside if padding == "real" else torch.ones_like(inside)).double()

    def _under(self, axis: int) -> torch.Tensor:
        """1 where node y lies under tap a at some place, (size, taps)."""
        size, place = self._large(axis), self._places(axis)
        links = torch.zeros(size, place.shape[1], dtype=torch.float64)
        step, tap = torch.nonzero((place >= 0) & (place < size), as_tuple=True)
        links[place[step, tap], tap] = 1.0  # at two places one node never lies under the same tap
        return links

    def _places(self, axis: int) -> torch.Tensor:
        """Which node lies under tap a at place i, (places, taps); negative or too large on padding."""
        steps, taps = torch.arange(self._steps(axis)), torch.arange(self.weight.shape[axis + 2])
        return steps[:, None] * self.stride[axis] - self.padding[axis] + taps * self.dilation[axis]


def _along(values: torch.Tensor, matrix: torch.Tensor, dim: int) -> torch.Tensor:
    """Apply a (new, old) matrix along one dimension."""
    return torch.movedim(torch.movedim(values, dim, -1) @ matrix.T.to(values.device), -1, dim)


def exact(values: object, name: str) -> torch.Tensor:
    """A float64 copy outside the person's graph, on a device that has float64.

    Raises
    ------
    DynExplorerError
        If there are no values, or NaN or infinite ones.
    """
    tensor = torch.as_tensor(values).detach()
    device = "cpu" if tensor.device.type == "mps" else tensor.device
    tensor = tensor.to(device=device, dtype=torch.float64, copy=True)
    if tensor.numel() == 0:
        raise DynExplorerError(f"`{name}` of shape {tuple(tensor.shape)} is empty")
    # One sum tells that all are finite, several times sooner than to look at each; very large ones may overflow it.
    broken = 0 if math.isfinite(float(tensor.sum())) else int((~torch.isfinite(tensor)).sum())
    if broken:
        raise DynExplorerError(
            f"`{name}` holds {broken} NaN or infinite values of {tensor.numel()}; look at an earlier state of the model"
        )
    return tensor


def signed_as(values: torch.Tensor, sign: str) -> torch.Tensor:
    """Values, their magnitudes or their squares."""
    return {"signed": lambda: values, "absolute": values.abs, "squared": values.square}[sign]()


def check_options(sign: str, padding: str) -> None:
    """Refuse options that are not there."""
    for name, value, known in (("sign", sign, SIGNS), ("padding", padding, PADDINGS)):
        if value not in known:
            raise DynExplorerError(f"`{name}` (={value!r}) must be one of {', '.join(map(repr, known))}")
