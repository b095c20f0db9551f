"""Integration and metastability joined into one index, its volatility, and when that comes to rest.

No formula of the paper that inspired these is public: maps, weights and thresholds are our choice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class StabilityIndex:
    """The index with its parts; ``np.asarray`` of it is ``values``.

    Parameters
    ----------
    values : ndarray, float64
        w_H I + w_M M, in the shape of what came in.
    integration, metastability : ndarray, float64
        I and M as they entered the sum, after the normaliser and the sign.
    weights : tuple of float
        (w_H, w_M).
    sign : int
        Of M.
    normalise : str
        As asked.
    """

    values: np.ndarray
    integration: np.ndarray
    metastability: np.ndarray
    weights: tuple[float, float]
    sign: int
    normalise: str

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy)


def integration(
    alpha: float | np.ndarray, *, kind: str = "gaussian", optimum: float | None = None, width: float | None = None
) -> float | np.ndarray:
    """Map an exponent alpha to 0..1, with 1 at an optimum.

    The two maps and their numbers are those of the nearest public code, for EEG. They are not known to be the ones of
    the paper, so the choice is ours; alpha itself is always the number to trust.

    Parameters
    ----------
    alpha : float or ndarray
        As from `dfa`.
    kind : {"gaussian", "triangle"}, default "gaussian"
        exp(-(alpha - optimum)² / 2 width²), or max(0, 1 - \\|alpha - optimum\\| / width).
    optimum : float, optional
        0.7 for "gaussian", 0.35 for "triangle".
    width : float, optional
        0.15 for "gaussian", 0.35 for "triangle" (the latter ours: the code's range was not recorded).

    Returns
    -------
    float or ndarray
        ``nan`` where alpha is.

    Raises
    ------
    DynExplorerError
        Unknown kind, or a width that is not positive.

    References
    ----------
    arXiv:2604.09716 (the idea); https://github.com/ugail/Index-for-Consciousness-Dynamics (the maps).

    Example
    -------
    >>> from dyn_explorer import analysis
    >>> analysis.integration(0.7), round(analysis.integration(0.85), 3)
    (1.0, 0.607)
    """
    defaults = {"gaussian": (0.7, 0.15), "triangle": (0.35, 0.35)}
    if kind not in defaults:
        raise DynExplorerError(f"`kind` (={kind!r}) is unknown; choose one of {', '.join(defaults)}")
    centre = _checked_number(defaults[kind][0] if optimum is None else optimum, "optimum")
    spread = _checked_number(defaults[kind][1] if width is None else width, "width")
    if spread <= 0:
        raise DynExplorerError(f"`width` (={width!r}) must be positive, in units of alpha")
    distance = np.abs(np.asarray(alpha, dtype=float) - centre) / spread
    mapped = np.exp(-(distance**2) / 2) if kind == "gaussian" else np.maximum(0.0, 1 - distance)
    return mapped if mapped.ndim else float(mapped)


def stability_index(
    integration: float | np.ndarray,
    metastability: float | np.ndarray,
    *,
    weights: tuple[float, float] = (0.5, 0.5),
    sign: int = 1,
    normalise: str = "none",
) -> StabilityIndex:
    """Weighted sum of integration and metastability, epoch by epoch (our formula; the paper's is not available).

    It is causal: epochs that come later change nothing of what is there.

    Parameters
    ----------
    integration : float or array-like (T,)
        In 0..1, as from `integration`.
    metastability : float or array-like (T,)
        Best as the ratio to independent oscillators, as from `synchrony`, which does not depend on their number.
    weights : (float, float), default (0.5, 0.5)
        Of integration and of metastability.
    sign : {1, -1}, default 1
        1 counts metastability as a merit, -1 as a fault.
    normalise : {"none", "expanding"}, default "none"
        "expanding" maps both to 0..1 between the least and the largest value so far; the first epoch, and any before
        the first change, is ``nan``. Every new extreme is then 0 or 1, which makes early epochs look restless.

    Returns
    -------
    StabilityIndex

    Raises
    ------
    DynExplorerError
        Different shapes, or a weight, sign or normaliser that is none of those above.

    References
    ----------
    arXiv:2604.09716 (the idea).

    Example
    -------
    >>> from dyn_explorer import analysis
    >>> index = analysis.stability_index([0.2, 0.6], [1.0, 0.8])
    >>> index.values.round(3).tolist(), index.weights
    ([0.6, 0.7], (0.5, 0.5))
    """
    whole, changing = np.asarray(integration, dtype=float), np.asarray(metastability, dtype=float)
    if whole.shape != changing.shape or whole.ndim > 1:
        raise DynExplorerError(
            f"`integration` of shape {whole.shape} and `metastability` of shape {changing.shape} must be numbers, "
            "or one number an epoch each"
        )
    if sign not in (1, -1):
        raise DynExplorerError(f"`sign` (={sign!r}) must be 1 or -1")
    if normalise not in ("none", "expanding"):
        raise DynExplorerError(f"`normalise` (={normalise!r}) is unknown; choose none or expanding")
    try:
        first, second = weights
    except (TypeError, ValueError):
        raise DynExplorerError(f"`weights` (={weights!r}) must be a pair of numbers") from None
    both = _checked_number(first, "weights"), _checked_number(second, "weights")
    if normalise == "expanding":
        whole, changing = _expanding(whole), _expanding(changing)
    changing = sign * changing
    return StabilityIndex(
        values=np.asarray(both[0] * whole + both[1] * changing),
        integration=whole,
        metastability=changing,
        weights=both,
        sign=sign,
        normalise=normalise,
    )


def volatility(series: np.ndarray, window: int = 5) -> np.ndarray:
    """Standard deviation of a series over the last epochs.

    Parameters
    ----------
    series : array-like (T,)
        A `StabilityIndex` will do.
    window : int, default 5
        Epochs, the current one included; look at 3 to 10 before believing one.

    Returns
    -------
    ndarray (T,), float64
        Population standard deviation; ``nan`` until the window is full, and where it holds a ``nan``.

    Raises
    ------
    DynExplorerError
        The series is not one row of numbers, or the window is no whole number of at least 2.

    Example
    -------
    >>> from dyn_explorer import analysis
    >>> analysis.volatility([1.0, 1.0, 3.0], window=2).tolist()
    [nan, 0.0, 1.0]
    """
    values = _checked_row(series, "series")
    if not (is_integer(window) and window >= 2):
        raise DynExplorerError(f"`window` (={window!r}) must be a whole number of at least 2 epochs")
    spread = np.full(len(values), np.nan)
    if len(values) >= window:
        spread[window - 1 :] = np.lib.stride_tricks.sliding_window_view(values, window).std(axis=1)
    return spread


def convergence_epoch(
    volatility: np.ndarray, *, tau: float = 0.2, q: int = 5, epochs: np.ndarray | None = None
) -> float:
    """First epoch from which volatility stays low for a while: V < tau times the largest V so far, q times running.

    It is known only q - 1 epochs later. A shrinking learning rate alone lowers volatility, so it is no early warning
    unless it comes before the same signal of the loss and of the accuracy.

    Parameters
    ----------
    volatility : array-like (T,)
        As from `volatility`; a ``nan`` ends a run of low values.
    tau : float in 0..1, default 0.2
        Our choice; no value is published.
    q : int, default 5
        Our choice.
    epochs : array-like (T,), optional
        Their numbers; 0, 1, 2, ... unless given.

    Returns
    -------
    float
        An epoch, or ``nan`` where volatility never comes to rest.

    Raises
    ------
    DynExplorerError
        Bad ``tau`` or ``q``, or as many epochs as there are no values.

    Example
    -------
    >>> from dyn_explorer import analysis
    >>> analysis.convergence_epoch([1.0, 0.5, 0.1, 0.1, 0.1], q=2)
    2.0
    """
    values = _checked_row(volatility, "volatility")
    numbers = np.arange(len(values)) if epochs is None else np.asarray(epochs)
    if numbers.shape != values.shape:
        raise DynExplorerError(f"`epochs` of shape {numbers.shape} must name the {len(values)} epochs of `volatility`")
    if not 0 < _checked_number(tau, "tau") < 1:
        raise DynExplorerError(f"`tau` (={tau!r}) must lie between 0 and 1")
    if not (is_integer(q) and q >= 1):
        raise DynExplorerError(f"`q` (={q!r}) must be a whole number of at least 1 epoch")
    largest = np.fmax.accumulate(values)
    low = values < tau * largest
    if len(low) < q:
        return math.nan
    runs = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(low, q).all(axis=1))
    return float(numbers[runs[0]]) if len(runs) else math.nan


def _expanding(values: np.ndarray) -> np.ndarray:
    row = np.atleast_1d(values)
    least, largest = np.fmin.accumulate(row), np.fmax.accumulate(row)
    room = largest - least
    scaled = np.divide(row - least, room, out=np.full(row.shape, np.nan), where=room > 0)
    return scaled.reshape(values.shape)


def _checked_row(values: np.ndarray, name: str) -> np.ndarray:
    row = np.asarray(values)
    if row.ndim != 1 or row.dtype.kind not in "biuf":
        raise DynExplorerError(f"`{name}` of shape {row.shape} and type {row.dtype} must be one number an epoch")
    return row.astype(float)


def _checked_number(value: float, name: str) -> float:
    if isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise DynExplorerError(f"`{name}` (={value!r}) must be a finite number")
