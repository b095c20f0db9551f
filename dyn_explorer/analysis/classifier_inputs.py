"""Inputs and labels of a classifier, checked before anything runs."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from dyn_explorer.errors import DynExplorerError


def checked_inputs(inputs: object, model: nn.Module, *, floating: bool) -> torch.Tensor:
    """The inputs as a tensor on the model's device; arrays take the type of its parameters as well.

    Raises
    ------
    DynExplorerError
        If they are no tensor or array, empty, not finite, or whole numbers where `floating` ones are needed.
    """
    if not isinstance(inputs, (torch.Tensor, np.ndarray)):
        raise DynExplorerError(
            f"`inputs` (a {type(inputs).__name__}) must be one tensor or array with samples first, (n_samples, ...)"
        )
    first = next(iter(model.parameters()), torch.empty(0)) if isinstance(model, nn.Module) else torch.empty(0)
    made = torch.as_tensor(inputs).detach().to(first.device)
    if made.ndim < 1 or not made.numel():
        raise DynExplorerError(f"`inputs` of shape {tuple(made.shape)} hold nothing; give at least one sample")
    if not made.is_floating_point():
        if floating:
            raise DynExplorerError(
                f"`inputs` are whole numbers ({made.dtype}), to which no Gaussian noise can be added; give pixels as "
                "floating numbers, scaled as in training; token numbers have a basin in weight space only, so use "
                "weight_basin"
            )
        return made
    if isinstance(inputs, np.ndarray) and first.is_floating_point():
        made = made.to(first.dtype)
    if not made.isfinite().all():
        raise DynExplorerError(f"{int((~made.isfinite()).sum())} values of `inputs` are not finite; leave them out")
    return made


def checked_labels(labels: object, count: int, n_classes: int) -> torch.Tensor:
    """One class number per sample, (count,) of int64 on the CPU.

    Raises
    ------
    DynExplorerError
        If there are none, or they are no class numbers of this model.
    """
    if labels is None:
        raise DynExplorerError(
            "there are no labels, and the basin is the region where the label is right; give `labels`, or target="
            '"prediction" for the region where the model answers as it does without noise'
        )
    try:
        made = torch.as_tensor(labels).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise DynExplorerError(f"`labels` must be one class number per sample: {error}") from error
    if made.ndim == 2 and made.shape[1] == 1:
        made = made[:, 0]
    if made.shape != (count,):
        raise DynExplorerError(
            f"`labels` of shape {tuple(made.shape)} must hold one class number per sample, ({count},); for one-hot "
            "labels use labels.argmax(1)"
        )
    whole = made.to(torch.int64)
    if not torch.equal(whole.to(made.dtype), made):
        raise DynExplorerError(
            f"`labels` ({made.dtype}) are not whole numbers, as the targets of a regression are; give class numbers"
        )
    if whole.min() < 0 or whole.max() >= n_classes:
        raise DynExplorerError(
            f"`labels` run from {int(whole.min())} to {int(whole.max())}, and the model has {n_classes} scores, for "
            f"classes 0..{n_classes - 1}"
        )
    return whole
