"""How sure a mean over runs is that differ by their seed only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError

_FEW_SEEDS = 5
_RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class SeedInterval:
    """Mean over seeds with an interval for it.

    Parameters
    ----------
    mean, low, high : ndarray, float64
        In the shape of one run; ``nan`` where a run is, and the ends ``nan`` for a single seed.
    seeds : int
    level : float
        Of the interval.
    kind : str
        As asked.
    warning : str or None
        That there are fewer than five seeds.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seeds: int
    level: float
    kind: str
    warning: str | None


def seed_interval(runs: np.ndarray, *, level: float = 0.95, kind: str = "t", seed: int = 0) -> SeedInterval:
    """Interval for the mean over seeds, at each epoch for itself.

    Runs are the replicates; channels and images of one run are not.

    Parameters
    ----------
    runs : array-like (n_seeds, ...)
        One run a row, of any shape. For a paired difference of two trainings give the difference.
    level : float in 0..1, default 0.95
    kind : {"t", "bootstrap"}, default "t"
        Student's t, or percentiles of the mean over 2,000 resamplings of whole runs.
    seed : int, default 0
        Of the bootstrap.

    Returns
    -------
    SeedInterval

    Raises
    ------
    DynExplorerError
        Not real numbers with a row a seed, or an option is none of those above.

    References
    ----------
    Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), doi:10.1007/978-1-4899-4541-9.

    Example
    -------
    >>> from dyn_explorer import analysis
    >>> interval = analysis.seed_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> float(interval.mean), round(float(interval.low), 2), round(float(interval.high), 2)
    (3.0, 1.04, 4.96)
    """
    values = np.asarray(runs)
    if values.ndim < 1 or not values.size or values.dtype.kind not in "biuf":
        raise DynExplorerError(f"`runs` of shape {values.shape} and type {values.dtype} must hold one run a row")
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise DynExplorerError(f"`level` (={level!r}) must lie between 0 and 1")
    if kind not in ("t", "bootstrap"):
        raise DynExplorerError(f"`kind` (={kind!r}) is unknown; choose t or bootstrap")
    if not (is_integer(seed) and seed >= 0):
        raise DynExplorerError(f"`seed` (={seed!r}) must be a whole number of at least 0")
    values = values.astype(float)
    count = len(values)
    mean = values.mean(axis=0)
    if count == 1:
        low = high = np.full(mean.shape, np.nan)
    elif kind == "t":
        from scipy.special import stdtrit

        half = stdtrit(count - 1, (1 + level) / 2) * values.std(axis=0, ddof=1) / np.sqrt(count)
        low, high = mean - half, mean + half
    else:
        chosen = np.random.default_rng(seed).integers(count, size=(_RESAMPLES, count))
        weights = np.stack([np.bincount(each, minlength=count) for each in chosen]) / count
        means = np.tensordot(weights, values, axes=1)
        low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    warning = None
    if count < _FEW_SEEDS:
        warning = f"a mean over {count} of the possible seeds is uncertain; train at least {_FEW_SEEDS}"
    return SeedInterval(mean=mean, low=low, high=high, seeds=count, level=level, kind=kind, warning=warning)
