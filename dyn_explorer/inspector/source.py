"""The live model as the panels see it: recordings, snapshots and decompositions, each made once and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dyn_explorer import analysis, capture
from dyn_explorer.capture.devices import checked_device
from dyn_explorer.errors import DynExplorerError

from .histories import history_code, named_histories
from .jobs import Job
from .recorder import SEED, Layout, Memo, Recorder, Replay

MOST_INPUTS = 256
KEPT_SNAPSHOTS = 24
KEPT_FITS = 64
KEPT_SIGNALS = 16
KEPT_EPOCHS = 4  # models of past epochs


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


class Source:
    """The live model, its untrained copy, and what was made of their activations.

    Parameters
    ----------
    model : torch.nn.Module
        The person's own, never changed.
    inputs, labels
        As `dyn_explorer.capture.record` takes them; the first 256 inputs are looked at.
    device : str or torch.device, optional
        Where the inputs are moved; the model stays where it is.
    checkpoints : mapping, optional
        Epoch to state dict or file, for axis "epoch"; by default those of the history.
    history : History, or several in a list or mapping, optional
        Of the run that trains the model; the epochs with weights can be looked at. Further ones are compared with it.

    Attributes
    ----------
    histories : dict of str to History
        All of them by name.
    history : History or None
        The first of them.
    history_code : str
        Python for it.
    epoch : int or None
        Epoch whose weights are looked at; None for the model as it is now.
    class_names : list of str or None
        Names of class 0, 1, ...
    """

    def __init__(
        self,
        model,
        inputs,
        labels=None,
        *,
        device=None,
        checkpoints=None,
        history: object = None,
        most_inputs: int = MOST_INPUTS,
    ) -> None:
        self.live_model = capture.unwrap(model)
        self.histories = named_histories(history)
        self.history = next(iter(self.histories.values()), None)
        self.history_code = history_code(history)
        self.epoch: int | None = None
        self.class_names: list[str] | None = None
        self.device = checked_device(device)
        self.most_inputs = most_inputs
        self._inputs = Replay(inputs) if isinstance(inputs, Iterator) else inputs
        self._labels = labels
        self._checkpoints = checkpoints
        self._live = self._recorder = self._recorder_of(self.live_model, checkpoints)
        self._then = Memo(KEPT_EPOCHS)
        self._untrained: Recorder | None = None
        self._held = False
        self.layers = {info.name: info for info in capture.list_layers(self.live_model)}
        self._snapshots = Memo(KEPT_SNAPSHOTS)
        self._fits = Memo(KEPT_FITS)
        self._signals = Memo(KEPT_SIGNALS)

    def _recorder_of(self, model, checkpoints=None) -> Recorder:
        return Recorder(
            model,
            self._inputs,
            self._labels,
            device=self.device,
            most_inputs=self.most_inputs,
            checkpoints=checkpoints,
        )

    @property
    def model(self):
        """The model that is looked at: the live one, or a copy with the weights of an epoch."""
        return self._recorder.model

    def look_at(self, epoch: int | None) -> str:
        """Look at the model of an epoch from now on; in words, why it is the live one after all, or nothing.

        Epochs without weights, or with weights that are damaged or of another model, leave the live one.

        Raises
        ------
        DynExplorerError
            If a copy is needed while a training loop is running.
        """
        self.epoch = None
        self._recorder = self._live
        if epoch is None:
            return ""
        if epoch not in self.history.checkpoint_epochs:
            return f"Epoch {epoch} has no checkpoint, so this is the model as it is now."
        if epoch not in self._then:
            self._live.check_free()
        try:
            self._recorder = self._then.get(epoch, lambda: self._recorder_at(epoch))
        except DynExplorerError as error:
            return f"Epoch {epoch} cannot be looked at, so this is the model as it is now: {error}"
        self.epoch = epoch
        return ""

    def _recorder_at(self, epoch: int) -> Recorder:
        model = capture.copy_with(self.live_model, self.history.state(epoch), f"epoch {epoch}")
        return self._recorder_of(model, self._checkpoints)

    @property
    def reasons(self) -> dict[str, str | None]:
        """The layers, each with the reason why it cannot be chosen, or None where it can."""
        return {name: info.disabled_because for name, info in self.layers.items()}

    @property
    def has_labels(self) -> bool:
        """Whether the person gave labels of the inputs beside them."""
        return self._labels is not None

    @property
    def recording(self) -> capture.Recording | None:
        """The last recording of the inputs."""
        return self._recorder.recording

    @property
    def n_inputs(self) -> int | None:
        """How many inputs are looked at; None before the first run."""
        recording = self._recorder.recording or self._live.recording
        return None if recording is None else len(recording.inputs)

    @property
    def failure(self) -> capture.RecordingError | None:
        """Why that recording ended early, if it did."""
        return self._recorder.failure

    def hold(self, held: bool) -> None:
        """Run nothing until this is called again with False; what is recorded can still be looked at."""
        self._held = held
        for recorder in (self._live, self._untrained, *self._then):
            if recorder is not None:
                recorder.held = held

    @property
    def held(self) -> bool:
        """Whether a training loop is running, so that nothing may run beside it."""
        return self._held

    def check_free(self) -> None:
        """Refuse to run anything while a training loop is running."""
        self._live.check_free()

    def forget(self) -> None:
        """Drop what was recorded, because weights or inputs have changed."""
        self._live.forget()
        self._then.clear()
        self._snapshots.clear()
        self._fits.clear()
        self._signals.clear()

    def default_layer(self) -> str:
        """The layer shown first: the last convolution, else the last layer with weights, else the last one."""
        usable = [info for info in self.layers.values() if info.disabled_because is None]
        # A ConvNextLayerNorm is none: its weight is a vector.
        convolutions = [i.name for i in usable if i.kind.startswith("Conv") and len(i.weight_shape or ()) > 2]
        weighted = [info.name for info in usable if info.weight_shape is not None]
        return (convolutions or weighted or [info.name for info in usable])[-1]

    def record(self, names: tuple[str, ...], job: Job) -> capture.Recording:
        """A recording of the model that holds at least `names`."""
        try:
            recording = self._recorder.record(names, job)
        except capture.RecordingError as error:
            self._meet(error.recording)
            raise
        self._meet(recording)
        return recording

    def _meet(self, recording: capture.Recording) -> None:
        # In the order of execution, because that is the order a person reads a network in.
        found = {info.name: info for info in recording.layers}
        self.layers = {**{name: info for name, info in self.layers.items() if name not in found}, **found}
        order = {name: place for place, name in enumerate(found)}
        self.layers = dict(sorted(self.layers.items(), key=lambda item: order.get(item[0], len(order))))

    def layer_graph(self, model, *, fold_bn: bool, job: Job) -> analysis.LayerGraph:
        """A model as node layers and links, followed through a pass of the first inputs.

        Parameters
        ----------
        model : torch.nn.Module
            The one that is looked at, or a copy of it with other weights.
        fold_bn : bool
            As in `dyn_explorer.capture.layer_graph`.
        job : Job
        """
        self.check_free()
        return capture.layer_graph(
            model, self._inputs, fold_bn=fold_bn, device=self.device, seed=SEED, cancel=job.cancel
        )

    def snapshot_set(self, layers: tuple[str, ...], layout: Layout, job: Job) -> SnapshotSet:
        """Snapshot matrix and small factor of some layers of the model."""
        recording = self.record(layers, job)
        missing = [name for name in layers if name not in recording.activations]
        if missing:
            raise DynExplorerError(f"layer {missing[0]!r} was not executed in this forward pass; choose another layer.")
        return self._laid_out(self._recorder, layers, layout, job)

    def untrained_snapshot_set(self, layers: tuple[str, ...], layout: Layout, job: Job) -> SnapshotSet:
        """The same of an untrained copy, which is made and run once.

        Raises
        ------
        DynExplorerError
            If there is none: along checkpoints, or where the model cannot be copied.
        """
        if layout.axis == "epoch":
            raise DynExplorerError("an untrained copy has no epochs.")
        return self._laid_out(self._untrained_recorder(job), layers, layout, job)

    def _untrained_recorder(self, job: Job) -> Recorder:
        if self._untrained is None:
            if self._held:
                raise DynExplorerError("it is made once training is over: press Refresh then.")
            job.progress(0.5, "making an untrained copy")
            self._untrained = self._recorder_of(capture.untrained_copy(self.live_model, seed=SEED))
        return self._untrained

    def signals(
        self, layers: tuple[str, ...], kinds: tuple[str, ...], pool: str, job: Job, *, untrained: bool = False
    ) -> tuple[capture.Recording, capture.SignalReader]:
        """Pooled signals of any number of layers, without their maps, made once until weights or inputs change.

        Parameters
        ----------
        layers, kinds, pool
            As `capture.SignalReader` takes them.
        job : Job
        untrained : bool
            Of the untrained copy.
        """

        def run() -> tuple[capture.Recording, capture.SignalReader]:
            recorder = self._untrained_recorder(job) if untrained else self._recorder
            recorder.check_free()
            job.progress(float("nan"), "reading the directions of the layers")
            reader = capture.SignalReader(recorder.model, layers, kinds=kinds, pool=pool, cancel=job.cancel)
            return recorder.reduced(layers, reader, job), reader

        return self._signals.get((untrained, None if untrained else self.epoch, layers, kinds, pool), run)

    def _laid_out(self, recorder: Recorder, layers: tuple[str, ...], layout: Layout, job: Job) -> SnapshotSet:
        recording = recorder.along(layout, layers, job)
        key = (recording.revision, layers, layout)

        def make() -> SnapshotSet:
            job.progress(0.9, "factoring the snapshots")
            if layout.preset != "none":
                made = capture.dmd_xai_snapshots(recording, layout.sample)
            else:
                made = capture.snapshots(
                    recording, list(layers), axis=layout.axis, sample=layout.sample, **layout.options
                )
            return SnapshotSet(made, analysis.compress(made.matrix), key)

        return self._snapshots.get(key, make)

    def fit(self, found: SnapshotSet, *, rank, window: tuple[int, int], method: str) -> analysis.DMDResult:
        """A DMD of some columns; fits that were made before come from memory."""
        most = min(window[1] - window[0] - 1, found.snapshots.matrix.shape[0])
        if isinstance(rank, int):
            rank = min(rank, most)  # the hand may have narrowed the window since the rank was read
        key = (found.key, rank, window, method)
        return self._fits.get(key, lambda: analysis.dmd(found.compressed, rank=rank, window=window, method=method))

    def class_name(self, label: object) -> str:
        """What a class is called: its name where there is one, else its label."""
        named = self.class_names is not None and isinstance(label, int) and 0 <= label < len(self.class_names)
        return self.class_names[label] if named else str(label)

    def picture(self, sample: int) -> np.ndarray | None:
        """One input as an (H, W, 3) uint8 picture, or None where inputs are no pictures."""
        if self.recording is None:
            return None
        return to_picture(self.recording.inputs[sample].detach().cpu().float().numpy())


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
