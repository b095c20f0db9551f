"""A recording laid out as snapshots of a dynamical system, one column per snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch

from dyn_explorer.errors import DynExplorerError

from .columns import find_idle_columns
from .maps import Maps, common_grid, to_maps
from .names import nearest
from .recording import Recording

MIN_COLUMNS = 3


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Snapshots of a dynamical system.

    Parameters
    ----------
    matrix : torch.Tensor
        Shape (n_features, n_snapshots), float32 or float64, on the recording's device. Not to be written: for axis
        "sample" it may share memory with the recording.
    axis : str
        What runs along the columns: "channel", "layer" or "sample".
    labels : tuple of str
        One per column.
    map_shape : tuple of int or None
        Shape in which a column is a map: (h, w), (d, h, w) or (l,). None where a column is no map.
    dt : float
        Step between columns; 1.0, because the axes here have no unit of time.
    column_meaning : str
        One sentence that says what a column is.
    dropped : tuple of (str, str)
        Label and reason of every column left out.
    layers : tuple of str
        The layers used, in execution order.
    feature_shape : tuple of int
        Shape in which a column was flattened: `map_shape`, or the activation's shape per sample.
    sample : int or None
        The sample looked at; None for axis "sample".
    revision : int
        Revision of the recording.

    Example
    -------
    >>> from dyn_explorer.capture import record
    >>> recording = record(torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3)), torch.rand(2, 1, 8, 8))
    >>> result = snapshots(recording, "0")
    >>> result.map_shape, result.labels[3]
    ((6, 6), '0 · channel 3')
    """

    matrix: torch.Tensor
    axis: str
    labels: tuple[str, ...]
    map_shape: tuple[int, ...] | None
    dt: float = 1.0
    column_meaning: str = ""
    dropped: tuple[tuple[str, str], ...] = ()
    layers: tuple[str, ...] = ()
    feature_shape: tuple[int, ...] = ()
    sample: int | None = None
    revision: int = 0


@dataclass(frozen=True, eq=False)
class _Request:
    recording: Recording
    layers: tuple[str, ...]
    sample: int
    size: tuple[int, ...] | int | None

    def maps(self) -> dict[str, Maps]:
        """Return the maps of each layer for the sample, finite."""
        return {name: self._maps_of(name) for name in self.layers}

    def _maps_of(self, name: str) -> Maps:
        activation = self.recording.activations[name][self.sample]
        _check_finite(activation, name, f"sample {self.sample}")
        return to_maps(activation, max(self.recording.channel_dims[name] - 1, 0), name)


def snapshots(
    recording: Recording,
    layers: str | Iterable[str],
    axis: str = "channel",
    sample: int = 0,
    *,
    size: tuple[int, ...] | int | None = None,
    drop: bool = True,
) -> Snapshots:
    """Lay activations out as a matrix whose columns are the snapshots of a dynamical system.

    Parameters
    ----------
    recording : Recording
        From `record`.
    layers : str or iterable of str
        Recorded layers; they are used in execution order.
    axis : {"channel", "layer", "sample"}
        "channel": one column per channel of one or several layers, for one sample, in natural order.
        "layer": depth as time; one column per layer, its map averaged over channels, for one sample.
        "sample": one column per sample; the rows are the flattened activation.
    sample : int
        The sample for axes "channel" and "layer"; ignored for "sample".
    size : int or tuple of int, optional
        Grid on which maps of different sizes are brought, by (bi/tri)linear interpolation; default: the largest.
    drop : bool
        Leave out columns that are constant or repeat another; they are listed in ``.dropped``.

    Returns
    -------
    Snapshots

    Raises
    ------
    DynExplorerError
        If the axis, a layer or the sample is unknown, values are NaN or infinite, a layer has no maps, the layers have
        no common grid, or fewer than 3 columns are left.

    Example
    -------
    >>> from dyn_explorer.capture import record
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())
    >>> recording = record(model, torch.randn(2, 1, 8, 8))
    >>> snapshots(recording, "0").matrix.shape
    torch.Size([36, 4])
    """
    if axis not in AXES:
        raise DynExplorerError(f"unknown axis {axis!r}; choose one of: {', '.join(AXES)}")
    names = _check_layers(recording, layers)
    if axis != "sample" and not 0 <= sample < recording.n_samples:
        raise DynExplorerError(f"`sample` (={sample}) must lie in 0..{recording.n_samples - 1}")
    laid_out = AXES[axis](_Request(recording, names, sample, size))
    result = _without_idle(laid_out) if drop else laid_out
    if result.matrix.shape[1] < MIN_COLUMNS:
        raise DynExplorerError(_too_few(result, laid_out.matrix.shape[1], recording))
    return result


def _channel(request: _Request) -> Snapshots:
    maps = request.maps()
    grid = common_grid(maps, request.size)
    columns = torch.cat([_on_device(layer.resized(grid), maps).flatten(1) for layer in maps.values()])
    labels = [f"{name} · channel {index}" for name, layer in maps.items() for index in range(len(layer.values))]
    meaning = f"each column is one channel of {_listed(request.layers)}, in natural order, for sample {request.sample}"
    return Snapshots(
        matrix=columns.T,
        axis="channel",
        labels=tuple(labels),
        map_shape=grid,
        column_meaning=meaning + _notes(maps, grid),
        layers=request.layers,
        feature_shape=grid,
        sample=request.sample,
        revision=request.recording.revision,
    )


