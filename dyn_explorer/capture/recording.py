"""Run a borrowed model on inputs and keep what its layers put out."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import torch
from torch import nn

from dyn_explorer.errors import Cancelled, DynExplorerError

from .guard import PARAMETER_BUDGET, borrow
from .hints import describe_failure
from .inputs import Batch, Target, batches, count_samples
from .layers import LayerInfo, list_layers
from .memory import is_out_of_memory, release_memory
from .names import check_names
from .steps import Steps
from .tap import LayerRun, Mark, Store, Tap, floating_tensor

MEMORY_BUDGET = 1024**3
HOST_BUDGET = 4 * 1024**3

_REVISIONS = itertools.count(1)


@dataclass(frozen=True, eq=False)
class Recording:
    """What the layers of a model put out for some inputs.

    Parameters
    ----------
    activations : mapping of str to torch.Tensor
        Layer name to output, shape (n_samples, ...), dtype and device as in the model (on the CPU beyond the memory
        budget), in execution order. ``name#2`` is the second run of a shared layer.
    inputs : torch.Tensor
        The inputs, shape (n_samples, ...); the first floating tensor of a tuple or dict.
    outputs : torch.Tensor or None
        What the model returned, shape (n_samples, ...): the first floating tensor with one entry per sample.
    labels : torch.Tensor or None
        Integer labels on the CPU, shape (n_samples,).
    layers : tuple of LayerInfo
        All layers: those that ran in execution order, then the others with the reason in ``disabled_because``.
    channel_dims : mapping of str to int
        For each layer that ran: which dimension of its activation counts channels.
    shapes : mapping of str to tuple of int
        For each layer that ran, recorded or not: shape of its output per sample.
    nonfinite : mapping of str to int
        Number of NaN and infinite values of the recorded layers that have any.
    revision : int
        Different for every recording of this process, growing.
    training : bool
        Whether the model ran in train mode.
    complete : bool
        False if the forward failed, and this is what ran before.
    path : Steps or None
        From `record_path`: the samples are steps of one image on its way, and this says which.

    Example
    -------
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten())
    >>> recording = record(model, torch.zeros(2, 1, 8, 8))
    >>> recording.n_samples, recording.shapes["0"], recording.channel_dims["0"]
    (2, (4, 6, 6), 1)
    """

    activations: Mapping[str, torch.Tensor]
    inputs: torch.Tensor
    outputs: torch.Tensor | None
    labels: torch.Tensor | None
    layers: tuple[LayerInfo, ...]
    channel_dims: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    nonfinite: Mapping[str, int] = field(default_factory=dict)
    revision: int = field(default_factory=lambda: next(_REVISIONS))
    training: bool = False
    complete: bool = True
    path: Steps | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.inputs.shape[0]


class RecordingError(DynExplorerError):
    """The model's forward failed; `recording` holds what ran before, and ``__cause__`` is the model's own error.

    Example
    -------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(3, 2))
    >>> try:
    ...     record(model, torch.zeros(4, 5))
    ... except RecordingError as error:
    ...     list(error.recording.activations)
    ['0']
    """

    def __init__(self, message: str, recording: Recording) -> None:
        super().__init__(message)
        self.recording = recording


def record(
    model: nn.Module,
    inputs: object,
    layers: str | Iterable[str] | None = None,
    labels: object = None,
    *,
    batch_size: int | None = None,
    max_samples: int | None = None,
    device: torch.device | str | None = None,
    training: bool | None = None,
    seed: int | None = None,
    reduce: Callable[[str, torch.Tensor, int], torch.Tensor] | None = None,
    memory_budget: int = MEMORY_BUDGET,
    host_budget: int = HOST_BUDGET,
    parameter_budget: int = PARAMETER_BUDGET,
    cancel: threading.Event | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Recording:
    """Run a model on inputs, batch by batch, and keep the outputs of the layers asked for.

    The model is borrowed: whatever happens, it is given back bit-identical (see `borrow`), in its own mode, on its own
    device. The inputs are not changed either.

    Parameters
    ----------
    model : torch.nn.Module
        Any model on any device, in train or eval mode.
    inputs : tensor, array, DataLoader, Dataset, list, tuple, dict or iterable of batches
        A tensor or array has samples first, shape (n_samples, ...). Arrays are cast to the model's dtype and device.
        A list holds samples and is stacked. A tuple or dict is what the forward takes as arguments. An iterable yields
        such batches; where a batch is a pair and the forward takes one argument, the second entry is the labels.
    layers : str or iterable of str, optional
        Names from `list_layers`, containers included, or ``name#2``. Default: all layers without layers inside.
    labels : sequence of int, array or tensor, optional
        One class number per sample, shape (n_samples,).
    batch_size : int, optional
        Largest batch; default 64 for data that is not batched yet. In train mode BatchNorm mixes the samples of a
        batch, so there the numbers depend on it.
    max_samples : int, optional
        Use the first so many samples only.
    device : torch.device or str, optional
        Move the inputs there, batch by batch. The model is never moved.
    training : bool, optional
        Run in train (True) or eval (False) mode; default: as the model is.
    seed : int, optional
        Seed the random generators for this run; default: run with their present state.
    reduce : callable, optional
        ``reduce(name, output, channel_dim)`` is called with each batch of each layer asked for, and what it returns, a
        tensor with samples first, is kept instead of the output: numbers per image of any number of images, whose maps
        never stand in memory together.
    memory_budget : int
        Bytes of activations to keep on an accelerator; what is beyond goes to the CPU. Default 1 GiB.
    host_budget : int
        Bytes of activations in all; an error beyond. Default 4 GiB.
    parameter_budget : int
        Bytes of parameters and gradients to copy beforehand, see `borrow`. Default 2 GiB.
    cancel : threading.Event, optional
        Set it from another thread to stop at the next layer.
    progress : callable, optional
        Called as ``progress(done, text)`` after each batch; `done` in 0..1, nan if the number of samples is unknown.

    Returns
    -------
    Recording

    Raises
    ------
    RecordingError
        If the forward raises; what ran before is in its ``.recording``.
    Cancelled
        If `cancel` was set.
    DynExplorerError
        If the model, the inputs or a layer name cannot be used, or memory runs out even with one sample at a time.

    Notes
    -----
    When memory runs out, the batch is halved. Values that are NaN or infinite are kept and counted in ``nonfinite``.

    Example
    -------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())
    >>> record(model, torch.zeros(2, 1, 8, 8), layers="1").activations["1"].shape
    torch.Size([2, 4, 6, 6])
    """
    total = _total(inputs, max_samples)
    with ExitStack() as stack:
        lent = stack.enter_context(borrow(model, parameter_budget=parameter_budget))
        listed = list_layers(lent)
        wanted = check_names(layers, listed)
        target = Target.of(lent)
        # Only a model that was made in inference mode needs it; what it returns could not be used in training.
        stack.enter_context(torch.inference_mode(_made_in_inference_mode(lent)))
        stack.enter_context(torch.no_grad())
        if training is not None:
            lent.train(training)
        if seed is not None:
            _seed(seed)
        store = Store(memory_budget)
        session = _Session(lent, Tap(lent, wanted, store, cancel, reduce), store, listed, host_budget)
        session.tap.check_cancelled()
        stream = batches(inputs, labels, target, batch_size=batch_size, max_samples=max_samples, device=device)
        for batch in stream:
            session.run(batch, total)
            session.tap.check_cancelled()
            if progress is not None:
                _report(progress, session.n_samples, total)
        return session.recording()


class _Session:
    """One recording in the making: the hooks, what the batches were, and what the model returned."""

    def __init__(self, model: nn.Module, tap: Tap, store: Store, listed: list[LayerInfo], host_budget: int) -> None:
        self.tap = tap
        self.n_samples = 0
        self._model = model
        self._store = store
        self._listed = listed
        self._host_budget = host_budget
        self._inputs: list[torch.Tensor] = []
        self._labels: list[torch.Tensor | None] = []
        self._outputs: list[torch.Tensor | None] = []

    def run(self, batch: Batch, total: int | None) -> None:
        """Run one batch; halve it when memory runs out."""
        mark = self.tap.mark()
        args, kwargs = batch.fresh()
        self.tap.begin(batch.size)
        try:
            output = self._model(*args, **kwargs)
        except Cancelled:
            raise
        except Exception as error:
            # A forward may have turned our request to stop into an error of its own.
            self.tap.check_cancelled()
            if not is_out_of_memory(error):
                raise RecordingError(
                    describe_failure(self._model, self.tap, (args, kwargs), error), self._partial(mark, batch)
                ) from error
            release_memory(error)
        else:
            self._keep(batch, output)
            self._check_size(total)
            return
        # Outside the except block, so that the failed forward's frames and tensors are gone.
        del args, kwargs
        self.tap.rewind(mark)
        if batch.size == 1:
            raise DynExplorerError(
                "memory ran out with a single sample; close what else uses the device, give smaller inputs or fewer "
                "layers, or record a copy on the CPU: record(copy.deepcopy(model).cpu(), inputs.cpu())"
            )
        half = batch.size // 2
        self.run(batch.part(0, half), total)
        self.run(batch.part(half, batch.size), total)

    def recording(self, *, complete: bool = True) -> Recording:
        """Join the batches."""
        with torch.inference_mode(False):
            return self._join_batches(complete)

    def _join_batches(self, complete: bool) -> Recording:
        n_batches = len(self._inputs)
        runs = {name: _closed(run, n_batches) for name, run in self.tap.runs.items()}
        recorded = {name: _join(run.chunks) for name, run in runs.items() if run.chunks and run.problem is None}
        labelled = all(labels is not None for labels in self._labels)
        returned = len(self._outputs) == n_batches and all(output is not None for output in self._outputs)
        return Recording(
            activations=MappingProxyType(recorded),
            inputs=_join(self._inputs),
            outputs=_join(self._outputs) if returned else None,
            labels=_join(self._labels) if labelled else None,
            layers=_layers_as_run(self._listed, runs),
            channel_dims=MappingProxyType({name: run.channel_dim for name, run in runs.items() if run.shape}),
            shapes=MappingProxyType({name: run.shape[1:] for name, run in runs.items() if run.shape}),
            nonfinite=MappingProxyType(_count_nonfinite(recorded)),
            training=self._model.training,
            complete=complete,
        )

    def _keep(self, batch: Batch, output: object) -> None:
        self._add_inputs(batch)
        tensor = floating_tensor(output, batch.size)
        fits = tensor is not None and tensor.ndim > 0 and tensor.shape[0] == batch.size
        same = fits and (not self._outputs or _same_per_sample(self._outputs[0], tensor))
        self._outputs.append(self._store.keep(tensor) if same else None)

    def _add_inputs(self, batch: Batch) -> None:
        with torch.inference_mode(False):
            self._inputs.append(batch.main.detach().clone())
        self._labels.append(batch.labels)
        self.n_samples += batch.size

    def _partial(self, mark: Mark, batch: Batch) -> Recording:
        if self._inputs:
            self.tap.rewind(mark)
        else:
            self._add_inputs(batch)
        return self.recording(complete=False)

    def _check_size(self, total: int | None) -> None:
        n_samples = max(total or 0, self.n_samples)
        expected = self._store.kept * n_samples / self.n_samples
        if expected > self._host_budget:
            raise DynExplorerError(
                f"the layers asked for need {expected / 2**30:.3g} GiB for {n_samples} samples, more than "
                f"`host_budget` (={self._host_budget / 2**30:.3g} GiB); ask for fewer `layers` or `max_samples`, or "
                "raise `host_budget` (bytes)"
            )


def _total(inputs: object, max_samples: int | None) -> int | None:
    n_samples = count_samples(inputs)
    return n_samples if n_samples is None or max_samples is None else min(n_samples, max_samples)


def _made_in_inference_mode(model: nn.Module) -> bool:
    return any(tensor.is_inference() for tensor in itertools.chain(model.parameters(), model.buffers()))


def _seed(seed: int) -> None:
    # torch.manual_seed would also seed the CUDA of the future where CUDA is not in use yet.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the model may draw from the global generator


def _report(progress: Callable[[float, str], None], done: int, total: int | None) -> None:
    if total:
        progress(min(done / total, 1.0), f"recorded {done} of {total} samples")
    else:
        progress(float("nan"), f"recorded {done} samples")


def _closed(run: LayerRun, n_batches: int) -> LayerRun:
    if run.problem is None and run.n_batches != n_batches:
        return replace(run, problem=f"it ran in {run.n_batches} of {n_batches} batches only", chunks=[])
    return run


def _layers_as_run(listed: list[LayerInfo], runs: Mapping[str, LayerRun]) -> tuple[LayerInfo, ...]:
    by_name = {layer.name: layer for layer in listed}
    executed = []
    for name, run in runs.items():
        layer = by_name[name] if name in by_name else by_name[name.rpartition("#")[0]]
        executed.append(replace(layer, name=name, disabled_because=layer.disabled_because or run.problem))
    others = [
        replace(layer, disabled_because=layer.disabled_because or "it was not executed in this forward")
        for layer in listed
        if layer.name not in runs
    ]
    return (*executed, *others)


def _count_nonfinite(activations: Mapping[str, torch.Tensor]) -> dict[str, int]:
    # A sum shows whether anything is not finite, in a fifth of the time that it takes to look at every value.
    suspects = {name: tensor for name, tensor in activations.items() if not torch.isfinite(tensor.sum())}
    counts = {name: int((~torch.isfinite(tensor)).sum()) for name, tensor in suspects.items()}
    return {name: count for name, count in counts.items() if count}


def _join(chunks: list[torch.Tensor]) -> torch.Tensor:
    devices = {chunk.device for chunk in chunks}
    together = chunks if len(devices) == 1 else [chunk.cpu() for chunk in chunks]
    joined = together[0] if len(together) == 1 else torch.cat(together)
    # Layers are joined one after the other, so that at most one of them is in memory twice.
    chunks.clear()
    return joined


def _same_per_sample(first: torch.Tensor | None, tensor: torch.Tensor) -> bool:
    return first is not None and first.shape[1:] == tensor.shape[1:]
