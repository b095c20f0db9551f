"""Singular vectors as small pictures."""

from __future__ import annotations

import math

import numpy as np

from dyn_explorer.inspector.source import to_picture
from dyn_explorer.views import Tile

from .patches import cut_out, is_whole
from .patches import in_words as where
from .result import Directions, Excitement, FiltersResult

SMALL, LARGE = 16, 256  # channels that a small and a large tile show


def grid(result: FiltersResult) -> list[Tile]:
    """The input patterns of the strongest directions."""
    directions = result.directions
    return [
        Tile(
            f"{k + 1}: {directions.sigma[k]:.3g}",
            picture_of(directions.pattern(k), result.input_shape, SMALL),
            k,
            _note(directions, k, SMALL),
        )
        for k in range(len(directions))
    ]


def chosen(result: FiltersResult) -> list[Tile]:
    """The chosen direction: what goes in and what comes out."""
    directions, k = result.directions, result.direction
    made = [] if result.made is None else [_made(result)]
    return [
        *made,
        Tile(
            "input pattern v",
            picture_of(directions.pattern(k), result.input_shape, LARGE),
            -1,
            _note(directions, k, LARGE),
        ),
        Tile("output direction u", wrapped(directions.outward(k)), -1, f"{len(directions.outward(k))} channels"),
    ]


def _made(result: FiltersResult) -> Tile:
    values = result.made.image.float().numpy()
    picture = to_picture(values)
    note = f"mean signal {result.made.value:.3g}; of the inputs at most {result.signals.largest_mean:.3g}"
    return Tile("made to drive it", wrapped(values.ravel()) if picture is None else picture, -1, note)


def in_words(result: FiltersResult) -> str:
    """One sentence on the chosen direction."""
    directions, k = result.directions, result.direction
    share = np.square(directions.outward(k)).max()
    words = (
        f"Direction {k + 1}: {_note(directions, k, LARGE)}; the strongest of {len(directions.outward(k))} output "
        f"channels has {share:.0%} of u."
    )
    if result.made is not None:
        reached, most = result.made.value, result.signals.largest_mean
        words += f" The made image has the mean signal {reached:.3g}; the inputs have at most {most:.3g}."
    return f"{words} No image: {result.made_reason}" if result.made_reason else words


def excited(result: FiltersResult) -> list[Tile]:
    """The inputs that drive the chosen direction furthest, both ways."""
    return [
        Tile(
            f"{each.value:+.2g}",
            picture,
            k,
            f"{_about(result, each.sample)}: {each.value:+.4g}",
            each.place,
            each.frame,
        )
        for k, each, picture in _drawn(result)
    ]


def patches(result: FiltersResult) -> list[Tile | None]:
    """What each of them looks at there, cut out; None where that is not known."""
    return [None if each.box is None else _patch(result, k, each, picture) for k, each, picture in _drawn(result)]


def _patch(result: FiltersResult, k: int, each: Excitement, picture: np.ndarray) -> Tile:
    size = picture.shape[:2]
    values = cut_out(picture, each.box)
    caption = "whole" if is_whole(each.box, size) else f"{values.shape[0]}×{values.shape[1]}"
    return Tile(caption, values, k, f"{_about(result, each.sample)}: {where(each.box, size)}")


def _drawn(result: FiltersResult) -> list[tuple[int, Excitement, np.ndarray]]:
    if result.signals is None:
        return []
    found = enumerate((*result.signals.most, *result.signals.least))
    return [(k, each, result.pictures[each.sample]) for k, each in found if each.sample in result.pictures]


def _about(result: FiltersResult, sample: int) -> str:
    return f"input {sample}" if result.labels is None else f"input {sample}, class {result.labels[sample]}"


def picture_of(pattern: np.ndarray, input_shape: tuple[int, ...], most: int) -> np.ndarray:
    """An input pattern (c, k, ...) as a signed map, or, of three channels, in colours around grey.

    Parameters
    ----------
    pattern : ndarray
    input_shape : tuple of int
        Shape of one input of the model; a pattern over all its pixels has their layout.
    most : int
        Channels that are shown; of more, the strongest.
    """
    if pattern.ndim == 1 and pattern.size == math.prod(input_shape) and len(input_shape) == 3:
        pattern = pattern.reshape(input_shape)
    if pattern.ndim == 1 or math.prod(pattern.shape[1:]) == 1:
        return wrapped(pattern.ravel())
    if pattern.ndim == 2:
        return pattern
    kernels = pattern.reshape(-1, *pattern.shape[-2:])
    if len(kernels) == 3:
        return _coloured(kernels)
    return tiled(strongest(kernels, most))


def strongest(kernels: np.ndarray, most: int) -> np.ndarray:
    """At most so many kernels, those of the largest norm, in their own order."""
    norms = np.square(kernels).sum(axis=(1, 2))
    return kernels[np.sort(np.argsort(-norms, kind="stable")[:most])]


def tiled(kernels: np.ndarray) -> np.ndarray:
    """Kernels (n, h, w) side by side in a square, with blank lines (nan) between them."""
    count, height, width = kernels.shape
    columns = math.ceil(math.sqrt(count))
    lines = -(-count // columns)
    sheet = np.full((lines * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for k, kernel in enumerate(kernels):
        top, left = (k // columns) * (height + 1), (k % columns) * (width + 1)
        sheet[top : top + height, left : left + width] = kernel
    return sheet


def wrapped(values: np.ndarray) -> np.ndarray:
    """Numbers (n,) in lines of a square; what is left of the last one is blank (nan)."""
    columns = math.ceil(math.sqrt(len(values)))
    lines = -(-len(values) // columns)
    sheet = np.full(lines * columns, np.nan)
    sheet[: len(values)] = values
    return sheet.reshape(lines, columns)


def _coloured(kernels: np.ndarray) -> np.ndarray:
    """Kernels (3, h, w) as (h, w, 3) uint8; zero is grey, the largest magnitude black or full."""
    scaled = kernels / (np.abs(kernels).max() or 1.0)
    return np.ascontiguousarray(np.moveaxis(np.round(127.5 * (1 + scaled)).astype(np.uint8), 0, -1))


def _note(directions: Directions, k: int, most: int) -> str:
    pattern = directions.pattern(k)
    group = f", group {directions.order[k, 0] + 1}" if directions.weight.groups > 1 else ""
    if pattern.ndim < 3 or len(pattern) <= most or math.prod(pattern.shape[1:]) == 1:
        return f"σ {directions.sigma[k]:.4g}{group}"
    shares = np.square(pattern).reshape(len(pattern), -1).sum(axis=1)
    share = np.sort(shares)[::-1][:most].sum() / shares.sum()
    return f"σ {directions.sigma[k]:.4g}{group}; {most} of {len(pattern)} channels, {share:.0%} of the pattern"
