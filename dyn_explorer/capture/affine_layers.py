"""The linear layers and convolutions of a live model, as the weighted graphs that the network measures read."""

from __future__ import annotations

import torch
from torch import nn

from dyn_explorer.analysis import AffineLayer
from dyn_explorer.errors import DynExplorerError

from .affine_calls import affine_layer
from .guard import borrow
from .inputs import Target, batches

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def affine_layers(
    model: nn.Module, inputs: object, *, device: torch.device | str | None = None
) -> dict[str, AffineLayer | DynExplorerError]:
    """Run one sample through a model and describe every linear layer and convolution that took part.

    Parameters
    ----------
    model : torch.nn.Module
        Lent for the forward, in eval mode, and given back as it was.
    inputs
        As for `record`; only the first sample is used.
    device : torch.device or str, optional
        Move the sample there.

    Returns
    -------
    dict of str to AffineLayer or DynExplorerError
        By name, in the order in which they first ran; the error says why a layer is no fixed weighted graph.

    Raises
    ------
    DynExplorerError
        The model or the inputs cannot be used, or the forward fails.

    Example
    -------
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 2))
    >>> [(name, layer.node_shape_out) for name, layer in affine_layers(model, torch.zeros(1, 1, 8, 8)).items()]
    [('0', (4, 6, 6)), ('2', (2,))]
    """
    found: dict[str, AffineLayer | DynExplorerError] = {}
    with borrow(model) as lent, torch.no_grad():
        lent.eval()
        (batch,) = batches(inputs, None, Target.of(lent), max_samples=1, device=device)
        for name, module in lent.named_modules():
            if isinstance(module, (nn.Linear, *_CONVOLUTIONS)):
                module.register_forward_pre_hook(_Note(name, found))
        args, kwargs = batch.fresh()
        try:
            lent(*args, **kwargs)
        except Exception as error:
            raise DynExplorerError(f"the forward of {type(lent).__name__} fails: {error}") from error
    return found


class _Note:
    """A hook that describes its layer the first time it runs."""

    def __init__(self, name: str, found: dict[str, AffineLayer | DynExplorerError]) -> None:
        self._name, self._found = name, found

    def __call__(self, module: nn.Module, args: tuple) -> None:
        if self._name not in self._found and args:
            try:
                self._found[self._name] = _described(module, args[0])
            except DynExplorerError as error:
                self._found[self._name] = error


def _described(module: nn.Module, given: torch.Tensor) -> AffineLayer:
    if isinstance(module, nn.Linear):
        return affine_layer("linear", (given, module.weight, module.bias), {})
    if module.padding_mode != "zeros":
        raise DynExplorerError(
            f"padding mode {module.padding_mode!r} joins the far sides of a map; strengths are defined for zeros only"
        )
    call = (given, module.weight, module.bias, module.stride, module.padding, module.dilation, module.groups)
    return affine_layer(f"conv{module.weight.ndim - 2}d", call, {})
