"""Calls of PyTorch's functions that are fixed links: convolutions, matrices, average pooling."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch

from dyn_explorer.analysis import AffineLayer
from dyn_explorer.errors import DynExplorerError

_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
_POOL = ("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")


def _convolution(inputs: torch.Tensor, call: Mapping) -> AffineLayer:
    weight = call["weight"]
    dilation = _spread(call.get("dilation", 1), weight.ndim - 2)
    padding = call.get("padding", 0)
    if padding == "valid":
        padding = 0
    elif padding == "same":
        total = [d * (size - 1) for d, size in zip(dilation, weight.shape[2:], strict=True)]
        if any(reach % 2 for reach in total):
            raise DynExplorerError(
                "its padding 'same' of an even kernel is not the same on both sides; use an odd kernel"
            )
        padding = tuple(reach // 2 for reach in total)
    stride, groups = call.get("stride", 1), call.get("groups", 1)
    return AffineLayer(
        weight,
        call.get("bias"),
        tuple(inputs.shape[1:]),
        _plain(stride),
        _plain(padding),
        dilation,
        groups,
    )


def _transposed(inputs: torch.Tensor, call: Mapping) -> AffineLayer:
    numbers = {name: _plain(call.get(name, 1)) for name in ("stride", "dilation", "groups")}
    numbers |= {name: _plain(call.get(name, 0)) for name in ("padding", "output_padding")}
    return AffineLayer(call["weight"], call.get("bias"), tuple(inputs.shape[1:]), **numbers, transposed=True)


def _linear(_inputs: torch.Tensor, call: Mapping) -> AffineLayer:
    return AffineLayer(call["weight"], call.get("bias"))


def _product(_inputs: torch.Tensor, call: Mapping) -> AffineLayer:
    if call.get("alpha", 1) != 1 or call.get("beta", 1) != 1:
        raise DynExplorerError("it scales the product or the bias by a number, which is not supported")
    return AffineLayer(call["mat2"].T, call["bias"])


def _pool(inputs: torch.Tensor, call: Mapping) -> AffineLayer:
    rank = inputs.ndim - 2
    size = _spread(call["kernel_size"], rank)
    stride = call.get("stride")
    padding = _spread(call.get("padding", 0), rank)
    if call.get("ceil_mode") or (any(padding) and not call.get("count_include_pad", True)):
        raise DynExplorerError("its average is over fewer nodes at the border; such pooling is not supported")
    divisor = call.get("divisor_override") or math.prod(size)
    # An empty stride is PyTorch's way of saying: that of the kernel.
    return _average(inputs, size, size if stride in (None, (), []) else _spread(stride, rank), padding, divisor)


def _adaptive_pool(inputs: torch.Tensor, call: Mapping) -> AffineLayer:
    sizes = inputs.shape[2:]
    wanted = [size if given is None else given for size, given in zip(
        sizes, _spread(call["output_size"], len(sizes)), strict=True)]  # fmt: skip
    if any(size % given for size, given in zip(sizes, wanted, strict=True)):
        raise DynExplorerError(
            f"it pools {tuple(sizes)} places to {tuple(wanted)}, which do not divide them; this is not supported"
        )
    size = tuple(size // given for size, given in zip(sizes, wanted, strict=True))
    return _average(inputs, size, size, (0,) * len(size), math.prod(size))


def _mean(inputs: torch.Tensor, call: Mapping) -> AffineLayer:
    dims = call.get("dim")
    dims = (dims,) if isinstance(dims, int) else dims
    if inputs.ndim < 3 or dims is None or {d % inputs.ndim for d in dims} != set(range(2, inputs.ndim)):
        raise DynExplorerError("it is a mean over something else than all places of each channel")
    size = tuple(inputs.shape[2:])
    return _average(inputs, size, size, (0,) * len(size), math.prod(size))


def _average(inputs: torch.Tensor, size: tuple, stride: tuple, padding: tuple, divisor: int) -> AffineLayer:
    channels = inputs.shape[1]
    weight = torch.full((channels, 1, *size), 1 / divisor, dtype=torch.float64)
    return AffineLayer(weight, None, tuple(inputs.shape[1:]), stride, padding, 1, channels)


def _spread(value, count: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    return values * count if len(values) == 1 else values


def _plain(value):
    return (tuple(value) if len(value) > 1 else value[0]) if isinstance(value, tuple | list) else value


_BY_DIMENSION = {
    "conv": (_convolution, _CONVOLUTION),
    "conv_transpose": (_transposed, _TRANSPOSED),
    "avg_pool": (_pool, _POOL),
    "adaptive_avg_pool": (_adaptive_pool, ("input", "output_size")),
}
AFFINE: dict[str, tuple[Callable, tuple[str, ...]]] = {
    **{f"{name}{d}d": made for name, made in _BY_DIMENSION.items() for d in (1, 2, 3)},
    "linear": (_linear, ("input", "weight", "bias")),
    "addmm": (_product, ("bias", "input", "mat2")),
    "mean": (_mean, ("input", "dim", "keepdim")),
}


def input_of(function: str, args: tuple) -> object:
    """What a call of `AFFINE` reads, or None where it is not among its positional arguments.

    Example
    -------
    >>> input_of("linear", ("x", "weight"))
    'x'
    """
    place = AFFINE[function][1].index("input")
    return args[place] if place < len(args) else None


def affine_layer(function: str, args: tuple, kwargs: Mapping) -> AffineLayer:
    """The links of one call.

    Parameters
    ----------
    function : str
        Key of `AFFINE`.
    args, kwargs
        Of the call; its inputs have samples first.

    Raises
    ------
    DynExplorerError
        If these links cannot be written down, for example with NaN among the weights.

    Example
    -------
    >>> affine_layer("avg_pool2d", (torch.zeros(1, 2, 4, 4), 2), {}).weight[0, 0, 0, 0].item()
    0.25
    """
    make, names = AFFINE[function]
    call = {**dict(zip(names, args, strict=False)), **kwargs}
    with torch.inference_mode(False), torch.no_grad():
        return make(call["input"], call)
