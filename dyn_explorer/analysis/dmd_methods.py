"""Methods of fitting a linear map from each snapshot to the next; each works on the compressed coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.compress import CompressedSnapshots
from dyn_explorer.analysis.window_svd import WindowSVD


@dataclass(frozen=True, eq=False)
class FitProblem:
    """A window of compressed snapshots and the rank at which to fit it.

    Parameters
    ----------
    compressed : CompressedSnapshots
    window : (int, int)
    rank : int
    svd : WindowSVD
        Of all the window's columns but the last.
    """

    compressed: CompressedSnapshots
    window: tuple[int, int]
    rank: int
    svd: WindowSVD

    @property
    def columns(self) -> np.ndarray:
        """The window's columns (k, stop - start) of the small factor."""
        return self.compressed.factor[:, self.window[0] : self.window[1]]


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
    eigenvectors : ndarray (rank, r), complex128, or None
    amplitudes : ndarray (r,), complex128, or None
        Where the method sets them itself; None is the least-squares fit to the first snapshot.
    """

    eigenvalues: np.ndarray
    coordinates: np.ndarray
    coefficients: np.ndarray
    eigenvectors: np.ndarray | None = None
    amplitudes: np.ndarray | None = None


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
    """

    label: str
    helps: str
    fit: Callable[[FitProblem], Fit]


def fit_exact(problem: FitProblem) -> Fit:
    """Exact DMD: modes are images of the leading subspace."""
    eigenvalues, vectors, combination = _projected_operator(problem)
    coefficients = np.zeros((problem.columns.shape[1], problem.rank), dtype=np.complex128)
    coefficients[1:] = combination
    return Fit(eigenvalues, problem.columns[:, 1:] @ combination, coefficients, vectors)


def fit_projected(problem: FitProblem) -> Fit:
    """Projected DMD: modes lie in the leading subspace itself."""
    eigenvalues, vectors, combination = _projected_operator(problem)
    coefficients = np.zeros((problem.columns.shape[1], problem.rank), dtype=np.complex128)
    coefficients[:-1] = combination
    return Fit(eigenvalues, problem.svd.left[:, : problem.rank] @ vectors, coefficients, vectors)


def _projected_operator(problem: FitProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues and unit eigenvectors W of U^T Y V S^-1, and V S^-1 W."""
    left = problem.svd.left[:, : problem.rank]
    weighted_right = problem.svd.right[: problem.rank].T / problem.svd.singular_values[: problem.rank]
    operator = left.T @ (problem.columns[:, 1:] @ weighted_right)
    eigenvalues, vectors = np.linalg.eig(operator)
    return eigenvalues.astype(np.complex128), vectors.astype(np.complex128), weighted_right @ vectors


DMD_METHODS: dict[str, MethodInfo] = {
    "exact": MethodInfo(
        label="Exact",
        helps="The default: the best linear map from each snapshot to the next, its modes free to leave the subspace.",
        fit=fit_exact,
    ),
    "projected": MethodInfo(
        label="Projected",
        helps="Helps when modes should be combinations of the leading singular vectors, which smooths noisy ones.",
        fit=fit_projected,
    ),
}
