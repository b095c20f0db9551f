"""Axes whose columns come from maps: channels, layers, positions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product

from dyn_explorer.errors import DynExplorerError

from .layout import Layout, build_maps, build_positions
from .maps import Maps, common_grid
from .options import MIN_COLUMNS
from .request import Request


def lay_out_channel(request: Request) -> Layout:
    """One column per channel of one or several layers."""
    maps = request.maps()
    order = request.options.order_in_words("natural order", " within each layer")
    meaning = f"each column is one channel of {request.layers_in_words}, in {order}, for sample {request.sample}"
    counts = {name: range(len(layer.values)) for name, layer in maps.items()}
    layout = _map_layout(
        request,
        maps,
        labels=tuple(f"{name} · channel {index}" for name, count in counts.items() for index in count),
        meaning=meaning,
    )
    # How the published pipeline names its picture files.
    keys = (f"layer-{at}-{name}-{k}.png" for at, (name, count) in enumerate(counts.items()) for k in count)
    return replace(layout, keys=tuple(keys), groups=tuple(len(count) for count in counts.values()))


def lay_out_layer(request: Request) -> Layout:
    """One column per layer: depth as time."""
    if len(request.layers) < MIN_COLUMNS:
        raise DynExplorerError(
            f"axis='layer' has one column per layer and needs at least {MIN_COLUMNS} layers, got {len(request.layers)};"
            " name more layers, or use axis='channel'"
        )
    maps = {
        name: replace(layer, values=layer.values.mean(dim=0, keepdim=True)) for name, layer in request.maps().items()
    }
    order = request.options.order_in_words("execution order")
    meaning = (
        f"each column is one of {len(maps)} layers in {order}, its map averaged over channels, for sample "
        f"{request.sample}"
    )
    layout = _map_layout(request, maps, labels=request.layers, meaning=meaning)
    return replace(layout, keys=tuple(f"layer-{at}-{name}" for at, name in enumerate(maps)))


def _map_layout(request: Request, maps: dict[str, Maps], *, labels: tuple[str, ...], meaning: str) -> Layout:
    grid = common_grid(maps, request.options.size)
    in_colour = request.options.colour == "jet"
    return Layout(
        labels=labels,
        build=partial(build_maps, maps, grid, request.options),
        feature_shape=(3, *grid) if in_colour else grid,
        meaning=meaning + _notes(maps, grid),
        map_shape=None if in_colour else grid,
        sample=request.sample,
    )


def lay_out_position(request: Request) -> Layout:
    """One column per pixel or token, with all channels as rows."""
    maps = request.maps()
    grid = common_grid(maps, request.options.size)
    order = request.options.order_in_words("row by row" if len(grid) > 1 else "in sequence")
    return Layout(
        labels=tuple(_position_label(place) for place in product(*map(range, grid))),
        build=partial(build_positions, maps, grid, request.options),
        feature_shape=(sum(len(layer.values) for layer in maps.values()),),
        meaning=(
            f"each column is one position of the {_extent(grid)} maps of {request.layers_in_words}, "
            f"{order if request.options.order == 'natural' else f'in {order}'}; its rows are the channels there, "
            f"for sample {request.sample}{_notes(maps, grid)}"
        ),
        sample=request.sample,
    )


def _notes(maps: dict[str, Maps], grid: tuple[int, ...]) -> str:
    notes = sorted({layer.note for layer in maps.values() if layer.note})
    if any(layer.grid != grid for layer in maps.values()):
        notes.append(f"maps are resized to {_extent(grid)}")
    return "".join(f"; {note}" for note in notes)


def _extent(grid: tuple[int, ...]) -> str:
    return " x ".join(str(extent) for extent in grid)


def _position_label(place: tuple[int, ...]) -> str:
    names = {1: ("position",), 2: ("row", "column"), 3: ("slice", "row", "column")}[len(place)]
    return ", ".join(f"{name} {index}" for name, index in zip(names, place, strict=True))
