"""How far each eigenpair is from being a true one, from the data alone."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from dyn_explorer.analysis.dmd_options import RANK_TOLERANCE
from dyn_explorer.analysis.dmd_result import DMDResult
from dyn_explorer.analysis.one_thread import one_thread
from dyn_explorer.analysis.window_svd import WindowSVD
from dyn_explorer.errors import Cancelled, DynExplorerError

_HALF_WIDTH = 1.5
_POINTS_AT_ONCE = 64
# Below this share of the matrix's square, the square root of an eigenvalue of M^H M has lost too many digits.
_SAFE_SQUARE = 1e-5
# Largest entry of the inverse of unit eigenvectors beyond which left eigenvectors have fewer than some six digits.
_MOST_DEPENDENT = 1e10


class Pseudospectrum(NamedTuple):
    """How nearly each complex number is an eigenvalue.

    Parameters
    ----------
    grid : ndarray, complex128
        The points.
    tau : ndarray, float64
        Smallest relative residual that any vector reaches there; same shape as ``grid``.
    """

    grid: np.ndarray
    tau: np.ndarray


def mode_residuals(result: DMDResult, *, kind: str = "mode", relative: bool = False) -> np.ndarray:
    """Residual of every eigenpair: small for true dynamics, large for what the regression made up.

    Parameters
    ----------
    result : DMDResult
        At rank r over n snapshots; B = X₂ V S⁻¹ and U, of rank r, as in exact DMD.
    kind : {"mode", "observable"}, default "mode"
        "mode": ‖B w - λ U w‖ with ‖w‖ = 1, the distance between the exact and the projected mode: zero only where the
        image of the subspace stays in the subspace. "observable": ‖G₂ v - λ G₁ v‖ / ‖G₁ v‖ with the snapshots'
        coordinates in U as observables; at full rank, r = n - 1, it would be zero by construction.
    relative : bool, default False
        Divide by \\|λ\\|.

    Returns
    -------
    ndarray (r,), float64
        In the order of ``result.eigenvalues``. All ``nan`` for "observable" at full rank, where it is not
        informative; ``nan`` where the method's mode has no part in the subspace; infinite or ``nan`` for the
        relative residual of an eigenvalue 0.

    Raises
    ------
    DynExplorerError
        Unknown kind.

    References
    ----------
    Drmač, Mezić & Mohr, "Data driven modal decompositions: analysis and enhancements", SIAM J. Sci. Comput. 40 (2018),
    doi:10.1137/17M1144155.
    Colbrook & Townsend, "Rigorous data-driven computation of spectral properties of Koopman operators for dynamical
    systems", Comm. Pure Appl. Math. 77 (2024), doi:10.1002/cpa.22125, arXiv:2111.14889.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> course = np.array([0.9, 0.5])[:, None] ** np.arange(10)
    >>> result = analysis.dmd(np.random.default_rng(0).standard_normal((300, 2)) @ course)
    >>> bool(analysis.mode_residuals(result).max() < 1e-10)
    True
    """
    kinds = {"mode": _mode_residuals, "observable": _observable_residuals}
    if kind not in kinds:
        raise DynExplorerError(f"`kind` (={kind!r}) is unknown; choose one of {', '.join(kinds)}")
    with one_thread(), np.errstate(divide="ignore", invalid="ignore"):
        residuals = kinds[kind](result)
        return residuals / np.abs(result.eigenvalues) if relative else residuals


def pseudospectrum(
    result: DMDResult, *, grid: int | np.ndarray = 64, cancel: threading.Event | None = None
) -> Pseudospectrum:
    """Smallest relative residual over all vectors, at each point of a grid in the complex plane.

    Where τ(z) is at most ε, z is an eigenvalue up to an error ε in the data. Contours of log10 τ under the eigenvalue
    circle show which eigenvalues are certain. At full rank, r = n - 1, it describes the regression of the last
    snapshot on the others and is zero at every eigenvalue.

    Parameters
    ----------
    result : DMDResult
    grid : int or ndarray of complex, default 64
        Points per side of a square over [-1.5, 1.5]² (our choice), or the points themselves in any shape.
    cancel : threading.Event, optional
        Looked at after every 64 points.

    Returns
    -------
    Pseudospectrum
        ``(grid, tau)``; of a square, rows are imaginary parts and columns real parts, both ascending.

    Raises
    ------
    DynExplorerError
        ``grid`` is neither a whole number of at least 2 nor an array of finite numbers.
    Cancelled
        ``cancel`` was set.

    References
    ----------
    Colbrook & Townsend, "Rigorous data-driven computation of spectral properties of Koopman operators for dynamical
    systems", Comm. Pure Appl. Math. 77 (2024), doi:10.1002/cpa.22125, arXiv:2111.14889.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> course = np.array([0.9, 0.5])[:, None] ** np.arange(10)
    >>> result = analysis.dmd(np.random.default_rng(0).standard_normal((300, 2)) @ course)
    >>> grid, tau = analysis.pseudospectrum(result, grid=16)
    >>> tau.shape
    (16, 16)
    """
    points = _checked_grid(grid)
    # The snapshots are real, so conjugate points have equal residuals.
    upper, inverse = np.unique(np.where(points.imag < 0, points.conj(), points).ravel(), return_inverse=True)
    operator, remainder = _observables(result)
    tau = np.empty(len(upper))
    for first in range(0, len(upper), _POINTS_AT_ONCE):
        if cancel is not None and cancel.is_set():
            raise Cancelled("the pseudospectrum was cancelled")
        some = slice(first, first + _POINTS_AT_ONCE)
        with one_thread():
            tau[some] = _smallest_residuals(operator, remainder, upper[some])
    return Pseudospectrum(points, tau[inverse.ravel()].reshape(points.shape))


def _mode_residuals(result: DMDResult) -> np.ndarray:
    svd, rank = _leading(result)
    left = svd.left[:, :rank]
    start, stop = result.window
    following = result.compressed.factor[:, start + 1 : stop]
    image = following @ (svd.right[:rank].T / svd.singular_values[:rank])
    vectors = result.eigenvectors
    if vectors is None:
        vectors = left.T @ result.coordinates
        vectors = vectors / np.linalg.norm(vectors, axis=0)
    return np.linalg.norm(image @ vectors - (left @ vectors) * result.eigenvalues, axis=0)


def _observable_residuals(result: DMDResult) -> np.ndarray:
    operator, remainder = _observables(result)
    if not len(remainder):
        return np.full(len(result.eigenvalues), np.nan)
    left_vectors = _left_eigenvectors(result.eigenvectors)
    if left_vectors is None:
        # Take the vector that suits each eigenvalue best.
        return _smallest_residuals(operator, remainder, result.eigenvalues)
    # The operator on observables is the transpose of the one on modes, seen through R.
    vectors = result.singular_values[: result.rank, None] * left_vectors
    vectors = vectors / np.linalg.norm(vectors, axis=0)
    inside = operator @ vectors - vectors * result.eigenvalues
    return np.sqrt(np.sum(np.abs(inside) ** 2, axis=0) + np.sum(np.abs(remainder @ vectors) ** 2, axis=0))


def _left_eigenvectors(vectors: np.ndarray | None) -> np.ndarray | None:
    """Columns that are left eigenvectors, or None where the method has none or they are not independent."""
    if vectors is None:
        return None
    try:
        inverse = np.linalg.inv(vectors)
    except np.linalg.LinAlgError:
        return None
    independent = np.abs(inverse).max() < _MOST_DEPENDENT
    return inverse.T if independent else None


def _observables(result: DMDResult) -> tuple[np.ndarray, np.ndarray]:
    """G₂ R⁻¹ with G₁ = V R, as its part inside the columns of V and the triangular factor of the rest.

    Then ‖(G₂ - z G₁) R⁻¹ y‖² = ‖(operator - z) y‖² + ‖remainder y‖². At full rank there is no rest.
    """
    svd, rank = _leading(result)
    start, stop = result.window
    following = result.compressed.factor[:, start + 1 : stop]
    with one_thread():
        scaled = (svd.left[:, :rank].T @ following).T / svd.singular_values[:rank]
        right = svd.right[:rank].T
        # R is the diagonal of singular values, and y = R v; the operator on y has K's eigenvalues.
        operator = right.T @ scaled
        if rank >= stop - start - 1:
            return operator, np.empty((0, rank))
        return operator, np.linalg.qr(scaled - right @ operator, mode="r")


def _leading(result: DMDResult) -> tuple[WindowSVD, int]:
    """Decomposition of the window's snapshots, and how much of it the residuals look at."""
    start, stop = result.window
    svd = result.compressed.svd(start, stop - 1)
    if result.eigenvectors is not None:
        return svd, result.rank
    # A method with a decomposition of its own may have kept more than the snapshots' rank.
    significant = np.count_nonzero(svd.singular_values > RANK_TOLERANCE * svd.singular_values[0])
    return svd, min(result.rank, int(significant))


