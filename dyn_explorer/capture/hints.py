"""Words for a forward that failed: where it stopped, and what that layer takes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules import batchnorm, conv

from .tap import Tap, first_tensor


def describe_failure(model: nn.Module, tap: Tap, inputs: object, error: Exception) -> str:
    """Say in one paragraph where the forward stopped, what ran before, and what was expected.

    Parameters
    ----------
    model : torch.nn.Module
        The model that failed.
    tap : Tap
        Its hooks, as the failure left them.
    inputs : object
        Arguments of the failed call.
    error : Exception
        What the forward raised.

    Returns
    -------
    str
    """
    if tap.entered:
        name, module, given = tap.entered[-1]
        where = f"in layer {name!r} ({type(module).__name__})"
        hint = _hint(name, module, given)
    else:
        where = f"in {type(model).__name__}'s own forward, between its layers"
        hint = ""
    ran = f"the last layer that ran is {_output(tap)}" if tap.last else "no layer ran before it"
    return f"the forward stopped {where}: {type(error).__name__}: {error}; {ran}{hint or _first_layer(model, inputs)}"


def _output(tap: Tap) -> str:
    run = tap.last
    shape = "an output without floating tensors" if run.shape is None else f"output of shape {run.shape}"
    return f"{run.name!r} ({type(run.module).__name__}) with {shape}"


def _first_layer(model: nn.Module, inputs: object) -> str:
    for name, module in model.named_modules():
        if expected := expectation(module):
            given = first_tensor(inputs)
            shape = "no tensor" if given is None else f"{tuple(given.shape)} of {given.dtype}"
            return f"; `inputs` are {shape}, and the first layer {name!r} ({type(module).__name__}) takes {expected}"
    return ""


def _hint(name: str, module: nn.Module, given: torch.Tensor | None) -> str:
    expected = expectation(module)
    if expected is None or given is None:
        return ""
    hint = f"; {name!r} takes {expected}, got {tuple(given.shape)} of {given.dtype}"
    if isinstance(module, batchnorm._BatchNorm) and module.training and given.shape[0] == 1:
        hint += "; in train mode it needs more than one sample: give more, or training=False"
    return hint


def expectation(module: nn.Module) -> str | None:
    """Say what input a layer takes, or None where its class does not tell.

    Example
    -------
    >>> expectation(nn.Conv2d(3, 8, 3))
    '(n, 3, h, w) of torch.float32'
    """
    shape = _expected_shape(module)
    if shape is None:
        return None
    weight = next(module.parameters(recurse=False), None)
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return shape
    return shape if weight is None else f"{shape} of {weight.dtype}"


def _expected_shape(module: nn.Module) -> str | None:
    if isinstance(module, conv._ConvNd):
        return f"(n, {module.in_channels}, {_MAP_AXES[len(module.kernel_size)]})"
    if isinstance(module, nn.Linear):
        return f"(n, ..., {module.in_features})"
    if isinstance(module, batchnorm._NormBase):
        return f"(n, {module.num_features}, ...)"
    if isinstance(module, nn.GroupNorm):
        return f"(n, {module.num_channels}, ...)"
    if isinstance(module, nn.LayerNorm):
        return f"(n, ..., {', '.join(str(size) for size in module.normalized_shape)})"
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return f"integers from 0 to {module.num_embeddings - 1}"
    if isinstance(module, nn.RNNBase):
        return f"(n, t, {module.input_size})" if module.batch_first else f"(t, n, {module.input_size})"
    return None


_MAP_AXES = {1: "l", 2: "h, w", 3: "d, h, w"}
