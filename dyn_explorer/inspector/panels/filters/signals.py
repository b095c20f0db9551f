"""What the chosen direction answers to the inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from dyn_explorer import analysis, capture
from dyn_explorer.capture.maps import to_maps
from dyn_explorer.errors import DynExplorerError

from .options import EXCITED, SUPPRESSED
from .result import Directions, Excitement, Signals


def signals_of(
    recording: capture.Recording, layer: str, directions: Directions, direction: int, sample: int
) -> Signals:
    """Signals of one direction over all inputs.

    Parameters
    ----------
    recording : Recording
        With the layer's outputs.
    layer : str
        As the recording names it.
    directions : Directions
    direction, sample : int
        Which direction, and which input its map is shown over.

    Raises
    ------
    DynExplorerError
        If the layer's outputs are not those of this weight.
    """
    weight = directions.weight
    if layer not in recording.activations:
        raise DynExplorerError("this layer was not executed in this forward pass.")
    if weight.part:
        raise DynExplorerError(f"what the {weight.part!r} weight of this layer puts out is not recorded by itself.")
    values = _signals(recording.activations[layer], recording, layer, directions, direction)
    if not bool(torch.isfinite(values).all()):
        raise DynExplorerError("the layer's outputs are not finite, so neither are the direction's signals.")
    maps = _as_maps(values, layer)
    flat = maps.flatten(1)
    highest, lowest = flat.max(dim=1), flat.min(dim=1)
    grid = tuple(maps.shape[1:])
    most = _extremes(highest.values, highest.indices, grid, EXCITED, largest=True)
    least = _extremes(lowest.values, lowest.indices, grid, SUPPRESSED, largest=False)
    is_map = len(grid) == 2
    shown = maps[sample] if is_map else (flat[sample] if flat.shape[1] > 1 else flat[:, 0])
    return Signals(shown.cpu().numpy(), is_map, most, least, float(_mean(values).max()))


def response(recording: capture.Recording, layer: str, directions: Directions, direction: int) -> Callable:
    """From a layer's outputs to the direction's signals laid out as maps, (n_samples, positions), with gradients."""
    return lambda outputs: _as_maps(_signals(outputs, recording, layer, directions, direction), layer).flatten(1)


def mean_response(recording: capture.Recording, layer: str, directions: Directions, direction: int) -> Callable:
    """From a layer's outputs to the mean of the direction's signals over positions, (n_samples,), with gradients."""
    return lambda outputs: _mean(_signals(outputs, recording, layer, directions, direction))


def _mean(signals: torch.Tensor) -> torch.Tensor:
    return signals.reshape(len(signals), -1).mean(dim=1)


def _signals(
    outputs: torch.Tensor, recording: capture.Recording, layer: str, directions: Directions, direction: int
) -> torch.Tensor:
    weight = directions.weight
    return analysis.direction_signals(
        outputs,
        directions.found,
        direction,
        bias=weight.bias,
        scale=weight.scale,
        channel_dim=recording.channel_dims[layer],
    )


def _as_maps(values: torch.Tensor, layer: str) -> torch.Tensor:
    """Signals with their positions laid out: (n_samples, h, w) where there are two dimensions or a grid of tokens."""
    if values.ndim == 1:
        return values[:, None]
    if values.ndim == 2 and values.shape[1] > 1:
        grids = [to_maps(signal[:, None], 1, layer).values[0] for signal in values]
        return torch.stack(grids)
    return values if values.ndim < 4 else values.amax(dim=tuple(range(1, values.ndim - 2)))


def _extremes(
    values: torch.Tensor, places: torch.Tensor, grid: tuple[int, ...], count: int, *, largest: bool
) -> tuple[Excitement, ...]:
    order = torch.argsort(values, descending=largest, stable=True)[:count]
    return tuple(Excitement(int(k), float(values[k]), int(places[k]), _place(int(places[k]), grid)) for k in order)


def _place(index: int, grid: tuple[int, ...]) -> tuple[float, float] | None:
    if len(grid) != 2:
        return None
    row, column = np.unravel_index(index, grid)
    return (float(column) + 0.5) / grid[1], (float(row) + 0.5) / grid[0]
