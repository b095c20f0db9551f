"""The live model as the panels see it: recordings, snapshots and decompositions, each made once and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from dyn_explorer import analysis, capture
from dyn_explorer.errors import DynExplorerError

from .jobs import Job

MOST_INPUTS = 256
KEPT_BYTES = 1 << 30
KEPT_SNAPSHOTS = 24
KEPT_FITS = 64
SEED = 0  # dropout masks of a model in train mode stay the same from one recording to the next


@dataclass(frozen=True, eq=False)
class SnapshotSet:
    """A snapshot matrix with its small factor.

    Attributes
    ----------
    snapshots : Snapshots
        The matrix with the meaning of its columns.
    compressed : CompressedSnapshots
        The small factor that every fit uses.
    key : tuple
        What it was made from.
    """

    snapshots: capture.Snapshots
    compressed: analysis.CompressedSnapshots
    key: tuple


class Memo:
    """The last few values, by key; the oldest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict = OrderedDict()

    def get(self, key, make: Callable):
        """The value of `key`, made now if it is not there."""
        if key in self._values:
            self._values.move_to_end(key)
        else:
            self._values[key] = make()
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return self._values[key]

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()


class Replay:
    """Batches of a generator that can be read again: what was read once is kept, and no more is read than is asked for.

    Examples
    --------
    >>> replay = Replay(iter([1, 2, 3]))
    >>> next(iter(replay)), list(replay)
    (1, [1, 2, 3])
    """

    def __init__(self, batches: Iterator) -> None:
        self._rest = batches
        self._read: list = []

    def __iter__(self) -> Iterator:
        yield from self._read
        for batch in self._rest:
            self._read.append(batch)
            yield batch


