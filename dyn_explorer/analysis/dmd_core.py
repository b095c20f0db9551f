"""The decompositions that we compute ourselves: exact, projected, and of delay-stacked snapshots."""

from __future__ import annotations

import numpy as np

from dyn_explorer.analysis.dmd_fit import Fit, FitProblem, least_squares_amplitudes
from dyn_explorer.analysis.one_thread import one_thread


def fit_exact(problem: FitProblem) -> Fit:
    """Exact DMD: modes are images of the leading subspace."""
    return _fit(problem, exact=True)


def fit_projected(problem: FitProblem) -> Fit:
    """Projected DMD: modes lie in the leading subspace itself."""
    return _fit(problem, exact=False)


def hankel_delays(n_snapshots: int) -> int:
    """Successive snapshots in one column: a quarter of the window, between 2 and 8 (our choice)."""
    return min(max(n_snapshots // 4, 2), 8)


def _fit(problem: FitProblem, *, exact: bool) -> Fit:
    start, stop = problem.window
    rank, svd = problem.rank, problem.svd
    first = int(exact)
    with one_thread(), np.errstate(over="ignore", invalid="ignore"):
        stacked = problem.compressed.stacked(start, stop, problem.delays)
        left = svd.left[:, :rank]
        weighted_right = svd.right[:rank].T / svd.singular_values[:rank]
        values, vectors = np.linalg.eig(left.T @ (stacked[:, 1:] @ weighted_right))
        values, vectors = values.astype(np.complex128), vectors.astype(np.complex128)
        combination = weighted_right @ vectors
        modes = stacked[:, 1:] @ combination if exact else left @ vectors
        amplitudes = least_squares_amplitudes(modes, stacked[:, 0], values, problem.compressed.n_features)
    coefficients = np.zeros((problem.n_snapshots, rank), dtype=np.complex128)
    coefficients[first : first + len(combination)] = combination
    return Fit(
        eigenvalues=values,
        # Of a stack of delays, the uppermost is the snapshot itself.
        coordinates=modes[: len(problem.columns)],
        coefficients=coefficients,
        amplitudes=amplitudes,
        eigenvectors=vectors if problem.delays == 1 else None,
    )
