"""Columns that are described before any of them is made, so that only the chosen ones cost memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch

from dyn_explorer.errors import DynExplorerError

from .jet import jet
from .maps import Maps
from .normalise import softmax_maps, stretch, unit_length
from .options import Options

# Columns are made from so many values at a time: 4 MiB in float32, which stay in the processor's cache.
_CHUNK = 2**20


@dataclass(frozen=True, eq=False)
class Layout:
    """All columns of an axis, in natural order, none of them made yet.

    Parameters
    ----------
    labels : tuple of str
        One per column.
    build : callable
        ``build(indices)`` makes these columns as the rows of a tensor of shape (n_indices, n_features).
    feature_shape : tuple of int
        Shape in which a column was flattened.
    meaning : str
        What a column is, in words.
    map_shape : tuple of int or None
        Shape in which a column is a map.
    keys : tuple of str
        Names for lexicographic order; empty for the labels.
    groups : tuple of int
        Number of columns in each group that random order shuffles by itself; empty for one group of all.
    times : tuple of float or None
        When each column is, for axes that are a time.
    time_unit : str
        Unit of `times`.
    sample : int or None
        The sample looked at.

    Example
    -------
    >>> layout = Layout(("a", "b"), lambda indices: torch.eye(2)[indices], (2,), "unit vectors")
    >>> layout.build([1])
    tensor([[0., 1.]])
    """

    labels: tuple[str, ...]
    build: Callable[[Sequence[int]], torch.Tensor]
    feature_shape: tuple[int, ...]
    meaning: str
    map_shape: tuple[int, ...] | None = None
    keys: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    times: tuple[float, ...] | None = None
    time_unit: str = ""
    sample: int | None = None


def build_maps(
    maps: Mapping[str, Maps], grid: tuple[int, ...], options: Options, indices: Sequence[int]
) -> torch.Tensor:
    """Make columns that are maps: softmax, resize, scale, colour, a few maps at a time.

    Parameters
    ----------
    maps : mapping of str to Maps
        Layer name to maps; a column's index counts through the layers' maps.
    grid : tuple of int
        Grid of the columns.
    options : Options
        `normalise` and `colour` are read.
    indices : sequence of int
        The columns wanted, in order.

    Returns
    -------
    torch.Tensor
        Shape (n_indices, n_features), in new memory on the first layer's device.

    Example
    -------
    >>> build_maps({"a": Maps(torch.ones(4, 2, 2))}, (2, 2), Options(normalise="softmax"), [3, 0]).sum(1)
    tensor([1., 1.])
    """
    planes = 3 if options.colour == "jet" else 1
    first = next(iter(maps.values())).values
    out = torch.empty(
        len(indices), planes * math.prod(grid), dtype=widest([m.values for m in maps.values()]), device=first.device
    )
    stops = np.array(list(accumulate(len(layer.values) for layer in maps.values())))
    wanted = np.asarray(indices, dtype=np.int64)
    owner = np.searchsorted(stops, wanted, side="right")
    for number, layer in enumerate(maps.values()):
        rows = np.flatnonzero(owner == number)
        channels = wanted[rows] - (stops[number] - len(layer.values))
        for part in _chunks(len(rows), grid, layer.grid):
            made = _columns(Maps(layer.values[_pick(channels[part])]), grid, options)
            out[_pick(rows[part])] = made.to(out)
    return out


def build_positions(
    maps: Mapping[str, Maps], grid: tuple[int, ...], options: Options, indices: Sequence[int]
) -> torch.Tensor:
    """Make columns that are positions of maps; the values of a column are those of all channels of all layers there.

    Parameters and result are those of `build_maps`; `indices` count positions row by row.

    Example
    -------
    >>> build_positions({"a": Maps(torch.arange(8.0).reshape(2, 2, 2))}, (2, 2), Options(), [3, 0])
    tensor([[3., 7.],
            [0., 4.]])
    """
    first = next(iter(maps.values())).values
    n_channels = sum(len(layer.values) for layer in maps.values())
    out = torch.empty(len(indices), n_channels, dtype=widest([m.values for m in maps.values()]), device=first.device)
    wanted = _pick(np.asarray(indices, dtype=np.int64))
    start = 0
    for layer in maps.values():
        for part in _chunks(len(layer.values), grid, layer.grid):
            made = Maps(layer.values[part]).resized(grid).flatten(1)[:, wanted]
            out[:, start : start + len(made)] = made.T.to(out)
            start += len(made)
    return scaled(out, options.normalise)


def scaled(rows: torch.Tensor, normalise: str) -> torch.Tensor:
    """Scale columns that are no maps, given as rows; a softmax goes over all values of a column.

    Example
    -------
    >>> scaled(torch.tensor([[0.0, 2.0]]), "minmax")
    tensor([[0., 1.]])
    """
    scale = {"none": lambda values: values, "l2": unit_length, "minmax": stretch, "softmax": softmax_maps}
    return scale[normalise](rows)


def widest(tensors: Sequence[torch.Tensor]) -> torch.dtype:
    """Return float64 if one of the tensors has it, else float32.

    Example
    -------
    >>> widest([torch.zeros(1), torch.zeros(1, dtype=torch.bfloat16)])
    torch.float32
    """
    return torch.float64 if any(tensor.dtype == torch.float64 for tensor in tensors) else torch.float32


def check_finite(values: torch.Tensor, layer: str, where: str) -> None:
    """Refuse activations that hold NaN or infinite values.

    Raises
    ------
    DynExplorerError
        With their number, and `where` they are.

    Example
    -------
    >>> check_finite(torch.zeros(3), "conv1", "sample 0")
    """
    # A sum is finite only if all values are, and ten times faster to have.
    if math.isfinite(values.sum().item()):
        return
    finite = torch.isfinite(values)
    if not finite.all():
        raise DynExplorerError(
            f"layer {layer!r} holds {int((~finite).sum())} NaN or infinite values of {values.numel()} in {where}; "
            "look at an earlier layer or another sample, or check the model's weights and inputs"
        )


def _columns(maps: Maps, grid: tuple[int, ...], options: Options) -> torch.Tensor:
    if options.normalise == "softmax":
        maps = Maps(softmax_maps(maps.values))
    rows = maps.resized(grid).flatten(1)
    if options.normalise != "softmax":
        rows = scaled(rows, options.normalise)
    return jet(stretch(rows)) if options.colour == "jet" else rows


def _chunks(n_maps: int, *grids: tuple[int, ...]) -> Iterator[slice]:
    step = max(1, _CHUNK // max(math.prod(grid) for grid in grids))
    for start in range(0, n_maps, step):
        yield slice(start, min(start + step, n_maps))


def _pick(indices: np.ndarray) -> slice | torch.Tensor:
    # A slice is copied at once; picking rows one by one is slower.
    if len(indices) and indices[-1] - indices[0] == len(indices) - 1 and (np.diff(indices) == 1).all():
        return slice(int(indices[0]), int(indices[-1]) + 1)
    return torch.from_numpy(indices)
