"""A copy in eval mode that shares its parameters with the model, so that looking never touches the model."""

from __future__ import annotations

import copy

import torch
from torch import nn

from dyn_explorer.errors import DynExplorerError

from .wrappers import without_wrappers


def frozen_copy(model: nn.Module) -> nn.Module:
    """The same network in eval mode, with buffers and flags of its own and the model's own parameters.

    It costs no memory but that of the buffers. Compiled and data-parallel models are unwrapped.

    Parameters
    ----------
    model : torch.nn.Module
        Its mode, buffers, attributes and gradients are not touched.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    DynExplorerError
        If it is no module, or cannot be copied.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.Dropout())
    >>> frozen = frozen_copy(model)
    >>> frozen[0].weight is model[0].weight, frozen.training, model.training
    (True, False, True)
    """
    if not isinstance(model, nn.Module):
        raise DynExplorerError(f"`model` (={model!r}) must be a torch.nn.Module")
    plain = without_wrappers(model)
    shared = {id(parameter): parameter for parameter in plain.parameters()}
    # What hooks computed from parameters (weight_norm does so) has a graph, and nothing with a graph can be copied.
    for module in plain.modules():
        for value in vars(module).values():
            if isinstance(value, torch.Tensor) and not value.is_leaf:
                shared[id(value)] = value.detach().clone()
    try:
        return copy.deepcopy(plain, shared).eval()
    except (RuntimeError, TypeError, NotImplementedError) as error:
        raise DynExplorerError(
            f"this model cannot be copied ({error}), and it must not be run in another mode itself; make the part that "
            "holds what cannot be copied an argument of its forward"
        ) from error