def _smallest_residuals(operator: np.ndarray, remainder: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Smallest singular value of [operator - z; remainder] at each point."""
    size = len(operator)
    shifted = operator - points[:, None, None] * np.eye(size)
    squares = shifted.conj().transpose(0, 2, 1) @ shifted + remainder.T @ remainder
    # Eigenvalues of the small Hermitian square cost a third of the singular values and serve wherever they are safe.
    eigenvalues = np.linalg.eigvalsh(squares)
    tau = np.sqrt(np.maximum(eigenvalues[:, 0], 0))
    for index in np.flatnonzero(eigenvalues[:, 0] < _SAFE_SQUARE * eigenvalues[:, -1]):
        stacked = np.concatenate([shifted[index], remainder])
        tau[index] = np.linalg.svd(stacked, compute_uv=False)[-1]
    return tau


def _checked_grid(grid: int | np.ndarray) -> np.ndarray:
    points = np.asarray(grid)
    if points.ndim:
        if points.dtype.kind in "iufc" and np.isfinite(points).all():
            return points.astype(np.complex128)
    elif points.dtype.kind in "iu" and points >= 2:
        side = np.linspace(-_HALF_WIDTH, _HALF_WIDTH, int(points))
        return side[None, :] + 1j * side[:, None]
    raise DynExplorerError(
        f"`grid` (={grid!r}) must be a whole number of at least 2, or an array of finite complex points"
    )
