"""Forward-backward DMD, which takes the bias of noise off the eigenvalues.

PyDMD's version (2025.8.1) multiplies the forward and the backward operator although they are written in two different
bases, so that its eigenvalues depend on the signs of singular vectors; ours projects both onto one.
"""

from __future__ import annotations

import numpy as np

from dyn_explorer.analysis.dmd_fit import Fit, FitProblem, least_squares_amplitudes, no_convergence
from dyn_explorer.analysis.one_thread import one_thread
from dyn_explorer.errors import DynExplorerError

# Imaginary part, relative to the modulus, below which a squared eigenvalue lies on the negative real axis.
_NEGATIVE = 1e-10


def fit_forward_backward(problem: FitProblem) -> Fit:
    """Square root of the forward map times the inverse of the backward one.

    References
    ----------
    Dawson, Hemati, Williams & Rowley, "Characterizing and correcting for the effect of sensor noise in the dynamic mode
    decomposition", Exp. Fluids 57 (2016), doi:10.1007/s00348-016-2127-7, arXiv:1507.02264.
    """
    rank, svd, columns = problem.rank, problem.svd, problem.columns
    with one_thread(), np.errstate(over="ignore", invalid="ignore"):
        weighted_right = svd.right[:rank].T / svd.singular_values[:rank]
        following = svd.left[:, :rank].T @ columns[:, 1:]
        forward = following @ weighted_right
        # The backward map sends the projected following snapshots to the projected preceding ones.
        preceding = svd.singular_values[:rank, None] * svd.right[:rank]
        backward = np.linalg.lstsq(following.T, preceding.T, rcond=None)[0].T
        squares, vectors = np.linalg.eig(forward @ np.linalg.inv(backward))
        estimates = np.diagonal(np.linalg.solve(vectors, forward @ vectors))
        eigenvalues = _nearest_roots(problem, squares.astype(np.complex128), estimates)
        combination = (weighted_right @ vectors).astype(np.complex128)
        modes = columns[:, 1:] @ combination
        amplitudes = least_squares_amplitudes(modes, columns[:, 0], eigenvalues, problem.compressed.n_features)
    coefficients = np.zeros((problem.n_snapshots, rank), dtype=np.complex128)
    coefficients[1:] = combination
    return Fit(eigenvalues=eigenvalues, coordinates=modes, coefficients=coefficients, amplitudes=amplitudes)


def _nearest_roots(problem: FitProblem, squares: np.ndarray, estimates: np.ndarray) -> np.ndarray:
    """Of the two roots of each eigenvalue, the one nearer to the forward map's own estimate."""
    negative = int(np.count_nonzero((squares.real < 0) & (np.abs(squares.imag) <= _NEGATIVE * np.abs(squares))))
    if negative:
        raise DynExplorerError(
            no_convergence(
                "forward-backward", problem, f"{negative} squared eigenvalues are negative, so there is no real root"
            )
        )
    roots = np.sqrt(squares)
    return np.where(np.abs(roots - estimates) <= np.abs(roots + estimates), roots, -roots)
