"""A recording laid out as snapshots of a dynamical system, one column per snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import torch

from dyn_explorer.errors import DynExplorerError

from .axes import lay_out
from .columns import find_idle_columns
from .epochs import EpochRecording
from .layout import Layout
from .names import nearest
from .options import MIN_COLUMNS, Options
from .ordering import choose_columns
from .recording import Recording
from .request import Request
from .steps import even_step


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Snapshots of a dynamical system.

    Parameters
    ----------
    matrix : torch.Tensor
        Shape (n_features, n_snapshots), float32 or float64, on the recording's device. Not to be written: for axis
        "sample" it may share memory with the recording.
    axis : str
        What runs along the columns: "channel", "layer", "sample", "position", "path" or "epoch".
    labels : tuple of str
        One per column.
    map_shape : tuple of int or None
        Shape in which a column is a map: (h, w), (d, h, w) or (l,). None where a column is no map.
    dt : float
        Step between columns: degrees, pixels, parts of the way or epochs for the axes "path" and "epoch" while their
        columns are evenly spaced and in order; otherwise 1.0.
    column_meaning : str
        One sentence that says what a column is and what was done to it.
    dropped : tuple of (str, str)
        Label and reason of every column left out because it carries nothing.
    layers : tuple of str
        The layers used, in execution order.
    feature_shape : tuple of int
        Shape in which a column was flattened: `map_shape`; ``(3, *map)`` for colours; (n_channels,) for axis
        "position"; otherwise the activation's shape per sample, or (n_features,) if several layers are joined.
    sample : int or None
        The sample looked at; None for the axes "sample", "path" and "epoch".
    revision : int
        Revision of the recording.
    n_available : int
        Number of columns before `max_columns` and before any was dropped.
    times : tuple of float or None
        When each column is, in `time_unit`; None for axes without a time.
    time_unit : str
        "degrees", "pixels", "of the way" or "epochs"; empty for axes without a time.
    options : mapping of str to object
        The keywords that give these snapshots again: ``snapshots(recording, layers, axis, sample, **options)``.

    Example
    -------
    >>> from dyn_explorer.capture import record
    >>> recording = record(torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3)), torch.rand(2, 1, 8, 8))
    >>> result = snapshots(recording, "0", normalise="l2")
    >>> result.map_shape, result.labels[3], result.options["normalise"]
    ((6, 6), '0 · channel 3', 'l2')
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
    n_available: int = 0
    times: tuple[float, ...] | None = None
    time_unit: str = ""
    options: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


def snapshots(
    recording: Recording | EpochRecording,
    layers: str | Iterable[str],
    axis: str = "channel",
    sample: int = 0,
    *,
    size: tuple[int, ...] | int | None = None,
    normalise: str = "none",
    centre: bool = False,
    colour: str = "none",
    order: str = "natural",
    max_columns: int | None = None,
    subsample: str = "even",
    seed: int = 0,
    drop: bool = True,
) -> Snapshots:
    """Lay activations out as a matrix whose columns are the snapshots of a dynamical system.

    Columns are chosen and ordered first, then made: softmax, resizing, other scaling, colour. Then those that carry
    nothing are dropped, and the mean column is subtracted last.

    Parameters
    ----------
    recording : Recording or EpochRecording
        From `record`; from `record_path` for axis "path"; from `record_epochs` for axis "epoch".
    layers : str or iterable of str
        Recorded layers, see `select_layers`; they are used in execution order.
    axis : {"channel", "layer", "sample", "position", "path", "epoch"}
        "channel": one column per channel of one or several layers, for one sample.
        "layer": depth as time; one column per layer, its map averaged over channels, for one sample.
        "sample": one column per sample; the rows are the flattened activation.
        "position": one column per pixel or token, row by row, for one sample; the rows are the channels.
        "path": one column per step of one image that turns, shifts or becomes another; rows as for "sample".
        "epoch": one column per checkpoint; the rows are the flattened activations of the whole probe batch.
    sample : int
        The sample for axes "channel", "layer" and "position"; ignored for the others.
    size : int or tuple of int, optional
        Grid on which maps of different sizes are brought, by (bi/tri)linear interpolation; default: the largest.
    normalise : {"none", "l2", "minmax", "softmax"}
        What each column is scaled by: its L2 norm, its range, or the softmax over all its values. A map's softmax is
        taken before it is resized, the others after. Columns without a norm or a range become zero.
    centre : bool
        Subtract the mean of the columns that are left.
    colour : {"none", "jet"}
        "jet": stretch each map to 0..1 and write it as red, green and blue, 0 to 255, as the published pipeline does;
        columns become three times as long. For the axes "channel" and "layer".
    order : {"natural", "lexicographic", "random"}
        "natural": by layer and channel, or as time goes. "lexicographic": by name, as file names are sorted: 0, 1, 10,
        11, 2. "random": shuffled; on axis "channel" within each layer, whose channels have no order of their own.
    max_columns : int, optional
        Take so many columns at most; default: all. Nothing is made of the others.
    subsample : {"even", "random"}
        Which columns to take: evenly spaced ones (every k-th for "path" and "epoch"), or a random choice.
    seed : int
        For random order and random choice.
    drop : bool
        Leave out columns that are constant or repeat another; they are listed in ``.dropped``.

    Returns
    -------
    Snapshots

    Raises
    ------
    DynExplorerError
        If the axis, an option, a layer or the sample is unknown, an option does not fit the axis, the recording is of
        another kind than the axis needs, values are NaN or infinite, a layer has no maps, the layers have no common
        grid, or fewer than 3 columns are left.

    Example
    -------
    >>> from dyn_explorer.capture import record
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())
    >>> recording = record(model, torch.randn(2, 1, 8, 8))
    >>> snapshots(recording, "0").matrix.shape
    torch.Size([36, 4])
    >>> snapshots(recording, "0", axis="position", max_columns=12).matrix.shape
    torch.Size([4, 12])
    """
    options = Options(size, normalise, centre, colour, order, max_columns, subsample, seed, drop)
    request = Request(recording, _check_layers(recording, layers), sample, options)
    layout = lay_out(axis, request)
    timed = layout.times is not None
    chosen = choose_columns(layout.keys or layout.labels, layout.groups or (len(layout.labels),), options, timed=timed)
    made = _make(layout, chosen, axis, request)
    result = _without_idle(made) if drop else made
    if result.matrix.shape[1] < MIN_COLUMNS:
        raise DynExplorerError(_too_few(result, len(chosen), recording))
    return _with_step(_centred(result) if centre else result)


def _make(layout: Layout, chosen: list[int], axis: str, request: Request) -> Snapshots:
    options, n_available = request.options, len(layout.labels)
    meaning = layout.meaning
    if len(chosen) < n_available:
        how = f"at random (seed {options.seed})" if options.subsample == "random" else "evenly"
        meaning += f"; {len(chosen)} of {n_available} columns, chosen {how}"
    return Snapshots(
        matrix=layout.build(chosen).T,
        axis=axis,
        labels=tuple(layout.labels[index] for index in chosen),
        map_shape=layout.map_shape,
        column_meaning=meaning + options.treatment_in_words(),
        layers=request.layers,
        feature_shape=layout.feature_shape,
        sample=layout.sample,
        revision=request.recording.revision,
        n_available=n_available,
        times=None if layout.times is None else tuple(layout.times[index] for index in chosen),
        time_unit=layout.time_unit,
        options=options.as_mapping(),
    )


def _check_layers(recording: Recording | EpochRecording, layers: str | Iterable[str]) -> tuple[str, ...]:
    if not isinstance(recording, (Recording, EpochRecording)):
        raise DynExplorerError(
            f"`recording` must come from record(model, inputs), record_path or record_epochs, got "
            f"{type(recording).__name__}"
        )
    asked = [layers] if isinstance(layers, str) else list(layers)
    if not asked:
        raise DynExplorerError("`layers` is empty; name at least one recorded layer")
    one = recording.recordings[0] if isinstance(recording, EpochRecording) else recording
    known = {layer.name: layer for layer in one.layers}
    for name in asked:
        if name in one.activations:
            continue
        if name not in known:
            raise DynExplorerError(f"unknown layer {name!r}; {nearest(name, list(one.activations))}")
        reason = known[name].disabled_because or "it was not asked for; name it in record(..., layers=[...])"
        raise DynExplorerError(f"layer {name!r} was not recorded: {reason}")
    return tuple(layer.name for layer in one.layers if layer.name in set(asked))


def _without_idle(made: Snapshots) -> Snapshots:
    idle = find_idle_columns(made.matrix)
    if not idle:
        return made
    kept = [index for index in range(made.matrix.shape[1]) if index not in idle]
    dropped = tuple((made.labels[index], reason.format(*made.labels)) for index, reason in idle.items())
    return replace(
        made,
        matrix=made.matrix.T[kept].T,
        labels=tuple(made.labels[index] for index in kept),
        times=None if made.times is None else tuple(made.times[index] for index in kept),
        dropped=dropped,
        column_meaning=f"{made.column_meaning}; {len(dropped)} constant or repeated columns are left out",
    )


def _centred(made: Snapshots) -> Snapshots:
    # Not in place: the matrix may share memory with the recording.
    return replace(
        made,
        matrix=(made.matrix.T - made.matrix.T.mean(dim=0)).T,
        column_meaning=f"{made.column_meaning}; the mean column is subtracted",
    )


def _with_step(made: Snapshots) -> Snapshots:
    if made.times is None:
        return made
    step = even_step(made.times)
    if step is None:
        note = "; these columns are not evenly spaced in time, so each step counts as 1"
        return replace(made, column_meaning=made.column_meaning + note)
    return replace(made, dt=step, column_meaning=f"{made.column_meaning}; each step is {step:.4g} {made.time_unit}")


_REMEDIES = {
    "sample": "record more samples, or use axis='channel'",
    "position": "choose a layer with larger maps or another sample, or use axis='channel'",
    "path": "take a longer path or more `steps`, or choose a layer that answers to the change",
    "epoch": "record more checkpoints, further apart",
}


def _too_few(result: Snapshots, n_before: int, recording: Recording | EpochRecording) -> str:
    n_left, n_dropped = result.matrix.shape[1], len(result.dropped)
    why = f" ({n_dropped} of {n_before} are constant or repeat another)" if n_dropped else ""
    message = f"axis={result.axis!r} gives {n_left} columns{why}; at least {MIN_COLUMNS} are needed"
    if n_dropped and all(reason == "constant" for _, reason in result.dropped) and not n_left:
        message += "; nothing here answers to the input (dead units): look at another layer or sample"
    if n_before < result.n_available:
        message += f"; raise `max_columns`, there are {result.n_available} columns"
    if result.axis in _REMEDIES:
        return f"{message}; {_REMEDIES[result.axis]}"
    if recording.n_samples >= MIN_COLUMNS:
        return f"{message}; use axis='sample', which has one column for each of the {recording.n_samples} samples"
    return f"{message}; name more layers, or record at least {MIN_COLUMNS} samples and use axis='sample'"
