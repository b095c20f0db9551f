"""One model while it is measured: what several measures share is computed once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn

from ..analysis import AffineLayer
from ..capture import Recording, affine_layers, list_layers, record, untrained_copy
from ..capture.history.entry import mean_response
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
    kept : mapping of str to array (n_probe, n_units)
        Mean responses that it had recorded, with `kept_labels`, the class of each probe input.
    only : str or None
        Layer that findings are wanted of; None for all.

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
    kept: Mapping[str, np.ndarray] | None = None
    kept_labels: np.ndarray | None = None
    only: str | None = None

    def seed(self, *names: str) -> int:
        """A seed that depends on weights, inputs, the option `seed` and these names only."""
        return seed_of(self.content, self.options.seed, *names)

    def wants(self, layer: str) -> bool:
        """Whether what is found of a layer is asked for."""
        return self.only is None or layer == self.only

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

    @property
    def wanted_affine(self) -> dict[str, AffineLayer | DynExplorerError]:
        """Those of them that are asked for."""
        return {name: layer for name, layer in self.affine.items() if self.wants(name)}

    @cached_property
    def responses(self) -> tuple[Mapping[str, np.ndarray], np.ndarray | None]:
        """Mean response of every unit of each layer to each input, (n_samples, n_units), and the labels.

        Those that a run recorded, where it did.
        """
        if self.kept is not None:
            return self.kept, self.kept_labels
        layers = [layer.name for layer in list_layers(self.model) if layer.disabled_because is None and layer.is_leaf]
        recording = record(
            self.model,
            self.inputs,
            [name for name in layers if self.wants(name)],
            self.labels,
            reduce=_mean_over_positions,
            device=self.device,
            training=False,
            seed=self.seed("responses"),
            cancel=self.cancel,
        )
        found = {name: values.numpy() for name, values in recording.activations.items()}
        return found, None if recording.labels is None else recording.labels.numpy()

    @cached_property
    def untrained(self) -> nn.Module:
        """A copy with new weights, the null of measures that read weights."""
        return untrained_copy(self.model, seed=self.seed("untrained"))


def _mean_over_positions(_name: str, output: torch.Tensor, channel_dim: int) -> torch.Tensor:
    return mean_response(output, channel_dim, "float32")
