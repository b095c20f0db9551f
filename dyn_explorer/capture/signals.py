"""Signals of whole data sets along the directions of a model's layers, without their maps."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from dyn_explorer.analysis.direction_basis import DirectionBasis, direction_basis
from dyn_explorer.analysis.pooled_signals import pooled_signals
from dyn_explorer.errors import Cancelled, DynExplorerError

from .guard import borrow
from .layers import LayerInfo

MOST_DIRECTIONS = 64


class SignalReader:
    """What `record` takes as `reduce` to keep pooled signals along directions instead of maps.

    Parameters
    ----------
    model : torch.nn.Module
        Its weights are read once, now.
    layers : iterable of str
        Linear layers and convolutions; ``name#2`` is the second run of a shared layer.
    kinds : sequence of str, default ("svd",)
        Bases, as `dyn_explorer.analysis.direction_basis` knows them; each further "random" is another draw.
    pool : str, default "mean"
        As `dyn_explorer.analysis.pooled_signals` takes it.
    directions : int, default 64
        At most so many of each basis.
    seed : int, default 0
        Of the first random basis.
    cancel : threading.Event, optional
        Looked at before each layer.

    Attributes
    ----------
    bases : mapping of str to tuple of DirectionBasis
        Of each layer, in the order of `kinds`.

    Raises
    ------
    DynExplorerError
        If a layer is not there or has no weight to decompose.
    Cancelled
        If `cancel` was set.

    Example
    -------
    >>> from dyn_explorer.capture import record
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 3))
    >>> reader = SignalReader(model, ["0", "2"])
    >>> recording = record(model, torch.randn(5, 1, 8, 8), layers=["0", "2"], reduce=reader)
    >>> reader.signals(recording, "0").shape, reader.signals(recording, "2").shape
    ((5, 4), (5, 3))
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Iterable[str],
        *,
        kinds: Sequence[str] = ("svd",),
        pool: str = "mean",
        directions: int = MOST_DIRECTIONS,
        seed: int = 0,
        cancel: threading.Event | None = None,
    ) -> None:
        self._pool = pool
        bases, self._vectors, self._biases = {}, {}, {}
        with borrow(model) as lent, torch.no_grad():
            for name in layers:
                if cancel is not None and cancel.is_set():
                    raise Cancelled("reading the directions was cancelled; the model is as it was")
                module = _weighted(lent, name)
                bases[name] = tuple(
                    direction_basis(
                        module.weight,
                        kind=kind,
                        directions=directions,
                        groups=getattr(module, "groups", 1),
                        transposed=isinstance(module, _ConvTransposeNd),
                        seed=seed + draw,
                    )
                    for draw, kind in enumerate(kinds)
                )
                self._vectors[name] = torch.as_tensor(np.hstack([basis.vectors for basis in bases[name]]))
                self._biases[name] = None if module.bias is None else module.bias.detach().clone()
        self.bases: Mapping[str, tuple[DirectionBasis, ...]] = MappingProxyType(bases)

    def __call__(self, name: str, output: torch.Tensor, channel_dim: int) -> torch.Tensor:
        """Signals of a batch along all bases, (n_samples, all directions)."""
        return pooled_signals(
            output, self._vectors[name], bias=self._biases[name], pool=self._pool, channel_dim=channel_dim
        )

    def signals(self, recording, name: str, basis: int = 0, directions: int | None = None) -> np.ndarray:
        """Signals of one layer along one basis.

        Parameters
        ----------
        recording : Recording
            Made with this as `reduce`.
        name : str
        basis : int, default 0
            Place in `kinds`.
        directions : int, optional
            The first so many.

        Returns
        -------
        ndarray (n_samples, r) of float64
        """
        sizes = [found.vectors.shape[1] for found in self.bases[name]]
        start = sum(sizes[:basis])
        stop = start + min(sizes[basis], directions or sizes[basis])
        return recording.activations[name][:, start:stop].detach().cpu().double().numpy()


def has_directions(info: LayerInfo) -> bool:
    """Whether a layer can be recorded and has a weight whose directions its outputs can be read along."""
    named = info.kind == "Linear" or (info.kind.startswith("Conv") and info.kind[4:5].isdigit())
    transposed = info.kind.startswith("ConvTranspose")
    return info.disabled_because is None and info.weight_shape is not None and (named or transposed)


def _weighted(model: nn.Module, name: str) -> nn.Module:
    modules = dict(model.named_modules())
    module = modules.get(name.partition("#")[0])
    if module is None:
        raise DynExplorerError(f"there is no layer {name!r}; list_layers(model) names them")
    if not isinstance(module, (nn.Linear, _ConvNd)):
        raise DynExplorerError(
            f"layer {name!r} ({type(module).__name__}) has no directions: choose a linear layer or a convolution"
        )
    return module
