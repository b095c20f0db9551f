"""What the layers of a network put out, neuron by neuron, with either kind of BatchNorm statistics."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.stand_in import HiddenActivation, StandIn, checked_batch_norm
from dyn_explorer.errors import Cancelled, DynExplorerError


def hidden_activations(
    model: nn.Module, inputs: object, *, activations: Iterable[str | type] = ()
) -> tuple[HiddenActivation, ...]:
    """The hidden activations of a network, and the layers that feed them.

    Parameters
    ----------
    model : torch.nn.Module
        A copy of it is run.
    inputs : tensor or array (P, ...)
        The first two are enough.
    activations : iterable of str or type
        Names or classes of modules that count as activations; PyTorch's own functions are known, and in a network that
        has none of them `torch.nn.Identity` counts.

    Returns
    -------
    tuple of HiddenActivation
        In the order in which they run, without one that ends the network.

    Raises
    ------
    DynExplorerError
        If the model cannot be copied, or `activations` names what is not there.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    >>> [(one.layer, one.kind) for one in hidden_activations(model, torch.zeros(2, 5))]
    [('1', 'relu')]
    """
    stand_in = StandIn(model, activations)
    given = stand_in.inputs(inputs)
    with stand_in.run_alone():
        stand_in.count_identities(given)
        return stand_in.hidden(given)


def layer_fields(
    model: nn.Module,
    inputs: object,
    layers: Iterable[str],
    *,
    bn_stats: str = "running",
    most: int | None = None,
    seed: int = 0,
    batch_size: int = 256,
    cancel: threading.Event | None = None,
) -> dict[str, tuple[torch.Tensor, np.ndarray]]:
    """Outputs of layers as matrices of samples by neurons, of all neurons or of some drawn by chance.

    Parameters
    ----------
    model : torch.nn.Module
        In whatever mode; a copy of it is run in eval mode.
    inputs : tensor or array (P, ...)
    layers : iterable of str
        Names of modules; ``name#2`` is the second run of a shared one.
    bn_stats : {"running", "batch"}, default "running"
        Whether BatchNorm uses its running statistics, or those of all `inputs` in one batch.
    most : int, optional
        Keep at most so many neurons of each layer; which ones depends on `seed` and on their number only. Default all.
    seed : int, default 0
    batch_size : int, default 256
        For running statistics.
    cancel : threading.Event, optional
        Looked at before each batch.

    Returns
    -------
    dict of str to (torch.Tensor (P, n), ndarray (n,) of int)
        The outputs, on the CPU, and the places of these neurons in the layer's flattened output.

    Raises
    ------
    DynExplorerError
        If there is no such layer, it was not executed, or it puts out no tensor with a row per sample.
    Cancelled
        `cancel` was set.

    Example
    -------
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    >>> fields, places = layer_fields(model, torch.zeros(7, 1, 4, 4), ["0"], most=10)["0"]
    >>> fields.shape, places.shape
    (torch.Size([7, 10]), (10,))
    """
    if most is not None and (not is_integer(most) or most < 1):
        raise DynExplorerError(f"`most` (={most!r}) must be a whole number of at least 1, or None for all neurons")
    names = list(dict.fromkeys(layers))
    stand_in = StandIn(model)
    given = stand_in.inputs(inputs)
    whole = checked_batch_norm(bn_stats)
    parts: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    places: dict[str, np.ndarray] = {}
    for batch in given.split(len(given) if whole else batch_size):
        if cancel is not None and cancel.is_set():
            raise Cancelled("the recording of neurons was cancelled; the model is as it was")

        def take(name: str, output: object, size: int = len(batch)) -> None:
            flat = _flat(name, output, size)
            if name not in places:
                places[name] = _drawn(flat.shape[1], most, seed)
            parts[name].append(flat[:, torch.from_numpy(places[name]).to(flat.device)].cpu())

        with stand_in.run_alone(), torch.no_grad(), stand_in.taps(names, take):
            stand_in.forward(batch, batch_statistics=whole)
    missing = [name for name in names if not parts[name]]
    if missing:
        raise DynExplorerError(f"layer {missing[0]!r} was not executed in this forward pass; choose another layer")
    return {name: (torch.cat(parts[name]), places[name]) for name in names}


def _flat(name: str, output: object, size: int) -> torch.Tensor:
    if not isinstance(output, torch.Tensor) or output.ndim < 2 or len(output) != size:
        shape = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
        raise DynExplorerError(f"layer {name!r} puts out {shape} for {size} samples, and this needs a row per sample")
    return output.detach().reshape(size, -1)


def _drawn(count: int, most: int | None, seed: int) -> np.ndarray:
    if most is None or count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng([seed, count]).choice(count, most, replace=False))
