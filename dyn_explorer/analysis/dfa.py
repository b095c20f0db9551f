"""Detrended fluctuation analysis: how fluctuations of a series grow with the scale they are looked at."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError

SMALLEST_SCALE = 4
FEWEST_POINTS = 50
FEW_POINTS = 256
# A slope with a standard error needs three; the scales 4, 5, 6 of 25 points are the fewest that `force` accepts.
_FEWEST_SCALES = 3
_MOST_DEFAULT_SCALES = 10
# Relative size below which the variation of a row is rounding.
_CONSTANT = 1e-12


@dataclass(frozen=True, eq=False)
class DFAResult:
    """Exponent of one series, and what it was fitted to.

    Parameters
    ----------
    alpha : float
        Slope of log F on log s: 0.5 for white noise, near 1.5 for a random walk. Not a Hurst exponent. ``nan`` where
        it is undefined; ``warning`` says why.
    r2 : float
        Share of the variance of log F that the line explains.
    standard_error : float
        Of the fitted slope, from the scatter about the line. The values of F share their data, so this is no
        confidence interval for alpha.
    intercept : float
        Of the same line, in natural logarithms.
    scales : ndarray (n_scales,), int64
        In points.
    fluctuations : ndarray (n_scales,), float64
        F(s), in the unit of the summed series; ``nan`` where alpha is refused.
    n : int
        Points of the series.
    order : int
        Degree of the polynomial that is removed from each segment.
    ends, aggregate : str
        As asked.
    warning : str or None
        Why alpha is ``nan`` or uncertain.
    """

    alpha: float
    r2: float
    standard_error: float
    intercept: float
    scales: np.ndarray
    fluctuations: np.ndarray
    n: int
    order: int
    ends: str
    aggregate: str
    warning: str | None


def dfa(
    series: np.ndarray,
    *,
    order: int = 1,
    scales: Sequence[int] | None = None,
    ends: str = "both",
    aggregate: str = "rms",
    min_n: int = FEWEST_POINTS,
    warn_n: int = FEW_POINTS,
    force: bool = False,
) -> DFAResult:
    """Exponent alpha with which the detrended fluctuations of a series grow with scale.

    Alpha along depth mostly measures the architecture, and one series of fewer than some 60 points cannot tell long
    memory from AR(1) or from a trend: compare with surrogates and with an untrained network.

    Parameters
    ----------
    series : array-like (n,)
        Finite real numbers.
    order : {1, 2}, default 1
        Degree of the polynomial that is removed from each segment.
    scales : sequence of int, optional
        Segment lengths in points; up to ten, log-spaced from 4 to n // 4, unless given.
    ends : {"both", "forward"}, default "both"
        Cut segments from both ends, so that no point is left out, or from the start only.
    aggregate : {"rms", "mean"}, default "rms"
        Root of the mean square over all segments, or the mean of each segment's root mean square.
    min_n : int, default 50
        Below this many points alpha is ``nan`` unless ``force``.
    warn_n : int, default 256
        Below this many points a ``UserWarning`` is issued, and kept in ``warning``.
    force : bool, default False
        Fit short series too; three scales at the least.

    Returns
    -------
    DFAResult

    Raises
    ------
    DynExplorerError
        The series is not one row of finite real numbers, or an option is none of those above.

    References
    ----------
    Peng et al., "Mosaic organization of DNA nucleotides", Phys. Rev. E 49 (1994), doi:10.1103/PhysRevE.49.1685.
    Kantelhardt et al., "Detecting long-range correlations with detrended fluctuation analysis", Physica A 295 (2001),
    doi:10.1016/S0378-4371(01)00144-3.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> result = analysis.dfa(np.random.default_rng(0).standard_normal(4096))
    >>> 0.45 < result.alpha < 0.6
    True
    """
    values = checked_real(series, "series", 1)
    for name, value in (("min_n", min_n), ("warn_n", warn_n)):
        if not (is_integer(value) and value >= 0):
            raise DynExplorerError(f"`{name}` (={value!r}) must be a whole number of points, 0 or more")
    lengths = checked_scales(scales, len(values), order)
    _checked_choices(ends, aggregate)
    refusal = _refusal(values, lengths, min_n=min_n, force=force)
    warning = refusal
    if refusal is None and len(values) < warn_n:
        warning = (
            f"alpha of {len(values)} points is uncertain and too high on average (fewer than {warn_n}); "
            "compare it with that of shuffled series of the same length"
        )
    if warning is not None:
        warnings.warn(warning, UserWarning, stacklevel=2)
    if refusal is not None:
        fluctuations = np.full(len(lengths), np.nan)
        alpha = r2 = standard_error = intercept = np.nan
    else:
        fluctuations = fluctuation_functions(values[None], lengths, order=order, ends=ends, aggregate=aggregate)[0]
        alpha, r2, standard_error, intercept = (float(each[0]) for each in fitted_lines(fluctuations[None], lengths))
    return DFAResult(
        alpha=alpha,
        r2=r2,
        standard_error=standard_error,
        intercept=intercept,
        scales=lengths,
        fluctuations=fluctuations,
        n=len(values),
        order=int(order),
        ends=ends,
        aggregate=aggregate,
        warning=warning,
    )


def default_scales(n: int) -> np.ndarray:
    """Up to ten whole numbers, log-spaced from 4 to n // 4, each once."""
    if n // 4 < SMALLEST_SCALE:
        return np.empty(0, dtype=np.int64)
    spaced = np.geomspace(SMALLEST_SCALE, n // 4, _MOST_DEFAULT_SCALES)
    return np.unique(np.round(spaced).astype(np.int64))


def checked_scales(scales: Sequence[int] | None, n: int, order: int) -> np.ndarray:
    """Segment lengths, ascending, of which each fits the series twice and leaves the polynomial something over."""
    if order not in (1, 2) or isinstance(order, bool):
        raise DynExplorerError(f"`order` (={order!r}) must be 1 or 2, the degree of the trend in each segment")
    if scales is None:
        return default_scales(n)
    lengths = np.asarray(scales)
    if (
        lengths.ndim != 1
        or lengths.dtype.kind not in "iu"
        or len(np.unique(lengths)) < max(len(lengths), _FEWEST_SCALES)
        or lengths.min() < SMALLEST_SCALE
        or lengths.max() > n // 2
    ):
        raise DynExplorerError(
            f"`scales` (={scales!r}) must be at least {_FEWEST_SCALES} different whole numbers in "
            f"{SMALLEST_SCALE}..{n // 2} for {n} points"
        )
    return np.sort(lengths.astype(np.int64))


def fluctuation_functions(
    rows: np.ndarray, scales: np.ndarray, *, order: int = 1, ends: str = "both", aggregate: str = "rms"
) -> np.ndarray:
    """F(s) of every row: (n_rows, n) and (n_scales,) to (n_rows, n_scales)."""
    profile = np.cumsum(rows - rows.mean(axis=1, keepdims=True), axis=1)
    length = profile.shape[1]
    fluctuations = np.empty((len(profile), len(scales)))
    for index, scale in enumerate(scales):
        whole = length - length % scale
        parts = [profile[:, :whole]] + ([profile[:, length - whole :]] if ends == "both" else [])
        segments = np.concatenate([part.reshape(len(profile), -1, scale) for part in parts], axis=1)
        basis = np.linalg.qr(np.vander(np.linspace(-1, 1, scale), order + 1))[0]
        squares = np.mean((segments - (segments @ basis) @ basis.T) ** 2, axis=2)
        fluctuations[:, index] = np.sqrt(squares.mean(axis=1)) if aggregate == "rms" else np.sqrt(squares).mean(axis=1)
    return fluctuations


def fitted_lines(fluctuations: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Slope, R², standard error of the slope and intercept of log F on log s, each (n_rows,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        # A row without fluctuations has no logarithm, and so no slope.
        heights = np.where(fluctuations > 0, np.log(fluctuations), np.nan)
        places = np.log(scales)
        centred = places - places.mean()
        spread = centred @ centred
        slope = heights @ centred / spread
        middle = heights.mean(axis=1)
        rest = np.sum((heights - middle[:, None] - slope[:, None] * centred) ** 2, axis=1)
        total = np.sum((heights - middle[:, None]) ** 2, axis=1)
        error = np.sqrt(rest / (len(scales) - 2) / spread)
        return slope, 1 - rest / total, error, middle - slope * places.mean()


def row_exponents(rows: np.ndarray, *, order: int = 1, min_n: int = FEWEST_POINTS, force: bool = False) -> np.ndarray:
    """Alpha along the last axis at the default scales, ``nan`` for constant rows and for series that are too short."""
    length = rows.shape[-1]
    scales = default_scales(length)
    flat = rows.reshape(-1, length)
    exponents = np.full(len(flat), np.nan)
    usable = ~is_constant(flat)
    if len(scales) >= _FEWEST_SCALES and (force or length >= min_n) and usable.any():
        exponents[usable] = fitted_lines(fluctuation_functions(flat[usable], scales, order=order), scales)[0]
    return exponents.reshape(rows.shape[:-1])


def is_constant(rows: np.ndarray) -> np.ndarray:
    """True for each series along the last axis that varies by no more than rounding."""
    return np.ptp(rows, axis=-1) <= _CONSTANT * np.abs(rows).max(axis=-1)


def checked_real(values: np.ndarray, name: str, dimensions: int) -> np.ndarray:
    """Finite real numbers in this many dimensions, as float64."""
    array = np.asarray(values)
    if array.ndim != dimensions or array.dtype.kind not in "biuf" or not array.size:
        raise DynExplorerError(
            f"`{name}` of shape {array.shape} and type {array.dtype} must hold real numbers in {dimensions} dimension"
            + ("s" if dimensions > 1 else "")
        )
    wrong = np.count_nonzero(~np.isfinite(array))
    if wrong:
        raise DynExplorerError(
            f"`{name}` has {wrong} of {array.size} entries that are not finite; leave those epochs or units out"
        )
    return array.astype(np.float64)


def _refusal(values: np.ndarray, scales: np.ndarray, *, min_n: int, force: bool) -> str | None:
    if len(values) < min_n and not force:
        return (
            f"alpha of {len(values)} points is refused: below {min_n} it does not tell long memory from a trend; "
            "give a longer series, or force=True to see the number"
        )
    if len(scales) < _FEWEST_SCALES:
        return (
            f"alpha of {len(values)} points is undefined: {len(scales)} scales from {SMALLEST_SCALE} to n // 4, "
            f"and a slope needs {_FEWEST_SCALES}; give a longer series"
        )
    if is_constant(values):
        return "alpha of a constant series is undefined: it does not fluctuate; choose another layer or input"
    return None


def _checked_choices(ends: str, aggregate: str) -> None:
    if ends not in ("both", "forward"):
        raise DynExplorerError(f"`ends` (={ends!r}) is unknown; choose both or forward")
    if aggregate not in ("rms", "mean"):
        raise DynExplorerError(f"`aggregate` (={aggregate!r}) is unknown; choose rms or mean")
