"""How large a model is: what a comparison of models of different sizes must control for."""

from __future__ import annotations

from collections.abc import Iterable

from ..finding import Finding
from ..look import Look
from .family import Family


def size(look: Look) -> Iterable[Finding]:
    """Parameters; depth, as linear layers and convolutions that ran; width, as their mean number of outputs.

    The outputs of a convolution are its channels. The last layer, whose width is the number of classes, is left out of
    the width where there are others. These definitions are ours.

    Example
    -------
    >>> import torch
    >>> from dyn_explorer.sweeps.options import SweepOptions
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> [found.value for found in size(Look(model, torch.zeros(1, 3), None, SweepOptions(), ""))]
    [50.0, 2.0, 8.0]
    """
    modules = dict(look.model.named_modules())
    widths = [modules[name].weight.shape[0] for name in look.affine]
    parameters = sum(parameter.numel() for parameter in look.model.parameters())
    hidden = widths[:-1] or widths
    return [
        Finding("parameters", float(parameters)),
        Finding("depth", float(len(widths))),
        Finding("width", sum(hidden) / len(hidden)) if hidden else Finding("width", error="no linear layer ran"),
    ]


SIZE = Family("size", ("parameters", "depth", "width"), size, by_default=True)