def _layer(request: _Request) -> Snapshots:
    if len(request.layers) < MIN_COLUMNS:
        raise DynExplorerError(
            f"axis='layer' has one column per layer and needs at least {MIN_COLUMNS} layers, got {len(request.layers)};"
            " name more layers, or use axis='channel'"
        )
    maps = {
        name: replace(layer, values=layer.values.mean(dim=0, keepdim=True)) for name, layer in request.maps().items()
    }
    grid = common_grid(maps, request.size)
    columns = torch.cat([_on_device(layer.resized(grid), maps).flatten(1) for layer in maps.values()])
    meaning = (
        f"each column is one of {len(maps)} layers in execution order, its map averaged over channels, for sample "
        f"{request.sample}"
    )
    return Snapshots(
        matrix=columns.T,
        axis="layer",
        labels=request.layers,
        map_shape=grid,
        column_meaning=meaning + _notes(maps, grid),
        layers=request.layers,
        feature_shape=grid,
        sample=request.sample,
        revision=request.recording.revision,
    )


def _sample(request: _Request) -> Snapshots:
    activations = [request.recording.activations[name] for name in request.layers]
    for name, activation in zip(request.layers, activations, strict=True):
        _check_finite(activation, name, f"{len(activation)} samples")
    shape = tuple(activations[0].shape[1:])
    rows = [_full_precision(activation.flatten(1)).to(activations[0].device) for activation in activations]
    matrix = rows[0].T if len(rows) == 1 else torch.cat([row.to(_widest(rows)) for row in rows], dim=1).T
    return Snapshots(
        matrix=matrix,
        axis="sample",
        labels=tuple(_sample_labels(request.recording)),
        map_shape=None,
        column_meaning=f"each column is one sample; its rows are all values of {_listed(request.layers)}",
        layers=request.layers,
        feature_shape=shape if len(rows) == 1 else (matrix.shape[0],),
        revision=request.recording.revision,
    )


AXES: dict[str, Callable[[_Request], Snapshots]] = {"channel": _channel, "layer": _layer, "sample": _sample}


def _check_layers(recording: Recording, layers: str | Iterable[str]) -> tuple[str, ...]:
    asked = [layers] if isinstance(layers, str) else list(layers)
    if not asked:
        raise DynExplorerError("`layers` is empty; name at least one recorded layer")
    known = {layer.name: layer for layer in recording.layers}
    for name in asked:
        if name in recording.activations:
            continue
        if name not in known:
            raise DynExplorerError(f"unknown layer {name!r}; {nearest(name, list(recording.activations))}")
        reason = known[name].disabled_because or "it was not asked for; name it in record(..., layers=[...])"
        raise DynExplorerError(f"layer {name!r} was not recorded: {reason}")
    return tuple(layer.name for layer in recording.layers if layer.name in set(asked))


def _without_idle(laid_out: Snapshots) -> Snapshots:
    idle = find_idle_columns(laid_out.matrix)
    if not idle:
        return laid_out
    kept = [index for index in range(laid_out.matrix.shape[1]) if index not in idle]
    dropped = tuple((laid_out.labels[index], reason.format(*laid_out.labels)) for index, reason in idle.items())
    return replace(
        laid_out,
        matrix=laid_out.matrix.T[kept].T,
        labels=tuple(laid_out.labels[index] for index in kept),
        dropped=dropped,
        column_meaning=f"{laid_out.column_meaning}; {len(dropped)} constant or repeated columns are left out",
    )


def _too_few(result: Snapshots, n_before: int, recording: Recording) -> str:
    n_left, n_dropped = result.matrix.shape[1], len(result.dropped)
    why = f" ({n_dropped} of {n_before} are constant or repeat another)" if n_dropped else ""
    message = f"axis={result.axis!r} gives {n_left} columns{why}; at least {MIN_COLUMNS} are needed"
    if result.axis == "sample":
        return f"{message}; record more samples, or use axis='channel'"
    if recording.n_samples >= MIN_COLUMNS:
        return f"{message}; use axis='sample', which has one column for each of the {recording.n_samples} samples"
    return f"{message}; name more layers, or record at least {MIN_COLUMNS} samples and use axis='sample'"


def _check_finite(values: torch.Tensor, layer: str, where: str) -> None:
    finite = torch.isfinite(values)
    if not finite.all():
        raise DynExplorerError(
            f"layer {layer!r} holds {int((~finite).sum())} NaN or infinite values of {values.numel()} in {where}; "
            "look at an earlier layer or another sample, or check the model's weights and inputs"
        )


def _on_device(values: torch.Tensor, maps: dict[str, Maps]) -> torch.Tensor:
    # Layers beyond the memory budget lie on the CPU, and precisions may differ under autocast.
    return values.to(next(iter(maps.values())).values.device, _widest([layer.values for layer in maps.values()]))


def _widest(tensors: list[torch.Tensor]) -> torch.dtype:
    return torch.float64 if any(tensor.dtype == torch.float64 for tensor in tensors) else torch.float32


def _full_precision(values: torch.Tensor) -> torch.Tensor:
    return values.float() if values.element_size() < 4 else values


def _notes(maps: dict[str, Maps], grid: tuple[int, ...]) -> str:
    notes = sorted({layer.note for layer in maps.values() if layer.note})
    if any(layer.grid != grid for layer in maps.values()):
        notes.append(f"maps are resized to {' x '.join(str(extent) for extent in grid)}")
    return "".join(f"; {note}" for note in notes)


def _listed(layers: tuple[str, ...]) -> str:
    return layers[0] if len(layers) == 1 else f"{', '.join(layers[:-1])} and {layers[-1]}"


def _sample_labels(recording: Recording) -> list[str]:
    if recording.labels is None:
        return [f"sample {index}" for index in range(recording.n_samples)]
    return [f"sample {index} (class {label})" for index, label in enumerate(recording.labels.tolist())]
