"""One image on its way: turned, shifted, or becoming another, in even steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from dyn_explorer.errors import DynExplorerError

from .options import MIN_COLUMNS, check_choice
from .recording import Recording, record
from .steps import Steps

KINDS = ("rotate", "shift", "morph")
PADDINGS = ("border", "zeros", "reflection")
_HALF_BYTES = 2


def path_inputs(
    image: torch.Tensor | np.ndarray,
    *,
    kind: str = "rotate",
    steps: int = 32,
    amount: float | Sequence[float] | None = None,
    to: torch.Tensor | np.ndarray | None = None,
    padding: str = "border",
) -> torch.Tensor:
    """Turn, shift or morph an image in even steps.

    Parameters
    ----------
    image : Tensor or ndarray
        One image, shape (c, h, w), (1, c, h, w) or (h, w). For "morph" any real array.
    kind : {"rotate", "shift", "morph"}
        "rotate" about the centre, counter-clockwise. "shift" along a straight line. "morph": linear steps to `to`.
        Between pixels the image is interpolated bilinearly.
    steps : int
        Number of inputs, at least 3. The first is the image itself and the last has gone the whole `amount`.
    amount : float or (float, float), optional
        "rotate": degrees; default: a full turn short of its last step, which would be the image again.
        "shift": pixels to the right, or (down, right); default: a quarter of the width to the right.
        "morph": the part of the way to go; default 1.
    to : Tensor or ndarray, optional
        For "morph": where the path ends, with the shape of `image`.
    padding : {"border", "zeros", "reflection"}
        What comes in from outside: the edge's values, zeros, or the image mirrored.

    Returns
    -------
    torch.Tensor
        Shape (steps, c, h, w) or (steps, h, w), on the image's device; floating, in its precision.

    Raises
    ------
    DynExplorerError
        If an option is unknown, `image` is no single image of floating or byte values, or `to` is missing or has
        another shape.

    Example
    -------
    >>> image = torch.arange(4.0).reshape(1, 2, 2)
    >>> path_inputs(image, kind="rotate", steps=5, amount=360)[1]
    tensor([[[1., 3.],
             [0., 2.]]])
    >>> path_inputs(image, kind="morph", steps=3, to=torch.zeros(1, 2, 2))[1]
    tensor([[[0.0000, 0.5000],
             [1.0000, 1.5000]]])
    """
    return _walk(image, kind, steps, amount, to, padding)[0]


def record_path(
    model: nn.Module,
    image: torch.Tensor | np.ndarray,
    layers: str | Iterable[str] | None = None,
    *,
    kind: str = "rotate",
    steps: int = 32,
    amount: float | Sequence[float] | None = None,
    to: torch.Tensor | np.ndarray | None = None,
    padding: str = "border",
    **options: Any,
) -> Recording:
    """Record a model on an image that turns, shifts or becomes another; the axis "path" is then a true time.

    Parameters
    ----------
    model, layers
        As for `record`.
    image, kind, steps, amount, to, padding
        As for `path_inputs`.
    **options
        Passed on to `record`: batch_size, device, training, seed, the budgets, cancel, progress.

    Returns
    -------
    Recording
        Its samples are the steps; ``.path`` names them and says when they are.

    Raises
    ------
    DynExplorerError
        If `path_inputs` or `record` refuses.

    Example
    -------
    >>> from dyn_explorer.capture import snapshots
    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3))
    >>> recording = record_path(model, torch.rand(1, 8, 8), kind="rotate", steps=12)
    >>> result = snapshots(recording, "0", axis="path")
    >>> result.matrix.shape, result.labels[1], result.dt, result.time_unit
    (torch.Size([72, 12]), 'turned by 30°', 30.0, 'degrees')
    """
    inputs, path = _walk(image, kind, steps, amount, to, padding)
    recording = record(model, inputs, layers, **options)
    n_samples = recording.n_samples
    return replace(recording, path=replace(path, labels=path.labels[:n_samples], times=path.times[:n_samples]))


def _walk(image, kind, steps, amount, to, padding) -> tuple[torch.Tensor, Steps]:
    check_choice("kind", kind, KINDS)
    check_choice("padding", padding, PADDINGS)
    if not isinstance(steps, Integral) or isinstance(steps, bool) or steps < MIN_COLUMNS:
        raise DynExplorerError(f"`steps` (={steps!r}) must be an integer of at least {MIN_COLUMNS}")
    if kind != "morph" and to is not None:
        raise DynExplorerError(
            f"`to` is where a morph ends, and kind={kind!r} takes none; use kind='morph', or leave it out"
        )
    start = _as_tensor(image, "image")
    fractions = torch.linspace(0, 1, int(steps), dtype=torch.float64)
    if kind == "morph":
        return _morph(start, _target(to, start), fractions, _single(amount, 1.0, kind))
    picture = _as_picture(start, kind)
    moved, path = (_rotate if kind == "rotate" else _shift)(picture, fractions, amount, padding)
    return moved.reshape(-1, *(start.shape if start.ndim < 4 else start.shape[1:])), path


def _rotate(picture: torch.Tensor, fractions: torch.Tensor, amount: object, padding: str) -> tuple[torch.Tensor, Steps]:
    turn = 360 * (len(fractions) - 1) / len(fractions)
    degrees = (_single(amount, turn, "rotate") * fractions).tolist()
    height, width = picture.shape[-2:]
    # The grid's coordinates run from -1 to 1 along both sides, so a turn must know how the sides compare.
    turns = [[[c, -s * height / width, 0.0], [s * width / height, c, 0.0]] for c, s in map(_cosine_and_sine, degrees)]
    labels = tuple(f"turned by {angle:.4g}°" for angle in degrees)
    return _moved(picture, turns, padding), Steps("rotate", labels, tuple(degrees), "degrees")


def _shift(picture: torch.Tensor, fractions: torch.Tensor, amount: object, padding: str) -> tuple[torch.Tensor, Steps]:
    height, width = picture.shape[-2:]
    down, right = _shift_of(amount, width)
    moves = [
        [[1.0, 0.0, -2 * right * part / width], [0.0, 1.0, -2 * down * part / height]] for part in fractions.tolist()
    ]
    pixels = tuple((math.hypot(down, right) * fractions).tolist())
    labels = tuple(f"shifted by {distance:.4g} px" for distance in pixels)
    return _moved(picture, moves, padding), Steps("shift", labels, pixels, "pixels")


def _morph(
    start: torch.Tensor, end: torch.Tensor, fractions: torch.Tensor, amount: float
) -> tuple[torch.Tensor, Steps]:
    parts = tuple((amount * fractions).tolist())
    single = start[0] if start.ndim == 4 else start
    last = end[0] if end.ndim == 4 else end
    inputs = torch.stack([torch.lerp(single, last, part) for part in parts])
    labels = tuple(f"{100 * part:.4g}% of the way" for part in parts)
    return inputs, Steps("morph", labels, parts, "of the way")


def _moved(picture: torch.Tensor, transforms: list, padding: str) -> torch.Tensor:
    # Half precision is not interpolated on every device.
    wide = picture.float() if picture.element_size() <= _HALF_BYTES else picture
    theta = torch.tensor(transforms, dtype=wide.dtype, device=wide.device)
    many = wide.expand(len(theta), -1, -1, -1)
    grid = functional.affine_grid(theta, list(many.shape), align_corners=False)
    moved = functional.grid_sample(many, grid, mode="bilinear", padding_mode=padding, align_corners=False)
    return moved.to(picture.dtype)


def _cosine_and_sine(degrees: float) -> tuple[float, float]:
    # Exact at quarter turns, where cos(pi / 2) is not.
    quarters, rest = divmod(degrees, 90)
    cosine, sine = math.cos(math.radians(rest)), math.sin(math.radians(rest))
    return [(cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine)][int(quarters) % 4]


def _as_tensor(image: object, name: str) -> torch.Tensor:
    if isinstance(image, (Mapping, list, tuple)) or not isinstance(image, (torch.Tensor, np.ndarray)):
        raise DynExplorerError(
            f"`{name}` must be one image as a tensor or array, got {type(image).__name__}; a path needs pixels, so "
            "take the image out: images[0]"
        )
    tensor = (torch.from_numpy(np.ascontiguousarray(image)) if isinstance(image, np.ndarray) else image).detach()
    if tensor.dtype == torch.uint8:
        return tensor.float()
    if not tensor.is_floating_point():
        raise DynExplorerError(
            f"`{name}` holds {tensor.dtype} values, which have nothing in between (token numbers or classes?); a path "
            "needs an image of floating or uint8 values"
        )
    if not torch.isfinite(tensor).all():
        raise DynExplorerError(f"`{name}` holds NaN or infinite values; give an image of finite values")
    return tensor


def _as_picture(image: torch.Tensor, kind: str) -> torch.Tensor:
    shape = tuple(image.shape)
    if image.ndim == 4 and shape[0] != 1:
        raise DynExplorerError(
            f"`image` (shape {shape}) holds {shape[0]} images, and a path starts from one; give image[0]"
        )
    if image.ndim not in (2, 3, 4) or min(shape[-2:]) < 2:
        raise DynExplorerError(
            f"`image` (shape {shape}) is no image, so kind={kind!r} cannot move it; give shape (c, h, w), (1, c, h, w) "
            "or (h, w), or use kind='morph', which takes any array"
        )
    return image.reshape(1, -1, *shape[-2:])


def _target(to: object, start: torch.Tensor) -> torch.Tensor:
    if to is None:
        raise DynExplorerError(
            "kind='morph' needs `to`, the image at the end of the path; for one image use kind='rotate'"
        )
    end = _as_tensor(to, "to").to(start)
    if end.shape != start.shape:
        raise DynExplorerError(
            f"`image` has shape {tuple(start.shape)} and `to` {tuple(end.shape)}; a path leads between images of one "
            "shape: resize or crop one of them"
        )
    if start.ndim == 4 and start.shape[0] != 1:
        raise DynExplorerError(
            f"`image` (shape {tuple(start.shape)}) holds {start.shape[0]} images, and a path starts from one; give "
            "image[0] and to[0]"
        )
    return end


def _single(amount: object, default: float, kind: str) -> float:
    if amount is None:
        return default
    if not isinstance(amount, Real) or not math.isfinite(amount) or amount == 0:
        raise DynExplorerError(f"`amount` (={amount!r}) must be one finite number other than 0 for kind={kind!r}")
    return float(amount)


def _shift_of(amount: object, width: int) -> tuple[float, float]:
    if isinstance(amount, Sequence) and len(amount) == 2:
        down, right = (0.0 if part == 0 else _single(part, 0.0, "shift") for part in amount)
        if down or right:
            return down, right
    if amount is None or isinstance(amount, Real):
        return 0.0, _single(amount, width / 4, "shift")
    raise DynExplorerError(
        f"`amount` (={amount!r}) must be pixels to the right, or (down, right) with one of them not 0, for kind='shift'"
    )