class Source:
    """Borrows the model when a panel needs activations, and keeps what it has seen.

    Parameters
    ----------
    model : torch.nn.Module
        The person's own, never changed.
    inputs, labels
        As `dyn_explorer.capture.record` takes them; the first 256 inputs are looked at.
    device : str or torch.device, optional
        Where the inputs are moved; the model stays where it is.
    """

    def __init__(self, model, inputs, labels=None, *, device=None, most_inputs: int = MOST_INPUTS) -> None:
        self.model = capture.unwrap(model)
        self.inputs = Replay(inputs) if isinstance(inputs, Iterator) else inputs
        self.labels = labels
        self.device = _checked_device(device)
        self.most_inputs = most_inputs
        self.layers = {info.name: info for info in capture.list_layers(self.model)}
        self.recording: capture.Recording | None = None
        self.failure: capture.RecordingError | None = None
        self._untrained = None
        self._untrained_recording: capture.Recording | None = None
        self._snapshots = Memo(KEPT_SNAPSHOTS)
        self._fits = Memo(KEPT_FITS)

    def forget(self) -> None:
        """Drop what was recorded, because weights or inputs have changed."""
        self.recording = None
        self._untrained_recording = None
        self._snapshots.clear()
        self._fits.clear()

    def default_layer(self) -> str:
        """The layer shown first: the last convolution, else the last layer with weights, else the last one."""
        usable = [info for info in self.layers.values() if info.disabled_because is None]
        convolutions = [info.name for info in usable if info.kind.startswith("Conv")]
        weighted = [info.name for info in usable if info.weight_shape is not None]
        return (convolutions or weighted or [info.name for info in usable])[-1]

    def record(self, names: tuple[str, ...], job: Job) -> capture.Recording:
        """A recording that holds at least `names`.

        Where the model's forward fails after these layers have run, what they put out is still good: it is returned,
        and `failure` says what went wrong.
        """
        have = self.recording
        if have is not None and all(name in have.activations for name in names):
            return have
        # What was looked at before is recorded along, so that going back costs no forward pass, while it fits.
        kept = tuple(have.activations) if have is not None and _bytes(have) < KEPT_BYTES else ()
        wanted = list(dict.fromkeys((*kept, *names)))
        self.failure = None
        try:
            self.recording = self._record(self.model, wanted, job)
        except capture.RecordingError as error:
            self._meet(error.recording)
            if not error.recording.activations or any(name not in error.recording.activations for name in names):
                raise
            self.recording, self.failure = error.recording, error
        self._meet(self.recording)
        return self.recording

    def _record(self, model, names: list[str], job: Job) -> capture.Recording:
        return capture.record(
            model,
            self.inputs,
            layers=names,
            labels=self.labels,
            max_samples=self.most_inputs,
            device=self.device,
            seed=SEED,
            cancel=job.cancel,
            progress=job.progress,
        )

    def _meet(self, recording: capture.Recording) -> None:
        # In the order of execution, because that is the order a person reads a network in.
        found = {info.name: info for info in recording.layers}
        self.layers = {**{name: info for name, info in self.layers.items() if name not in found}, **found}
        order = {name: place for place, name in enumerate(found)}
        self.layers = dict(sorted(self.layers.items(), key=lambda item: order.get(item[0], len(order))))

    def snapshot_set(self, layers: tuple[str, ...], axis: str, sample: int, job: Job) -> SnapshotSet:
        """Snapshot matrix and small factor of some layers along one axis."""
        recording = self.record(layers, job)
        missing = [name for name in layers if name not in recording.activations]
        if missing:
            raise DynExplorerError(f"layer {missing[0]!r} was not executed in this forward pass; choose another layer.")
        return self._laid_out(recording, layers, axis, sample, job)

    def _laid_out(self, recording, layers: tuple[str, ...], axis: str, sample: int, job: Job) -> SnapshotSet:
        key = (recording.revision, layers, axis, sample if axis != "sample" else None)

        def make() -> SnapshotSet:
            job.progress(0.9, "factoring the snapshots")
            made = capture.snapshots(recording, list(layers), axis=axis, sample=sample)
            return SnapshotSet(made, analysis.compress(made.matrix), key)

        return self._snapshots.get(key, make)

    def untrained_snapshot_set(self, layers: tuple[str, ...], axis: str, sample: int, job: Job) -> SnapshotSet:
        """The same snapshots of an untrained copy, which is made and run once."""
        if self._untrained is None:
            self._untrained = capture.untrained_copy(self.model, seed=SEED)
        have = self._untrained_recording
        if have is None or any(name not in have.activations for name in layers):
            kept = tuple(have.activations) if have is not None and _bytes(have) < KEPT_BYTES else ()
            job.progress(0.5, "running an untrained copy")
            self._untrained_recording = self._record(self._untrained, list(dict.fromkeys((*kept, *layers))), job)
        return self._laid_out(self._untrained_recording, layers, axis, sample, job)

    def fit(self, found: SnapshotSet, *, rank, window: tuple[int, int], method: str) -> analysis.DMDResult:
        """A DMD of some columns; fits that were made before come from memory."""
        most = min(window[1] - window[0] - 1, found.snapshots.matrix.shape[0])
        if isinstance(rank, int):
            rank = min(rank, most)  # the hand may have narrowed the window since the rank was read
        key = (found.key, rank, window, method)
        return self._fits.get(key, lambda: analysis.dmd(found.compressed, rank=rank, window=window, method=method))

    def picture(self, sample: int) -> np.ndarray | None:
        """One input as an (H, W, 3) uint8 picture, or None where inputs are no pictures."""
        if self.recording is None:
            return None
        return to_picture(self.recording.inputs[sample].detach().cpu().float().numpy())


def _bytes(recording: capture.Recording) -> int:
    return sum(value.numel() * value.element_size() for value in recording.activations.values())


def _checked_device(device) -> torch.device | None:
    if device is None:
        return None
    try:
        known = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise DynExplorerError(f"`device` (={device!r}) is no device; give 'cpu' or 'cuda', for example.") from error
    if known.type == "cuda" and not torch.cuda.is_available():
        raise DynExplorerError(f"`device` (={device!r}) is not there: this PyTorch sees no CUDA device. Leave it out.")
    return known


def to_picture(values: np.ndarray) -> np.ndarray | None:
    """A (c, h, w) or (h, w) input as an (h, w, 3) uint8 picture, its range stretched to 0..255.

    One channel is grey, three are red, green and blue; of any other number the mean is shown.
    """
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or min(values.shape[1:]) < 2:
        return None
    if values.shape[0] not in (1, 3):
        values = values.mean(axis=0, keepdims=True)
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    picture = np.ascontiguousarray(np.moveaxis((255 * scaled).astype(np.uint8), 0, -1))
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture
