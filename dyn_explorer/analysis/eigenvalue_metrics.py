"""Numbers that summarise a set of DMD eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from dyn_explorer.analysis.conjugates import representatives
from dyn_explorer.errors import DynExplorerError

_HISTOGRAM_BINS = 32
_HISTOGRAM_LIMIT = 2.0


def eigenvalue_entropy(eigenvalues: np.ndarray, *, kind: str = "share") -> float:
    """Entropy of the eigenvalues' moduli, in bits; 0 when they are all alike in the sense of ``kind``.

    The three kinds answer different questions and must not be compared with each other. None is normalised: it cannot
    exceed log2 of the number of eigenvalues, so it follows the rank; show ``E / log2(r)`` beside it.

    Parameters
    ----------
    eigenvalues : array (r,), real or complex
        All of them, both members of each conjugate pair.
    kind : {"share", "hist256", "histogram"}, default "share"
        "share": of the shares \\|λ\\|² / Σ\\|λ\\|² (our default). "hist256": of the histogram of
        round(255 min(\\|λ\\|², 1)), as the published code computes it; every \\|λ\\| >= 1 falls into one bin.
        "histogram": of 32 bins of \\|λ\\| clipped to [0, 2] (ours).

    Returns
    -------
    float
        ``nan`` without eigenvalues, and for "share" when all are zero: there is nothing to share.

    Raises
    ------
    DynExplorerError
        Unknown kind, or eigenvalues that are not one-dimensional, finite numbers.

    References
    ----------
    Krishnanunni, González Ballester & Benitez, "Unveiling learning trends in convolutional neural networks with
    dynamic mode decomposition", Eng. Appl. Artif. Intell. 144 (2025), doi:10.1016/j.engappai.2025.110146.

    Example
    -------
    >>> eigenvalue_entropy([0.5, 0.5, -0.5, 0.5j])
    2.0
    >>> eigenvalue_entropy([1.0, 1.5, -2.0], kind="hist256")
    0.0
    """
    if kind not in _ENTROPIES:
        raise DynExplorerError(f"`kind` (={kind!r}) is unknown; choose one of {', '.join(_ENTROPIES)}")
    moduli = np.abs(checked_eigenvalues(eigenvalues))
    return _entropy(_ENTROPIES[kind](moduli)) if len(moduli) else math.nan


def spectral_gap(eigenvalues: np.ndarray, *, kind: str = "leading") -> float:
    """Distance between the largest modulus and the second, a conjugate pair counting once.

    The source names the gap without a formula; both definitions are ours.

    Parameters
    ----------
    eigenvalues : array (r,), real or complex
    kind : {"leading", "second_to_unit"}, default "leading"
        "leading": the largest modulus less the second. "second_to_unit": 1 less the second modulus.

    Returns
    -------
    float
        ``nan`` with fewer than two eigenvalues after merging conjugate pairs: a gap needs two.

    Raises
    ------
    DynExplorerError
        Unknown kind, or eigenvalues that are not one-dimensional, finite numbers.

    Example
    -------
    >>> round(spectral_gap([0.9, 0.3 + 0.4j, 0.3 - 0.4j]), 6)
    0.4
    >>> spectral_gap([0.3 + 0.4j, 0.3 - 0.4j])
    nan
    """
    kinds = ("leading", "second_to_unit")
    if kind not in kinds:
        raise DynExplorerError(f"`kind` (={kind!r}) is unknown; choose one of {', '.join(kinds)}")
    values = checked_eigenvalues(eigenvalues)
    moduli = np.sort(np.abs(values[representatives(values)]))[::-1]
    if len(moduli) < 2:
        return math.nan
    return float((moduli[0] if kind == "leading" else 1.0) - moduli[1])


def checked_eigenvalues(eigenvalues: np.ndarray) -> np.ndarray:
    """Eigenvalues as a one-dimensional complex array of finite numbers."""
    values = np.asarray(eigenvalues)
    if values.ndim != 1 or values.dtype.kind not in "iufc":
        raise DynExplorerError(
            f"`eigenvalues` has shape {values.shape} and dtype {values.dtype}; give one dimension of numbers"
        )
    values = values.astype(np.complex128)
    if not np.isfinite(values).all():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        raise DynExplorerError(
            f"{bad} of {len(values)} `eigenvalues` are NaN or infinite; leave them out or lower the rank"
        )
    return values


def _entropy(weights: np.ndarray) -> float:
    total = weights.sum()
    if total == 0:
        return math.nan
    shares = weights[weights > 0] / total
    # Adding zero turns the -0.0 of a single share into 0.0.
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def _shares(moduli: np.ndarray) -> np.ndarray:
    # Dividing first keeps the squares of huge moduli finite.
    largest = moduli.max()
    return (moduli / largest) ** 2 if largest > 0 else moduli


def _image_histogram(moduli: np.ndarray) -> np.ndarray:
    # MATLAB rounds halves up; NumPy's round would send them to the even neighbour.
    levels = np.floor(255 * np.minimum(moduli, 1.0) ** 2 + 0.5).astype(int)
    return np.bincount(levels, minlength=256)


def _modulus_histogram(moduli: np.ndarray) -> np.ndarray:
    clipped = np.minimum(moduli, _HISTOGRAM_LIMIT)
    return np.histogram(clipped, bins=_HISTOGRAM_BINS, range=(0.0, _HISTOGRAM_LIMIT))[0]


_ENTROPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "share": _shares,
    "hist256": _image_histogram,
    "histogram": _modulus_histogram,
}
