"""How often a classifier is right."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...errors import DynExplorerError
from ..finding import Finding
from ..look import Look
from .family import Family
from .words import Words

WORDS = {
    "accuracy": Words("accuracy", "Share of the inputs that are answered with their label.", "labels in other orders")
}


def accuracy(look: Look) -> Iterable[Finding]:
    """The share of samples whose largest score is the label's; its null is the mean over all orders of the labels.

    Example
    -------
    >>> import torch
    >>> from dyn_explorer.sweeps.options import SweepOptions
    >>> model = torch.nn.Sequential(torch.nn.Identity())
    >>> (found,) = accuracy(Look(model, torch.eye(4), [0, 1, 2, 2], SweepOptions(), ""))
    >>> found.value, found.null, found.n
    (0.75, 0.25, 4)
    """
    answers = look.answers
    if answers.labels is None:
        raise DynExplorerError("accuracy needs `labels`, one class number per sample")
    if answers.outputs is None or answers.outputs.ndim != 2:
        shape = None if answers.outputs is None else tuple(answers.outputs.shape)
        raise DynExplorerError(f"accuracy needs a model that returns scores (n_samples, n_classes); this gives {shape}")
    labels, guesses = answers.labels.numpy(), answers.outputs.argmax(dim=1).cpu().numpy()
    classes = max(labels.max(initial=0), guesses.max(initial=0)) + 1
    shares = [np.bincount(each, minlength=classes) / len(labels) for each in (labels, guesses)]
    return [Finding("accuracy", float((labels == guesses).mean()), float(shares[0] @ shares[1]), len(labels))]


ACCURACY = Family("accuracy", ("accuracy",), accuracy, by_default=True, needs="labels", title="Model", words=WORDS)
