"""What part of an input an extreme of the chosen direction looks at, and that part cut out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from dyn_explorer import capture
from dyn_explorer.errors import DynExplorerError

from .result import Box, Excitement, Signals


def with_boxes(
    signals: Signals,
    model: torch.nn.Module,
    recording: capture.Recording,
    layer: str,
    signal: Callable,
    field: capture.ReceptiveField | str,
) -> Signals:
    """The same with the part of each input that its extreme looks at.

    Parameters
    ----------
    signals : Signals
    model : torch.nn.Module
    recording : Recording
    layer : str
    signal : callable
        As `signals.response` makes it.
    field : ReceptiveField or str
        Of the layer; a reason where it is not known, and then what counts is where the gradient is not zero.

    Raises
    ------
    DynExplorerError
        If the field is not known and the model cannot be asked for gradients.
    """
    if recording.inputs.ndim != 4:
        raise DynExplorerError("patches are cut out of inputs of the form (channels, height, width)")
    every = (*signals.most, *signals.least)
    if isinstance(field, str) or not signals.is_map:
        boxes = _touched(every, model, recording, layer, signal)
    else:
        boxes = [field.box(*divmod(each.index, signals.shown.shape[1])) for each in every]
    size = tuple(recording.inputs.shape[2:])
    seen = [replace(each, box=box, frame=_shares(box, size)) for each, box in zip(every, boxes, strict=True)]
    count = len(signals.most)
    return replace(signals, most=tuple(seen[:count]), least=tuple(seen[count:]))


def cut_out(picture: np.ndarray, box: Box) -> np.ndarray:
    """Part of a picture (H, W, 3) as (h, w, 4), transparent where the part lies outside of the picture.

    A part that holds the whole picture is the picture.
    """
    height, width = picture.shape[:2]
    if is_whole(box, (height, width)):
        return np.dstack([picture, np.full((height, width), 255, np.uint8)])
    top, left, low, right = box
    patch = np.zeros((low - top, right - left, 4), np.uint8)
    rows, columns = slice(max(top, 0), min(low, height)), slice(max(left, 0), min(right, width))
    inside = patch[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    inside[..., :3], inside[..., 3] = picture[rows, columns], 255
    return patch


def is_whole(box: Box, size: tuple[int, int]) -> bool:
    """Whether a part holds the whole of a picture of this height and width."""
    top, left, low, right = box
    return top <= 0 and left <= 0 and low >= size[0] and right >= size[1]


def in_words(box: Box, size: tuple[int, int]) -> str:
    """Where a part lies, and how much of it is outside of the picture."""
    top, left, low, right = box
    if is_whole(box, size):
        return "it looks at the whole input"
    inside = max(0, min(low, size[0]) - max(top, 0)) * max(0, min(right, size[1]) - max(left, 0))
    outside = 1 - inside / ((low - top) * (right - left))
    beyond = f", {outside:.0%} of it padding" if outside else ""
    return f"rows {top} to {low - 1}, columns {left} to {right - 1}{beyond}"


def _touched(
    every: tuple[Excitement, ...], model: torch.nn.Module, recording: capture.Recording, layer: str, signal: Callable
) -> list[Box | None]:
    """The box around the pixels at which the gradient is not zero."""
    places = torch.tensor([each.index for each in every])
    images = recording.inputs[[each.sample for each in every]]
    rows = torch.arange(len(every))
    gradient = capture.response_gradient(model, images, layer, lambda outputs: signal(outputs)[rows, places])
    return [_around((found != 0).any(dim=0).nonzero()) for found in gradient]


def _around(pixels: torch.Tensor) -> Box | None:
    if not len(pixels):
        return None
    (top, left), (low, right) = pixels.amin(dim=0).tolist(), pixels.amax(dim=0).tolist()
    return top, left, low + 1, right + 1


def _shares(box: Box | None, size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """The part within the picture as shares of its width and height: left, top, right, bottom."""
    if box is None:
        return None
    (top, left, low, right), (height, width) = box, size
    return max(left, 0) / width, max(top, 0) / height, min(right, width) / width, min(low, height) / height
