"""What can run along the columns, one function per axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import torch

from dyn_explorer.errors import DynExplorerError

from .epochs import EpochRecording
from .layout import Layout, build_maps, build_positions, check_finite, scaled, widest
from .maps import Maps, common_grid, to_maps
from .options import MIN_COLUMNS, Options
from .recording import Recording

_MAP_AXES = ("channel", "layer")
_NAMES_SHOWN = 4


@dataclass(frozen=True, eq=False)
class Request:
    """What was asked of `snapshots`, with the layers checked and in execution order.

    Parameters
    ----------
    recording : Recording or EpochRecording
        Where the activations are.
    layers : tuple of str
        Recorded layers.
    sample : int
        The sample for axes that look at one.
    options : Options
        The other choices.
    """

    recording: Recording | EpochRecording
    layers: tuple[str, ...]
    sample: int
    options: Options

    def maps(self) -> dict[str, Maps]:
        """Return the maps of each layer for the sample, finite."""
        n_samples = self.recording.n_samples
        if not 0 <= self.sample < n_samples:
            raise DynExplorerError(f"`sample` (={self.sample}) must lie in 0..{n_samples - 1}")
        return {name: self._maps_of(name) for name in self.layers}

    def _maps_of(self, name: str) -> Maps:
        activation = self.recording.activations[name][self.sample]
        check_finite(activation, name, f"sample {self.sample}")
        return to_maps(activation, max(self.recording.channel_dims[name] - 1, 0), name)


def lay_out(axis: str, request: Request) -> Layout:
    """Describe the columns of an axis without making them.

    Raises
    ------
    DynExplorerError
        If the axis is unknown or needs another kind of recording, or an option does not fit it.
    """
    if axis not in AXES:
        raise DynExplorerError(f"unknown axis {axis!r}; choose one of: {', '.join(AXES)}")
    _check_kind(axis, request.recording)
    _check_options(axis, request.options)
    return AXES[axis](request)


def _channel(request: Request) -> Layout:
    maps = request.maps()
    order = request.options.order_in_words("natural order", " within each layer")
    meaning = f"each column is one channel of {_listed(request.layers)}, in {order}, for sample {request.sample}"
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


def _layer(request: Request) -> Layout:
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


def _position(request: Request) -> Layout:
    maps = request.maps()
    grid = common_grid(maps, request.options.size)
    order = request.options.order_in_words("row by row" if len(grid) > 1 else "in sequence")
    return Layout(
        labels=tuple(_position_label(place) for place in product(*map(range, grid))),
        build=partial(build_positions, maps, grid, request.options),
        feature_shape=(sum(len(layer.values) for layer in maps.values()),),
        meaning=(
            f"each column is one position of the {_extent(grid)} maps of {_listed(request.layers)}, "
            f"{order if request.options.order == 'natural' else f'in {order}'}; its rows are the channels there, "
            f"for sample {request.sample}{_notes(maps, grid)}"
        ),
        sample=request.sample,
    )


def _sample(request: Request) -> Layout:
    order = "" if request.options.order == "natural" else f", in {request.options.order_in_words('')}"
    return replace(
        _response_layout(request, list(_sample_labels(request.recording))),
        meaning=f"each column is one sample{order}; its rows are all values of {_listed(request.layers)}",
    )


def _path(request: Request) -> Layout:
    path = request.recording.path
    if path is None:
        raise DynExplorerError(
            "axis='path' needs a recording of one image on its way: record_path(model, image, kind='rotate'); this "
            "recording holds samples without an order; use axis='sample' for those"
        )
    order = request.options.order_in_words("time order")
    return replace(
        _response_layout(request, list(path.labels)),
        meaning=(
            f"each column is one of {len(path.labels)} even steps of a path ({path.kind}), in {order}; its rows are "
            f"all values of {_listed(request.layers)}"
        ),
        times=path.times,
        time_unit=path.unit,
    )


def _response_layout(request: Request, labels: list[str]) -> Layout:
    activations = [request.recording.activations[name] for name in request.layers]
    for name, activation in zip(request.layers, activations, strict=True):
        check_finite(activation, name, f"{len(activation)} samples")
    return Layout(
        labels=tuple(labels),
        build=partial(_build_responses, activations, request.options.normalise),
        feature_shape=_response_shape(activations),
        meaning="",
    )


def _epoch(request: Request) -> Layout:
    epochs = request.recording
    for name in request.layers:
        epochs.check_shape(name)
        for label, recording in zip(epochs.labels, epochs.recordings, strict=True):
            check_finite(recording.activations[name], name, f"{epochs.n_samples} samples at {label}")

    def build(indices: list[int]) -> torch.Tensor:
        chosen = [epochs.recordings[index] for index in indices]
        rows = [[recording.activations[name][None] for name in request.layers] for recording in chosen]
        made = [_build_responses(row, request.options.normalise, [0]) for row in rows]
        return torch.cat([row.to(made[0]) for row in made])

    order = request.options.order_in_words("time order")
    return Layout(
        labels=epochs.labels,
        build=build,
        feature_shape=_response_shape([epochs.recordings[0].activations[name][None] for name in request.layers]),
        meaning=(
            f"each column is one of {len(epochs.labels)} checkpoints, in {order}; its rows are all values of "
            f"{_listed(request.layers)} for the same {epochs.n_samples} samples"
        ),
        times=epochs.times,
        time_unit="epochs" if epochs.times is not None else "",
    )


AXES: dict[str, Callable[[Request], Layout]] = {
    "channel": _channel,
    "layer": _layer,
    "sample": _sample,
    "position": _position,
    "path": _path,
    "epoch": _epoch,
}


def _check_kind(axis: str, recording: Recording | EpochRecording) -> None:
    of_epochs = isinstance(recording, EpochRecording)
    if axis == "epoch" and not of_epochs:
        raise DynExplorerError(
            "axis='epoch' needs recordings of several checkpoints: record_epochs(model, checkpoints, inputs), or "
            "EpochRecording.of({0: recording, 1: another}); this is one recording of one model"
        )
    if of_epochs and axis != "epoch":
        raise DynExplorerError(
            f"axis={axis!r} needs the recording of one checkpoint, got {len(recording.recordings)} of them; give "
            "`epochs.recordings[k]`, or use axis='epoch'"
        )


def _check_options(axis: str, options: Options) -> None:
    if options.colour != "none" and axis not in _MAP_AXES:
        raise DynExplorerError(
            f"colour={options.colour!r} colours maps, and a column of axis={axis!r} is no map; use axis='channel' or "
            "'layer', or colour='none'"
        )
    if options.size is not None and axis not in (*_MAP_AXES, "position"):
        raise DynExplorerError(
            f"`size` (={options.size}) resizes maps, and a column of axis={axis!r} holds all values of a layer; leave "
            "`size` out, or use axis='channel', 'layer' or 'position'"
        )


def _build_responses(activations: list[torch.Tensor], normalise: str, indices: list[int]) -> torch.Tensor:
    everything = list(indices) == list(range(len(activations[0])))
    rows = [_full_precision(activation if everything else activation[indices]).flatten(1) for activation in activations]
    together = rows[0] if len(rows) == 1 else torch.cat([row.to(rows[0].device, widest(rows)) for row in rows], dim=1)
    return scaled(together, normalise)


def _response_shape(activations: list[torch.Tensor]) -> tuple[int, ...]:
    if len(activations) == 1:
        return tuple(activations[0].shape[1:])
    return (sum(activation[0].numel() for activation in activations),)


def _full_precision(values: torch.Tensor) -> torch.Tensor:
    return values.float() if values.element_size() < 4 else values


def _notes(maps: dict[str, Maps], grid: tuple[int, ...]) -> str:
    notes = sorted({layer.note for layer in maps.values() if layer.note})
    if any(layer.grid != grid for layer in maps.values()):
        notes.append(f"maps are resized to {_extent(grid)}")
    return "".join(f"; {note}" for note in notes)


def _extent(grid: tuple[int, ...]) -> str:
    return " x ".join(str(extent) for extent in grid)


def _listed(layers: tuple[str, ...]) -> str:
    if len(layers) == 1:
        return layers[0]
    if len(layers) > _NAMES_SHOWN:
        return f"{len(layers)} layers ({layers[0]} to {layers[-1]})"
    return f"{', '.join(layers[:-1])} and {layers[-1]}"


def _position_label(place: tuple[int, ...]) -> str:
    names = {1: ("position",), 2: ("row", "column"), 3: ("slice", "row", "column")}[len(place)]
    return ", ".join(f"{name} {index}" for name, index in zip(names, place, strict=True))


def _sample_labels(recording: Recording) -> list[str]:
    if recording.labels is None:
        return [f"sample {index}" for index in range(recording.n_samples)]
    return [f"sample {index} (class {label})" for index, label in enumerate(recording.labels.tolist())]
