"""Whether a layer's neurons rank the samples of a class as the weights that read them would have it."""

from __future__ import annotations

import numpy as np
import torch

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.one_thread import one_thread
from dyn_explorer.analysis.permuted_labels import class_means, mean_of_class_means
from dyn_explorer.analysis.rank_alignment_result import RankAlignment, mean_of_defined
from dyn_explorer.analysis.ranks import rank_span
from dyn_explorer.analysis.score_labels import checked_labels
from dyn_explorer.errors import DynExplorerError

TIES = ("average", "arbitrary")
_ENTRIES_AT_ONCE = 1 << 19  # of the matrix of fields, so that what is computed of them stays small


def rank_alignment(
    fields: object,
    readout: object,
    labels: object,
    *,
    bins: int = 20,
    ties: str = "average",
    groups: object = None,
) -> RankAlignment:
    """Rank alignment of a hidden layer: its rank probability density and the gradient of it, in our normalisation.

    Each neuron's field is multiplied by the sign of the weight with which a class reads it, and ranked over all
    samples. Where the class's own samples take the high ranks, the neuron already orders the samples as the readout
    needs them. The paper takes the gradient of the density of these ranks; how is not known. Ours is the least-squares
    slope divided by its largest value, which is 2 AUC - 1. A low value means that neurons are unaligned or that they
    work together; it cannot tell which.

    Parameters
    ----------
    fields : tensor or array (P, n) or (P, ...)
        Inputs of the activations, a row per sample; further axes are flattened.
    readout : tensor or array (C, n) or (C, ...)
        Weights that read the neurons, as `linear_map` gives them. Only their signs matter; 0 leaves the pair out.
    labels : tensor or array (P,) of int
        Class of each sample, 0 to C - 1.
    bins : int, default 20
        Of the density, at least 2.
    ties : {"average", "arbitrary"}, default "average"
        Equal fields share the mean of their ranks, or are ranked in the order of the samples.
    groups : array (n,) of int, optional
        Neurons whose readout weights change sign together in ``sign_null_sd``: for a convolution the channel of each,
        because the same kernels read all positions of a channel. Default: each neuron alone.

    Returns
    -------
    RankAlignment

    Raises
    ------
    DynExplorerError
        Shapes do not fit, values are not finite, there are no labels, or they are no classes of the readout.

    References
    ----------
    Lin, Zhang, Feng & Zhao, "An analysis framework for understanding deep neural networks based on network dynamics",
    arXiv:2501.02436. The nulls are ours; the variance under permutations is that of Hoeffding, Ann. Math. Statist. 22
    (1951), doi:10.1214/aoms/1177729446.

    Example
    -------
    >>> aligned = rank_alignment([[0.0], [1.0], [2.0], [3.0]], [[-1.0], [2.0]], [0, 0, 1, 1], bins=2)
    >>> aligned.gradient.tolist(), aligned.density.tolist()
    ([[1.0], [1.0]], [[0.0, 2.0], [0.0, 2.0]])
    """
    values, signs = _matrix(fields, "fields"), np.sign(_matrix(readout, "readout"))
    if values.shape[1] != signs.shape[1]:
        raise DynExplorerError(
            f"`fields` has {values.shape[1]} neurons and `readout` reads {signs.shape[1]}; both need one column per "
            "neuron of the same layer"
        )
    classes = checked_labels(labels, len(values), len(signs))
    _check_options(bins, ties)
    counts = np.bincount(classes, minlength=len(signs))
    defined = (counts > 0) & (counts < len(values))
    with one_thread():
        gradient, densities, ranks = _all_neurons(values, signs, classes, counts, bins, ties)
    gradient = np.where(defined[:, None] & (signs != 0), gradient, np.nan)
    used = defined & (signs != 0).any(axis=1)
    density, density_sd = class_means(densities, classes, counts, used)
    mean_density, mean_sd = mean_of_class_means(densities[used], classes, counts, used)
    layer, layer_sd = mean_of_class_means(ranks[used], classes, counts, used)
    class_sign_sd, sign_sd = _sign_sds(gradient, groups)
    return RankAlignment(
        gradient=gradient,
        null_sd=_null_sd(counts, len(values), defined),
        density=density,
        density_sd=density_sd,
        mean_density=mean_density,
        mean_density_sd=mean_sd,
        layer_gradient=float(layer[0]),
        layer_null_sd=float(layer_sd[0]),
        class_null_sd=class_means(ranks, classes, counts, used)[1][:, 0],
        sign_sd=np.sqrt(mean_of_defined(gradient**2, axis=1)),
        class_sign_sd=class_sign_sd,
        sign_null_sd=sign_sd,
        counts=counts,
        ties=ties,
        reason=_reason(signs, defined),
    )


