"""One epoch of a history, and how a layer's response is made small."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from dyn_explorer.errors import DynExplorerError

DTYPES = {"float16": torch.float16, "float32": torch.float32}


@dataclass(frozen=True, eq=False)
class Entry:
    """One epoch.

    Parameters
    ----------
    epoch : int
        Its number.
    metrics : mapping of str to float
        Loss, accuracy and whatever else the loop gave.
    responses : mapping of str to torch.Tensor or None
        Layer name to response, shape (n_probe, n_units), on the CPU; None beyond the memory budget.
    state : mapping of str to torch.Tensor or None
        Copy of the weights, on the CPU, where this epoch has a checkpoint in memory.
    """

    epoch: int
    metrics: Mapping[str, float]
    responses: Mapping[str, torch.Tensor] | None
    state: Mapping[str, torch.Tensor] | None = None

    @property
    def n_bytes(self) -> int:
        """Memory of responses and weights."""
        tensors = [*(self.responses or {}).values(), *(self.state or {}).values()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def mean_response(activation: torch.Tensor, channel_dim: int, dtype: str) -> torch.Tensor:
    """Average a layer's output over everything but samples and channels.

    Parameters
    ----------
    activation : torch.Tensor
        Shape (n_samples, ...).
    channel_dim : int
        Which dimension counts channels, as `Recording.channel_dims` says.
    dtype : {"float16", "float32"}
        Of the result; float32 where float16 cannot hold the values.

    Returns
    -------
    torch.Tensor
        Shape (n_samples, n_channels), on the CPU.

    Example
    -------
    >>> mean_response(torch.ones(2, 3, 4, 4), 1, "float16").shape
    torch.Size([2, 3])
    """
    others = [dim for dim in range(1, activation.ndim) if dim != channel_dim % activation.ndim]
    values = activation.float()
    means = values.mean(dim=others) if others else values
    means = means.reshape(len(means), -1)
    wide = dtype == "float16" and bool((means.abs() > torch.finfo(torch.float16).max).any())
    return means.to("cpu", torch.float32 if wide else DTYPES[dtype])


def checked_metrics(given: Mapping[str, object]) -> dict[str, float]:
    """The numbers of an epoch as floats; those that are None are left out.

    Raises
    ------
    DynExplorerError
        For what is no number.

    Example
    -------
    >>> checked_metrics({"loss": torch.tensor(0.5), "accuracy": None})
    {'loss': 0.5}
    """
    metrics = {}
    for name, value in given.items():
        if value is None:
            continue
        try:
            metrics[name] = float(value.detach() if isinstance(value, torch.Tensor) else value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise DynExplorerError(
                f"metric {name!r} (={value!r}) must be one number, such as 0.25 or a tensor with one entry"
            ) from error
    return metrics


def checked_epoch(epoch: object, last: int | None) -> int:
    """The number of an epoch, if it may follow `last`.

    Raises
    ------
    DynExplorerError
        If it is no whole number, or not after `last`.

    Example
    -------
    >>> checked_epoch(3.0, 2)
    3
    """
    is_number = isinstance(epoch, (int, float)) and not isinstance(epoch, bool)
    if not is_number or not math.isfinite(epoch) or epoch != int(epoch):
        raise DynExplorerError(f"`epoch` (={epoch!r}) must be a whole number")
    if last is not None and epoch <= last:
        raise DynExplorerError(
            f"`epoch` (={int(epoch)}) must come after {last}, the last one recorded; each epoch is recorded once and "
            "in order (for another run, make another History)"
        )
    return int(epoch)
