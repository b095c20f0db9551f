"""A training run as it happens: recorded beside the training, without touching it."""

from __future__ import annotations

import secrets
import threading
import warnings
from collections.abc import Callable, Collection, Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from dyn_explorer.errors import DynExplorerError

from ..devices import checked_device
from ..layers import list_layers, unwrap
from ..names import check_names, nearest
from ..options import check_choice
from ..recording import record as record_probe
from . import callbacks
from . import folder as folders
from .entry import DTYPES, Entry, checked_epoch, checked_metrics, mean_response

if TYPE_CHECKING:
    import pandas

MEMORY_BUDGET = 2**30
SEED = 0


class History:
    """What a model did to a fixed probe batch at every epoch, and the numbers of its training loop.

    The model is borrowed for each record and given back bit-identical (see `dyn_explorer.capture.borrow`): parameters,
    BatchNorm statistics and random numbers of the training are those of a run without a history.

    Parameters
    ----------
    model : torch.nn.Module
        The model in training.
    probe_inputs
        The probe batch, as `dyn_explorer.record` takes inputs; the same at every epoch, and run in eval mode.
    probe_labels : sequence of int, optional
        Class of each probe input.
    layers : str or iterable of str, optional
        Layers to follow; default all without layers inside.
    checkpoints : bool, int or collection of int, default False
        Whether to keep the weights too: True at every record, an integer n at every n-th, a collection at these epochs.
    memory_budget : int
        Bytes of responses and weights to hold in memory; default 1 GiB. Beyond it only the numbers are kept, and a
        warning says so once. Weights that are written to `folder` are not held.
    dtype : {"float16", "float32"}, default "float16"
        Precision in which responses are kept.
    checkpoint_dtype : {"float16", "float32"}, optional
        Precision in which weights are kept; default that of the model.
    folder : path, optional
        Save to this folder at every record, see `save`.
    device : torch.device or str, optional
        Where the probe batch is moved; the model stays where it is.

    Notes
    -----
    A layer's response to an input is the mean of each of its channels over all positions: (n_probe, n_units). This is
    our choice; it is small enough to keep for every epoch, and it loses where in the picture a channel responds.

    Examples
    --------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("train")
    >>> model = dx.demo.small_cnn()
    >>> history = dx.History(model, images[:8], labels[:8], layers=["conv1", "head"])
    >>> losses = dx.demo.train(model, images[:128], labels[:128], epochs=2,
    ...     after_epoch=lambda epoch, loss: history.record(epoch=epoch, loss=loss))
    >>> history.epochs, history.trace("conv1").shape
    ((1, 2), (2, 8, 16))
    """

    def __init__(
        self,
        model: nn.Module,
        probe_inputs: object,
        probe_labels: object = None,
        *,
        layers: str | Iterable[str] | None = None,
        checkpoints: bool | int | Collection[int] = False,
        memory_budget: int = MEMORY_BUDGET,
        dtype: str = "float16",
        checkpoint_dtype: str | None = None,
        folder: str | PathLike | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        check_choice("dtype", dtype, tuple(DTYPES))
        if checkpoint_dtype is not None:
            check_choice("checkpoint_dtype", checkpoint_dtype, tuple(DTYPES))
        self._setup(secrets.token_hex(8), dtype, memory_budget)
        self._model = unwrap(model)
        self._checkpoint_dtype = DTYPES.get(checkpoint_dtype)
        self._is_kept = _checked_checkpoints(checkpoints)
        self._inputs, self._labels, self._device = probe_inputs, probe_labels, checked_device(device)
        self._asked = None if layers is None else [layers] if isinstance(layers, str) else list(layers)
        check_names(self._asked, list_layers(self._model))
        self._folder = None if folder is None else Path(folder)
        if self._folder is not None:
            folders.check_free(self._folder, self._run)

    def _setup(self, run: str, dtype: str, memory_budget: int) -> None:
        self._run, self._dtype, self._budget = run, dtype, memory_budget
        self._model: nn.Module | None = None
        self._entries: list[Entry] = []
        self._shapes: dict[str, int] = {}
        self._stored: dict[int, folders.StoredState] = {}
        self._written: dict[Path, int] = {}
        self._probe_labels: np.ndarray | None = None
        self._held = 0
        self._is_full = False
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        span = f", epochs {self.epochs[0]} to {self.epochs[-1]}" if self.epochs else ""
        return f"History({len(self.epochs)} records, {len(self.layers)} layers{span})"

    # ---------------------------------------------------------------- recording

    def record(self, *, epoch: int, loss: object = None, accuracy: object = None, **metrics: object) -> None:
        """Run the probe batch through the model as it is now, and keep what its layers answer.

        Parameters
        ----------
        epoch : int
            Number of the epoch; greater than the last one.
        loss, accuracy : float, optional
            Of the training loop, in whatever sense it has them.
        **metrics : float
            Further numbers.

        Raises
        ------
        DynExplorerError
            If the epoch was recorded before or comes out of order, a metric is no number, a layer's response has
            another size than before, the probe batch cannot be run, or `folder` cannot be written. The epochs recorded
            before are kept; where only writing failed, so is this one.
        """
        if self._model is None:
            raise DynExplorerError("this history was loaded from a folder; make a new History(model, ...) to record")
        with self._lock:
            number = checked_epoch(epoch, self.epochs[-1] if self._entries else None)
            numbers = checked_metrics({"loss": loss, "accuracy": accuracy, **metrics})
            entry = Entry(number, numbers, self._responses(number), self._state(number))
            self._entries.append(self._within_budget(entry))
        if self._folder is not None:
            self.save(self._folder)

    def lightning_callback(self) -> object:
        """A callback for PyTorch Lightning, ``Trainer(callbacks=[history.lightning_callback()])``.

        It records at the end of every training epoch, with every metric logged; ``train_loss`` and ``train_accuracy``
        become `loss` and `accuracy` where these are not logged themselves.

        Raises
        ------
        DynExplorerError
            If Lightning is not installed.
        """
        return callbacks.lightning_callback(self)

    def trainer_callback(self) -> object:
        """A callback for the Hugging Face Trainer, ``Trainer(..., callbacks=[history.trainer_callback()])``.

        It records after every epoch and its evaluation, with every number logged for it.

        Raises
        ------
        DynExplorerError
            If transformers is not installed.
        """
        return callbacks.trainer_callback(self)

    def _responses(self, epoch: int) -> dict[str, torch.Tensor]:
        recording = record_probe(
            self._model,
            self._inputs,
            self._asked,
            self._labels,
            reduce=self._reduced,  # whole maps are neither copied nor held
            training=False,
            seed=SEED,
            device=self._device,
        )
        responses = dict(recording.activations)
        sizes = {name: tuple(values.shape) for name, values in responses.items()}
        if self._shapes and sizes != self._shapes:
            raise DynExplorerError(_what_changed(epoch, self._shapes, sizes))
        self._shapes = sizes
        if recording.labels is not None:
            self._probe_labels = recording.labels.numpy()
        return responses

    def _reduced(self, _name: str, output: torch.Tensor, channel_dim: int) -> torch.Tensor:
        return mean_response(output, channel_dim, self._dtype)

    def _state(self, epoch: int) -> dict[str, torch.Tensor] | None:
        if not self._is_kept(epoch, len(self._entries)):
            return None
        return {name: self._kept(value.detach()) for name, value in self._model.state_dict().items()}

    def _kept(self, value: torch.Tensor) -> torch.Tensor:
        dtype = self._checkpoint_dtype if value.is_floating_point() else None
        return value.to("cpu", value.dtype if dtype is None else dtype, copy=True)

    def _within_budget(self, entry: Entry) -> Entry:
        if self._held + entry.n_bytes <= self._budget:
            self._held += entry.n_bytes
            return entry
        if not self._is_full:
            self._is_full = True
            warnings.warn(
                f"the history holds {self._held / 2**20:.3g} MiB; epoch {entry.epoch} would go beyond `memory_budget` "
                f"(={self._budget / 2**20:.3g} MiB); from here on only its numbers are kept. Follow fewer `layers` or "
                "probe inputs, keep fewer `checkpoints`, or raise the budget",
                stacklevel=4,
            )
        return Entry(entry.epoch, entry.metrics, None)

    # ---------------------------------------------------------------- reading

    @property
    def model(self) -> nn.Module | None:
        """The model that is followed; None if the history was loaded from a folder."""
        return self._model

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs recorded, in order."""
        return tuple(entry.epoch for entry in self._entries)

    @property
    def run_id(self) -> str:
        """What tells this run from every other; kept when it is saved and loaded."""
        return self._run

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers followed, in the order in which the model runs them; empty before the first record."""
        return tuple(self._shapes)

    @property
    def probe_labels(self) -> np.ndarray | None:
        """Class of each probe input, shape (n_probe,), or None."""
        return self._probe_labels

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """Each metric over the epochs, shape (n_epochs,); nan where an epoch has none."""
        entries = list(self._entries)
        names = dict.fromkeys(name for entry in entries for name in entry.metrics)
        return {name: np.array([entry.metrics.get(name, np.nan) for entry in entries]) for name in names}

    @property
    def checkpoint_epochs(self) -> tuple[int, ...]:
        """Epochs whose weights are kept, in memory or in the folder."""
        return tuple(entry.epoch for entry in self._entries if entry.state is not None or entry.epoch in self._stored)

    def trace(self, layer: str, epoch: int | None = None) -> np.ndarray:
        """Responses of a layer to the probe batch.

        Parameters
        ----------
        layer : str
            One of `layers`.
        epoch : int, optional
            One epoch; default all.

        Returns
        -------
        ndarray of float32
            Shape (n_epochs, n_probe, n_units), or (n_probe, n_units) for one epoch; nan where the memory budget left no
            room.
        """
        if layer not in self._shapes:
            raise DynExplorerError(f"there is no layer {layer!r} in this history; {nearest(layer, self.layers)}")
        entries = list(self._entries) if epoch is None else [self._entry(epoch)]
        values = np.full((len(entries), *self._shapes[layer]), np.nan, dtype=np.float32)
        for row, entry in zip(values, entries, strict=True):
            if entry.responses is not None:
                row[:] = entry.responses[layer].numpy()
        return values if epoch is None else values[0]

    def state(self, epoch: int) -> dict[str, torch.Tensor]:
        """The weights at the end of an epoch, a state dict on the CPU.

        Raises
        ------
        DynExplorerError
            If this epoch was not recorded or has no checkpoint, or its file is damaged.
        """
        entry = self._entry(epoch)
        if entry.state is not None:
            return dict(entry.state)
        if epoch in self._stored:
            return self._stored[epoch].read()
        kept = ", ".join(map(str, self.checkpoint_epochs)) or "none; ask for History(..., checkpoints=True)"
        raise DynExplorerError(f"epoch {epoch} has no checkpoint; epochs with one: {kept}")

    def table(self) -> pandas.DataFrame:
        """One row per epoch: `epoch`, every metric (nan where there is none), and whether it has a `checkpoint`."""
        import pandas  # slow to import, and needed by nothing else here

        kept = set(self.checkpoint_epochs)
        columns = {"epoch": self.epochs, **self.metrics, "checkpoint": [epoch in kept for epoch in self.epochs]}
        return pandas.DataFrame(columns)

    def _entry(self, epoch: int) -> Entry:
        for entry in self._entries:
            if entry.epoch == epoch:
                return entry
        span = f"{self.epochs[0]} to {self.epochs[-1]}" if self.epochs else "none yet"
        raise DynExplorerError(f"epoch {epoch!r} was not recorded; recorded are {span}")

    # ---------------------------------------------------------------- folders

    def save(self, folder: str | PathLike) -> None:
        """Write what the folder does not hold yet; calling it at every epoch is the normal case.

        Responses and weights are written as safetensors, numbers as JSON, nothing as a pickle. An epoch counts as saved
        once its line stands in ``epochs.jsonl``, which is written last: a run killed at any point leaves a folder that
        loads up to its last complete epoch.

        Raises
        ------
        DynExplorerError
            If the folder cannot be written, or holds another run. What was saved before stays good, and nothing in
            memory is lost.
        """
        path = Path(folder)
        with self._lock:
            if path not in self._written:
                header = {
                    "run": self._run,
                    "dtype": self._dtype,
                    "shapes": {name: list(shape) for name, shape in self._shapes.items()},
                    "labels": None if self._probe_labels is None else self._probe_labels.tolist(),
                }
                there = folders.begin(path, header)
                if not self._entries:
                    return  # the header is written again once the layers are known
                self._written[path] = there
            for index in range(self._written[path], len(self._entries)):
                entry = self._entries[index]
                source = None if entry.state is not None else self._stored.get(entry.epoch)
                stored = folders.append(path, entry, source)
                self._written[path] = index + 1
                if stored is not None:
                    self._release_state(index, stored)

    def _release_state(self, index: int, stored: folders.StoredState) -> None:
        entry = self._entries[index]
        lighter = Entry(entry.epoch, entry.metrics, entry.responses)
        self._held -= entry.n_bytes - lighter.n_bytes
        self._stored[entry.epoch] = stored
        self._entries[index] = lighter

    @classmethod
    def load(cls, folder: str | PathLike, *, skip_damaged: bool = False) -> History:
        """Read a saved history; it needs no model.

        Parameters
        ----------
        folder : path
            What `save` wrote.
        skip_damaged : bool, default False
            Leave damaged epochs out instead of raising.

        Raises
        ------
        DynExplorerError
            If there is no history, it comes from a newer version, or files are damaged; then the message names what is
            wrong and which epochs are good.

        Notes
        -----
        An epoch that was being written when the run was killed is no damage: it is not there.
        """
        header, entries, stored = folders.read(Path(folder), skip_damaged=skip_damaged)
        history = cls.__new__(cls)
        history._setup(header["run"], header["dtype"], MEMORY_BUDGET)
        history._shapes = {name: tuple(shape) for name, shape in header["shapes"].items()}
        history._probe_labels = None if header["labels"] is None else np.array(header["labels"])
        history._entries = entries
        history._stored = stored
        history._folder = None
        return history


def _checked_checkpoints(checkpoints: object) -> Callable[[int, int], bool]:
    """Whether the weights of an epoch, the so-manieth record, are kept."""
    if isinstance(checkpoints, int) and checkpoints >= 0:
        every = int(checkpoints)
        return lambda _epoch, record: every > 0 and record % every == 0
    if isinstance(checkpoints, Collection) and all(isinstance(epoch, int) for epoch in checkpoints):
        return lambda epoch, _record: epoch in checkpoints
    raise DynExplorerError(
        f"`checkpoints` (={checkpoints!r}) must be True, False, every how many records, such as 5, or "
        "the epochs to keep"
    )


def _what_changed(epoch: int, before: dict, now: dict) -> str:
    for name in before.keys() | now.keys():
        if before.get(name) != now.get(name):
            was, is_now = before.get(name, "not there"), now.get(name, "not there")
            return (
                f"at epoch {epoch} the response of layer {name!r} is {is_now}, and before it was {was} (probe inputs, "
                "units); a history follows layers of one size, so this epoch is not recorded: follow other `layers`, "
                "or make a new History"
            )
    return f"at epoch {epoch} the layers run in another order than before; make a new History"
