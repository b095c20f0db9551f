"""Phases of oscillators, how far they agree, and how much that agreement varies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.dfa import checked_real, is_constant
from dyn_explorer.errors import DynExplorerError

PREPROCESSING = ("demean", "detrend", "difference")
LEAST_TRIM = 0.05
# Fewest points that may be left after trimming for a standard deviation over time to mean anything.
_FEWEST_POINTS = 4


@dataclass(frozen=True, eq=False)
class Synchrony:
    """Agreement of C oscillators over T steps.

    Parameters
    ----------
    phases : ndarray (C, T), float64
        In radians, ends included; T is one less after differencing. ``nan`` in the row of a constant signal.
    order_parameter : ndarray (T,), float64
        R(t) in 0..1, ends included.
    kept : tuple of int
        (start, stop) of the steps that the numbers below are taken over.
    mean : float
        Mean R.
    metastability : float
        Population standard deviation of R.
    ratio : float
        Metastability over that of as many independent oscillators.
    bandwidth : ndarray (C,), float64
        Width of each signal's power spectrum over its mean frequency: well below 1 where a phase is meaningful.
    preprocess : str
        As asked.
    """

    phases: np.ndarray
    order_parameter: np.ndarray
    kept: tuple[int, int]
    mean: float
    metastability: float
    ratio: float
    bandwidth: np.ndarray
    preprocess: str


def phases(signals: np.ndarray, *, preprocess: str = "demean") -> np.ndarray:
    """Phase of the analytic signal of every oscillator.

    Within about 5% of either end the phase may be wrong by up to pi: `metastability` leaves the ends out.

    Parameters
    ----------
    signals : array-like (C, T)
        One oscillator a row.
    preprocess : {"demean", "detrend", "difference"}, default "demean"
        Take off the mean, or the straight line, or look at differences (one step fewer) without their mean. For
        signals that grow or saturate this decides the result.

    Returns
    -------
    ndarray (C, T), float64
        Radians in -pi..pi; ``nan`` in the row of a constant signal, which has no phase.

    Raises
    ------
    DynExplorerError
        Signals are not finite real numbers of shape (C, T) with at least 4 steps, or ``preprocess`` is unknown.

    References
    ----------
    Gabor, "Theory of communication", J. IEE 93 (1946), doi:10.1049/ji-3-2.1946.0074.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> wave = np.cos(2 * np.pi * np.arange(40) / 20)
    >>> np.round(analysis.phases([wave])[0, 1:4], 3).tolist()
    [0.314, 0.628, 0.942]
    """
    return batch_phases(prepared_rows(checked_signals(signals), preprocess))


def order_parameter(phases: np.ndarray) -> np.ndarray:
    """Kuramoto's order parameter R(t), the length of the mean of the unit vectors at the oscillators' phases.

    Parameters
    ----------
    phases : array-like (C, T)
        Radians.

    Returns
    -------
    ndarray (T,), float64
        In 0..1, and 1 where all phases are equal; ``nan`` where a phase is. C independent oscillators have a mean of
        about sqrt(pi / 4C), not 0.

    Raises
    ------
    DynExplorerError
        Not real numbers of shape (C, T).

    References
    ----------
    Kuramoto, "Chemical Oscillations, Waves, and Turbulence" (1984), doi:10.1007/978-3-642-69689-3.

    Example
    -------
    >>> from dyn_explorer import analysis
    >>> analysis.order_parameter([[0.3, 0.3], [0.3, 0.3 + 3.141592653589793]]).round(6).tolist()
    [1.0, 0.0]
    """
    angles = np.asarray(phases)
    if angles.ndim != 2 or angles.dtype.kind not in "iuf" or not angles.size:
        raise DynExplorerError(
            f"`phases` of shape {angles.shape} and type {angles.dtype} must be angles of shape (oscillators, steps)"
        )
    return batch_order_parameter(angles)


def metastability(signals: np.ndarray, *, preprocess: str = "demean", trim: float = LEAST_TRIM) -> float:
    """How much the agreement of the oscillators varies: the standard deviation of the order parameter over time.

    Numbers of different C are not comparable: C independent oscillators have about sqrt((4 - pi) / 4C). `synchrony`
    gives the ratio to that.

    Parameters
    ----------
    signals : array-like (C, T)
        One oscillator a row.
    preprocess : {"demean", "detrend", "difference"}, default "demean"
        As in `phases`.
    trim : float in 0.05..0.4, default 0.05
        Share of the steps left out at each end.

    Returns
    -------
    float
        In 0..0.5; ``nan`` where a signal is constant.

    Raises
    ------
    DynExplorerError
        As `phases`; or ``trim`` is out of its range or leaves fewer than 4 steps.

    References
    ----------
    Shanahan, "Metastable chimera states in community-structured oscillator networks", Chaos 20 (2010),
    doi:10.1063/1.3305451.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> noise = np.random.default_rng(0).standard_normal((16, 4000))
    >>> abs(analysis.metastability(noise) / analysis.independent_metastability(16) - 1) < 0.1
    True
    """
    return synchrony(signals, preprocess=preprocess, trim=trim).metastability


def synchrony(signals: np.ndarray, *, preprocess: str = "demean", trim: float = LEAST_TRIM) -> Synchrony:
    """Phases, order parameter, metastability and its ratio to that of independent oscillators, in one go.

    Parameters
    ----------
    signals : array-like (C, T)
        One oscillator a row.
    preprocess : {"demean", "detrend", "difference"}, default "demean"
        As in `phases`.
    trim : float in 0.05..0.4, default 0.05
        Share of the steps left out at each end.

    Returns
    -------
    Synchrony

    Raises
    ------
    DynExplorerError
        As `metastability`.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> wave = np.sin(np.arange(100) / 3)
    >>> together = analysis.synchrony([wave, 2 * wave + 1])
    >>> round(together.mean, 6), round(together.metastability, 6)
    (1.0, 0.0)
    """
    prepared = prepared_rows(checked_signals(signals), preprocess)
    start, stop = kept_steps(prepared.shape[1], trim)
    angles = batch_phases(prepared)
    agreement = batch_order_parameter(angles)
    varies = float(np.std(agreement[start:stop]))
    return Synchrony(
        phases=angles,
        order_parameter=agreement,
        kept=(start, stop),
        mean=float(np.mean(agreement[start:stop])),
        metastability=varies,
        ratio=varies / independent_metastability(len(prepared)),
        bandwidth=_bandwidth(prepared),
        preprocess=preprocess,
    )


def independent_metastability(oscillators: int) -> float:
    """Metastability of many independent oscillators, sqrt((4 - pi) / 4C): the null of `metastability`.

    The formula is that of a Rayleigh distribution, exact for large C: at C = 2 simulation gives 0.31 and it 0.33.

    Parameters
    ----------
    oscillators : int
        C.

    Returns
    -------
    float

    Raises
    ------
    DynExplorerError
        Not a whole number of at least 1.

    Example
    -------
    >>> from dyn_explorer import analysis
    >>> round(analysis.independent_metastability(16), 3)
    0.116
    """
    if isinstance(oscillators, bool) or not isinstance(oscillators, (int, np.integer)) or oscillators < 1:
        raise DynExplorerError(f"`oscillators` (={oscillators!r}) must be a whole number of at least 1")
    return math.sqrt((4 - math.pi) / (4 * oscillators))


def prepared_rows(rows: np.ndarray, preprocess: str) -> np.ndarray:
    """Series along the last axis without their mean or line; rows that are constant then are ``nan``."""
    if preprocess not in PREPROCESSING:
        raise DynExplorerError(f"`preprocess` (={preprocess!r}) is unknown; choose one of {', '.join(PREPROCESSING)}")
    source = np.diff(rows, axis=-1) if preprocess == "difference" else rows
    centred = source - source.mean(axis=-1, keepdims=True)
    if preprocess == "detrend":
        line = np.arange(rows.shape[-1]) - (rows.shape[-1] - 1) / 2
        line /= np.linalg.norm(line)
        centred = centred - (centred @ line)[..., None] * line
    # What is left of a constant, or of a straight line, is rounding of the numbers that came in.
    nothing = np.ptp(centred, axis=-1) <= 1e-12 * np.abs(rows).max(axis=-1)
    return np.where(nothing[..., None] | is_constant(rows)[..., None], np.nan, centred)


def batch_phases(prepared: np.ndarray) -> np.ndarray:
    """Phase along the last axis."""
    from scipy.signal import hilbert

    defined = np.isfinite(prepared)
    angles = np.angle(hilbert(np.where(defined, prepared, 0.0), axis=-1))
    return np.where(defined, angles, np.nan)


def batch_order_parameter(angles: np.ndarray) -> np.ndarray:
    """R over the last axis but one."""
    return np.minimum(np.abs(np.mean(np.exp(1j * angles), axis=-2)), 1.0)


def kept_steps(steps: int, trim: float) -> tuple[int, int]:
    """(start, stop) after leaving out a share of the steps at each end."""
    if isinstance(trim, bool) or not isinstance(trim, (int, float)) or not LEAST_TRIM <= trim <= 0.4:
        raise DynExplorerError(f"`trim` (={trim!r}) must lie in {LEAST_TRIM}..0.4, the share left out at each end")
    cut = math.ceil(trim * steps)
    if steps - 2 * cut < _FEWEST_POINTS:
        raise DynExplorerError(
            f"{steps} steps leave {max(steps - 2 * cut, 0)} after trimming {cut} at each end, and "
            f"{_FEWEST_POINTS} are needed; give a longer series"
        )
    return cut, steps - cut


def checked_signals(signals: np.ndarray) -> np.ndarray:
    """Finite real numbers of shape (oscillators, steps)."""
    values = checked_real(signals, "signals", 2)
    if values.shape[1] < _FEWEST_POINTS:
        raise DynExplorerError(
            f"`signals` of shape {values.shape} has {values.shape[1]} steps and a phase needs at least "
            f"{_FEWEST_POINTS}; rows are oscillators, columns steps"
        )
    return values


def _bandwidth(prepared: np.ndarray) -> np.ndarray:
    power = np.abs(np.fft.rfft(prepared, axis=-1)) ** 2
    frequency = np.arange(power.shape[-1])
    weight = power / power.sum(axis=-1, keepdims=True)
    centre = weight @ frequency
    return np.sqrt(np.maximum(weight @ frequency**2 - centre**2, 0)) / centre
