"""Copies of a live model, made while it is borrowed."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn

from dyn_explorer.errors import DynExplorerError

from .checkpoints import load_into
from .guard import borrow
from .layers import unwrap


def copied(model: nn.Module) -> nn.Module:
    """A deep copy, on the same device and in the same mode.

    Raises
    ------
    DynExplorerError
        If the model cannot be copied.

    Example
    -------
    >>> model = nn.Linear(3, 2)
    >>> torch.equal(copied(model).weight, model.weight)
    True
    """
    plain = unwrap(model)
    with borrow(plain):
        try:
            return copy.deepcopy(plain)
        except (RuntimeError, TypeError, NotImplementedError) as error:
            raise DynExplorerError(f"this model cannot be copied ({error}), so there is no copy to look at.") from error


def copy_with(model: nn.Module, state: Mapping[str, torch.Tensor], label: str) -> nn.Module:
    """A copy with other weights, such as those of a past epoch; the model itself is not touched.

    Parameters
    ----------
    model : torch.nn.Module
        Any model that `copy.deepcopy` can copy.
    state : mapping of str to torch.Tensor
        A state dict of this model.
    label : str
        What it is, for messages.

    Returns
    -------
    torch.nn.Module
        On the same device, in the same mode.

    Raises
    ------
    DynExplorerError
        If the model cannot be copied, or `state` does not fit it.

    Example
    -------
    >>> model = nn.Linear(1, 1)
    >>> then = copy_with(model, {"weight": torch.tensor([[2.0]]), "bias": torch.tensor([1.0])}, "epoch 3")
    >>> then(torch.ones(1)).item()
    3.0
    """
    fresh = copied(model)
    load_into(fresh, state, label)
    return fresh
