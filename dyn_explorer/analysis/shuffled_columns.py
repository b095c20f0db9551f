"""What the metrics would be if the order of the snapshots meant nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import torch

from dyn_explorer.analysis.compress import CompressedSnapshots
from dyn_explorer.analysis.dmd import dmd
from dyn_explorer.analysis.dmd_options import checked_window, is_integer
from dyn_explorer.analysis.dynamics_metrics import dynamics_metrics
from dyn_explorer.analysis.residuals import mode_residuals
from dyn_explorer.errors import Cancelled, DynExplorerError


@dataclass(frozen=True, eq=False)
class ShuffledColumnsNull:
    """Every metric over many random orders of the same snapshots.

    Parameters
    ----------
    values : dict of str to ndarray (shuffles,), float64
        By name of the metric in `DynamicsMetrics`; ``nan`` where a shuffle's metric is undefined or its
        decomposition failed.
    residuals : ndarray (n,), float64
        Relative mode residuals (rho / \\|λ\\|) of all shuffles together: below this band a mode means something.
    failed : int
        Shuffles whose decomposition failed.
    """

    values: dict[str, np.ndarray]
    residuals: np.ndarray
    failed: int

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each metric over the shuffles where it is defined."""
        return {name: float(np.mean(defined)) for name, defined in self._defined().items()}

    @property
    def sd(self) -> dict[str, float]:
        """Population standard deviation of each metric over the shuffles where it is defined."""
        return {name: float(np.std(defined)) for name, defined in self._defined().items()}

    def quantiles(self, levels: tuple[float, ...] = (0.05, 0.5, 0.95)) -> dict[str, np.ndarray]:
        """Quantiles of each metric over the shuffles where it is defined."""
        return {name: np.quantile(defined, levels) for name, defined in self._defined().items()}

    def _defined(self) -> dict[str, np.ndarray]:
        finite = {name: values[np.isfinite(values)] for name, values in self.values.items()}
        return {name: values if len(values) else np.array([np.nan]) for name, values in finite.items()}


def shuffled_columns_null(
    compressed: CompressedSnapshots,
    *,
    shuffles: int = 20,
    seed: int = 0,
    rank: int | float | None = None,
    window: tuple[int, int] | None = None,
    method: str = "exact",
    stable_tol: float = 0.05,
    amplitude_tol: float = 1e-3,
    cancel: threading.Event | None = None,
) -> ShuffledColumnsNull:
    """Decompose the window's snapshots in random orders and collect every metric.

    A metric that lies inside this band says nothing about dynamics: independent columns, too, give eigenvalues near
    the unit circle. Permuting columns of the small factor permutes the snapshots, so this costs as much as moving the
    window. The order of shuffle i depends only on ``(seed, i)``.

    Parameters
    ----------
    compressed : CompressedSnapshots
    shuffles : int, default 20
    seed : int, default 0
    rank, window, method
        As in `dmd`; give the rank of the result that the null stands beside.
    stable_tol, amplitude_tol : float
        As in `dynamics_metrics`.
    cancel : threading.Event, optional
        Looked at between shuffles.

    Returns
    -------
    ShuffledColumnsNull

    Raises
    ------
    DynExplorerError
        ``shuffles`` or ``seed`` is no such number, or no shuffle could be decomposed; the first reason is given.
    Cancelled
        ``cancel`` was set.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> noise = analysis.compress(np.random.default_rng(0).standard_normal((500, 20)))
    >>> null = analysis.shuffled_columns_null(noise, rank=10, shuffles=5)
    >>> len(null.values["entropy_share"]), null.failed
    (5, 0)
    """
    if not (is_integer(shuffles) and shuffles >= 1):
        raise DynExplorerError(f"`shuffles` (={shuffles!r}) must be a whole number of at least 1")
    if not (is_integer(seed) and seed >= 0):
        raise DynExplorerError(f"`seed` (={seed!r}) must be a whole number of at least 0")
    start, stop = checked_window(window, compressed.n_snapshots)
    columns = compressed.factor[:, start:stop]
    metrics, residuals, reasons = [], [], []
    for index in range(shuffles):
        if cancel is not None and cancel.is_set():
            raise Cancelled("the shuffled-column null was cancelled")
        order = np.random.default_rng([seed, index]).permutation(stop - start)
        try:
            result = dmd(_small(columns[:, order]), rank=rank, method=method)
        except DynExplorerError as error:
            reasons.append(error)
            continue
        metrics.append(dynamics_metrics(result, stable_tol=stable_tol, amplitude_tol=amplitude_tol).as_dict())
        residuals.append(mode_residuals(result, relative=True))
    if not metrics:
        raise DynExplorerError(f"no shuffle of the window {(start, stop)} could be decomposed: {reasons[0]}")
    missing = [np.nan] * len(reasons)
    values = {name: np.array([each[name] for each in metrics] + missing, dtype=float) for name in metrics[0]}
    return ShuffledColumnsNull(values=values, residuals=np.concatenate(residuals), failed=len(reasons))


def _small(columns: np.ndarray) -> CompressedSnapshots:
    """Columns of the factor as snapshots in their own right, with the identity in the place of Q."""
    return CompressedSnapshots(factor=columns, snapshots=torch.from_numpy(columns))
