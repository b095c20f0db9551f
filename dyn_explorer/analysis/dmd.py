"""Dynamic mode decomposition of any window of a snapshot matrix, at any rank, in milliseconds."""

from __future__ import annotations

import numpy as np
import torch

from dyn_explorer.analysis.compress import CompressedSnapshots, compress
from dyn_explorer.analysis.conjugates import strongest_first
from dyn_explorer.analysis.dmd_fit import Fit, FitProblem
from dyn_explorer.analysis.dmd_methods import DMD_METHODS
from dyn_explorer.analysis.dmd_options import checked_dt, checked_rank, checked_window
from dyn_explorer.analysis.dmd_result import DMDResult
from dyn_explorer.errors import DynExplorerError


def dmd(
    snapshots: CompressedSnapshots | torch.Tensor | np.ndarray,
    *,
    rank: int | float | None = None,
    window: tuple[int, int] | None = None,
    method: str = "exact",
    dt: float = 1.0,
) -> DMDResult:
    """Fit one linear map that sends each snapshot to the next, and return its eigenvalues and modes.

    Parameters
    ----------
    snapshots : CompressedSnapshots, Tensor or ndarray (n_features, n_snapshots)
        A matrix is compressed first; compress it yourself to try many windows and ranks.
    rank : int, float or None, default None
        A whole number of singular values to keep; a fraction in (0, 1): as few as hold that share of the sum of
        squares; None: all above 1e-10 of the largest. Float32 snapshots carry rounding noise near 1e-7 of the
        largest, which None keeps: look at ``condition`` and choose a rank.
    window : (int, int), optional
        Columns to decompose, stop exclusive, at least 3; all by default.
    method : str, default "exact"
        Key of `DMD_METHODS`.
    dt : float, default 1.0
        Time between two snapshots; scales frequencies and growth.

    Returns
    -------
    DMDResult

    Raises
    ------
    DynExplorerError
        The rank, window, method or step is not possible for these snapshots, the window holds only zeros, or the
        decomposition does not converge.

    References
    ----------
    Tu, Rowley, Luchtenburg, Brunton & Kutz, "On dynamic mode decomposition: theory and applications",
    J. Comput. Dyn. 1 (2014), doi:10.3934/jcd.2014.1.391.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> rng = np.random.default_rng(0)
    >>> course = np.array([0.9, 0.5])[:, None] ** np.arange(10)
    >>> result = analysis.dmd(rng.standard_normal((300, 2)) @ course)
    >>> sorted(result.eigenvalues.real.round(6).tolist())
    [0.5, 0.9]
    """
    if method not in DMD_METHODS:
        raise DynExplorerError(f"`method` (={method!r}) is unknown; choose one of {', '.join(DMD_METHODS)}")
    step = checked_dt(dt)
    compressed = snapshots if isinstance(snapshots, CompressedSnapshots) else compress(snapshots)
    start, stop = checked_window(window, compressed.n_snapshots)
    info = DMD_METHODS[method]
    delays = info.delays(stop - start)
    svd = compressed.svd(start, stop - 1, delays)
    kept = checked_rank(rank, svd.singular_values, (start, stop), compressed.n_features)
    problem = FitProblem(compressed=compressed, window=(start, stop), delays=delays, rank=kept, svd=svd)
    try:
        fit = info.fit(problem)
    except np.linalg.LinAlgError as error:
        raise DynExplorerError(
            f"the {method} decomposition of the window {(start, stop)} at rank {kept} did not converge; "
            "choose a lower rank"
        ) from error
    return _ordered_result(problem, fit, method, step)


def _ordered_result(problem: FitProblem, fit: Fit, method: str, dt: float) -> DMDResult:
    norms = np.linalg.norm(fit.coordinates, axis=0)
    order = strongest_first(fit.eigenvalues, np.abs(fit.amplitudes) * norms)
    return DMDResult(
        eigenvalues=fit.eigenvalues[order],
        amplitudes=fit.amplitudes[order],
        norms=norms[order],
        singular_values=problem.svd.singular_values,
        rank=problem.rank,
        window=problem.window,
        dt=dt,
        method=method,
        compressed=problem.compressed,
        coordinates=fit.coordinates[:, order],
        coefficients=fit.coefficients[:, order],
        eigenvectors=None if fit.eigenvectors is None else fit.eigenvectors[:, order],
        notes=fit.notes,
    )
