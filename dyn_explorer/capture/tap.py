"""Hooks that watch one forward after another and keep what was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass

import torch
from torch import nn

from dyn_explorer.errors import Cancelled

from .channels import ChannelDims


@dataclass(eq=False)
class LayerRun:
    """What is known of one run of one layer, over all batches so far.

    Parameters
    ----------
    name : str
        Layer name, with ``#2`` for a second run.
    module : torch.nn.Module
        The layer.
    n_batches : int
        Batches in which it ran.
    shape : tuple of int or None
        Shape of its output in the first batch, samples first.
    channel_dim : int
        Dimension of the channels in `shape`.
    problem : str or None
        Why its output cannot be recorded.
    chunks : list of torch.Tensor
        What was kept, one tensor per batch.
    """

    name: str
    module: nn.Module
    n_batches: int = 0
    shape: tuple[int, ...] | None = None
    channel_dim: int = 0
    problem: str | None = None
    chunks: list[torch.Tensor] = field(default_factory=list)


class Store:
    """Copies tensors to where they are kept: on their device while the budget lasts, then on the CPU.

    Parameters
    ----------
    budget : int
        Bytes that may be kept on an accelerator.

    Example
    -------
    >>> Store(0).keep(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, budget: int) -> None:
        self.left = budget
        self.kept = 0

    def keep(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a detached copy that later in-place operations cannot reach, and that may be used in training."""
        self.kept += tensor.nbytes
        with torch.inference_mode(False), torch.no_grad():
            return self._copy(tensor.detach())

    def forget(self, chunks: list[torch.Tensor]) -> None:
        """Empty a list of kept tensors."""
        self.kept -= sum(chunk.nbytes for chunk in chunks)
        chunks.clear()

    def _copy(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.device.type == "cpu":
            return tensor.clone()
        if tensor.nbytes > self.left:
            return tensor.cpu()
        try:
            copy = tensor.clone()
        except torch.OutOfMemoryError:
            return tensor.cpu()
        self.left -= tensor.nbytes
        return copy


@dataclass(frozen=True)
class Mark:
    """How far a recording has come.

    Parameters
    ----------
    progress : dict of str to (int, int)
        Run name to its number of batches and of chunks.
    left, kept : int
        Bytes of the accelerator's budget that are left, and bytes kept in all.
    """

    progress: dict[str, tuple[int, int]]
    left: int
    kept: int


class Tap:
    """Forward hooks on every layer of a borrowed model.

    The guard takes the hooks off again; this class leaves no attribute on any module.

    Parameters
    ----------
    model : torch.nn.Module
        The borrowed model.
    wanted : callable
        Whether the run with this name is to be kept.
    store : Store
        Where copies go.
    cancel : threading.Event or None
        Looked at whenever a layer starts or ends.
    reduce : callable or None
        ``reduce(name, output, channel_dim)`` gives what is kept of an output, a tensor with samples first.
    """

    def __init__(
        self,
        model: nn.Module,
        wanted: Callable[[str], bool],
        store: Store,
        cancel: threading.Event | None,
        reduce: Callable[[str, torch.Tensor, int], torch.Tensor] | None = None,
    ) -> None:
        self.runs: dict[str, LayerRun] = {}
        self.entered: list[tuple[str, nn.Module, torch.Tensor | None]] = []
        self.last: LayerRun | None = None
        self._wanted = wanted
        self._store = store
        self._cancel = cancel
        self._reduce = reduce
        self._dims = ChannelDims()
        self._counts: dict[str, int] = {}
        self._batch_size = 0
        for name, module in model.named_modules():
            if module is not model:
                self._watch(name, module)

    def begin(self, batch_size: int) -> None:
        """Say that a forward with `batch_size` samples starts."""
        self.entered.clear()
        self._counts.clear()
        self._dims = ChannelDims()
        self.last = None
        self._batch_size = batch_size

    def check_cancelled(self) -> None:
        """Raise `Cancelled` if the caller asked for it."""
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled("the recording was cancelled; the model is as it was")

    def mark(self) -> Mark:
        """Remember how far each run has come, for `rewind`."""
        progress = {name: (run.n_batches, len(run.chunks)) for name, run in self.runs.items()}
        return Mark(progress, self._store.left, self._store.kept)

    def rewind(self, mark: Mark) -> None:
        """Forget what came after `mark`."""
        self._store.left, self._store.kept = mark.left, mark.kept
        for name in list(self.runs):
            if name not in mark.progress:
                del self.runs[name]
                continue
            run = self.runs[name]
            run.n_batches, n_chunks = mark.progress[name]
            del run.chunks[n_chunks:]

    def _watch(self, name: str, module: nn.Module) -> None:
        def enter(module: nn.Module, args: tuple, kwargs: dict) -> None:
            self.check_cancelled()
            self.entered.append((name, module, first_tensor((args, kwargs))))

        def leave(module: nn.Module, _args: tuple, output: object) -> None:
            self.check_cancelled()
            # A forward that caught an error inside a layer leaves that layer on the pile.
            while self.entered and self.entered.pop()[1] is not module:
                pass
            self._finished(name, module, output)

        module.register_forward_pre_hook(enter, with_kwargs=True)
        module.register_forward_hook(leave)

    def _finished(self, name: str, module: nn.Module, output: object) -> None:
        count = self._counts[name] = self._counts.get(name, 0) + 1
        run_name = name if count == 1 else f"{name}#{count}"
        run = self.runs.get(run_name)
        if run is None:
            run = self.runs[run_name] = LayerRun(run_name, module)
        run.n_batches += 1
        self.last = run
        tensor = floating_tensor(output, self._batch_size)
        if tensor is not None and run.shape is None:
            run.shape = tuple(tensor.shape)
            run.channel_dim = self._dims.of(module, run.shape)
        run.problem = run.problem or _problem(tensor, run.shape, self._batch_size)
        if run.problem is not None:
            self._store.forget(run.chunks)
        elif self._wanted(run_name):
            kept = tensor if self._reduce is None else self._reduce(run_name, tensor.detach(), run.channel_dim)
            run.chunks.append(self._store.keep(kept))


def first_tensor(value: object) -> torch.Tensor | None:
    """Return the first tensor inside nested containers, or None."""
    return next(all_tensors(value), None)


def floating_tensor(value: object, batch_size: int) -> torch.Tensor | None:
    """Return the first dense floating tensor in `value`, one with `batch_size` samples if there is one.

    Example
    -------
    >>> floating_tensor({"loss": torch.tensor(1.0), "logits": torch.zeros(4, 2)}, 4).shape
    torch.Size([4, 2])
    """
    floating = [tensor for tensor in all_tensors(value) if tensor.is_floating_point() and _is_dense(tensor)]
    matching = (tensor for tensor in floating if tensor.ndim and tensor.shape[0] == batch_size)
    return next(matching, floating[0] if floating else None)


def all_tensors(value: object):
    """Yield the tensors inside nested containers.

    Example
    -------
    >>> len(list(all_tensors({"a": torch.zeros(1), "b": [torch.zeros(2)]})))
    2
    """
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from all_tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from all_tensors(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            yield from all_tensors(getattr(value, item.name))


def _is_dense(tensor: torch.Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_nested


def _problem(tensor: torch.Tensor | None, shape: tuple[int, ...] | None, batch_size: int) -> str | None:
    if tensor is None:
        return "its output has no floating tensor"
    if tensor.ndim == 0:
        return "its output is a single number, not one value per sample"
    if tensor.shape[0] != batch_size:
        return f"its output's first dimension is {tensor.shape[0]}, not the batch's {batch_size}"
    if tuple(tensor.shape[1:]) != shape[1:]:
        return f"its output's shape per sample changes between batches: {shape[1:]}, then {tuple(tensor.shape[1:])}"
    return None
