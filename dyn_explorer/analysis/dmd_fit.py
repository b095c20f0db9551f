"""What a method of decomposition gets and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.compress import CompressedSnapshots
from dyn_explorer.analysis.conjugates import conjugate_partners
from dyn_explorer.analysis.window_svd import WindowSVD


@dataclass(frozen=True, eq=False)
class FitProblem:
    """A window of compressed snapshots and the rank at which to fit it.

    Parameters
    ----------
    compressed : CompressedSnapshots
    window : (int, int)
    delays : int
        Successive snapshots stacked in one column; 1 for most methods.
    rank : int
    svd : WindowSVD
        Of all the window's (stacked) columns but the last.
    """

    compressed: CompressedSnapshots
    window: tuple[int, int]
    delays: int
    rank: int
    svd: WindowSVD

    @property
    def columns(self) -> np.ndarray:
        """The window's columns (k, stop - start) of the small factor."""
        return self.compressed.factor[:, self.window[0] : self.window[1]]

    @property
    def n_snapshots(self) -> int:
        """Snapshots in the window."""
        return self.window[1] - self.window[0]


@dataclass(frozen=True, eq=False)
class Fit:
    """Eigenvalues and modes in the order the method returned them.

    Parameters
    ----------
    eigenvalues : ndarray (r,), complex128
    coordinates : ndarray (k, r), complex128
        Modes in the compressed coordinates.
    coefficients : ndarray (stop - start, r), complex128
        Modes as combinations of the window's snapshots.
    amplitudes : ndarray (r,), complex128
    eigenvectors : ndarray (rank, r), complex128, or None
        Of the projected operator.
    notes : tuple of str
        What the method wants known about this fit.
    """

    eigenvalues: np.ndarray
    coordinates: np.ndarray
    coefficients: np.ndarray
    amplitudes: np.ndarray
    eigenvectors: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def one_snapshot(_: int) -> int:
    """No delays, however many snapshots there are."""
    return 1


@dataclass(frozen=True)
class MethodInfo:
    """One entry of the method menu.

    Parameters
    ----------
    label : str
        What the menu shows.
    helps : str
        One sentence on when to choose it.
    fit : callable
        ``fit(problem) -> Fit``.
    delays : callable
        ``delays(n_snapshots) -> int``: how many successive snapshots the method stacks in one column.
    """

    label: str
    helps: str
    fit: Callable[[FitProblem], Fit]
    delays: Callable[[int], int] = one_snapshot


def no_convergence(name: str, problem: FitProblem, reason: str) -> str:
    """The message for a method that has no answer here."""
    return (
        f"the {name} method did not converge in the window {problem.window} at rank {problem.rank}: {reason}; "
        "lower the rank, or choose the exact method"
    )


def least_squares_amplitudes(
    modes: np.ndarray, target: np.ndarray, eigenvalues: np.ndarray, n_features: int
) -> np.ndarray:
    """Weights of the modes that come nearest to one snapshot.

    Parameters
    ----------
    modes : ndarray (k, r), complex128
    target : ndarray (k,), float64
    eigenvalues : ndarray (r,), complex128
        They tell which modes form conjugate pairs.
    n_features : int
        Rows of the uncompressed problem, which set the cut-off for modes that depend on each other.

    Returns
    -------
    ndarray (r,), complex128

    Raises
    ------
    LinAlgError
        The modes are not finite.
    """
    # LAPACK's least squares may never return from values that are not finite.
    if not np.isfinite(modes).all():
        raise np.linalg.LinAlgError("the modes overflow")
    partners = conjugate_partners(eigenvalues)
    upper = np.flatnonzero((partners != np.arange(len(partners))) & (eigenvalues.imag > 0))
    lower = partners[upper]
    alone = np.flatnonzero(partners == np.arange(len(partners)))
    amplitudes = np.empty(len(partners), dtype=np.complex128)
    if np.any(modes[:, alone].imag) or not _are_conjugate(modes, upper, lower):
        return _solve(modes, target, n_features)
    # Turning each pair of columns (phi, conj phi) into sqrt(2) (Re phi, Im phi) is unitary, so the solution is that of
    # the complex problem at a quarter of its cost.
    real_modes = np.hstack(
        [
            modes[:, alone].real,
            np.sqrt(2) * modes[:, upper].real,
            np.sqrt(2) * modes[:, upper].imag,
        ]
    )
    weights = _solve(real_modes, target, n_features)
    real_part, imaginary_part = np.split(weights[len(alone) :], 2)
    amplitudes[alone] = weights[: len(alone)]
    amplitudes[upper] = (real_part - 1j * imaginary_part) / np.sqrt(2)
    amplitudes[lower] = amplitudes[upper].conj()
    return amplitudes


def _are_conjugate(modes: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> bool:
    return np.array_equal(modes[:, upper], modes[:, lower].conj())


def _solve(modes: np.ndarray, target: np.ndarray, n_features: int) -> np.ndarray:
    n_coordinates, n_modes = modes.shape
    # The cut-off that the uncompressed problem would have.
    cutoff = np.finfo(np.float64).eps * max(n_features, n_modes)
    if n_coordinates >= n_modes:
        triangle = np.linalg.qr(np.column_stack([modes, target]), mode="r")
        diagonal = np.abs(np.diagonal(triangle)[:n_modes])
        # Far from rank deficiency the triangular solution is the least-squares one and costs a fifth.
        if diagonal.min() > 1e3 * cutoff * diagonal.max():
            return np.linalg.solve(triangle[:n_modes, :n_modes], triangle[:n_modes, n_modes])
    return np.linalg.lstsq(modes, target, rcond=cutoff)[0]
