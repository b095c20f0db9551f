"""The layers of a model, listed without running it, and the models that can be looked at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from dyn_explorer.analysis.wrappers import without_wrappers
from dyn_explorer.errors import DynExplorerError

_SHARDED = {"FullyShardedDataParallel", "FSDPModule", "XlaFullyShardedDataParallel"}
_WEIGHT_NAMES = ("weight", "weight_orig", "weight_v", "in_proj_weight", "weight_ih_l0")


@dataclass(frozen=True, eq=False)
class LayerInfo:
    """One layer of a model, as the layer tree shows it.

    Parameters
    ----------
    name : str
        Path in ``named_modules()``; ``name#2`` is the second run of a shared module.
    kind : str
        Class name of the module.
    weight_shape : tuple of int or None
        Shape of the layer's own weight; None when it has none.
    disabled_because : str or None
        Why the layer cannot be recorded; None when it can.
    n_parameters : int
        Number of the layer's own parameters, without those of its children.
    is_leaf : bool
        Whether the layer has no layers inside it.

    Example
    -------
    >>> LayerInfo("conv1", "Conv2d", (8, 1, 3, 3), None).kind
    'Conv2d'
    """

    name: str
    kind: str
    weight_shape: tuple[int, ...] | None = None
    disabled_because: str | None = None
    n_parameters: int = 0
    is_leaf: bool = True


def list_layers(model: nn.Module) -> list[LayerInfo]:
    """List every module but the root, in ``named_modules()`` order, without running anything.

    Parameters
    ----------
    model : torch.nn.Module
        Any model; compiled and data-parallel wrappers are looked through.

    Returns
    -------
    list of LayerInfo
        A module registered under two names is listed once, under the first.

    Raises
    ------
    DynExplorerError
        If `model` cannot be looked at (see `unwrap`) or holds no layer that can be recorded.

    Example
    -------
    >>> from torch import nn
    >>> [(layer.name, layer.kind) for layer in list_layers(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))]
    [('0', 'Linear'), ('1', 'ReLU')]
    """
    root = unwrap(model)
    layers = [_describe(name, module) for name, module in root.named_modules() if module is not root]
    if not any(layer.disabled_because is None for layer in layers):
        raise DynExplorerError(
            f"{type(root).__name__} holds no layer that can be recorded ({len(layers)} modules inside it); "
            "wrap it: torch.nn.Sequential(model), or give the model whose layers you want to see"
        )
    return layers


def unwrap(model: nn.Module) -> nn.Module:
    """Return the module inside compiled and data-parallel wrappers; refuse what cannot be looked at.

    Parameters
    ----------
    model : torch.nn.Module
        The model as the person holds it.

    Returns
    -------
    torch.nn.Module
        The plain module. It is the same object as `model` where nothing wraps it.

    Raises
    ------
    DynExplorerError
        If `model` is no module, is scripted or sharded, has parameters on the meta device, or has parameters that
        are not yet initialised.

    Example
    -------
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(3, 2))
    >>> unwrap(nn.DataParallel(model)) is model
    True
    """
    if not isinstance(model, nn.Module):
        raise DynExplorerError(_not_a_module(model))
    model = without_wrappers(model)
    for name, module in model.named_modules():
        if reason := refusal(module):
            where = f"its layer {name!r}" if name else "the model"
            raise DynExplorerError(f"cannot look inside {type(model).__name__}: {where} {reason}")
    return model


def _not_a_module(model: object) -> str:
    if isinstance(model, type) and issubclass(model, nn.Module):
        return f"`model` is the class {model.__name__}; make one first: {model.__name__}(...)"
    if type(model).__name__ == "ExportedProgram":
        return "`model` is an ExportedProgram; give model.module() or the module it was exported from"
    return f"`model` must be a torch.nn.Module, got {type(model).__name__}"


def refusal(module: nn.Module) -> str | None:
    """Why this module cannot be looked at, as a verb phrase, or None."""
    if isinstance(module, torch.jit.ScriptModule):
        return "is scripted, so its layers cannot be hooked; give the Python module it was scripted from"
    if any(base.__name__ in _SHARDED for base in type(module).__mro__):
        return "is sharded (FSDP); load the full state dict into an unsharded copy of the model and look at that"
    for name, parameter in module._parameters.items():
        if parameter is None:
            continue
        if is_lazy(parameter):
            return f"has a parameter {name!r} that is not initialised; run one batch through the model first"
        if parameter.is_meta:
            return (
                f"has a parameter {name!r} on the meta device, without values; use model.to_empty(device='cpu') and "
                "load the weights"
            )
        if type(parameter).__name__ == "DTensor" or type(parameter.data).__name__ == "DTensor":
            return (
                f"has a sharded parameter {name!r} (DTensor); gather the full state dict into an unsharded copy of "
                "the model and look at that"
            )
    return None


def _describe(name: str, module: nn.Module) -> LayerInfo:
    parameters = module._parameters.values()
    return LayerInfo(
        name=name,
        kind=type(module).__name__,
        weight_shape=_weight_shape(module),
        disabled_because=_why_disabled(name, module),
        n_parameters=sum(parameter.numel() for parameter in parameters if parameter is not None),
        is_leaf=not module._modules or set(module._modules) == {"parametrizations"},
    )


def _weight_shape(module: nn.Module) -> tuple[int, ...] | None:
    # getattr(module, "weight") would run a parametrization, and spectral norm changes its buffers when it runs.
    tensors = module._parameters
    parametrizations = module._modules.get("parametrizations")
    if parametrizations is not None and (weight := parametrizations._modules.get("weight")) is not None:
        tensors = {"weight": weight._parameters.get("original", weight._parameters.get("original1"))}
    for weight_name in _WEIGHT_NAMES:
        if (weight := tensors.get(weight_name)) is not None:
            return tuple(weight.shape)
    return None


def _why_disabled(name: str, module: nn.Module) -> str | None:
    if "parametrizations" in name.split("."):
        return "it computes a weight, not an activation"
    if type(module).forward is nn.Module.forward and "forward" not in module.__dict__:
        return f"a {type(module).__name__} only holds other layers; it is never run itself"
    return None
