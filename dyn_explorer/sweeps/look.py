"""One model while it is measured: what several measures share is computed once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from ..analysis import AffineLayer
from ..capture import Recording, affine_layers, list_layers, record, untrained_copy
from ..errors import Cancelled, DynExplorerError
from .content import seed_of
from .options import SweepOptions


@dataclass(eq=False)
class Look:
    """A model with its inputs.

    Parameters
    ----------
    model : torch.nn.Module
        Lent to each measure, in eval mode, and given back bit-identical.
    inputs, labels
        As for `dx.record`.
    options : SweepOptions
    content : str
        Digest of the weights and the inputs, which seeds the nulls.
    device : torch.device, str or None
        Where the inputs are moved.
    cancel : threading.Event or None
    recorded : mapping of str to float
        Numbers that a training run had recorded beside these weights.

    Example
    -------
    >>> look = Look(nn.Sequential(nn.Conv2d(1, 4, 3)), torch.rand(3, 1, 8, 8), None, SweepOptions(), "0")
    >>> look.recording.shapes["0"], look.seed("dynamics", "0") == look.seed("dynamics", "0")
    ((4, 6, 6), True)
    """

    model: nn.Module
    inputs: object
    labels: object
    options: SweepOptions
    content: str
    device: torch.device | str | None = None
    cancel: threading.Event | None = None
    recorded: dict[str, float] | None = None

    def seed(self, *names: str) -> int:
        """A seed that depends on weights, inputs, the option `seed` and these names only."""
        return seed_of(self.content, self.options.seed, *names)

    def check_cancelled(self) -> None:
        """Stop here if the caller asked for it."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled("the sweep was cancelled")

    @cached_property
    def recording(self) -> Recording:
        """What the layers answer to the first samples; no label takes part."""
        options = self.options
        return record(
            self.model,
            self.inputs,
            options.layers,
            max_samples=options.samples,
            batch_size=options.samples,
            device=self.device,
            training=False,
            seed=self.seed("recording"),
            cancel=self.cancel,
        )

    @cached_property
    def answers(self) -> Recording:
        """What the model returns for every sample; of the layers only the last is kept."""
        usable = [layer.name for layer in list_layers(self.model) if layer.disabled_because is None and layer.is_leaf]
        return record(
            self.model,
            self.inputs,
            usable[-1],
            self.labels,
            device=self.device,
            training=False,
            seed=self.seed("answers"),
            cancel=self.cancel,
        )

    @cached_property
    def affine(self) -> dict[str, AffineLayer | DynExplorerError]:
        """Linear layers and convolutions by name; an error says why one is no fixed weighted graph."""
        return affine_layers(self.model, self.inputs, device=self.device)

    @cached_property
    def untrained(self) -> nn.Module:
        """A copy with new weights, the null of measures that read weights."""
        return untrained_copy(self.model, seed=self.seed("untrained"))
