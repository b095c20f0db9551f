"""Which neurons of a layer an input drives, and how alike inputs and classes are in that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dyn_explorer.analysis.direction_signals import direction_signals, strongest_first
from dyn_explorer.analysis.filter_svd import FilterSVD
from dyn_explorer.errors import DynExplorerError

KINDS = ("svd", "channel", "element", "spatial")
SPATIAL_QUANTILE = 0.97
MOST_POSITIONS = 100


@dataclass(frozen=True, eq=False)
class Profiles:
    """Influential neurons, one row per input or class.

    Parameters
    ----------
    weights : ndarray (n_rows, n_neurons)
        How much of the accepted scores a neuron has; 0 for neurons that are not influential. Of a class: the mean over
        its inputs that the neuron is influential for.
    counts : ndarray (n_rows, n_neurons) of int
        In how many inputs of the row the neuron is influential.
    names : tuple
        Of the rows: input numbers, or classes.
    kind : str
        What a neuron is.
    tau : float
        As asked.
    """

    weights: np.ndarray
    counts: np.ndarray
    names: tuple
    kind: str
    tau: float


def prefix_weights(scores: object, *, tau: float = 0.1) -> np.ndarray:
    """Accept the largest scores up to a share of their sum, and one more, with their shares of what is accepted.

    Parameters
    ----------
    scores : tensor or array (n_rows, n_neurons)
        Negative scores count as none.
    tau : float, default 0.1
        Share of the sum, in [0, 1].

    Returns
    -------
    ndarray (n_rows, n_neurons)
        Weights that add up to 1 in every row with a positive score; 0 elsewhere. Of equal scores the first come first.

    Raises
    ------
    DynExplorerError
        If scores are not finite or no matrix, or `tau` is outside [0, 1].

    References
    ----------
    The public code of DeepDataProfiler (Praggastis et al., 2022, arXiv:2208.06894) divides by the sum without the extra
    score for singular directions; here the weights add up to 1 for every kind.

    Example
    -------
    >>> prefix_weights([[3.0, 2.0, 1.0, 1.0]], tau=0.5).tolist()
    [[0.6, 0.4, 0.0, 0.0]]
    """
    values = np.asarray(torch.as_tensor(scores).detach().cpu().double())
    if values.ndim != 2 or not np.isfinite(values).all():
        raise DynExplorerError(
            f"`scores` of shape {values.shape} must be a matrix of finite numbers, one row per input"
        )
    if not 0 <= tau <= 1:
        raise DynExplorerError(f"`tau` (={tau!r}) must lie in 0..1")
    positive = np.clip(values, 0, None)
    order = np.argsort(-positive, axis=1, kind="stable")
    ordered = np.take_along_axis(positive, order, axis=1)
    total = ordered.sum(axis=1, keepdims=True)
    within = np.cumsum(ordered, axis=1) <= tau * total * (1 + 1e-12)
    taken = np.arange(values.shape[1]) <= within.sum(axis=1, keepdims=True)
    accepted = np.where(taken, ordered, 0.0)
    accepted_sum = accepted.sum(axis=1, keepdims=True)
    shares = np.divide(accepted, accepted_sum, out=np.zeros_like(accepted), where=accepted_sum > 0)
    weights = np.empty_like(shares)
    np.put_along_axis(weights, order, shares, axis=1)
    return weights


def profiles(
    outputs: object,
    *,
    kind: str = "svd",
    directions: FilterSVD | None = None,
    bias: object = None,
    scale: object = None,
    tau: float = 0.1,
    channel_dim: int = 1,
) -> Profiles:
    """Find the influential neurons of a layer for each input.

    Parameters
    ----------
    outputs : tensor or array (n_samples, ...)
        What the layer put out.
    kind : {"svd", "channel", "element", "spatial"}
        What a neuron is: a singular direction with the score ``|mean over positions of its signal|``; a channel with
        its largest value; the place of each channel's largest value, as one of all places of all channels; a position
        with the norm of its channels, of which only the top 3 % and at most 100 are looked at.
    directions, bias, scale
        For "svd": the layer's decomposition with vectors, its bias, and its scale, as for `direction_signals`. The
        share `tau` is of the directions that the decomposition keeps.
    tau : float, default 0.1
        As for `prefix_weights`.
    channel_dim : int, default 1
        Dimension of `outputs` that counts channels.

    Returns
    -------
    Profiles

    Raises
    ------
    DynExplorerError
        If the kind is unknown, there are no directions for "svd" or no positions for "spatial", or outputs are not
        finite.

    Notes
    -----
    Which neurons of the layer before contributed is left out here; between singular directions `direction_synapses`
    says it from the weights.

    References
    ----------
    The scores are those of the public code of DeepDataProfiler, over batches and any architecture.

    Example
    -------
    >>> found = profiles(torch.tensor([[[3.0, 0.0]], [[0.0, 1.0]]]), kind="element")
    >>> found.weights.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if kind not in KINDS:
        raise DynExplorerError(f"`kind` (={kind!r}) must be one of {', '.join(map(repr, KINDS))}")
    values = torch.as_tensor(outputs).detach()
    if kind == "svd":
        scores = _of_directions(values, directions, bias, scale, channel_dim)
    else:
        scores = _SCORES[kind](values.movedim(channel_dim, 1).flatten(2) if values.ndim > 2 else values[..., None])
    weights = prefix_weights(scores, tau=tau)
    return Profiles(weights, (weights > 0).astype(int), tuple(range(len(weights))), kind, tau)


