"""A family of measures at one epoch of a training run."""

from __future__ import annotations

import threading

import torch
from torch import nn

from ..capture import History, copy_with, unwrap
from .alone import alone
from .content import digest
from .finding import Finding
from .look import Look
from .measures import FOLLOWED, Family, found_by
from .options import SweepOptions


def findings_at(
    history: History,
    epoch: int,
    family: Family,
    model: nn.Module | None = None,
    inputs: object = None,
    labels: object = None,
    *,
    layer: str | None = None,
    samples: int = 8,
    shuffles: int = 5,
    device: torch.device | str | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Finding, ...]:
    """What a family finds in a model as it was at an epoch; the same numbers as a sweep over the history.

    Parameters
    ----------
    history : History
    epoch : int
        One of `followed_epochs`.
    family : Family
    model : torch.nn.Module, optional
        A copy of it takes the weights; not needed for what is read from responses.
    inputs, labels
        As for `dx.record`; what is read from responses has those of the history.
    layer : str, optional
        Of which findings are wanted; default all.
    samples, shuffles, device
        As for `dx.sweep`.
    cancel : threading.Event, optional

    Raises
    ------
    DynExplorerError
        The weights cannot be read or do not fit the model. What a measure cannot do is said in its finding.
    Cancelled
        `cancel` was set.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> found = findings_at(dx.demo.history(), 120, FOLLOWED["unit_purity"], layer="head")
    >>> [(each.measure, round(each.value, 2)) for each in found]
    [('unit_purity', 0.72), ('unit_jaccard_ratio', 6.21)]
    """
    options = SweepOptions(layers=None if layer is None else (layer,), samples=samples, shuffles=shuffles)
    with alone(options.threads):
        if family.reads == "responses":
            kept = {name: history.trace(name, epoch) for name in history.layers}
            classes = history.probe_labels
            look = Look(None, None, None, options, digest(kept, classes), cancel=cancel, kept=kept, kept_labels=classes)
        else:
            then = copy_with(unwrap(model), history.state(epoch), f"epoch {epoch}")
            content = digest(digest(then), digest(inputs, labels))
            look = Look(then, inputs, labels, options, content, device, cancel)
        look.only = layer
        return found_by(family, look)[0]


def followed_epochs(history: History, family: Family) -> tuple[int, ...]:
    """Epochs at which a family can be measured.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> len(followed_epochs(dx.demo.history(), FOLLOWED["alpha"]))
    9
    """
    return history.epochs if family.reads == "responses" else history.checkpoint_epochs


def why_not(history: History, measure: str, layer: str | None) -> str:
    """Why a measure cannot be followed through a run at all, or nothing.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> why_not(dx.demo.history(), "unit_purity", "conv1")
    "layer 'conv1' was not followed by this history; it followed relu1, relu2, relu3, head"
    """
    family = FOLLOWED[measure]
    label = family.words[measure].label
    if family.reads == "weights":
        if history.checkpoint_epochs:
            return ""
        return (
            f"this history holds no weights, and {label} needs them: record it with "
            "dx.History(model, probe_inputs, checkpoints=True), or every n-th epoch with checkpoints=n"
        )
    if history.probe_labels is None:
        return (
            f"this history has no labels of its probe inputs, and {label} needs them: record it with "
            "dx.History(model, probe_inputs, probe_labels)"
        )
    if layer is not None and layer not in history.layers:
        return f"layer {layer!r} was not followed by this history; it followed {', '.join(history.layers)}"
    return ""


def of_layer(found: tuple[Finding, ...], measure: str, layer: str | None) -> Finding:
    """The finding of one measure in one layer, or of the whole model; or one that says why there is none.

    Example
    -------
    >>> of_layer((), "alpha", "relu1").error
    "power-law exponent α is measured in a linear layer or convolution, and 'relu1' is none; choose another layer"
    """
    for each in found:
        if each.measure == measure and each.layer in ("", layer):
            return each
    family = FOLLOWED[measure]
    label = family.words[measure].label
    return Finding(
        measure,
        layer=layer or "",
        error=f"{label} is measured in {family.where}, and {layer!r} is none; choose another layer",
    )
