"""Follow windows of the input through the functions of one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch.overrides import TorchFunctionMode

from .graph_functions import ELEMENTWISE, PASSING, SCALES
from .tap import all_tensors

# What acts on each place by itself, or joins like places.
_PLACEWISE = ELEMENTWISE | PASSING | SCALES | {"cat", "concat", "dropout2d", "maximum", "minimum"}
_BY_STATISTICS = frozenset(("group_norm", "instance_norm"))
_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation")
_MAX_POOL = ("input", "kernel_size", "stride", "padding", "dilation")
_AVERAGE_POOL = ("input", "kernel_size", "stride", "padding")
_TAKEN_APART = "the places of a map are taken apart on the way"

_RESIZED = ("input", "size", "scale_factor", "mode", "align_corners")

Axis = tuple[Fraction, Fraction, Fraction]  # start, step, size


@dataclass(frozen=True)
class Window:
    """What part of the image each place of a map looks at.

    Parameters
    ----------
    axes : (Axis, Axis)
        Start, step and size of rows and of columns. Pixel k takes up k to k + 1; a place that is interpolated between
        two pixels looks at a stretch of length 1 that lies over both.
    """

    axes: tuple[Axis, Axis]

    def slid(self, kernel, stride, padding, dilation) -> Window:
        """After a kernel that slides over the map."""
        moved = zip(self.axes, _two(kernel), _two(stride), _two(padding), _two(dilation), strict=True)
        return Window(tuple(
            (start - pad * step, step * by, size + (taps - 1) * apart * step)
            for (start, step, size), taps, by, pad, apart in moved
        ))  # fmt: skip


class WindowTrace(TorchFunctionMode):
    """Windows of all tensors that come from one image; a context manager."""

    def __init__(self) -> None:
        super().__init__()
        # With the tensor, so that no other gets its id.
        self._known: dict[int, tuple[torch.Tensor, Window | str]] = {}
        self._image: tuple[int, int] = (0, 0)

    def begin(self, image: torch.Tensor) -> None:
        """Each pixel of this image looks at itself."""
        self._image = int(image.shape[2]), int(image.shape[3])
        pixel = Fraction(0), Fraction(1), Fraction(1)
        self._known[id(image)] = image, Window((pixel, pixel))

    def window(self, tensor: torch.Tensor) -> Window | str:
        """The window of a map's places, or why it is not known."""
        return self._known.get(id(tensor), (None, "what leads to it is not followed"))[1]

    def __torch_function__(self, func: Callable, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        # An operation in place changes what is known of its own argument.
        read = [self._known[id(tensor)] for tensor in all_tensors((args, kwargs)) if id(tensor) in self._known]
        shapes = [tuple(tensor.shape) for tensor, _ in read]
        out = func(*args, **kwargs)
        if read:
            name = getattr(func, "__name__", str(func))
            found = self._after(name if name.startswith("__") else name.strip("_"), args, kwargs, read, shapes, out)
            for tensor in all_tensors(out):
                self._known[id(tensor)] = tensor, found
        return out

    def _after(self, name: str, args: tuple, kwargs: Mapping, read: list, shapes: list, out: object) -> Window | str:
        windows = [window for _, window in read]
        if reasons := [window for window in windows if isinstance(window, str)]:
            return reasons[0]
        outputs = [tuple(tensor.shape) for tensor in all_tensors(out)]
        if not outputs or len(outputs[0]) != 4 or any(len(shape) != 4 for shape in shapes):
            return _TAKEN_APART
        if name in _SLIDING:
            return _SLIDING[name](windows[0], args, kwargs)
        if name in _POOLS:
            return self._pooled(windows[0], shapes[0], outputs[0])
        if name in _BY_STATISTICS or (name == "batch_norm" and kwargs.get("training")):
            return self._whole()
        if name == "pad":
            return _padded(windows[0], args, kwargs)
        if name == "interpolate":
            return _resized(windows[0], args, kwargs, shapes[0][2:], outputs[0][2:])
        if name in _PLACEWISE or name == "batch_norm":
            return self._joined(windows, shapes, outputs[0])
        return f"{name} on the way to it is not followed"

    def _whole(self) -> Window:
        return Window(tuple((Fraction(0), Fraction(0), Fraction(size)) for size in self._image))

    def _pooled(self, window: Window, before: tuple, after: tuple) -> Window | str:
        """After pooling to a number of places, or over all of them."""
        if after[2:] == (1, 1):
            return self._whole()
        if any(size % wanted for size, wanted in zip(before[2:], after[2:], strict=True)):
            return f"pooling {before[2]} x {before[3]} places to {after[2]} x {after[3]} is not followed"
        kernel = tuple(size // wanted for size, wanted in zip(before[2:], after[2:], strict=True))
        return window.slid(kernel, kernel, 0, 1)

    def _joined(self, windows: list[Window], shapes: list[tuple], out: tuple) -> Window | str:
        """The windows that hold those of all maps that are added, multiplied or put beside one another."""
        axes = []
        for axis, extent in enumerate(self._image):
            # One place that is spread over all others has a window that does not move.
            mine = [
                (start, step if shape[2 + axis] > 1 or out[2 + axis] == 1 else 0, size)
                for (start, step, size), shape in zip((w.axes[axis] for w in windows), shapes, strict=True)
            ]
            if any(step == 0 and start <= 0 and start + size >= extent for start, step, size in mine):
                axes.append((Fraction(0), Fraction(0), Fraction(extent)))
                continue
            if len({step for _, step, _ in mine}) > 1 or any(shape[2 + axis] not in (1, out[2 + axis])
                                                              for shape in shapes):  # fmt: skip
                return "maps of different strides are joined on the way to it"
            begin = min(start for start, _, _ in mine)
            axes.append((begin, mine[0][1], max(start + size for start, _, size in mine) - begin))
        return Window(tuple(axes))


def _convolved(window: Window, args: tuple, kwargs: Mapping) -> Window | str:
    call = {**dict(zip(_CONVOLUTION, args, strict=False)), **kwargs}
    kernel, dilation = tuple(call["weight"].shape[2:]), _two(call.get("dilation", 1))
    padding = call.get("padding", 0)
    if padding == "same":
        # Of an odd total PyTorch puts the larger half behind.
        padding = tuple(apart * (taps - 1) // 2 for taps, apart in zip(kernel, dilation, strict=True))
    return window.slid(kernel, call.get("stride", 1), 0 if padding == "valid" else padding, dilation)


def _slides(names: tuple[str, ...]) -> Callable:
    def pooled(window: Window, args: tuple, kwargs: Mapping) -> Window:
        call = {**dict(zip(names, args, strict=False)), **kwargs}
        # An empty stride is PyTorch's way of saying: that of the kernel.
        stride = call.get("stride") or call["kernel_size"]
        return window.slid(call["kernel_size"], stride, call.get("padding", 0), call.get("dilation", 1))

    return pooled


def _padded(window: Window, args: tuple, kwargs: Mapping) -> Window | str:
    call = {**dict(zip(("input", "pad", "mode"), args, strict=False)), **kwargs}
    if call.get("mode", "constant") != "constant":
        return f"padding of kind {call['mode']!r} repeats places of the map, which is not followed"
    left, _, top, _ = (*call["pad"], 0, 0)[:4]
    if any(call["pad"][4:]):
        return _TAKEN_APART
    return window.slid(1, 1, (top, left), 1)


def _resized(window: Window, args: tuple, kwargs: Mapping, before: tuple, after: tuple) -> Window | str:
    call = {**dict(zip(_RESIZED, args, strict=False)), **kwargs}
    mode, scale = call.get("mode", "nearest"), call.get("scale_factor")
    scales = (None, None) if scale is None else _two(scale)
    whole = all(each is None or old * each == new for each, old, new in zip(scales, before, after, strict=True))
    if mode not in ("nearest", "bilinear") or call.get("antialias") or not whole:
        return f"resizing of kind {mode!r} from {before} to {after} places is not followed"
    if any(step != 1 for _, step, _ in window.axes):
        return "maps are resized after strides"
    axes = []
    for (start, _, size), old, new in zip(window.axes, before, after, strict=True):
        step = Fraction(old, new)
        if mode == "nearest":
            axes.append((start, step, size - 1 + min(step, 1)))
        elif call.get("align_corners"):
            axes.append((start, Fraction(old - 1, max(new - 1, 1)), size))
        else:
            axes.append((start + (step - 1) / 2, step, size))
    return Window(tuple(axes))


def _two(value) -> tuple[int, int]:
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    return values * 2 if len(values) == 1 else values


_POOLS = frozenset(("adaptive_avg_pool2d", "adaptive_max_pool2d", "mean", "amax"))
_SLIDING = {
    "conv2d": _convolved,
    "max_pool2d": _slides(_MAX_POOL),
    "avg_pool2d": _slides(_AVERAGE_POOL),
    "lp_pool2d": _slides(("input", "norm_type", "kernel_size", "stride")),
}