def _matrix(values: object, name: str) -> np.ndarray:
    tensor = values.detach().cpu() if isinstance(values, torch.Tensor) else torch.as_tensor(values)
    if tensor.ndim < 2 or tensor.numel() == 0 or tensor.is_complex():
        raise DynExplorerError(
            f"`{name}` of shape {tuple(tensor.shape)} must be a real matrix with one column per neuron"
        )
    matrix = (tensor if tensor.dtype == torch.float64 else tensor.float()).reshape(len(tensor), -1).numpy()
    broken = int((~np.isfinite(matrix)).sum())
    if broken:
        raise DynExplorerError(
            f"`{name}` holds {broken} NaN or infinite values of {matrix.size}; look at an earlier state of the model"
        )
    return matrix


def _check_options(bins: int, ties: str) -> None:
    if not is_integer(bins) or bins < 2:
        raise DynExplorerError(f"`bins` (={bins!r}) must be a whole number of at least 2")
    if ties not in TIES:
        raise DynExplorerError(f"`ties` (={ties!r}) must be one of {', '.join(map(repr, TIES))}")


def _all_neurons(
    values: np.ndarray, signs: np.ndarray, classes: np.ndarray, counts: np.ndarray, bins: int, ties: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradient (C, n), and what each sample adds, averaged over neurons as each class reads them.

    That is the density in each bin, (C, bins, P), and its part of the layer's gradient, (C, 1, P).
    """
    total = len(values)
    gradient = np.empty(signs.shape)
    densities, ranks = np.zeros((len(signs), bins, total)), np.zeros((len(signs), 1, total))
    members = np.zeros((len(signs), total))
    members[classes, np.arange(total)] = 1
    with np.errstate(invalid="ignore", divide="ignore"):  # of classes that the caller leaves out
        weights = signs / np.abs(signs).sum(axis=1, keepdims=True)
        pairs = (counts * (total - counts))[:, None]
        for first in range(0, values.shape[1], step := max(1, _ENTRIES_AT_ONCE // total)):
            some = slice(first, first + step)
            below, above = rank_span(np.ascontiguousarray(values[:, some].T), ties)
            ranks_twice = below + above - total  # whole numbers, so that the gradient is exact
            gradient[:, some] = (members @ ranks_twice.T) * signs[:, some] / pairs
            ranks[:, 0] += weights[:, some] @ ranks_twice / (total - counts)[:, None]
            _add_densities(densities, below, above, weights[:, some])
    return gradient, densities, ranks


def _add_densities(densities: np.ndarray, below: np.ndarray, above: np.ndarray, weights: np.ndarray) -> None:
    """Spread each sample evenly over the ranks that it takes up; a negative weight turns the ranks round."""
    n_classes, bins, total = densities.shape
    both = np.concatenate([np.maximum(weights, 0), np.maximum(-weights, 0)]) * bins
    width, reached = above - below, 0.0
    for index in range(bins):
        until = np.clip((total * (index + 1) / bins - below) / width, 0, 1)
        added = both @ (until - reached)
        reached = until
        densities[:, index] += added[:n_classes]
        densities[:, bins - 1 - index] += added[n_classes:]


def _null_sd(counts: np.ndarray, total: int, defined: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.where(defined, 2 * np.sqrt((total + 1) / (12.0 * counts * (total - counts))), np.nan)


def _sign_sds(gradient: np.ndarray, groups: object) -> tuple[np.ndarray, float]:
    """Deviations of the mean of each class, (C,), and of the layer when groups of columns change sign."""
    together = np.arange(gradient.shape[1]) if groups is None else np.asarray(groups)
    if together.shape != gradient.shape[1:]:
        raise DynExplorerError(
            f"`groups` of shape {together.shape} must have one entry per neuron: ({gradient.shape[1]},)"
        )
    present = np.isfinite(gradient)
    with np.errstate(invalid="ignore"):
        share = np.where(present, gradient, 0) / present.sum(axis=1, keepdims=True)
    number = np.unique(together, return_inverse=True)[1]
    of_class = np.array([np.linalg.norm(np.bincount(number, weights=row)) for row in share])
    used = np.isfinite(of_class)
    if not used.any():
        return of_class, float("nan")
    return of_class, float(np.linalg.norm(np.bincount(number, weights=share[used].mean(axis=0))))


def _reason(signs: np.ndarray, defined: np.ndarray) -> str:
    words = []
    if not defined.all():
        without = ", ".join(map(str, np.flatnonzero(~defined)))
        words.append(f"no sample, or every sample, is of class {without}")
    zeros = int((signs == 0).sum())
    if zeros:
        words.append(f"{zeros} of {signs.size} readout weights are 0")
    return "; ".join(words)
