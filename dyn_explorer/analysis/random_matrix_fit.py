"""A layer's spectrum beside random-matrix theory: the Marchenko-Pastur bulk, what stands out of it, and the tail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from dyn_explorer.errors import DynExplorerError

LEAST_EIGENVALUES = 50
STARTS_AT_ONCE = 64  # of the tail; their table of distances stays small
GRID = 20_000  # points of the numerical integral of the Marchenko-Pastur density


@dataclass(frozen=True, eq=False)
class RandomMatrixFit:
    """What random-matrix theory says of a spectrum.

    Parameters
    ----------
    eigenvalues : ndarray (n,)
        ``sigma^2 / larger side``, descending; all below depends on this normalisation.
    variance : float
        Robust estimate of the entries' variance: the median eigenvalue over that of the Marchenko-Pastur law.
    edge : float
        Upper edge of the bulk, ``variance * (1 + sqrt(smaller / larger side))^2``.
    spikes : int
        Eigenvalues beyond the edge.
    alpha : float
        Exponent of the power law ``p(x) ~ x^-alpha`` of the tail; nan with `reason`.
    x_min : float
        Where the tail begins.
    ks_distance : float
        Kolmogorov-Smirnov distance of the tail from the power law.
    tail_points : int
        Eigenvalues in the tail, `x_min` included; 0 without a fit.
    alpha_weighted : float
        ``alpha * log10(largest eigenvalue)``.
    stable_rank : float
        Sum of the eigenvalues over the largest; nan for a zero spectrum.
    entropy : float
        Entropy of the eigenvalues' shares over ln n, in [0, 1].
    reason : str
        Why there is no `alpha`, or nothing.
    """

    eigenvalues: np.ndarray
    variance: float
    edge: float
    spikes: int
    alpha: float
    x_min: float
    ks_distance: float
    tail_points: int
    alpha_weighted: float
    stable_rank: float
    entropy: float
    reason: str

    def bulk_density(self, x: np.ndarray, ratio: float) -> np.ndarray:
        """The Marchenko-Pastur density of this variance at eigenvalues `x`, for sides of this ratio (in 0..1)."""
        return marchenko_pastur_density(np.asarray(x) / self.variance, 1.0, ratio) / self.variance


def random_matrix_fit(singular_values: object, shape: Sequence[int]) -> RandomMatrixFit:
    """Compare the spectrum of a weight matrix with that of a random one.

    Parameters
    ----------
    singular_values : array-like
        All singular values of a matrix of this shape, or of several of the same shape (the groups of a layer), in any
        order.
    shape : (int, int)
        Rows and columns of the matrix, as `FilterSVD.shape` gives them.

    Returns
    -------
    RandomMatrixFit

    Raises
    ------
    DynExplorerError
        If values are negative or not finite, or their number does not fit the shape.

    Notes
    -----
    The exponent is the maximum-likelihood one in closed form, ``1 + n / sum ln(x / x_min)``, for the `x_min` of
    smallest Kolmogorov-Smirnov distance, without bounds on the exponent. Fewer than 50 eigenvalues tell no exponent
    from another: there is none then. A Gaussian matrix has an exponent too (about 10 for 256 x 2304), so an exponent
    alone is no sign of training; compare it with that of shuffled weights. To take the variance from the median, which
    a few spikes do not move, and to refuse few eigenvalues, are our choices.

    References
    ----------
    Marchenko & Pastur (1967), doi:10.1070/SM1967v001n04ABEH001994. Clauset, Shalizi & Newman (2009),
    doi:10.1137/070710111. Martin & Mahoney (2021), arXiv:1810.01075.

    Example
    -------
    >>> weights = np.random.default_rng(0).normal(size=(60, 300))
    >>> fit = random_matrix_fit(np.linalg.svd(weights, compute_uv=False), weights.shape)
    >>> fit.spikes, round(fit.variance, 1)
    (0, 1.0)
    """
    values = _checked(singular_values, shape)
    larger, smaller = max(shape), min(shape)
    eigenvalues = np.sort(values**2)[::-1] / larger
    variance = float(np.median(eigenvalues) / marchenko_pastur_median(smaller / larger))
    edge = variance * (1 + math.sqrt(smaller / larger)) ** 2
    total, largest = float(eigenvalues.sum()), float(eigenvalues[0])
    # Rounding leaves a rank-deficient bulk at nothing: there is no edge that something could stand beyond.
    spikes = int((eigenvalues > edge).sum()) if variance > 1e-14 * largest else 0
    tail = _power_law(eigenvalues)
    return RandomMatrixFit(
        eigenvalues=eigenvalues,
        variance=variance,
        edge=edge,
        spikes=spikes,
        alpha=tail.alpha,
        x_min=tail.x_min,
        ks_distance=tail.distance,
        tail_points=tail.points,
        alpha_weighted=tail.alpha * math.log10(largest) if tail.points else math.nan,
        stable_rank=total / largest if largest > 0 else math.nan,
        entropy=_entropy(eigenvalues),
        reason=tail.reason,
    )


def marchenko_pastur_density(x: object, variance: float, ratio: float) -> np.ndarray:
    """Density of the eigenvalues of a random matrix.

    Parameters
    ----------
    x : array-like
        Where.
    variance : float
        Of the matrix's entries; greater than 0.
    ratio : float
        Smaller over larger side, in (0, 1].

    Returns
    -------
    ndarray of float64
        Zero outside the bulk.

    Example
    -------
    >>> marchenko_pastur_density([0.0, 1.0, 9.0], 1.0, 0.25).round(3).tolist()
    [0.0, 0.616, 0.0]
    """
    points = np.asarray(x, dtype=float) / variance
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    inside = (points > low) & (points < high)
    safe = np.where(inside, points, high)
    density = np.sqrt(np.clip((high - safe) * (safe - low), 0, None)) / (2 * math.pi * ratio * variance * safe)
    return np.where(inside, density, 0.0)


@lru_cache(maxsize=256)
def marchenko_pastur_median(ratio: float) -> float:
    """Median of the law for entries of variance 1.

    Parameters
    ----------
    ratio : float
        Smaller over larger side, in (0, 1].

    Returns
    -------
    float

    Example
    -------
    >>> round(marchenko_pastur_median(1e-6), 3)
    1.0
    """
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    # Cosines are dense at both edges, where the density bends.
    points = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(np.linspace(0, math.pi, GRID))
    middles = 0.5 * (points[1:] + points[:-1])
    mass = np.cumsum(marchenko_pastur_density(middles, 1.0, ratio) * np.diff(points))
    return float(np.interp(0.5, mass / mass[-1], points[1:]))


@dataclass(frozen=True)
class _Tail:
    alpha: float = math.nan
    x_min: float = math.nan
    distance: float = math.nan
    points: int = 0
    reason: str = ""


def _power_law(eigenvalues: np.ndarray) -> _Tail:
    positive = np.sort(eigenvalues[eigenvalues > 1e-14 * eigenvalues[0]]) if eigenvalues[0] > 0 else np.empty(0)
    if len(positive) < LEAST_EIGENVALUES:
        return _Tail(reason=f"{len(positive)} positive eigenvalues; a power law wants at least {LEAST_EIGENVALUES}")
    logs = np.log(positive)
    best = _Tail(reason="all eigenvalues are equal, so there is no tail")
    for first in range(0, len(positive) - 1, STARTS_AT_ONCE):
        found = _best_start(positive, logs, first, min(first + STARTS_AT_ONCE, len(positive) - 1))
        if found.points and (not best.points or found.distance < best.distance):
            best = found
    return best


def _best_start(positive: np.ndarray, logs: np.ndarray, first: int, stop: int) -> _Tail:
    """The tail of smallest distance among those that begin at one of some ascending eigenvalues."""
    starts, places = np.arange(first, stop), np.arange(first, len(positive))
    steps = places - starts[:, None]
    is_tail = steps >= 0
    excess = np.where(is_tail, logs[first:] - logs[starts, None], 0.0)
    total, count = excess.sum(axis=1), len(positive) - starts
    is_new = np.ones(len(starts), dtype=bool)
    is_new[starts > 0] = positive[starts[starts > 0]] != positive[starts[starts > 0] - 1]
    usable = is_new & (total > 0)
    if not usable.any():
        return _Tail()
    exponent = np.divide(count, total, out=np.zeros(len(starts)), where=usable)
    gaps = np.abs(-np.expm1(-exponent[:, None] * excess) - steps / count[:, None])
    distance = np.where(usable, np.where(is_tail, gaps, 0.0).max(axis=1), np.inf)
    k = int(distance.argmin())
    return _Tail(1 + float(exponent[k]), float(positive[starts[k]]), float(distance[k]), int(count[k]))


def _entropy(eigenvalues: np.ndarray) -> float:
    total = eigenvalues.sum()
    if total <= 0 or len(eigenvalues) < 2:
        return math.nan
    shares = eigenvalues / total
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return float(-(shares * logs).sum() / math.log(len(eigenvalues)))


def _checked(singular_values: object, shape: Sequence[int]) -> np.ndarray:
    if len(shape) != 2 or min(shape) < 1:
        raise DynExplorerError(f"`shape` (={tuple(shape)}) must be rows and columns of the matrix, both at least 1")
    values = np.asarray(torch.as_tensor(singular_values).detach().cpu().double()).ravel()
    if values.size == 0 or values.size % min(shape):
        raise DynExplorerError(
            f"`singular_values` holds {values.size} values; a matrix of shape {tuple(shape)} has {min(shape)}, and "
            "several have a multiple of that: give all of them"
        )
    if not np.isfinite(values).all() or (values < 0).any():
        raise DynExplorerError("`singular_values` must be finite and not negative")
    return values
