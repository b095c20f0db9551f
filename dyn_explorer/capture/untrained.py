"""An untrained copy of a model: the null that tells learning from architecture."""

from __future__ import annotations

import torch
from torch import nn

from .copies import copied


def untrained_copy(model: nn.Module, *, seed: int = 0) -> nn.Module:
    """Copy a model and initialise the copy anew; the model and the random numbers of the caller are not touched.

    Layers that know how (``reset_parameters``) draw new values; every other parameter keeps its values in a random
    order, which keeps their distribution and loses what they meant. BatchNorm statistics start at 0 and 1 again.

    Parameters
    ----------
    model : torch.nn.Module
        Any model that `copy.deepcopy` can copy.
    seed : int, default 0
        The same seed gives the same copy.

    Returns
    -------
    torch.nn.Module
        On the same device, in the same mode.

    Raises
    ------
    DynExplorerError
        If the model cannot be copied.

    Example
    -------
    >>> import torch
    >>> from dyn_explorer.capture import untrained_copy
    >>> model = torch.nn.Linear(3, 2)
    >>> torch.equal(untrained_copy(model).weight, model.weight)
    False
    """
    fresh = copied(model)
    devices = sorted({parameter.device.index or 0 for parameter in fresh.parameters() if parameter.is_cuda})
    with torch.no_grad(), torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        for module in fresh.modules():
            _start_again(module)
    return fresh


def _start_again(module: nn.Module) -> None:
    if callable(getattr(module, "reset_parameters", None)):
        module.reset_parameters()
        return
    for parameter in module.parameters(recurse=False):
        order = torch.randperm(parameter.numel(), device=parameter.device)
        parameter.copy_(parameter.flatten()[order].view_as(parameter))
