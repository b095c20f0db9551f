"""What can run along the columns."""

from __future__ import annotations

from collections.abc import Callable

from dyn_explorer.errors import DynExplorerError

from .epochs import EpochRecording
from .layout import Layout
from .map_axes import lay_out_channel, lay_out_layer, lay_out_position
from .options import Options
from .recording import Recording
from .request import Request
from .response_axes import lay_out_epoch, lay_out_path, lay_out_sample

_MAP_AXES = ("channel", "layer")

AXES: dict[str, Callable[[Request], Layout]] = {
    "channel": lay_out_channel,
    "layer": lay_out_layer,
    "sample": lay_out_sample,
    "position": lay_out_position,
    "path": lay_out_path,
    "epoch": lay_out_epoch,
}


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
            f"colour={options.colour!r} colours maps, and a column of axis={axis!r} is no map; use axis='channel', "
            "axis='layer', or colour='none'"
        )
    if options.size is not None and axis not in (*_MAP_AXES, "position"):
        raise DynExplorerError(
            f"`size` (={options.size}) resizes maps, and a column of axis={axis!r} holds all values of a layer; leave "
            "`size` out, or use axis='channel', axis='layer' or axis='position'"
        )
