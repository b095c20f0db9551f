"""One probe batch through many checkpoints of a model: training as time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from dyn_explorer.errors import DynExplorerError

from .checkpoints import are_times, load_into, numbered
from .guard import borrow
from .recording import HOST_BUDGET, MEMORY_BUDGET, Recording, record


@dataclass(frozen=True, eq=False)
class EpochRecording:
    """Recordings of one probe batch at several checkpoints; the axis "epoch" has one column for each.

    Parameters
    ----------
    recordings : tuple of Recording
        One per checkpoint, all of the same inputs.
    labels : tuple of str
        One per checkpoint, such as "epoch 3".
    times : tuple of float or None
        Epoch numbers; None if the checkpoints have names instead.

    Example
    -------
    >>> from dyn_explorer.capture import record
    >>> model, probe = nn.Sequential(nn.Linear(2, 3)), torch.ones(4, 2)
    >>> epochs = EpochRecording.of({0: record(model, probe), 10: record(model, probe)})
    >>> epochs.labels, epochs.times, epochs.n_samples
    (('epoch 0', 'epoch 10'), (0.0, 10.0), 4)
    """

    recordings: tuple[Recording, ...]
    labels: tuple[str, ...]
    times: tuple[float, ...] | None

    @classmethod
    def of(cls, recordings: Mapping[object, Recording] | Iterable[Recording]) -> EpochRecording:
        """Join recordings of the same inputs.

        Parameters
        ----------
        recordings : mapping or iterable of Recording
            Epoch number or name to recording; without a mapping the epochs are 0, 1, 2, ...

        Raises
        ------
        DynExplorerError
            If there are none, or their inputs differ.
        """
        by_epoch = numbered(recordings, Recording, "recordings")
        labels, times = _in_time(by_epoch)
        first, *others = by_epoch.values()
        for label, other in zip(labels[1:], others, strict=True):
            _check_same_probe(first, other, labels[0], label)
        # The inputs are the same: one copy is enough.
        shared = (first, *(replace(other, inputs=first.inputs) for other in others))
        return cls(shared, labels, times)

    @property
    def n_samples(self) -> int:
        """Number of samples in the probe batch."""
        return self.recordings[0].n_samples

    @property
    def revision(self) -> int:
        """Revision of the latest recording in it."""
        return max(recording.revision for recording in self.recordings)

    def check_shape(self, layer: str) -> None:
        """Refuse a layer whose activation is missing at a checkpoint or changes its shape.

        Raises
        ------
        DynExplorerError
            With the first checkpoint that differs.
        """
        expected = tuple(self.recordings[0].activations[layer].shape)
        for label, recording in zip(self.labels, self.recordings, strict=True):
            if layer not in recording.activations:
                raise DynExplorerError(
                    f"layer {layer!r} was not recorded at {label}; record the same layers at every epoch"
                )
            shape = tuple(recording.activations[layer].shape)
            if shape != expected:
                raise DynExplorerError(
                    f"layer {layer!r} changes shape: {expected} at {self.labels[0]}, {shape} at {label}; epochs are "
                    "compared value by value, so choose a layer that keeps its shape"
                )


def record_epochs(
    model: nn.Module,
    checkpoints: Mapping[object, Any] | Iterable[Any],
    inputs: object,
    layers: str | Iterable[str] | None = None,
    labels: object = None,
    *,
    strict: bool = True,
    memory_budget: int = MEMORY_BUDGET,
    host_budget: int = HOST_BUDGET,
    progress: Callable[[float, str], None] | None = None,
    **options: Any,
) -> EpochRecording:
    """Run a probe batch through checkpoints of a model, which is given back bit-identical.

    Parameters
    ----------
    model : torch.nn.Module
        The model whose checkpoints they are; its own weights do not matter and do not change.
    checkpoints : mapping or iterable
        Epoch number (or name) to state dict, path of a file that holds one (``.safetensors``, or what
        ``torch.load(weights_only=True)`` reads), or model. Without a mapping the epochs are 0, 1, 2, ... Files are
        read one at a time.
    inputs, layers, labels
        As for `record`. Inputs that only pass once, such as a generator, do not do.
    strict : bool
        Refuse checkpoints with missing or unexpected entries.
    memory_budget, host_budget : int
        Bytes for all checkpoints together, see `record`.
    progress : callable, optional
        Called as ``progress(done, text)``.
    **options
        Passed on to `record`: batch_size, max_samples, device, training, seed, parameter_budget, cancel.

    Returns
    -------
    EpochRecording

    Raises
    ------
    DynExplorerError
        If a checkpoint does not fit the model, the activations of all checkpoints do not fit `host_budget`, or
        `record` refuses.

    Example
    -------
    >>> from dyn_explorer.capture import snapshots
    >>> model = nn.Sequential(nn.Linear(2, 3))
    >>> course = [nn.Sequential(nn.Linear(2, 3)).state_dict() for _ in range(4)]
    >>> epochs = record_epochs(model, dict(zip([0, 2, 4, 6], course)), torch.rand(5, 2))
    >>> result = snapshots(epochs, "0", axis="epoch")
    >>> result.matrix.shape, result.labels[1], result.dt
    (torch.Size([15, 4]), 'epoch 2', 2.0)
    """
    by_epoch = numbered(checkpoints, object, "checkpoints")
    texts, _ = _in_time(by_epoch)
    share = len(by_epoch)
    recordings: dict[object, Recording] = {}
    for at, (epoch, checkpoint) in enumerate(by_epoch.items()):
        # The loaded weights take the place of the model's own, so those are not written and need no copy.
        with borrow(model, parameter_budget=0) as lent:
            load_into(lent, checkpoint, texts[at], strict=strict)
            recordings[epoch] = record(
                lent, inputs, layers, labels, memory_budget=memory_budget // share, host_budget=host_budget,
                progress=_part(progress, at, share), **options,
            )  # fmt: skip
        _check_size(recordings[epoch], share, host_budget)
    return EpochRecording.of(recordings)


def _in_time(by_epoch: Mapping[object, object]) -> tuple[tuple[str, ...], tuple[float, ...] | None]:
    if are_times(by_epoch):
        return tuple(f"epoch {epoch:.10g}" for epoch in by_epoch), tuple(float(epoch) for epoch in by_epoch)
    return tuple(str(epoch) for epoch in by_epoch), None


def _check_same_probe(first: Recording, other: Recording, first_label: str, label: str) -> None:
    left, right = first.inputs, other.inputs
    same = left.shape == right.shape and torch.equal(left, right.to(left))
    if not same:
        raise DynExplorerError(
            f"the inputs of {label} differ from those of {first_label} (shapes {tuple(right.shape)} and "
            f"{tuple(left.shape)}); epochs are compared on one fixed batch, so record each with the same tensor"
        )


def _part(progress: Callable[[float, str], None] | None, at: int, share: int) -> Callable[[float, str], None] | None:
    if progress is None:
        return None
    return lambda done, text: progress((at + done) / share, f"checkpoint {at + 1} of {share}: {text}")


def _check_size(recording: Recording, share: int, host_budget: int) -> None:
    needed = share * sum(activation.nbytes for activation in recording.activations.values())
    if needed > host_budget:
        raise DynExplorerError(
            f"the layers asked for need {needed / 2**30:.3g} GiB for {share} checkpoints, more than `host_budget` "
            f"(={host_budget / 2**30:.3g} GiB); ask for fewer `layers`, inputs or checkpoints, or raise `host_budget` "
            "(bytes)"
        )
