"""The weights of a model's layers as they act, each with what keeps it from being decomposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from dyn_explorer.analysis.wrappers import without_wrappers
from dyn_explorer.errors import DynExplorerError

from .guard import borrow
from .layers import refusal

_TABLES = (nn.Embedding, nn.EmbeddingBag)
_ATTENTION = {"q": "q_proj_weight", "k": "k_proj_weight", "v": "v_proj_weight"}


@dataclass(frozen=True, eq=False)
class LayerWeight:
    """One weight matrix or kernel of a layer.

    Parameters
    ----------
    layer : str
        Path in ``named_modules()``.
    kind : str
        Class name of the module.
    part : str
        Which of the layer's weights: "q", "k" or "v" of an attention, the parameter's name in a recurrent layer, else
        "".
    values : torch.Tensor or None
        A detached copy, shaped (outputs, inputs, kernel ...), or (inputs, outputs of a group, kernel ...) where
        `transposed`; None with `reason`.
    bias : torch.Tensor or None
        Shape (outputs,), of a layer with one weight; scaled as `values` is.
    groups : int
    transposed : bool
        As `dyn_explorer.analysis.filter_svd` takes them.
    stride, dilation : tuple of int
        Of a convolution; () for matrices.
    folded : str
        The batch normalisation whose scale is in `values`, or "".
    scale : torch.Tensor or None
        That scale, shape (outputs,).
    reason : str
        Why there are no values, or what to know about them, or "".
    bare : bool
        Whether there are no values because a layer of this kind has none.
    """

    layer: str
    kind: str
    part: str = ""
    values: torch.Tensor | None = None
    bias: torch.Tensor | None = None
    groups: int = 1
    transposed: bool = False
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    folded: str = ""
    scale: torch.Tensor | None = None
    reason: str = ""
    bare: bool = False


def layer_weights(model: nn.Module, *, fold_batchnorm: bool = False) -> list[LayerWeight]:
    """List the weights of every layer that has none inside it, without running the model.

    Parameters
    ----------
    model : torch.nn.Module
        Never changed; a layer whose weight is computed (spectral normalisation, say) is borrowed for it.
    fold_batchnorm : bool, default False
        Scale each output of a convolution or linear layer as the batch normalisation behind it does. Which one is
        behind it is read from the order of registration: the next layer, if it normalises as many channels.

    Returns
    -------
    list of LayerWeight
        In ``named_modules()`` order. Layers without weights, and those whose weights cannot be read, have a `reason`.

    Raises
    ------
    DynExplorerError
        If `model` is no module.

    Example
    -------
    >>> from torch import nn
    >>> [(w.layer, w.reason) for w in layer_weights(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))]
    [('0', ''), ('1', 'a ReLU has no weights')]
    """
    if not isinstance(model, nn.Module):
        raise DynExplorerError(f"`model` must be a torch.nn.Module, got {type(model).__name__}")
    model = without_wrappers(model)
    layers = [(name, module) for name, module in model.named_modules() if _is_layer(name, module)]
    following = [module for _, module in layers[1:]] + [None]
    names = [name for name, _ in layers[1:]] + [""]
    found = []
    for (name, module), after, after_name in zip(layers, following, names, strict=True):
        for weight in _weights(name, module):
            found.append(_folded(weight, after, after_name) if fold_batchnorm else weight)
    return found


def layer_weight(model: nn.Module, layer: str, *, part: str = "", fold_batchnorm: bool = False) -> LayerWeight:
    """The weight of one layer.

    Parameters
    ----------
    model, fold_batchnorm
        As for `layer_weights`.
    layer : str
        Path in ``named_modules()``.
    part : str, optional
        Which weight of a layer with several; default its first.

    Returns
    -------
    LayerWeight
        With values.

    Raises
    ------
    DynExplorerError
        If there is no such layer or part, or its weight cannot be read.

    Example
    -------
    >>> from torch import nn
    >>> tuple(layer_weight(nn.Sequential(nn.Linear(3, 2)), "0").values.shape)
    (2, 3)
    """
    # Only this layer and the one behind it would be needed, but which is behind it only the whole list tells.
    every = layer_weights(model, fold_batchnorm=fold_batchnorm)
    mine = [weight for weight in every if weight.layer == layer and part in ("", weight.part)]
    with_values = [weight.layer for weight in every if weight.values is not None]
    instead = f"layers with weights are {', '.join(map(repr, dict.fromkeys(with_values)))}"
    if not mine:
        raise DynExplorerError(f"there is no weight of layer {layer!r}{f', part {part!r}' if part else ''}; {instead}")
    if mine[0].values is None:
        raise DynExplorerError(f"layer {layer!r} has no filters to decompose: {mine[0].reason}; {instead}")
    return mine[0]


def _is_layer(name: str, module: nn.Module) -> bool:
    if {"parametrizations", "_packed_params"} & set(name.split(".")):
        return False
    inside = set(module._modules) - {"parametrizations", "_packed_params"}  # how quantised layers hold their weights
    own = module._parameters.get("weight")
    return not inside or own is not None or isinstance(module, nn.MultiheadAttention)


def _weights(name: str, module: nn.Module) -> Iterator[LayerWeight]:
    kind = type(module).__name__
    try:
        reason = _unreadable(module)
        if reason:
            yield LayerWeight(name, kind, reason=reason)
            return
        for part, values, note in _parts(module):
            yield _described(name, module, part, values, note)
    except Exception as error:  # noqa: BLE001 - a module of the person's own may do anything when its weight is read
        yield LayerWeight(name, kind, reason=f"its weight cannot be read ({type(error).__name__}: {error})")


def _unreadable(module: nn.Module) -> str:
    kind = type(module).__name__
    refused = refusal(module)
    if refused:
        return f"it {refused}"
    if isinstance(module, _TABLES):
        return f"{_a(kind)} looks rows up and is no linear map"
    weight = None if _is_computed(module) else getattr(module, "weight", None)
    if callable(weight) and not isinstance(weight, torch.Tensor):
        return f"this {kind} is quantised; look at the model before it was"
    if isinstance(weight, torch.Tensor) and not weight.is_floating_point():
        return f"its weights are {weight.dtype}, not floating-point numbers; look at the model before it was quantised"
    return ""


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}"


def _is_computed(module: nn.Module) -> bool:
    return "weight" in getattr(module._modules.get("parametrizations"), "_modules", {})


def _parts(module: nn.Module) -> Iterator[tuple[str, torch.Tensor | None, str]]:
    """Name, values and a note on each weight of a layer that has one to read."""
    if isinstance(module, nn.MultiheadAttention):
        joined = module.in_proj_weight
        for place, (part, attribute) in enumerate(_ATTENTION.items()):
            own = getattr(module, attribute) if joined is None else joined.chunk(3)[place]
            yield part, own.detach().clone(), ""
        return
    if isinstance(module, nn.RNNBase):
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.ndim == 2:
                yield name, parameter.detach().clone(), ""
        return
    yield "", *_single(module)


def _single(module: nn.Module) -> tuple[torch.Tensor | None, str]:
    kind = type(module).__name__
    if _is_computed(module):
        with borrow(module) as lent, torch.no_grad():  # computing it may change buffers
            how = ", ".join(type(step).__name__.strip("_") for step in lent.parametrizations["weight"])
            return lent.weight.detach().clone(), f"computed by a parametrisation ({how}); as it is now"
    weight = getattr(module, "weight", None)
    if not isinstance(weight, torch.Tensor):
        return None, f"{_a(kind)} has no weights"
    if weight.ndim < 2:
        return None, f"{_a(kind)} has one weight per channel and no filters"
    note = "" if "weight" in module._parameters else "computed by a hook before each run; as it was last"
    values = weight.detach().clone()
    is_stored_by_inputs = kind == "Conv1D" and values.ndim == 2  # transformers' name for a linear layer
    return (values.T if is_stored_by_inputs else values), note


def _described(name: str, module: nn.Module, part: str, values: torch.Tensor | None, note: str) -> LayerWeight:
    bias = getattr(module, "bias", None)
    is_conv = isinstance(module, _ConvNd)
    return LayerWeight(
        layer=name,
        kind=type(module).__name__,
        part=part,
        values=values,
        bias=bias.detach().clone() if isinstance(bias, torch.Tensor) and not part else None,
        groups=module.groups if is_conv else 1,
        transposed=isinstance(module, _ConvTransposeNd),
        stride=tuple(module.stride) if is_conv else (),
        dilation=tuple(module.dilation) if is_conv else (),
        reason=note,
        bare=values is None,
    )


def _folded(weight: LayerWeight, after: nn.Module | None, name: str) -> LayerWeight:
    """The weight with the scale of the batch normalisation behind it, where there is one."""
    if weight.values is None or weight.part or not isinstance(after, _BatchNorm) or after.running_var is None:
        return weight
    rows = _by_outputs(weight.values, weight)
    if after.num_features != len(rows):
        return weight
    scale = (after.running_var.detach() + after.eps).rsqrt()
    if after.weight is not None:
        scale = scale * after.weight.detach()
    rows = _by_outputs(rows * scale.to(rows).reshape(-1, *[1] * (rows.ndim - 1)), weight)
    bias = None if weight.bias is None else weight.bias * scale.to(weight.bias)
    return replace(weight, values=rows, bias=bias, folded=name, scale=scale)


def _by_outputs(values: torch.Tensor, weight: LayerWeight) -> torch.Tensor:
    """The weight with outputs first; a transposed convolution's has inputs first, and the same turns it back."""
    return values.unflatten(0, (weight.groups, -1)).transpose(1, 2).flatten(0, 1) if weight.transposed else values
