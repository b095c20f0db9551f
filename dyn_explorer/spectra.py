"""The spectra of all weights of a model, as one table."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from .analysis import WeightSpectrum, spectrum_verdict, weight_spectrum
from .analysis.dmd_options import is_integer
from .capture import LayerWeight, layer_weights
from .errors import Cancelled, DynExplorerError

if TYPE_CHECKING:
    import pandas

COLUMNS = ("alpha", "tail_points", "ks_distance", "alpha_weighted", "spikes", "stable_rank", "entropy")
SHUFFLED = ("alpha", "spikes", "stable_rank")


def layer_table(
    model: nn.Module,
    *,
    fold_batchnorm: bool = False,
    shuffles: int = 0,
    seed: int = 0,
    cancel: threading.Event | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> pandas.DataFrame:
    """Tabulate the spectrum of every layer's weight; the model is not run.

    Parameters
    ----------
    model : torch.nn.Module
        Any model; never changed.
    fold_batchnorm : bool, default False
        As for `capture.layer_weights`.
    shuffles : int, default 0
        Random orders of each weight's entries, whose mean stands beside the weight's own numbers.
    seed : int, default 0
        Of the orders.
    cancel : threading.Event, optional
        Looked at between layers.
    progress : callable, optional
        Called as ``progress(done, text)`` after each layer; `done` in 0..1.

    Returns
    -------
    pandas.DataFrame
        One row per weight: layer, kind, part, shape of the matrix of one group, groups, number of eigenvalues, the
        fields of `RandomMatrixFit`, the spectral norm of the unfolded weight, the batch normalisation that was folded,
        and `reason`, which says why numbers are missing. With shuffles, ``<name>_shuffled`` for three of them
        and the `verdict` of `analysis.spectrum_verdict`.

    Raises
    ------
    DynExplorerError
        If `shuffles` is no whole number of at least 0.
    Cancelled
        `cancel` was set.

    References
    ----------
    Praggastis et al. (2022), arXiv:2208.06894. Martin & Mahoney (2021), arXiv:1810.01075.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> table = dx.layer_table(dx.demo.load("trained")).set_index("layer")
    >>> int(table.loc["conv3", "spikes"]), table.loc["relu3", "reason"]
    (2, 'a ReLU has no weights')
    """
    import pandas  # slow to import, and needed by nothing else here

    if not is_integer(shuffles) or shuffles < 0:
        raise DynExplorerError(f"`shuffles` (={shuffles!r}) must be a whole number of at least 0")
    weights, rows = layer_weights(model, fold_batchnorm=fold_batchnorm), []
    for place, weight in enumerate(weights):
        if cancel is not None and cancel.is_set():
            raise Cancelled("the layer table was cancelled; the model is as it was")
        rows.append(weight_row(weight, shuffles=shuffles, seed=seed))
        if progress is not None:
            progress((place + 1) / len(weights), f"measured {weight.layer}")
    return pandas.DataFrame(rows)


def weight_row(weight: LayerWeight, *, shuffles: int = 0, seed: int = 0) -> dict:
    """One row of `layer_table`.

    Parameters
    ----------
    weight : LayerWeight
        As `capture.layer_weights` lists them.
    shuffles, seed
        As for `layer_table`.

    Returns
    -------
    dict
        By column.
    """
    has_values = weight.values is not None
    found = _spectrum(weight) if has_values else WeightSpectrum(None, math.nan, None, weight.reason)
    null = {}
    if shuffles:
        drawn = [_spectrum(weight, seed + k) for k in range(shuffles)] if found.fit is not None else []
        null = {f"{name}_shuffled": _mean(drawn, name) for name in SHUFFLED}
        null["verdict"] = spectrum_verdict(found, drawn)
    return {
        "layer": weight.layer,
        "kind": weight.kind,
        "part": weight.part,
        "shape": "" if found.shape is None else " × ".join(map(str, found.shape)),
        "groups": weight.groups,
        "eigenvalues": 0 if found.fit is None else len(found.fit.eigenvalues),
        **{name: math.nan if found.fit is None else float(getattr(found.fit, name)) for name in COLUMNS},
        "spectral_norm": found.spectral_norm,
        **null,
        "folded": weight.folded,
        "reason": "; ".join(dict.fromkeys(filter(None, (weight.reason, found.reason)))),
    }


def _spectrum(weight: LayerWeight, shuffle: int | None = None) -> WeightSpectrum:
    return weight_spectrum(weight.values, groups=weight.groups, transposed=weight.transposed, shuffle=shuffle)


def _mean(drawn: list[WeightSpectrum], name: str) -> float:
    values = np.array([getattr(found.fit, name) for found in drawn if found.fit is not None], dtype=float)
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else math.nan
