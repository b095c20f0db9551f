"""Which part of an image each place of a layer's maps can depend on, followed through one forward pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import nn

from dyn_explorer.errors import DynExplorerError

from .responses import answering
from .window_trace import Window, WindowTrace

Number = int | Fraction


@dataclass(frozen=True)
class ReceptiveField:
    """Windows of the input, one per place of a map; those at the border reach beyond the image, into the padding.

    Parameters
    ----------
    start : (number, number)
        Row and column where the window of place (0, 0) begins, in pixels; negative in the padding. Whole numbers,
        unless the model resizes its images.
    step : (number, number)
        Pixels from the window of a place to that of the next; 0 where all places have the same window.
    size : (number, number)
        Height and width of a window in pixels. With dilation or strides not every pixel in it need count.
    image : (int, int)
        Height and width of the image.

    Example
    -------
    >>> field = ReceptiveField(start=(-1, -1), step=(2, 2), size=(5, 5), image=(8, 8))
    >>> field.box(0, 2)
    (-1, 3, 4, 8)
    """

    start: tuple[Number, Number]
    step: tuple[Number, Number]
    size: tuple[Number, Number]
    image: tuple[int, int]

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of the window of one place; bottom and right are the first pixels after it."""
        top, left = (begin + step * at for begin, step, at in zip(self.start, self.step, (row, column), strict=True))
        low, right = top + self.size[0], left + self.size[1]
        return math.floor(top), math.floor(left), math.ceil(low), math.ceil(right)


def receptive_field(model: nn.Module, image: torch.Tensor, layer: str) -> ReceptiveField:
    """Follow one image to a layer and say where the windows lie that the places of its maps look through.

    Kernels, strides, padding and dilation of convolutions and pooling widen the window; what acts on each place leaves
    it; resizing the image spreads it; what normalises by statistics of the whole map, or pools all of it, makes it the
    whole image. Values play no part, so the window is the same for every image: activation functions that are closed
    there do not narrow it.

    Parameters
    ----------
    model : torch.nn.Module
        Takes one tensor; it is borrowed and put in eval mode meanwhile.
    image : torch.Tensor (1, channels, height, width)
    layer : str
        As a recording names it; ``name#2`` is the second run.

    Returns
    -------
    ReceptiveField

    Raises
    ------
    DynExplorerError
        If the input is no such image, the model cannot be run on it, or something on the way is not followed
        (attention, transposed convolutions, resizing after a stride, permuted dimensions).

    References
    ----------
    Araujo, Norris & Sim (2019), Computing Receptive Fields of Convolutional Neural Networks, Distill.
    DOI 10.23915/distill.00021

    Example
    -------
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, dilation=2))
    >>> field = receptive_field(model, torch.zeros(1, 1, 20, 20), "3")
    >>> field.start, field.step, field.size
    ((-1, -1), (2, 2), (12, 12))
    """
    if image.ndim != 4 or len(image) != 1:
        raise DynExplorerError(
            f"`image` has shape {tuple(image.shape)}; a receptive field wants one image, (1, channels, height, width)"
        )
    size = int(image.shape[2]), int(image.shape[3])
    with answering(model, layer) as answer, torch.no_grad(), WindowTrace() as trace:
        asked = image.detach().clone()
        trace.begin(asked)
        window = trace.window(answer(asked))
    if isinstance(window, Window):
        numbers = ((int(value) if value.denominator == 1 else value for value in axis) for axis in window.axes)
        return ReceptiveField(*zip(*numbers, strict=True), size)
    raise DynExplorerError(f"the receptive field of layer {layer!r} is not known: {window}")
