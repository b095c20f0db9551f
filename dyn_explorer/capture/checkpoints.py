"""Weights of other epochs, put into a borrowed model."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterable, Mapping
from numbers import Real
from os import PathLike, fspath
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from dyn_explorer.errors import DynExplorerError

from .layers import unwrap

_WRAPPER_PREFIXES = ("module.", "_orig_mod.")
_SHOWN = 5


def numbered(items: Mapping[object, Any] | Iterable[Any], kind: type, what: str) -> dict[object, Any]:
    """Return items by epoch in growing order, numbered from 0 if they are not; names keep their order.

    Raises
    ------
    DynExplorerError
        If there are none, one is of another kind, or a single state dict was given.

    Example
    -------
    >>> numbered(["a", "b"], str, "checkpoints")
    {0: 'a', 1: 'b'}
    """
    if isinstance(items, (str, PathLike, nn.Module)) or not isinstance(items, (Mapping, Iterable)):
        raise DynExplorerError(f"`{what}` must be a mapping of epochs or a list, got one {type(items).__name__}")
    by_epoch = dict(items) if isinstance(items, Mapping) else dict(enumerate(items))
    if not by_epoch:
        raise DynExplorerError(f"`{what}` is empty; give at least one")
    if any(isinstance(item, torch.Tensor) for item in by_epoch.values()):
        raise DynExplorerError(
            f"`{what}` is a single state dict; give several, by epoch: {{0: state_dict, 1: another}}"
        )
    for epoch, item in by_epoch.items():
        if not isinstance(item, kind):
            raise DynExplorerError(f"{epoch!r} of `{what}` is no {kind.__name__}, got {type(item).__name__}")
    return dict(sorted(by_epoch.items())) if are_times(by_epoch) else by_epoch


def are_times(epochs: Iterable[object]) -> bool:
    """Whether all epochs are finite numbers.

    Example
    -------
    >>> are_times([0, 2.5]), are_times(["before", "after"])
    (True, False)
    """
    return all(isinstance(epoch, Real) and math.isfinite(epoch) for epoch in epochs)


def load_into(model: nn.Module, checkpoint: object, label: str, *, strict: bool = True) -> None:
    """Put other weights in the place of a borrowed model's own, in its dtypes and on its devices.

    The model's tensors are not written: others take their place, until the loan gives them back.

    Parameters
    ----------
    model : torch.nn.Module
        A model on loan from `borrow`.
    checkpoint : mapping, path or torch.nn.Module
        A state dict, a file that holds one, or a model that has one.
    label : str
        Name of the checkpoint, for messages.
    strict : bool
        Refuse missing and unexpected entries.

    Raises
    ------
    DynExplorerError
        If it is no checkpoint, or not of this model.

    Example
    -------
    >>> from dyn_explorer.capture import borrow
    >>> model = nn.Linear(1, 1)
    >>> with borrow(model) as lent:
    ...     load_into(lent, {"weight": torch.tensor([[2.0]]), "bias": torch.tensor([1.0])}, "epoch 0")
    ...     lent(torch.tensor([3.0])).item()
    7.0
    """
    state = _unwrapped(_state_of(checkpoint, label))
    own = model.state_dict(keep_vars=True)
    fitted = {name: _fitted(value, own.get(name)) for name, value in _with_tied(state, own).items()}
    try:
        model.load_state_dict(fitted, strict=strict, assign=True)
    except (RuntimeError, TypeError) as error:
        raise DynExplorerError(f"{label} does not fit the model: {error}{_nested(state)}") from error


def _state_of(checkpoint: object, label: str) -> Mapping[str, Any]:
    if isinstance(checkpoint, nn.Module):
        return unwrap(checkpoint).state_dict()
    if isinstance(checkpoint, (str, PathLike)):
        checkpoint = _read(fspath(checkpoint), label)
    if not isinstance(checkpoint, Mapping):
        raise DynExplorerError(
            f"{label} must be a state dict, the path of one, or a model, got {type(checkpoint).__name__}"
        )
    return checkpoint


def _read(path: str, label: str) -> object:
    try:
        if path.endswith(".safetensors"):
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DynExplorerError(
            f"{label}: {path!r} is refused: it holds a pickle, and loading that may run any code "
            f"({str(error).partition('. ')[0]}); have whoever made it save the weights alone: "
            "safetensors.torch.save_file(model.state_dict(), path), or torch.save(model.state_dict(), path)"
        ) from error
    except Exception as error:
        raise DynExplorerError(
            f"{label}: cannot read {path!r} as a state dict ({type(error).__name__}: {error}); save weights with "
            "torch.save(model.state_dict(), path), or load the file yourself and give its state dict"
        ) from error


def _unwrapped(state: Mapping[str, Any]) -> Mapping[str, Any]:
    for prefix in _WRAPPER_PREFIXES:
        if state and all(str(name).startswith(prefix) for name in state):
            return _unwrapped({name.removeprefix(prefix): value for name, value in state.items()})
    return state


def _with_tied(state: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    # Files often hold shared weights once; loaded apart, the second name would keep the model's own values.
    by_tensor = {id(own[name]): value for name, value in state.items() if name in own}
    tied = {name: by_tensor[id(mine)] for name, mine in own.items() if name not in state and id(mine) in by_tensor}
    return {**state, **tied}


def _fitted(value: object, own: object) -> object:
    if not isinstance(value, torch.Tensor):
        return value
    # A new tensor object, so that loading cannot set flags on the person's own.
    fits = isinstance(own, torch.Tensor) and own.is_floating_point() == value.is_floating_point()
    return value.detach().to(own.device, own.dtype) if fits else value.detach()


def _nested(state: Mapping[str, Any]) -> str:
    inside = [str(name) for name, value in state.items() if isinstance(value, Mapping)]
    if not inside:
        return ""
    shown = ", ".join(map(repr, inside[:_SHOWN]))
    return f"; it holds other dictionaries ({shown}): give the one with the weights, such as checkpoint[{inside[0]!r}]"