def class_profiles(found: Profiles, labels: Sequence[int]) -> Profiles:
    """Join the profiles of each class: counts add up, weights are means over the inputs that count.

    Parameters
    ----------
    found : Profiles
        Of inputs.
    labels : sequence of int
        Class of each.

    Returns
    -------
    Profiles
        One row per class, ascending.

    Raises
    ------
    DynExplorerError
        If there is not one label per input.

    Example
    -------
    >>> found = profiles(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), kind="channel")
    >>> class_profiles(found, [4, 4, 7]).counts.tolist()
    [[1, 1], [1, 0]]
    """
    classes = np.asarray(torch.as_tensor(labels).cpu())
    if classes.shape != (len(found.weights),):
        raise DynExplorerError(
            f"`labels` of shape {classes.shape} must hold one class for each of {len(found.weights)}"
        )
    names = np.unique(classes)
    counts = np.stack([found.counts[classes == name].sum(axis=0) for name in names])
    sums = np.stack([(found.weights * found.counts)[classes == name].sum(axis=0) for name in names])
    weights = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    return Profiles(weights, counts, tuple(names.tolist()), found.kind, found.tau)


def profile_similarity(one: Profiles, other: Profiles | None = None) -> np.ndarray:
    """Jaccard similarity of the sets of influential neurons.

    Parameters
    ----------
    one : Profiles
    other : Profiles, optional
        Of the same layer and kind; default `one` itself.

    Returns
    -------
    ndarray (n_rows of one, n_rows of other)
        Shared neurons over all neurons of either; nan where both have none.

    Raises
    ------
    DynExplorerError
        If the two have different neurons.

    Example
    -------
    >>> profile_similarity(profiles(torch.eye(2), kind="channel")).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    other = one if other is None else other
    if one.counts.shape[1] != other.counts.shape[1] or one.kind != other.kind:
        raise DynExplorerError(
            f"these profiles are over {one.counts.shape[1]} {one.kind!r} and {other.counts.shape[1]} {other.kind!r} "
            "neurons; compare profiles of one layer and kind"
        )
    left, right = (one.counts > 0).astype(float), (other.counts > 0).astype(float)
    shared = left @ right.T
    either = left.sum(axis=1)[:, None] + right.sum(axis=1) - shared
    return np.divide(shared, either, out=np.full_like(shared, np.nan), where=either > 0)


def _of_directions(
    values: torch.Tensor, found: FilterSVD | None, bias: object, scale: object, channel_dim: int
) -> torch.Tensor:
    if found is None:
        raise DynExplorerError('`directions` are needed for kind "svd": directions=filter_svd(layer.weight, ...)')
    # A signal is linear in the outputs, so its mean is the signal of their mean.
    means = values.movedim(channel_dim, 1).flatten(2).mean(dim=2) if values.ndim > 2 else values
    count = len(strongest_first(found))
    return torch.stack([direction_signals(means, found, k, bias=bias, scale=scale) for k in range(count)], dim=1).abs()


def _of_channels(values: torch.Tensor) -> torch.Tensor:
    return values.amax(dim=2)


def _of_elements(values: torch.Tensor) -> torch.Tensor:
    largest, places = values.max(dim=2)
    return torch.zeros_like(values).scatter_(2, places[..., None], largest[..., None]).flatten(1)


def _of_positions(values: torch.Tensor) -> torch.Tensor:
    if values.shape[2] < 2:
        raise DynExplorerError('these outputs have no positions, so there is no kind "spatial"; use "channel"')
    norms = values.double().norm(dim=1)
    edge = torch.quantile(norms, SPATIAL_QUANTILE, dim=1, keepdim=True)
    rank = norms.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return torch.where((norms >= edge) & (rank < MOST_POSITIONS), norms, 0.0)


_SCORES = {"channel": _of_channels, "element": _of_elements, "spatial": _of_positions}
